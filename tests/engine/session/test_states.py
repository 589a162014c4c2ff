"""The transition tables: complete, reachable, and free of rows that nothing can use."""

import pytest

from engine.basics.errors import FrameUnexpected, LocalProtocolError
from engine.contract.machines import next_state
from engine.formats.wire import FrameType
from engine.session.states import (
    SOURCE_FRAMES,
    SOURCE_TRANSITIONS,
    TARGET_FRAMES,
    TARGET_TRANSITIONS,
    SourceState,
    TargetState,
    Trigger,
    require_source_frame,
    require_target_frame,
)

SIDES = [
    (SourceState, SOURCE_TRANSITIONS, SourceState.IDLE),
    (TargetState, TARGET_TRANSITIONS, TargetState.LISTENING),
]


@pytest.mark.parametrize(("states", "table", "initial"), SIDES)
def test_every_state_can_be_reached_and_only_halted_is_an_end(states, table, initial):
    reached, frontier = {initial}, [initial]
    while frontier:
        state = frontier.pop()
        for (before, trigger), after in table.items():
            if before is state and after not in reached:
                assert next_state("It", table, before, trigger) is after
                reached.add(after)
                frontier.append(after)
    assert reached == set(states)
    ends = set(states) - {before for before, _ in table}
    assert ends == {states.HALTED}


@pytest.mark.parametrize(("states", "table", "initial"), SIDES)
def test_what_the_table_does_not_name_is_impossible(states, table, initial):
    impossible = [(s, t) for s in states for t in Trigger if (s, t) not in table]
    assert impossible
    for state, trigger in impossible:
        with pytest.raises(LocalProtocolError):
            next_state("It", table, state, trigger)


@pytest.mark.parametrize(
    ("states", "table", "require"),
    [
        (SourceState, SOURCE_FRAMES, require_source_frame),
        (TargetState, TARGET_FRAMES, require_target_frame),
    ],
)
def test_each_state_takes_the_frames_of_its_row_and_no_other(states, table, require):
    for state in states:
        for kind in FrameType:
            if (state, kind) in table:
                require(state, kind)
            else:
                with pytest.raises(FrameUnexpected):
                    require(state, kind)
    assert {kind for _, kind in SOURCE_FRAMES | TARGET_FRAMES} == set(FrameType)
