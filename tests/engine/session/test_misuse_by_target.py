"""Everything a target can do wrong: one named error each, nothing freed, never a hang."""

import pytest
from engine_frames import (
    HEARTBEAT,
    HELLO,
    OTHER,
    ack_of,
    batch,
    capture_of,
    cursor,
    notices,
    only_failure,
    welcome_at,
)
from engine_harness import SMALL, Pair
from engine_model import EPOCH, GROUP, INCARNATION, write

from engine import (
    Capture,
    SourceSession,
    SourceState,
    actions,
    events,
)
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    FrameDamaged,
    FrameUnexpected,
    JournalRegressed,
    LocalProtocolError,
    PeerTimedOut,
    RecordDamaged,
    ResyncRequired,
    WrongGroup,
)
from engine.formats.error_codes import FATAL
from engine.formats.wire import encode_error


def source_of(*, welcomed=True, sent=6):
    """Return a source that was welcomed at sequence 2 and has sent everything up to `sent`."""
    capture = capture_of(sent)
    session = SourceSession(capture, SMALL)
    session.handle(events.Started(), 5_000)
    session.handle(events.Connected(1), 5_000)
    if welcomed:
        given = receive(session, welcome(capture, 2))
        assert notices(given, actions.Established)
        session.handle(events.TimerFired(), 5_000 + SMALL.batch_linger_ns)
        assert session.sent_sequence == sent
    return session


def receive(session, data, now_ns=5_000):
    return session.handle(events.BytesReceived(1, data), now_ns)


def welcome(capture, sequence, **fields):
    return welcome_at(fields.pop("cursor", None) or cursor(capture, sequence), **fields)


WRONG_WELCOMES = {
    "another group": (welcome(capture_of(), 2, group=1), WrongGroup),
    "another capture": (welcome(capture_of(), 2, incarnation=1), ResyncRequired),
    "another epoch": (
        welcome(capture_of(), 2, cursor=Cursor(EPOCH + 1, 2, 0)),
        EpochFenced,
    ),
    "a cursor never sent": (
        welcome(capture_of(), 2, cursor=Cursor(EPOCH, 7, 0)),
        CursorNeverSent,
    ),
    "another history": (welcome(OTHER, 2), ChainMismatch),
    "an ack first": (ack_of(cursor(capture_of(), 2)), FrameUnexpected),
    "a hello": (HELLO, FrameUnexpected),
    "a batch": (batch(capture_of(), 1, 2), FrameUnexpected),
    "noise": (b"HTTP/1.1 400 Bad Request", FrameDamaged),
}
WRONG_ACKS = {
    "an ack never sent": (ack_of(Cursor(EPOCH, 7, 0)), CursorNeverSent),
    "an ack lower than before": (ack_of(cursor(capture_of(), 1)), CursorRegressed),
    "an ack of another history": (ack_of(cursor(OTHER, 4)), ChainMismatch),
    "an ack of another epoch": (ack_of(Cursor(EPOCH + 1, 4, 0)), EpochFenced),
    "a second welcome": (welcome(capture_of(), 2), FrameUnexpected),
    "a damaged frame": (HEARTBEAT[:-1] + b"\1", FrameDamaged),
}


@pytest.mark.parametrize(
    ("welcomed", "data", "error"),
    [(False, *case) for case in WRONG_WELCOMES.values()]
    + [(True, *case) for case in WRONG_ACKS.values()],
    ids=[*WRONG_WELCOMES, *WRONG_ACKS],
)
def test_a_wrong_answer_is_refused_by_name_and_frees_nothing(welcomed, data, error):
    session = source_of(welcomed=welcomed)
    before = (session.capture.acknowledged, session.capture.pool_bytes)
    given = receive(session, data)
    failure = only_failure(given)
    assert type(failure.error) is error
    assert failure.error.hint
    assert (session.capture.acknowledged, session.capture.pool_bytes) == before
    assert [action for action in given if isinstance(action, actions.CloseConnection)]
    assert failure.is_fatal == isinstance(failure.error, FATAL)
    assert_halted_or_retrying(session, given)


def assert_halted_or_retrying(session, given):
    if session.fatal_error is not None:
        assert session.state is SourceState.HALTED
        assert not [action for action in given if isinstance(action, actions.WakeAt)]
        assert session.handle(events.Captured(), 1 << 50) == []
        return
    assert session.state is SourceState.BACKING_OFF
    (lost,) = notices(given, actions.ConnectionLost)
    again = session.handle(events.TimerFired(), lost.retry_at_ns)
    assert actions.OpenConnection(2) in again


def test_an_ack_beyond_what_this_connection_sent_is_never_believed():
    session = source_of(sent=6)
    session.capture.admit(write("db/a", 0, b"new"), 5_000)
    given = receive(session, ack_of(cursor(session.capture, 7)))
    assert isinstance(only_failure(given).error, CursorNeverSent)


@pytest.mark.parametrize("error", [WrongGroup, EpochFenced, ResyncRequired, JournalRegressed])
def test_a_fatal_refusal_by_the_target_halts_the_source(error):
    session = source_of(welcomed=False)
    given = receive(session, encode_error(error("no")))
    assert type(session.fatal_error) is error
    assert_halted_or_retrying(session, given)


def test_any_other_refusal_by_the_target_is_tried_again_later_and_later():
    session, now_ns, delays = source_of(welcomed=False), 5_000, []
    for number in range(1, 8):
        refusal = events.BytesReceived(number, encode_error(RecordDamaged("no")))
        (lost,) = notices(session.handle(refusal, now_ns), actions.ConnectionLost)
        delays.append(lost.retry_at_ns - now_ns)
        now_ns = lost.retry_at_ns
        session.handle(events.TimerFired(), now_ns)
        session.handle(events.Connected(number + 1), now_ns)
    shortest, longest = SMALL.reconnect_delay_ns_min, SMALL.reconnect_delay_ns_max
    assert delays == [min(shortest * 2**n, longest) for n in range(7)]


@pytest.mark.parametrize("welcomed", [False, True])
def test_a_silent_target_is_given_up_after_its_time(welcomed):
    session = source_of(welcomed=welcomed)
    given = session.handle(events.TimerFired(), 5_000 + SMALL.peer_timeout_ns)
    assert isinstance(only_failure(given).error, PeerTimedOut)
    assert_halted_or_retrying(session, given)


def test_a_connection_that_is_never_made_is_given_up_and_its_late_coming_is_closed():
    session = SourceSession(capture_of(), SMALL)
    session.handle(events.Started(), 0)
    given = session.handle(events.TimerFired(), SMALL.connect_timeout_ns)
    (lost,) = notices(given, actions.ConnectionLost)
    (close,) = session.handle(events.Connected(1), SMALL.connect_timeout_ns + 1)
    assert close == actions.CloseConnection(1, "came too late")
    assert actions.OpenConnection(2) in session.handle(events.TimerFired(), lost.retry_at_ns)
    failed = session.handle(events.ConnectFailed(2, "refused"), lost.retry_at_ns)
    assert notices(failed, actions.ConnectionLost)


@pytest.mark.parametrize(
    "event", [events.Started(), events.Connected(1), events.BytesReceived(0, b"")]
)
def test_an_event_that_the_sources_driver_cannot_have_is_its_own_mistake(event):
    session = source_of()
    with pytest.raises(LocalProtocolError):
        session.handle(event, 5_000)


def test_a_fresh_capture_after_a_host_crash_is_refused_by_both_ends():
    pair = Pair(capture_of())
    pair.converge()
    pair.capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION + 1)
    pair.disk_lies = True  # the pool that is gone held what the journal still holds
    pair.acknowledged_ever = pair.capture.acknowledged
    pair.crash_source()
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, ResyncRequired)
    assert pair.journal.durable.sequence >= 6, "the old journal is still there to recover from"
