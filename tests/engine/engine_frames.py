"""A small history of six records, and the frames that carry it, right or wrong."""

from engine_model import EPOCH, GROUP, INCARNATION, create, write
from hypothesis import strategies as st

from engine import (
    Capture,
    actions,
)
from engine.basics.cursor import Cursor
from engine.formats.frame_parser import FrameParser
from engine.formats.wire import (
    VERSION_NEWEST,
    VERSION_OLDEST,
    Ack,
    BatchEncoder,
    Capability,
    Heartbeat,
    Hello,
    Stamp,
    Welcome,
    encode_ack,
    encode_heartbeat,
    encode_hello,
    encode_welcome,
)

HEARTBEAT = encode_heartbeat(Heartbeat(Stamp()))


def capture_of(count=6, *, group=GROUP, epoch=EPOCH, text=b"text"):
    capture = Capture(group=group, epoch=epoch, incarnation=INCARNATION)
    capture.admit(create("db/a"), 1_000)
    for number in range(1, count):
        capture.admit(write("db/a", number, text), 1_000 + number)
    return capture


def records(capture, first, last):
    return [capture.entry(n).record for n in range(first, last + 1)]


def batch(capture, first, last):
    return batch_of(first, records(capture, first, last), level=1)


def batch_of(first, given, *, level=None, version=VERSION_NEWEST):
    return BatchEncoder(version, level).encode(Stamp(), first, len(given), given)


def ack_of(durable, applied=None):
    return encode_ack(
        Ack(Stamp(), durable, durable if applied is None else applied), VERSION_NEWEST
    )


def cursor(capture, sequence):
    return Cursor(EPOCH, sequence, capture.entry(sequence).chain if sequence else 0)


def notices(given, kind):
    return [
        action.notice
        for action in given
        if isinstance(action, actions.Notify) and isinstance(action.notice, kind)
    ]


def only_failure(given):
    (failure,) = notices(given, actions.SessionFailed)
    return failure


def sent_frames(given):
    parser = FrameParser(1 << 20)
    for action in given:
        if isinstance(action, actions.SendBytes):
            parser.receive(action.data)
    frames = []
    while (frame := parser.next_frame()) is not None:
        frames.append(frame)
    return frames


def hello_of(capture, **fields):
    hello = Hello(
        stamp=Stamp(),
        version_oldest=VERSION_OLDEST,
        version_newest=VERSION_NEWEST,
        capabilities=Capability.ZSTD,
        flags=0,
        group=capture.group,
        epoch=capture.epoch,
        incarnation=capture.incarnation,
        oldest=capture.oldest_sequence,
        newest=capture.newest.sequence,
        chain=capture.acknowledged.chain,
    )
    return encode_hello(hello._replace(**fields))


def welcome_at(where, **fields):
    welcome = Welcome(
        stamp=Stamp(),
        version=VERSION_NEWEST,
        capabilities=Capability.ZSTD,
        flags=0,
        group=GROUP,
        incarnation=INCARNATION,
        cursor=where,
    )
    return encode_welcome(welcome._replace(**fields))


def pieces_of(frames, *errors):
    """Return a strategy of what may come over a line: whole frames, cut ones, noise, errors."""
    return st.one_of(
        frames,
        st.binary(max_size=40),
        st.builds(lambda frame, cut: frame[: cut % (len(frame) + 1)], frames, st.integers(0, 400)),
        st.sampled_from(errors),
    )


HELLO = hello_of(capture_of())
OTHER = capture_of(text=b"else")
