"""The bandwidth limit: never more than the schedule allows, and all of what it allows."""

import pytest
from engine_harness import SMALL, Pair
from engine_model import EPOCH, GROUP, INCARNATION, check_images, create, write
from hypothesis import given
from hypothesis import strategies as st

from engine import Capture, SessionSettings
from engine.basics.settings import SECOND_NS, BandwidthRule
from engine.session.bandwidth import BURST_NS, DAY_NS, BandwidthLimit

HOUR_NS = 3_600 * SECOND_NS
EVERY_DAY = 0b1111111
SUNDAY = 1 << 6
OFFICE = BandwidthRule(0b0011111, 8 * HOUR_NS, 18 * HOUR_NS, 1_000)
NIGHT = BandwidthRule(EVERY_DAY, 22 * HOUR_NS, 24 * HOUR_NS, 50_000)
SILENCE = BandwidthRule(SUNDAY, 0, DAY_NS, 0)
SCHEDULE = (OFFICE, NIGHT, SILENCE)
#: 2026-11-23 was a Monday: days since 1970-01-01, by the calendar.
A_MONDAY_NS = 20_780 * DAY_NS


def always(rate):
    return (BandwidthRule(EVERY_DAY, 0, DAY_NS, rate),)


@pytest.mark.parametrize(
    ("day", "hour", "rate"),
    [(0, 7, None), (0, 8, 1_000), (0, 17, 1_000), (0, 18, None), (0, 22, 50_000),
     (5, 12, None), (5, 23, 50_000), (6, 0, 0), (6, 22, 50_000), (7, 8, 1_000)],
)  # fmt: skip
def test_the_first_rule_that_fits_day_and_time_holds(day, hour, rate):
    rule = BandwidthLimit(SCHEDULE).rule_at(A_MONDAY_NS + day * DAY_NS + hour * HOUR_NS)
    assert (None if rule is None else rule.bytes_per_s) == rate


def drive(limit, start_ns, until_ns, batch_bytes, wall_offset_ns=0):
    """Send as much as goes; return (time, bytes) of each batch."""
    now_ns, sent = start_ns, []
    while now_ns < until_ns:
        free_ns = limit.free_at_ns(now_ns, wall_offset_ns)
        assert free_ns >= now_ns
        if free_ns == now_ns:
            size = limit.batch_bytes_max(now_ns + wall_offset_ns, batch_bytes)
            limit.spend(size)
            sent.append((now_ns, size))
            now_ns += 1_000_000
        else:
            now_ns = free_ns
    return sent


@pytest.mark.parametrize("rate", [1_000, 125_000, 1_250_000])
def test_over_a_minute_a_rate_is_used_in_full_and_not_exceeded(rate):
    limit, seconds = BandwidthLimit(always(rate)), 60
    sent = drive(limit, A_MONDAY_NS, A_MONDAY_NS + seconds * SECOND_NS, 64 << 10)
    total = sum(size for _, size in sent)
    slack = rate * BURST_NS // SECOND_NS + max(size for _, size in sent)
    assert rate * seconds - slack <= total <= rate * seconds + slack


@given(
    rates=st.lists(st.integers(0, 100_000), min_size=24, max_size=24),
    start_h=st.integers(0, 23),
    pauses=st.lists(st.integers(0, 3 * HOUR_NS), max_size=8),
    offset_ns=st.integers(-DAY_NS, DAY_NS),
)
def test_no_stretch_of_time_carries_more_than_its_rules_allow(rates, start_h, pauses, offset_ns):
    rules = tuple(
        BandwidthRule(EVERY_DAY, h * HOUR_NS, (h + 1) * HOUR_NS, rate)
        for h, rate in enumerate(rates)
    )
    limit, sent = BandwidthLimit(rules), []
    now_ns = A_MONDAY_NS + start_h * HOUR_NS
    for pause_ns in [0, *pauses]:
        now_ns += pause_ns
        until_ns = now_ns + 2 * SECOND_NS
        sent += drive(limit, now_ns, until_ns, 1 << 20, offset_ns)
        now_ns = until_ns
    burst = max(rates) * BURST_NS // SECOND_NS + 1
    biggest = max((size for _, size in sent), default=0)
    for first in range(0, len(sent), max(1, len(sent) // 5)):
        for last in range(first, len(sent), max(1, len(sent) // 5)):
            start, end = sent[first][0] + offset_ns, sent[last][0] + offset_ns
            total = sum(size for _, size in sent[first : last + 1])
            allowed = sum(
                rates[h % 24] * (min(end, (h + 1) * HOUR_NS) - max(start, h * HOUR_NS)) // SECOND_NS
                + 1
                for h in range(start // HOUR_NS, end // HOUR_NS + 1)
            )
            assert total <= allowed + burst + biggest


def test_nothing_goes_while_the_rate_is_zero_and_the_wake_up_is_at_its_end():
    limit = BandwidthLimit(SCHEDULE)
    sunday_ns = A_MONDAY_NS + 6 * DAY_NS + HOUR_NS
    free_ns = limit.free_at_ns(sunday_ns, 0)
    assert free_ns > sunday_ns
    sent = drive(limit, sunday_ns, sunday_ns + 21 * HOUR_NS - 1, 1_000)
    assert sent == []
    assert drive(limit, sunday_ns, sunday_ns + 21 * HOUR_NS + SECOND_NS, 1_000)


def test_a_step_of_the_wall_clock_changes_the_rule_and_gives_no_tokens():
    limit = BandwidthLimit((OFFICE,))
    nine_ns = A_MONDAY_NS + 9 * HOUR_NS
    assert limit.free_at_ns(nine_ns, 0) == nine_ns
    limit.spend(100_000)
    assert limit.free_at_ns(nine_ns, 0) > nine_ns
    limit.free_at_ns(nine_ns, HOUR_NS)
    assert limit.free_at_ns(nine_ns, HOUR_NS) > nine_ns, "an hour of tokens was not earned"
    assert limit.free_at_ns(nine_ns, 12 * HOUR_NS) == nine_ns, "no rule holds at nine at night"


def pair_with(rules, count=40, at_step=lambda _: None, **changes):
    fields = {name: getattr(SMALL, name) for name in SMALL.__dataclass_fields__}
    settings = SessionSettings(**(fields | {"bandwidth": rules} | changes))
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    pair = Pair(capture, settings=settings, at_step=at_step)
    pair.show(create("db/a"))
    for number in range(count):
        pair.show(write("db/a", number * 1_000, bytes(range(256)) * 3))
    return pair


def test_a_limited_session_ships_all_in_the_time_the_rate_takes_and_counts_it():
    rate = 2_000
    pair = pair_with(always(rate), heartbeat_interval_ns=SECOND_NS, peer_timeout_ns=9 * SECOND_NS)
    pair.converge()
    figures = pair.source.figures
    expected_ns = figures.wire_bytes * SECOND_NS // rate
    slack_ns = BURST_NS + 3_000 * SECOND_NS // rate
    assert expected_ns - slack_ns <= figures.throttled_ns <= expected_ns + slack_ns
    assert abs(pair.now_ns - figures.throttled_ns) < SECOND_NS
    check_images(pair.journal, pair.shown)


@pytest.mark.parametrize("disturb", [Pair.crash_source, Pair.disconnect, Pair.crash_target])
def test_a_limited_session_survives_a_disturbance_after_any_action(disturb):
    plain = pair_with(always(1 << 20), count=6)
    plain.converge()
    for step in range(1, plain.steps + 1):

        def at_step(pair, step=step):
            if pair.steps == step:
                disturb(pair)

        pair = pair_with(always(1 << 20), count=6, at_step=at_step)
        pair.converge()
        check_images(pair.journal, pair.shown)


def test_without_a_schedule_nothing_is_throttled():
    pair = pair_with(())
    pair.converge()
    assert pair.source.figures.throttled_ns == 0
    assert pair.source.figures.records == pair.capture.newest.sequence


def test_a_full_window_is_counted_as_back_pressure():
    pair = pair_with((), window_bytes_max=2_000)
    pair.run(lambda pair: bool(pair.syncs))
    pair.now_ns += 70_000  # the target's disk takes its time
    pair.converge()
    assert pair.source.figures.window_full_ns >= 70_000
    assert pair.source.figures.throttled_ns == 0


def test_heartbeats_flow_while_the_schedule_says_silence():
    pair = pair_with(always(0), count=2)
    for _ in range(400):
        pair.step() or pair.advance()
    assert pair.now_ns > 10 * SMALL.peer_timeout_ns
    assert pair.source.state.value == pair.target.state.value == "streaming"
    assert pair.journal.received.sequence == 0
    pair.show(write("db/a", 0, b"x"))
    assert pair.source.figures.throttled_ns > 5 * SMALL.peer_timeout_ns
