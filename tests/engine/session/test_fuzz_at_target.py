"""Whatever bytes a source sends, the journal holds a true prefix and the next good source goes on.

The plain conversation is a greeting and nine batches of records that only fit one another in their
order. It is cut, damaged, reordered, mixed with other conversations, and fed in pieces.
"""

import pytest
from engine_frames import (
    HEARTBEAT,
    HELLO,
    ack_of,
    batch_of,
    capture_of,
    cursor,
    hello_of,
    notices,
    pieces_of,
    records,
    welcome_at,
)
from engine_harness import SMALL
from engine_model import EPOCH, GROUP, MemoryStorage, opened
from hypothesis import given
from hypothesis import strategies as st

from engine import TargetSession, TargetState, actions, events
from engine.basics.errors import (
    ChainMismatch,
    EpochFenced,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    RecordDamaged,
    RemoteProtocolError,
    ResyncRequired,
    SequenceGap,
    SequenceReplayed,
    WrongGroup,
)
from engine.formats.wire import FRAME_HEADER_BYTES, encode_error

COUNT = 10
CAPTURE = capture_of(COUNT)
ELSE = capture_of(COUNT, text=b"else")
BATCHES = [batch_of(n, records(CAPTURE, n, n)) for n in range(1, COUNT)]
BATCHES[-1:] = [batch_of(COUNT - 1, records(CAPTURE, COUNT - 1, COUNT))]
GOOD = [hello_of(CAPTURE), *BATCHES]
STREAM = b"".join(GOOD)
#: Frames that have no place in this conversation, each valid in itself.
STRANGERS = {
    "another group's greeting": hello_of(capture_of(COUNT, group=GROUP + 1)),
    "another group's records": batch_of(1, records(capture_of(COUNT, group=GROUP + 1), 1, 2)),
    "a lower epoch's greeting": hello_of(capture_of(COUNT, epoch=EPOCH - 1)),
    "a lower epoch's records": batch_of(1, records(capture_of(COUNT, epoch=EPOCH - 1), 1, 2)),
    "another history": batch_of(5, records(ELSE, 5, 6)),
    "an answer": ack_of(cursor(CAPTURE, 3)),
    "a welcome": welcome_at(cursor(CAPTURE, 3)),
    "noise": b"GET / HTTP/1.1\r\nHost: target\r\n\r\n",
    "zeros": bytes(64),
    "an announcement of 4 GiB": b"\xff" * FRAME_HEADER_BYTES,
}


class Target:
    """A target over an empty journal, its disk at once durable, every action remembered."""

    def __init__(self):
        self.storage = MemoryStorage()
        self.session = TargetSession(opened(self.storage), SMALL)
        self.connections = 0
        self.seen = []

    def connect(self):
        self.connections += 1
        self._carry_out(self.session.handle(events.Connected(self.connections), 5_000))

    def receive(self, data, sizes=()):
        """Receive bytes in pieces of these sizes, the rest at once."""
        position = 0
        for size in [*sizes, len(data)]:
            piece = data[position : position + size]
            position += size
            event = events.BytesReceived(self.connections, piece)
            self._carry_out(self.session.handle(event, 5_000))

    def _carry_out(self, given):
        queue = list(given)
        while queue:
            action = queue.pop(0)
            self.seen.append(action)
            if isinstance(action, actions.SyncFile):
                self.storage.unsynced.pop(action.name, None)
                queue += self.session.handle(events.SyncDone(action.token), 5_000)
            elif not isinstance(action, actions.SendBytes | actions.WakeAt):
                self.storage.carry_out(action)

    def failures(self):
        return [notice.error for notice in notices(self.seen, actions.SessionFailed)]

    def check_prefix(self):
        """The journal holds nothing but the beginning of the one true history."""
        received = self.session.journal.received
        assert received.sequence <= COUNT
        if received.sequence:
            assert received == cursor(CAPTURE, received.sequence)
        assert self.session.journal.durable == received
        again = opened(self.storage)
        assert again.received.sequence == received.sequence

    def check_refused(self):
        """One named error with a hint, the connection closed, and a good source is welcome."""
        (error,) = self.failures()
        assert isinstance(error, RemoteProtocolError | ResyncRequired)
        assert error.hint
        assert any(isinstance(action, actions.CloseConnection) for action in self.seen)
        assert self.session.state is TargetState.LISTENING
        return error

    def go_on(self):
        """A new connection of the true source brings all that is missing."""
        self.connect()
        held = self.session.journal.received.sequence
        self.receive(hello_of(CAPTURE))
        assert self.session.state is TargetState.STREAMING
        if held < COUNT:
            self.receive(batch_of(held + 1, records(CAPTURE, held + 1, COUNT)))
        assert self.session.journal.durable == cursor(CAPTURE, COUNT)


def fed(data, sizes=()):
    target = Target()
    target.connect()
    target.receive(data, sizes)
    target.check_prefix()
    return target


def test_the_stream_may_end_at_any_byte_and_the_next_connection_goes_on():
    for cut in range(len(STREAM) + 1):
        target = fed(STREAM[:cut])
        assert target.failures() == []
        target.session.handle(events.Disconnected(target.connections), 5_000)
        target.go_on()


def test_whole_byte_by_byte_or_cut_at_any_place_gives_the_same_history():
    whole = fed(STREAM)
    assert whole.session.journal.received.sequence == COUNT
    for sizes in [(1,) * len(STREAM), *[(cut,) for cut in range(1, len(STREAM))]]:
        target = fed(STREAM, sizes)
        assert target.session.journal.received == whole.session.journal.received
        assert target.session.state is whole.session.state
        assert target.failures() == []


@pytest.mark.parametrize("bit", [0, 5])
def test_a_flipped_bit_anywhere_ends_the_connection_at_a_true_prefix(bit):
    for position in range(len(STREAM)):
        data = bytearray(STREAM)
        data[position] ^= 1 << bit
        target = fed(bytes(data))
        assert isinstance(target.check_refused(), FrameDamaged | RecordDamaged)
        target.go_on()


def expected_of(name):
    return {
        "another group's greeting": FrameUnexpected,
        "another group's records": WrongGroup,
        "a lower epoch's greeting": FrameUnexpected,
        "a lower epoch's records": EpochFenced,
        "another history": None,
        "an answer": FrameUnexpected,
        "a welcome": FrameUnexpected,
    }.get(name, FrameDamaged)


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_foreign_frame_at_any_place_is_refused_and_nothing_of_it_is_kept(stranger):
    for place in range(1, len(GOOD) + 1):
        frames = [*GOOD[:place], STRANGERS[stranger], *GOOD[place:]]
        target = fed(b"".join(frames))
        error = target.check_refused()
        if expected := expected_of(stranger):
            assert type(error) is expected
        else:
            assert type(error) in (ChainMismatch, SequenceGap, SequenceReplayed)
        assert target.session.journal.received.sequence == (place - 1 if place < 10 else COUNT)
        target.go_on()


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (STRANGERS["another group's greeting"], WrongGroup),
        (STRANGERS["a lower epoch's greeting"], EpochFenced),
        (hello_of(CAPTURE, incarnation=1), ResyncRequired),
    ],
)
def test_a_wrong_greeting_to_a_journal_that_has_begun_is_refused_by_name(frame, error):
    target = fed(STREAM)
    target.connect()
    target.receive(frame)
    assert type(target.check_refused()) is error
    target.go_on()


@pytest.mark.parametrize("first", range(1, COUNT - 1))
def test_two_batches_in_the_wrong_order_and_a_batch_twice_are_told_apart(first):
    swapped = [*GOOD[:first], GOOD[first + 1], GOOD[first], *GOOD[first + 2 :]]
    target = fed(b"".join(swapped))
    assert type(target.check_refused()) is SequenceGap
    assert target.session.journal.received.sequence == first - 1
    target.go_on()
    twice = [*GOOD[: first + 1], GOOD[first], *GOOD[first + 1 :]]
    target = fed(b"".join(twice))
    assert type(target.check_refused()) is SequenceReplayed
    assert target.session.journal.received.sequence == first
    target.go_on()


@pytest.mark.parametrize("lost", range(1, COUNT - 1))
def test_a_lost_batch_is_a_gap(lost):
    target = fed(b"".join([*GOOD[:lost], *GOOD[lost + 1 :]]))
    assert type(target.check_refused()) is SequenceGap
    assert target.session.journal.received.sequence == lost - 1
    target.go_on()


def test_a_whole_conversation_replayed_on_the_same_connection_is_refused():
    target = fed(STREAM + STREAM)
    assert type(target.check_refused()) is FrameUnexpected
    target.go_on()


def test_a_length_over_the_limit_is_refused_before_its_bytes_come():
    big = batch_of(3, [bytes(SMALL.frame_bytes_max + 1)])
    target = fed(b"".join(GOOD[:3]) + big[:FRAME_HEADER_BYTES])
    assert type(target.check_refused()) is FrameTooLarge
    target.go_on()


FRAMES = st.sampled_from([*GOOD, *STRANGERS.values(), HEARTBEAT, HELLO])
PIECES = pieces_of(FRAMES, encode_error(RecordDamaged("x")))


@given(
    start=st.integers(0, len(GOOD)),
    pieces=st.lists(PIECES, max_size=6),
    sizes=st.lists(st.integers(0, 200), max_size=12),
)
def test_any_mixture_of_frames_and_noise_leaves_a_true_prefix(start, pieces, sizes):
    target = Target()
    target.connect()
    target.receive(b"".join([*GOOD[:start], *pieces]), sizes)
    target.check_prefix()
    if target.session.state is TargetState.LISTENING:
        target.check_refused()
    else:
        assert target.failures() == []
        target.session.handle(events.Disconnected(target.connections), 5_000)
    # A stranger that comes first to an empty journal is its source from then on.
    if target.session.journal.received.epoch in (0, EPOCH):
        target.go_on()
