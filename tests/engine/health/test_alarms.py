"""Alarms: raised once, cleared once, and silent while a value wanders between the two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.health.alarms import (
    EVENTS_MAX,
    Alarm,
    AlarmBoard,
    Change,
    Level,
    Rule,
    Severity,
)

RULE = Rule(
    name="queue",
    says="The queue is long",
    hint="Serve it",
    levels=(Level(Severity.WARNING, 10, 5), Level(Severity.CRITICAL, 20, 15)),
    hold_ns=3,
    quiet_ns=4,
)


def lived_through(values, rule=RULE):
    alarm = Alarm(rule)
    events = [alarm.look(value, "", now_ns) for now_ns, value in enumerate(values)]
    return [
        (event.at_ns, event.change.value, event.severity.name) for event in events if event
    ], alarm


def test_an_alarm_is_raised_once_grows_once_shrinks_once_and_is_cleared_once():
    values = [12] * 10 + [25] * 10 + [12] * 10 + [0] * 10
    events, _ = lived_through(values)
    assert events == [
        (3, "raised", "WARNING"),
        (13, "raised", "CRITICAL"),
        (24, "eased", "WARNING"),
        (34, "cleared", "HEALTHY"),
    ]


def test_what_is_worst_at_once_is_told_once_and_what_is_good_at_once_is_cleared_once():
    events, _ = lived_through([99] * 8 + [0] * 8)
    assert events == [(3, "raised", "CRITICAL"), (12, "cleared", "HEALTHY")]


def test_a_short_spike_is_not_told():
    assert lived_through([0, 99, 99, 99, 0] * 20)[0] == []


def test_a_short_recovery_is_not_told():
    assert lived_through([99] * 5 + [0, 0, 0, 99] * 20)[0] == [(3, "raised", "CRITICAL")]


def test_a_value_that_wanders_between_clear_and_level_is_not_told():
    assert lived_through([10, 11, 12, 13, *[5, 9, 10, 12] * 50])[0] == [(3, "raised", "WARNING")]


def test_what_nobody_knows_changes_nothing():
    events, alarm = lived_through([12] * 4 + [None] * 50)
    assert events == [(3, "raised", "WARNING")]
    assert alarm.severity is Severity.WARNING


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=200))
def test_whatever_the_values_two_events_never_come_sooner_than_the_times_allow(values):
    events, alarm = lived_through(values)
    severity = "HEALTHY"
    for number, (at_ns, change, after) in enumerate(events):
        assert after != severity, "every event says something new"
        assert (change == "cleared") == (after == "HEALTHY")
        rises = Severity[after] > Severity[severity]
        assert (change == "raised") == rises
        if number:
            wait_ns = RULE.hold_ns if rises else RULE.quiet_ns
            assert at_ns - events[number - 1][0] >= wait_ns
        severity = after
    assert alarm.severity.name == severity


@settings(deadline=None)
@given(st.integers(0, 30), st.lists(st.integers(0, 30), max_size=30))
def test_a_value_that_stays_ends_in_the_severity_it_deserves(last, before):
    _, alarm = lived_through(before + [last] * 20)
    if last >= 20:
        assert alarm.severity is Severity.CRITICAL
    elif last < 5:
        assert alarm.severity is Severity.HEALTHY
    elif 10 <= last < 15:
        assert alarm.severity is Severity.WARNING


def test_the_board_names_the_worst_first_and_keeps_the_newest_events():
    mild = Rule("mild", "Mild", "", (Level(Severity.WARNING, 1, 1),))
    bad = Rule("bad", "Bad", "do it", (Level(Severity.CRITICAL, 1, 1),))
    board = AlarmBoard([mild, bad])
    assert board.severity is Severity.HEALTHY
    (event,) = board.look("mild", 1, "7 of 3", 0)
    assert str(event) == "[warning] mild raised: Mild: 7 of 3."
    assert board.look("bad", 1, "", 0)[0].change is Change.RAISED
    assert [alarm.rule.name for alarm in board.standing()] == ["bad", "mild"]
    for now_ns in range(1, 2 * EVENTS_MAX):
        board.look("bad", now_ns % 2, "", now_ns)
    assert len(board.events) == EVENTS_MAX
    assert board.severity is Severity.CRITICAL


def test_a_rule_that_would_flap_cannot_be_written():
    with pytest.raises(AssertionError, match="flap"):
        Level(Severity.WARNING, 1, 2)
    with pytest.raises(AssertionError, match="worse"):
        Rule("r", "", "", (Level(Severity.CRITICAL, 1, 1), Level(Severity.WARNING, 2, 2)))


def test_an_alarm_that_keeps_coming_back_is_cleared_more_and_more_slowly():
    events, alarm = lived_through(([12] * 4 + [0] * 6) * 100)
    assert len(events) == 3, "raised, cleared too soon, raised for good"
    assert alarm.severity is Severity.WARNING


def test_after_a_long_rest_an_alarm_is_cleared_as_fast_as_ever():
    flicker, rest = [12] * 4 + [0] * 6, [0] * 10_000
    events, _ = lived_through(flicker * 3 + rest + [12] * 4 + [0] * 20)
    assert [event[1] for event in events[-2:]] == ["raised", "cleared"]
    assert events[-1][0] - events[-2][0] == 1 + RULE.quiet_ns
