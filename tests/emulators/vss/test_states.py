"""The writer's state machine: every state with every event, legal and illegal."""

import itertools

import pytest

from emulators.vss.codes import VssCode, VssError, WriterState
from emulators.vss.session import PhaseFault, Session
from emulators.vss.transitions import TRANSITIONS, WriterEvent, states_after
from emulators.vss.writer import Writer
from sim.kernel import Kernel
from sim.streams import Streams

E = WriterEvent
STABLE = WriterState.STABLE
# The reference model, written from exchange.md 4.1: (event, state before, after, after failure).
CHAIN = [
    (E.PREPARE_SNAPSHOT, 1, 2, 8),
    (E.FREEZE, 2, 3, 9),
    (E.THAW, 3, 4, 10),
    (E.POST_SNAPSHOT, 4, 5, 11),
    (E.BACKUP_COMPLETE, 5, 1, 12),
]
SESSION = Session("{set}")
CODE = VssCode.VSS_E_WRITERERROR_OUTOFRESOURCES


def reference(state, event):
    """Return (after success, after failure) or None where the event is illegal."""
    for chained, before, after, failed in CHAIN:
        if (event, state) == (chained, before):
            return after, failed
    waiting = 2 <= state <= 5
    if event is E.IDENTIFY and state != 0:
        return (state, state) if waiting else (state, 6)
    if event is E.PREPARE_BACKUP and (state == 1 or state >= 6):
        return 1, 7
    if event is E.BACKUP_SHUTDOWN and (state == 1 or state >= 6):
        return state, 15 if state == 1 else state
    if event is E.ABORT and state != 0:
        return (1, 10) if waiting else (state, state)
    return None


EVERY = list(itertools.product(WriterState, WriterEvent))


@pytest.mark.parametrize(("state", "event"), EVERY)
def test_the_table_is_the_reference_model(state, event):
    expected = reference(state, event)
    if expected is None:
        assert (state, event) not in TRANSITIONS
        with pytest.raises(VssError) as caught:
            states_after(state, event, "writer")
        assert caught.value.code is VssCode.VSS_E_BAD_STATE
        assert state.name in str(caught.value)
    else:
        assert states_after(state, event, "writer") == expected


def writer_in(state, *, session=SESSION):
    kernel = Kernel(Streams(1))
    writer = Writer(kernel, name="writer", writer_id="{w}", instance_id="{i}")
    writer.state = state
    writer.session = session
    writer._frozen = state is WriterState.WAITING_FOR_THAW
    if state.failed:
        writer.last_error = VssCode.VSS_E_WRITERERROR_NONRETRYABLE
    return kernel, writer


def handle(kernel, writer, event, session=SESSION):
    task = kernel.spawn(writer.handle(event, session), name="handle")
    task.then(lambda _: None)
    kernel.run(kernel.now_ns + 10**9)
    assert task.fired
    return task


@pytest.mark.parametrize(("state", "event"), [pair for pair in EVERY if pair[0]])
@pytest.mark.parametrize("fails", [False, True])
def test_a_writer_in_every_state_answers_every_event_as_the_model_says(state, event, fails):
    session = None if event is E.IDENTIFY and not 2 <= state <= 5 else SESSION
    kernel, writer = writer_in(state, session=session)
    error_before = writer.last_error
    if fails:
        writer.inject(event, PhaseFault(code=CODE))
    task = handle(kernel, writer, event)
    expected = reference(state, event)
    if expected is None:
        assert writer.state is state
        if state.failed:
            assert task.value is error_before
        else:
            assert task.error.code is VssCode.VSS_E_BAD_STATE
        return
    assert task.value is (CODE if fails else VssCode.S_OK)
    assert writer.state == expected[fails]
    if fails and not (2 <= state <= 5 and event is E.IDENTIFY) and writer.state is not state:
        assert writer.last_error is CODE


@pytest.mark.parametrize(("state", "event"), [pair for pair in EVERY if pair[0]])
def test_another_backups_events_never_move_a_busy_writer(state, event):
    kernel, writer = writer_in(state)
    task = handle(kernel, writer, event, Session("{other}"))
    assert writer.state is state
    assert writer.session is SESSION
    if event is E.PREPARE_BACKUP:
        assert task.value is VssCode.VSS_E_WRITERERROR_RETRYABLE
    elif event in (E.ABORT, E.IDENTIFY):
        assert task.value is VssCode.S_OK
    else:
        assert task.error.code is VssCode.VSS_E_BAD_STATE


def test_every_state_can_be_left_for_a_new_backup():
    for state in WriterState:
        if not state:
            continue
        kernel, writer = writer_in(state)
        handle(kernel, writer, E.ABORT)
        assert not writer.holds
        new = Session("{new}")
        assert handle(kernel, writer, E.PREPARE_BACKUP, new).value is VssCode.S_OK
        assert (writer.state, writer.last_error) == (STABLE, VssCode.S_OK)


def test_states_and_codes_have_the_numbers_of_the_sheet():
    assert [state.value for state in WriterState] == list(range(16))
    assert VssCode.VSS_E_SNAPSHOT_SET_IN_PROGRESS == 0x80042316
    assert VssCode.VSS_E_FLUSH_WRITES_TIMEOUT == 0x80042313
    assert VssCode.VSS_E_HOLD_WRITES_TIMEOUT == 0x80042314
    assert VssCode.VSS_E_WRITERERROR_TIMEOUT == 0x800423F2


@pytest.mark.parametrize("event", [E.PREPARE_SNAPSHOT, E.POST_SNAPSHOT, E.BACKUP_COMPLETE])
def test_an_event_that_was_given_up_counts_for_nothing_when_it_ends(event):
    state = next(before for chained, before, _, _ in CHAIN if chained is event)
    kernel, writer = writer_in(WriterState(state))
    writer.inject(event, PhaseFault(delay_ns=100 * 10**9))
    kernel.spawn(writer.handle(event, SESSION), name="slow")
    kernel.run(10**9)
    writer.give_up(event, VssCode.VSS_E_WRITER_NOT_RESPONDING)
    failed = writer.state
    assert failed.failed
    handle(kernel, writer, E.ABORT)
    assert handle(kernel, writer, E.PREPARE_BACKUP, Session("{new}")).value is VssCode.S_OK
    kernel.run(200 * 10**9)
    assert writer.state is STABLE
    assert writer.session == Session("{new}")
