"""Hours of the week: when they hold, and what follows them."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios
from rpolab.laboratory.weekly import calendar_ns, changes, first_of, holds, weekday
from rpolab.laboratory.world import Laboratory, clock_of
from rpolab.mail.choice import mail_source
from scenarios import Hours
from scenarios.quantities import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

MINUTES = st.integers(0, 1439)
MONDAY = calendar_ns(dt.datetime(2007, 6, 4))  # noqa: DTZ001 - the scenario's own time


def hours(**written):
    return Hours.model_validate(written)


def test_a_monday_is_a_monday():
    assert weekday(MONDAY) == 0
    assert weekday(MONDAY + 6 * DAY_NS + 23 * HOUR_NS) == 6


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ({"from": "08:00", "to": "18:00", "days": "mon-fri"}, [8, 17.99, 108], [7, 18, 129]),
        ({"from": "22:00", "to": "06:00", "days": "sun"}, [6 * 24 + 22, 7 * 24 + 5], [22, 24 + 5]),
        ({"from": "00:00", "days": "sat, sun"}, [120, 167.9], [0, 119.9]),
        ({"from": "18:00"}, [18, 23.99, 24 + 18], [0, 17.99]),
    ],
)  # fmt: skip
def test_hours_hold_on_their_days_and_over_midnight(written, inside, outside):
    rule = hours(**written)
    assert all(holds(rule, MONDAY + int(hour * HOUR_NS)) for hour in inside)
    assert not any(holds(rule, MONDAY + int(hour * HOUR_NS)) for hour in outside)


@given(MINUTES, MINUTES, st.sampled_from(["mon-fri", "sun", "daily", "fri-mon"]))
@settings(deadline=None, max_examples=60)
def test_between_two_changes_nothing_changes(first, last, days):
    if first == last:
        return
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in (first, last)]
    rules = [hours(**{"from": clock[0], "to": clock[1], "days": days})]
    end = MONDAY + 8 * DAY_NS
    edges = [MONDAY, *changes(rules, MONDAY, end), end]
    for start, stop in pairwise(edges):
        assert holds(rules[0], start) == holds(rules[0], stop - 1)


def small(**changes):
    world = {
        "title": "x", "seed": 3, "date": "2007-06-01", "start": "17:00", "duration": "3 d",
        "exchange": {"version": 2007, "storage_groups": [
            {"name": "SG1", "databases": ["MDB1"], "mailboxes": 20, **changes.pop("group", {})},
        ]},
        "sites": {"primary": {}, "recovery": {}},
        "links": [{"between": ["primary", "recovery"], "bandwidth": "4 Mbit/s", "latency": "0 s",
                   **changes.pop("link", {})}],
        "protect": {"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "1 h"}]}},
    }  # fmt: skip
    return scenarios.parse(world)


def test_a_link_follows_its_schedule_over_the_weekend():
    rules = [
        {"from": "12:00", "to": "13:00", "bandwidth": "1 Mbit/s"},
        {"from": "08:00", "to": "18:00", "days": "mon-fri", "bandwidth": "2 Mbit/s"},
    ]
    scenario = small(link={"schedule": rules})
    laboratory = Laboratory(scenario, clock_of(scenario, None))
    [link] = laboratory.links.values()
    seen = []
    for hour in (0, 1, 19, 20, 39, 63):  # Friday 17:00, 18:00, Saturday 12:00, 13:00 ...
        laboratory.kernel.run(hour * HOUR_NS + SECOND_NS)
        seen.append(link.bandwidth_bit_s // 10**6)
    assert seen == [2, 4, 1, 4, 4, 2]


def test_mail_is_less_on_its_days_and_the_same_on_the_others():
    def counts(**group):
        scenario = small(group=group)
        laboratory = Laboratory(scenario, clock_of(scenario, None))
        [traffic] = mail_source(scenario).traffic(
            laboratory.streams, POOLS, {"SG1": tuple(f"u{n}" for n in range(20))}, 17 * HOUR_NS
        )
        found = dict.fromkeys(range(7), 0)
        for at_ns, _ in traffic.arrivals:
            if at_ns > scenario.duration_ns:
                return found
            found[weekday(MONDAY - 3 * DAY_NS + 17 * HOUR_NS + at_ns)] += 1
        return found

    everyday = counts()
    weekend = counts(mail_days=[{"days": "sat, sun", "mail": "10 %"}])
    assert (weekend[0], weekend[4]) == (everyday[0], everyday[4])
    assert weekend[5] + weekend[6] < 0.2 * (everyday[5] + everyday[6])


class POOLS:
    correspondents = tuple(f"c{n}@elsewhere" for n in range(50))


def test_the_first_rule_that_holds_counts():
    rules = [hours(**{"from": "12:00", "to": "13:00"}), hours(**{"from": "08:00", "to": "18:00"})]
    assert first_of(rules, MONDAY + 12 * HOUR_NS + MINUTE_NS) is rules[0]
    assert first_of(rules, MONDAY + 9 * HOUR_NS) is rules[1]
    assert first_of(rules, MONDAY + 19 * HOUR_NS) is None
