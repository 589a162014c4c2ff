"""Weekly schedules, turned to where the engine's week is when a run starts."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from engine.basics.settings import ResyncSettings
from engine.resync.policy import begins_at_ns
from engine.session.bandwidth import BandwidthLimit
from rpolab.protections.schedules import bandwidth_rules, daily_hours
from scenarios import BandwidthHours, Hours

MINUTE_NS = 60 * 10**9
DAY_NS = 1440 * MINUTE_NS
DAYS = ("mon-fri", "sat, sun", "daily", "fri-mon", "wed")
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


HOURS = st.tuples(st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(DAYS)).filter(
    lambda drawn: drawn[0] != drawn[1]
)


def holds(hours, calendar_ns):
    """Whether hours hold at a calendar time, said as plainly as can be."""
    from_ns, length_ns, days = hours.from_ns, hours.length_ns, hours.days
    for back in (0, 1):
        day = calendar_ns // DAY_NS - back
        weekday = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + day).weekday()
        begins_ns = day * DAY_NS + from_ns
        if days >> weekday & 1 and begins_ns <= calendar_ns < begins_ns + length_ns:
            return True
    return False


@given(HOURS, st.integers(13_000 * 1440, 13_030 * 1440), st.integers(0, 9 * 1440))
def test_a_rule_holds_at_the_run_times_that_are_its_hours_on_the_calendar(drawn, starts, after):
    begin, end, days = drawn
    written = BandwidthHours.model_validate(
        {"from": clock(begin), "to": clock(end), "days": days, "at_most": "8 kbit/s"}
    )
    starts_ns, after_ns = starts * MINUTE_NS, after * MINUTE_NS
    rules = bandwidth_rules([written], starts_ns)
    rule = BandwidthLimit(rules).rule_at(after_ns)
    assert (rule is not None) == holds(written, starts_ns + after_ns)
    assert all(rule.bytes_per_s == 1000 for rule in rules)


@given(HOURS, st.integers(13_000 * 1440, 13_030 * 1440), st.integers(0, 9 * 1440))
def test_a_resync_begins_within_its_hours_and_not_before(drawn, starts, after):
    begin, end, days = drawn
    written = Hours.model_validate({"from": clock(begin), "to": clock(end), "days": days})
    starts_ns, after_ns = starts * MINUTE_NS, after * MINUTE_NS
    settings = ResyncSettings("hours", daily_hours([written], starts_ns))
    begins_ns = begins_at_ns(settings, after_ns, is_ordered=False)
    assert begins_ns is not None
    assert begins_ns >= after_ns
    assert holds(written, starts_ns + begins_ns)
    assert (begins_ns == after_ns) == holds(written, starts_ns + after_ns)


def test_days_are_read_as_they_are_written():
    def days(text):
        read = Hours.model_validate({"from": "08:00", "days": text}).days
        return [name for bit, name in enumerate(NAMES) if read >> bit & 1]

    assert days("mon-fri") == ["mon", "tue", "wed", "thu", "fri"]
    assert days("sat-mon") == ["mon", "sat", "sun"]
    assert days("wed, sun") == ["wed", "sun"]
    assert days("daily") == list(NAMES)
