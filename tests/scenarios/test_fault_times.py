"""When faults come: what can be written, where it lies in the run, and what is refused."""

import pytest

from scenarios import FAULT_KINDS, check_text
from scenarios.conditions import parse_condition
from scenarios.fault_times import parse_rate, parse_window
from scenarios.grammar import QuantityError
from scenarios.phases import Span, phase_spans
from scenarios.quantities import DAY_NS, HOUR_NS, MINUTE_NS

BASE = """\
title: A base
seed: 7
start: 10:00
duration: 1 h
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 20, profile: heavy}
sites:
  primary: {}
  recovery: {}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp:
    kind: cdp
    copies: [{site: recovery, retention: 48 h}]
phases:
  - {name: chaos, duration: 40 min}
  - {name: quiet, duration: 20 min}
faults:
  - {FAULT}
drills: {at_end: true}
thresholds:
  cdp.rpo: ["max < 60 s"]
"""
OUTAGE = "kind: link_outage, between: [primary, recovery], duration: 1 min"
TEN = 10 * HOUR_NS


def check_fault(written):
    return check_text(BASE.replace("{FAULT}", f"{{{written}}}"))


def spans(*written):
    """The stretches of the run in which faults may come, in minutes after its start."""
    found = []
    for timing in written:
        scenario = check_fault(f"{timing}, {OUTAGE}").scenario
        [fault] = scenario.faults
        phases = phase_spans(scenario.phases)
        span = fault.span(scenario.start_ns, scenario.duration_ns, phases)
        found.append((span.start_ns / MINUTE_NS, round(span.end_ns / MINUTE_NS, 3)))
    return found


def test_a_fault_may_come_at_an_instant_in_a_window_in_a_phase_or_when_something_is_so():
    assert spans(
        "at: 10:30",
        "at: 30 min",
        "at: 5 min, phase: quiet",
        "within: 10:20-10:50",
        "within: 20 min - 50 min",
        "within: 20 min - 50 min, phase: chaos",
        "within: 5 min - 10 min, phase: quiet",
        "within: 10:20-10:50, phase: quiet",
        "phase: quiet",
        "rate: 3 per hour",
        "rate: 3 per hour, within: 10:10-10:20, limit: 2",
        "when: cdp.backlog > 1 GiB, phase: chaos",
    ) == [
        (30, 30), (30, 30), (45, 45), (20, 50), (20, 50), (20, 40), (45, 50), (40, 50), (40, 60),
        (0, 60), (10, 20), (0, 40),
    ]  # fmt: skip


def test_a_window_of_the_clock_in_which_the_run_starts_is_entered_at_once():
    assert parse_window("09:30-10:30").span(TEN) == Span(0, 30 * MINUTE_NS)
    assert parse_window("23:00-01:00").span(TEN) == Span(13 * HOUR_NS, 15 * HOUR_NS)


@pytest.mark.parametrize(
    ("read", "interval_ns"),
    [
        ("3 per day", DAY_NS / 3),
        ("0.5 per hour", 2 * HOUR_NS),
        ("2 per 90 min", 45 * MINUTE_NS),
        ("1 / h", HOUR_NS),
        ("1 a day", DAY_NS),
    ],
)
def test_a_rate_is_a_mean_interval(read, interval_ns):
    assert parse_rate(read).interval_ns == interval_ns


@pytest.mark.parametrize(
    "read",
    ["3", "3 per", "per day", "0 per day", "3 per fortnight", "2 per s", -3, None, "3 per 0 s"],
)
def test_what_is_no_rate_is_refused_with_an_example(read):
    with pytest.raises(QuantityError) as caught:
        parse_rate(read)
    assert caught.value.hint


@pytest.mark.parametrize(
    "read",
    ["10:00", "10:00-10:00", "10:00-5 min", "10 min - 5 min", "10:00-25:00", 5, "a-b", "1-2-3"],
)
def test_what_is_no_window_is_refused_with_an_example(read):
    with pytest.raises(QuantityError) as caught:
        parse_window(read)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("read", "value", "other"),
    [
        ("cdp.backlog > 1 GiB", 2**30 + 1, 2**30),
        ("cdp@recovery.rpo >= 5 min", 5 * MINUTE_NS, 5 * MINUTE_NS - 1),
        ("cdp.bookmarks == 2", 2, 3),
        ("cdp.mode == metadata", "metadata", "data"),
        ("cdp.pool > 50 %", 0.6, 0.5),
    ],
)
def test_a_condition_compares_a_live_figure_and_holds_of_nothing_unknown(read, value, other):
    condition = parse_condition(read)
    assert condition.holds(value)
    assert not condition.holds(other)
    assert not condition.holds(None)


@pytest.mark.parametrize(
    ("read", "message", "hint"),
    [
        ("backlog > 1 GiB", "is not a condition", "cdp.backlog"),
        ("cdp.backlogg > 1 GiB", "cannot be watched", "did you mean 'backlog'?"),
        ("cdp.backlog > 5 min", "is not a unit of a size", ""),
        ("cdp.rpo > 5", "has no unit", "5 min"),
        ("cdp.rpo => 5 min", "not an operator", "write '>='"),
        ("cdp.mode > data", "is a word", "mode == data"),
        ("cdp.mode == broken", "is no mode", "metadata"),
        ("cdp.bookmarks > 2 s", "not a whole number", "bookmarks >= 2"),
        (7, "is not a condition", ""),
    ],
)
def test_a_wrong_condition_says_what_is_wrong_with_it(read, message, hint):
    with pytest.raises(QuantityError) as caught:
        parse_condition(read)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        (OUTAGE, "the key 'at' is missing", "at: 10:30"),
        (f"at: 10:30, within: 10:00-10:30, {OUTAGE}", "both 'at' and 'within'", "keep one"),
        (f"rate: 1 per h, when: cdp.rpo > 1 s, {OUTAGE}", "both 'rate' and 'when'", "keep one"),
        (f"at: 10:30, limit: 3, {OUTAGE}", "'limit' says nothing without", "remove"),
        (f"rate: 1 per h, again_after: 1 min, {OUTAGE}", "'again_after' says nothing", "remove"),
        (f"phase: chaso, {OUTAGE}", "there is no phase 'chaso'", "'chaos'"),
        (f"within: 11:10-11:30, {OUTAGE}", "outside the run: it can never come", "lasts 1 h"),
        (f"at: 10:10, phase: quiet, {OUTAGE}", "outside the phase 'quiet'", "40 min to 1 h"),
        (f"when: ccr.rpo > 1 min, {OUTAGE}", "no protection 'ccr'", "cdp"),
        (f"when: cdp@vault.rpo > 1 min, {OUTAGE}", "cdp has no copy 'vault'", "recovery"),
        (f"at: 10:30, {OUTAGE}".replace("outage", "one_way") + ", blocked_from: mars",
         "'mars' is not an end", "primary or recovery"),
        (f"rate: 1 per h, limit: 0, {OUTAGE}", "out of range", "at least 1"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_is_refused_in_one_error(written, message, hint):
    [problem] = check_fault(written).problems
    assert message in problem.message
    assert hint in problem.hint
    assert problem.line == 22


def test_phases_that_overrun_the_run_or_share_a_name_are_refused():
    text = BASE.replace("  - {FAULT}\n", "  []\n")
    [problem] = check_text(text.replace("duration: 20 min", "duration: 21 min")).problems
    assert "the phases up to this one last 1 h 1 min" in problem.message
    [problem] = check_text(text.replace("name: quiet", "name: chaos")).problems
    assert "a second phase is called 'chaos'" in problem.message


PLACES = {
    "site_loss": "site: primary",
    "power_cut": "site: primary, back_after: 10 min",
    "link_outage": "between: [primary, recovery], duration: 1 min",
    "link_one_way": "between: [primary, recovery], duration: 1 min, blocked_from: primary",
    "link_slow": "between: [primary, recovery], duration: 1 min, bandwidth: 1 Mbit/s",
    "link_lossy": "between: [primary, recovery], duration: 1 min, loss: 5 %",
    "link_delayed": "between: [primary, recovery], duration: 1 min, latency: 1 s",
    "disk_stall": "site: primary, volume: logs, duration: 1 s",
    "disk_slow": "site: primary, volume: logs, duration: 1 s, throughput: 1 MiB/s",
    "disk_full": "site: primary, volume: logs, duration: 1 s",
    "disk_loss": "site: recovery, volume: journal",
    "io_error": "site: primary, volume: database, duration: 1 s",
    "bit_rot": "site: recovery, volume: journal",
    "lost_write": "site: recovery, volume: journal",
    "misdirected_write": "site: recovery, volume: journal",
    "stale_snapshot": "site: recovery, volume: journal, age: 5 min",
    "service_stop": "protection: cdp, end: copy, duration: 1 min",
    "lost_log": "protection: cdp, which: current",
}


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_each_kind_can_be_written_with_each_kind_of_time(kind):
    for timing in ("at: 10:20", "phase: chaos", "rate: 2 per day", "when: cdp.pool > 5 %"):
        checked = check_fault(f"{timing}, kind: {kind}, {PLACES[kind]}")
        assert checked.problems == ()
        assert checked.scenario.faults[0].kind == kind


def test_the_time_is_told_as_it_was_written():
    told = [
        check_fault(f"{timing}, {OUTAGE}").scenario.faults[0].timing
        for timing in (
            "at: 10:30",
            "within: 10:20 - 10:50",
            "rate: 3  per day, phase: chaos",
            "when: cdp.rpo  > 1 min, within: 5 min-10 min",
        )
    ]
    assert told == [
        "",
        "within 10:20-10:50",
        "3 per day, in phase chaos",
        "when cdp.rpo > 1 min, within 5 min-10 min",
    ]
