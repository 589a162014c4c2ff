"""Everything a source can do wrong: one named error each, nothing believed, never a hang."""

from dataclasses import dataclass

import pytest
from engine_frames import (
    HEARTBEAT,
    HELLO,
    OTHER,
    ack_of,
    batch,
    batch_of,
    capture_of,
    cursor,
    hello_of,
    notices,
    only_failure,
    records,
    sent_frames,
    welcome_at,
)
from engine_harness import SMALL
from engine_model import EPOCH, GROUP, MemoryStorage, opened

from engine import (
    Capture,
    TargetSession,
    TargetState,
    actions,
    events,
)
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    CursorRegressed,
    EpochFenced,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    HistoryContradictory,
    JournalRegressed,
    LocalProtocolError,
    PeerTimedOut,
    RecordDamaged,
    ResyncRequired,
    SequenceGap,
    SequenceReplayed,
    StorageFailed,
    TimeRegressed,
    WrongGroup,
)
from engine.basics.payload import length_of
from engine.formats.records import FLAG_PENDING, RecordHeader, RecordType, encode_record
from engine.formats.wire import Ack, Heartbeat, Stamp, encode_error, encode_heartbeat


@dataclass
class Target:
    """A target that holds records 1 to 3 of `capture`, with one connection."""

    capture: Capture
    storage: MemoryStorage
    session: TargetSession

    def receive(self, data, connection=1):
        return self.carry_out(self.session.handle(events.BytesReceived(connection, data), 5_000))

    def carry_out(self, given):
        """Carry file actions out until all is synced; return all actions seen."""
        seen, queue = [], list(given)
        while queue:
            action = queue.pop(0)
            seen.append(action)
            if isinstance(action, actions.SyncFile):
                queue += self.session.handle(events.SyncDone(action.token), 5_000)
            else:
                self.storage.carry_out(action)
        return seen


def target_of(held=3):
    capture, storage = capture_of(), MemoryStorage()
    target = Target(capture, storage, TargetSession(opened(storage), SMALL))
    target.session.handle(events.Connected(1), 5_000)
    if held:
        target.receive(hello_of(capture))
        target.receive(batch(capture, 1, held))
        target.session.handle(events.Disconnected(1), 5_000)
        target.session.handle(events.Connected(1), 5_000)
    return target


WRONG_HELLOS = {
    "another group": (hello_of(capture_of(), group=GROUP + 1), WrongGroup),
    "an older epoch": (hello_of(capture_of(), epoch=EPOCH - 1), EpochFenced),
    "a newer epoch": (hello_of(capture_of(), epoch=EPOCH + 1), ResyncRequired),
    "a fresh capture after a host crash": (hello_of(capture_of(), incarnation=1), ResyncRequired),
    "a pool that begins later": (hello_of(capture_of(), oldest=5), JournalRegressed),
    "a stream that ends earlier": (hello_of(capture_of(), newest=2), ResyncRequired),
    "another chain": (hello_of(capture_of(), oldest=3, chain=12), ChainMismatch),
    "a batch first": (batch(capture_of(), 1, 2), FrameUnexpected),
    "a heartbeat first": (HEARTBEAT, FrameUnexpected),
    "a welcome": (welcome_at(Cursor(3, 1, 1), incarnation=1), FrameUnexpected),
    "noise": (b"GET / HTTP/1.1\r\n\r\n", FrameDamaged),
}


@pytest.mark.parametrize(("data", "error"), WRONG_HELLOS.values(), ids=WRONG_HELLOS)
def test_a_wrong_greeting_is_refused_by_name_and_changes_nothing(data, error):
    target = target_of()
    files = {name: bytes(content) for name, content in target.storage.files.items()}
    given = target.receive(data)
    assert target.storage.files == files
    assert target.session.journal.received.sequence == 3
    assert_refused(target, given, error)


def test_an_empty_journal_refuses_a_source_that_has_freed_records():
    target = target_of(held=0)
    given = target.receive(hello_of(capture_of(), oldest=2))
    assert target.session.journal.incarnation is None
    assert_refused(target, given, JournalRegressed)


def assert_refused(target, given, error):
    """The error was sent, the connection closed, and a right source is welcome afterwards."""
    failure = only_failure(given)
    assert type(failure.error) is error
    assert failure.error.hint
    sent = [action for action in given if isinstance(action, actions.SendBytes)]
    assert type(sent_frames(sent)[-1].error) is error
    assert [type(action) for action in given if isinstance(action, actions.CloseConnection)]
    assert target.session.state is TargetState.LISTENING
    target.session.handle(events.Connected(2), 6_000)
    given = target.receive(HELLO, connection=2)
    assert notices(given, actions.Established)
    assert target.session.state is TargetState.STREAMING
    last = target.session.journal.received.sequence
    target.receive(batch(target.capture, last + 1, 6), connection=2)
    assert target.session.journal.durable.sequence == 6


def forged(capture, after, **fields):
    """Return a record that follows `after`, with valid checksums, but with these fields."""
    payload = fields.pop("payload", (b"text",))
    body = b"".join(payload)
    values = {
        "version": 1,
        "type": RecordType.WRITE,
        "flags": 0,
        "file": 1,
        "sequence": after + 1,
        "source_time_ns": 1_000_000,
        "offset": 0,
        "epoch": EPOCH,
        "group": GROUP,
        "raw_length": length_of(payload),
        "stored_length": len(body),
        "body_crc": 0,
        "chain": 0,
    } | fields
    return encode_record(RecordHeader(**values), body, capture.entry(after).chain)[0]


def forged_batch(**fields):
    return batch_of(4, [forged(capture_of(), 3, **fields)])


CREATE, RENAME, DELETE = RecordType.CREATE, RecordType.RENAME, RecordType.DELETE
WRONG_STREAMS = {
    "a gap": (batch(capture_of(), 5, 6), SequenceGap),
    "a replay": (batch(capture_of(), 3, 4), SequenceReplayed),
    "another history": (batch(OTHER, 4, 5), ChainMismatch),
    "another group": (forged_batch(group=GROUP + 1), WrongGroup),
    "an older epoch": (forged_batch(epoch=EPOCH - 1), EpochFenced),
    "a newer epoch": (forged_batch(epoch=EPOCH + 1), ResyncRequired),
    "a time before its predecessor's": (forged_batch(source_time_ns=999), TimeRegressed),
    "a write to no file": (forged_batch(file=0), RecordDamaged),
    "a write to an unknown file": (forged_batch(file=9), HistoryContradictory),
    "a tag with a file": (forged_batch(type=RecordType.TAG_APP), RecordDamaged),
    "a flush with a body": (forged_batch(type=RecordType.FLUSH), RecordDamaged),
    "a create of a used id": (forged_batch(type=CREATE), HistoryContradictory),
    "a create of a used name": (
        forged_batch(type=CREATE, file=2, payload=(b"db/a",)),
        HistoryContradictory,
    ),
    "a create without a name": (
        forged_batch(type=CREATE, file=2, payload=()),
        HistoryContradictory,
    ),
    "a rename of nothing": (forged_batch(type=RENAME, file=2), HistoryContradictory),
    "a delete of nothing": (forged_batch(type=DELETE, file=2, payload=()), HistoryContradictory),
    "a name that is no text": (
        forged_batch(type=CREATE, file=2, payload=(b"\xff\xfe",)),
        RecordDamaged,
    ),
    "a commit of no tag": (
        forged_batch(type=RecordType.TAG_COMMIT, file=0, payload=()),
        RecordDamaged,
    ),
    "a revocation of itself": (
        forged_batch(type=RecordType.TAG_REVOKE, file=0, payload=(), offset=4),
        RecordDamaged,
    ),
    "a commit with a body": (
        forged_batch(type=RecordType.TAG_COMMIT, file=0, offset=2),
        RecordDamaged,
    ),
    "a write that waits for a commit": (forged_batch(flags=FLAG_PENDING), RecordDamaged),
    "a record of noise": (batch_of(4, [b"\0" * 64]), RecordDamaged),
    "a record cut short": (
        batch_of(4, [records(capture_of(), 4, 4)[0][:-8]]),
        RecordDamaged,
    ),
    "a heartbeat after a record that never came": (
        encode_heartbeat(Heartbeat(Stamp(), 4)),
        SequenceGap,
    ),
    "a second hello": (HELLO, FrameUnexpected),
    "an ack": (ack_of(Cursor(EPOCH, 1, 1)), FrameUnexpected),
    "a damaged frame": (HELLO[:-1] + b"\x77", FrameDamaged),
    "a damaged record": (
        batch_of(4, records(capture_of(), 4, 6))[:-1] + b"\x01",
        RecordDamaged,
    ),
}


@pytest.mark.parametrize(
    ("data", "error"),
    WRONG_STREAMS.values(),
    ids=WRONG_STREAMS,
)
def test_a_wrong_stream_is_refused_by_name_and_the_journal_takes_none_of_it(data, error):
    target = target_of()
    target.receive(HELLO)
    files = {name: bytes(content) for name, content in target.storage.files.items()}
    given = target.receive(data)
    assert target.storage.files == files
    assert target.session.journal.received.sequence == 3
    assert_refused(target, given, error)


def test_a_bad_record_behind_good_ones_takes_the_whole_batch_with_it():
    target = target_of()
    target.receive(HELLO)
    good = records(target.capture, 4, 4)
    created = forged(target.capture, 4, type=CREATE, file=2, payload=(b"db/b",))
    given = target.receive(batch_of(4, [*good, created, b"\0" * 64], level=1))
    assert target.session.journal.received.sequence == 3
    assert target.session.journal.index.last_sequence == 3
    assert_refused(target, given, RecordDamaged)


@pytest.mark.parametrize(("first", "count"), [(5, 2), (4, 3), (4, 1)])
def test_a_batch_that_misstates_itself_ends_the_connection(first, count):
    target = target_of()
    target.receive(HELLO)
    data = records(target.capture, 4, 5)
    frame = batch_of(first, data if count == 2 else [*data, *[b""] * (count - 2)])
    if count == 1:
        frame = batch_of(first, [b"".join(data)])
    given = target.receive(frame)
    assert isinstance(only_failure(given).error, RecordDamaged)
    assert target.session.state is TargetState.LISTENING


def test_a_frame_over_the_limit_is_refused_at_its_header():
    target = target_of()
    target.receive(HELLO)
    frame = batch_of(4, [bytes(SMALL.frame_bytes_max)])
    assert_refused(target, target.receive(frame[:16]), FrameTooLarge)


def test_a_silent_source_is_given_up_after_its_time_and_heard_of_before():
    target = target_of()
    target.receive(HELLO)
    due = 5_000 + SMALL.heartbeat_interval_ns
    (beat, _) = target.session.handle(events.TimerFired(), due)
    durable = cursor(target.capture, 3)
    assert sent_frames([beat]) == [Ack(Stamp(due, 0, 0, 5_000), durable, durable)]
    given = target.session.handle(events.TimerFired(), 5_000 + SMALL.peer_timeout_ns)
    assert_refused(target, given, PeerTimedOut)


def test_an_error_from_the_source_ends_the_connection_and_nothing_else():
    target = target_of()
    target.receive(HELLO)
    given = target.receive(encode_error(CursorRegressed("we acknowledged less")))
    assert isinstance(only_failure(given).error, CursorRegressed)
    assert target.session.state is TargetState.LISTENING
    assert target.session.journal.durable.sequence == 3


def test_a_new_connection_replaces_one_that_is_not_known_to_be_dead():
    target = target_of()
    target.receive(HELLO)
    given = target.session.handle(events.Connected(2), 6_000)
    assert actions.CloseConnection(1, "replaced by a newer one") in given
    assert target.receive(batch(target.capture, 4, 6), connection=1) == []
    assert target.session.handle(events.Disconnected(1), 6_000) == []
    assert notices(target.receive(HELLO, connection=2), actions.Established)


def test_a_journal_whose_disk_fails_halts_says_so_and_never_acknowledges_again():
    target = target_of()
    target.receive(HELLO)
    sent = target.session.handle(events.BytesReceived(1, batch(target.capture, 4, 6)), 6_000)
    (sync,) = [action for action in sent if isinstance(action, actions.SyncFile)]
    given = target.session.handle(events.ActionFailed("x.segment", "no space left"), 6_000)
    assert only_failure(given).is_fatal
    assert isinstance(target.session.fatal_error, StorageFailed)
    assert "no space left" in target.session.fatal_error.message
    assert target.session.handle(events.SyncDone(sync.token), 6_000) == []
    (refusal,) = target.session.handle(events.Connected(9), 6_000)
    assert isinstance(refusal, actions.CloseConnection)
    assert target.session.handle(events.ActionFailed("x.segment", "again"), 6_000) == []


@pytest.mark.parametrize("event", [events.Connected(1), events.Connected(0), events.SyncDone(999)])
def test_an_event_that_the_targets_driver_cannot_have_is_its_own_mistake(event):
    session = target_of().session
    with pytest.raises(LocalProtocolError):
        session.handle(event, 5_000)
