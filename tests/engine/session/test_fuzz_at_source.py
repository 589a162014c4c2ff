"""Whatever bytes a target sends, the pool is freed by true acknowledgements only, and life goes on.

The plain conversation is a welcome, six acknowledgements and two heartbeats. It is cut, damaged,
reordered, mixed with those of other journals, and fed in pieces.
"""

from dataclasses import fields

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
    pieces_of,
    sent_frames,
    welcome_at,
)
from engine_harness import SMALL
from engine_model import EPOCH, GROUP
from hypothesis import given
from hypothesis import strategies as st

from engine import SessionSettings, SourceSession, SourceState, actions, events
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    RecordDamaged,
    RemoteProtocolError,
    ResyncRequired,
)
from engine.formats.error_codes import FATAL
from engine.formats.wire import FRAME_HEADER_BYTES, FrameType, encode_error, encode_frame

COUNT = 6
#: After any back-off, and before the capture of an idle group adds a record of its own.
LATER_NS = 5_000 + 2 * SMALL.reconnect_delay_ns_max
AT_ONCE = SessionSettings(
    **{field.name: getattr(SMALL, field.name) for field in fields(SMALL)} | {"batch_linger_ns": 0}
)
CAPTURE = capture_of(COUNT)
ACKED = (1, 1, 2, 4, 5, 6)
GOOD = [
    welcome_at(Cursor(EPOCH, 0, 0)),
    HEARTBEAT,
    *[ack_of(cursor(CAPTURE, n)) for n in ACKED],
    HEARTBEAT,
]
STREAM = b"".join(GOOD)
#: Frames that have no place in this conversation, each valid in itself.
STRANGERS = {
    "a welcome": (GOOD[0], FrameUnexpected),
    "another group's welcome": (welcome_at(Cursor(EPOCH, 0, 0), group=GROUP + 1), FrameUnexpected),
    "a greeting": (HELLO, FrameUnexpected),
    "records": (batch(CAPTURE, 1, 2), FrameUnexpected),
    "an ack of a lower epoch": (ack_of(Cursor(EPOCH - 1, 6, 1)), EpochFenced),
    "an ack of a higher epoch": (ack_of(Cursor(EPOCH + 1, 6, 1)), EpochFenced),
    "an ack of another history": (ack_of(cursor(OTHER, 6)), ChainMismatch),
    "an ack never sent": (ack_of(Cursor(EPOCH, 7, 1)), CursorNeverSent),
    "noise": (b"HTTP/1.1 400 Bad Request\r\n\r\n", FrameDamaged),
    "zeros": (bytes(64), FrameDamaged),
}


class Source:
    """A source with six records, connected, every action remembered."""

    def __init__(self):
        self.capture = capture_of(COUNT)
        self.seen = []
        self.start()

    def start(self):
        self.session = SourceSession(self.capture, AT_ONCE)
        self.handle(events.Started())
        self.handle(events.Connected(1))

    def handle(self, event, now_ns=5_000):
        self.seen += self.session.handle(event, now_ns)

    def receive(self, data, sizes=(), connection=1, now_ns=5_000):
        position = 0
        for size in [*sizes, len(data)]:
            piece = data[position : position + size]
            position += size
            self.handle(events.BytesReceived(connection, piece), now_ns)

    def failures(self):
        return notices(self.seen, actions.SessionFailed)

    def check_pool(self):
        """What is freed was acknowledged by a true cursor; the rest is there to be sent."""
        capture = self.capture
        acknowledged = capture.acknowledged
        assert acknowledged == cursor(CAPTURE, acknowledged.sequence)
        for sequence in range(acknowledged.sequence + 1, COUNT + 1):
            assert capture.entry(sequence).record == CAPTURE.entry(sequence).record
        with pytest.raises(KeyError):
            capture.entry(acknowledged.sequence)

    def check_refused(self):
        (failure,) = self.failures()
        assert isinstance(failure.error, RemoteProtocolError | ResyncRequired)
        assert failure.error.hint
        assert failure.is_fatal == isinstance(failure.error, FATAL)
        assert any(isinstance(action, actions.CloseConnection) for action in self.seen)
        state = SourceState.HALTED if failure.is_fatal else SourceState.BACKING_OFF
        assert self.session.state is state
        return failure.error

    def go_on(self):
        """The next connection, by a new service where this one has halted, brings the rest."""
        held, connection = self.capture.acknowledged, 2
        if self.session.state is SourceState.HALTED:
            self.start()
            connection = 1
        else:
            if self.session.state is not SourceState.BACKING_OFF:
                self.handle(events.Disconnected(1))
            self.handle(events.TimerFired(), LATER_NS)
            self.handle(events.Connected(2), LATER_NS)
        self.seen.clear()
        self.receive(welcome_at(held), connection=connection, now_ns=LATER_NS)
        sent = [frame for frame in sent_frames(self.seen) if hasattr(frame, "records")]
        assert sum(frame.record_count for frame in sent) == COUNT - held.sequence
        if held.sequence < COUNT:
            last = ack_of(cursor(CAPTURE, COUNT))
            self.receive(last, connection=connection, now_ns=LATER_NS)
        assert self.capture.acknowledged == self.capture.newest
        assert self.capture.pool_bytes == 0


def fed(data, sizes=()):
    source = Source()
    source.receive(data, sizes)
    source.check_pool()
    return source


def test_the_stream_may_end_at_any_byte_and_the_next_connection_goes_on():
    for cut in range(len(STREAM) + 1):
        source = fed(STREAM[:cut])
        assert source.failures() == []
        source.go_on()


def test_whole_byte_by_byte_or_cut_at_any_place_gives_the_same():
    for sizes in [(), (1,) * len(STREAM), *[(cut,) for cut in range(1, len(STREAM))]]:
        source = fed(STREAM, sizes)
        assert source.failures() == []
        assert source.session.state is SourceState.STREAMING
        assert source.capture.acknowledged.sequence == COUNT
        durable = [
            notice.cursor.sequence for notice in notices(source.seen, actions.DurableAdvanced)
        ]
        assert durable == [1, 2, 4, 5, 6]


@pytest.mark.parametrize("bit", [0, 5])
def test_a_flipped_bit_anywhere_ends_the_connection_and_frees_nothing_false(bit):
    for position in range(len(STREAM)):
        data = bytearray(STREAM)
        data[position] ^= 1 << bit
        source = fed(bytes(data))
        assert isinstance(source.check_refused(), FrameDamaged)
        source.go_on()


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_foreign_frame_at_any_place_is_refused_by_name(stranger):
    data, expected = STRANGERS[stranger]
    for place in range(1, len(GOOD) + 1):
        source = fed(b"".join([*GOOD[:place], data, *GOOD[place:]]))
        assert type(source.check_refused()) is expected
        acked = [0, *ACKED][max(0, min(place - 2, len(ACKED)))]
        assert source.capture.acknowledged.sequence == acked
        source.go_on()


@pytest.mark.parametrize("first", range(3, 7))
def test_acknowledgements_in_the_wrong_order_are_refused(first):
    swapped = [*GOOD[:first], GOOD[first + 1], GOOD[first], *GOOD[first + 2 :]]
    source = fed(b"".join(swapped))
    assert type(source.check_refused()) is CursorRegressed
    source.go_on()


def test_an_acknowledgement_twice_changes_nothing():
    source = fed(b"".join(frame * 2 if frame in GOOD[2:8] else frame for frame in GOOD))
    assert source.failures() == []
    assert source.capture.acknowledged.sequence == COUNT


def test_a_length_over_the_limit_is_refused_before_its_bytes_come():
    big = encode_frame(FrameType.HEARTBEAT, 0, bytes(AT_ONCE.frame_bytes_max + 1))
    source = fed(b"".join(GOOD[:3]) + big[:FRAME_HEADER_BYTES])
    assert type(source.check_refused()) is FrameTooLarge
    source.go_on()


FRAMES = st.sampled_from([*GOOD, *[data for data, _ in STRANGERS.values()]])
PIECES = pieces_of(FRAMES, encode_error(RecordDamaged("x")), encode_error(EpochFenced("x")))


@given(
    start=st.integers(0, len(GOOD)),
    pieces=st.lists(PIECES, max_size=6),
    sizes=st.lists(st.integers(0, 200), max_size=12),
)
def test_any_mixture_of_frames_and_noise_frees_nothing_false(start, pieces, sizes):
    source = fed(b"".join([*GOOD[:start], *pieces]), sizes)
    if source.session.state in (SourceState.HALTED, SourceState.BACKING_OFF):
        source.check_refused()
    else:
        assert source.failures() == []
    source.go_on()
