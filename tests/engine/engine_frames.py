"""A small history of six records, and the frames that carry it, right or wrong."""

from engine_model import EPOCH, GROUP, INCARNATION, create, write

from engine import (
    Capture,
    actions,
)
from engine.basics.cursor import Cursor
from engine.formats.wire import (
    BatchEncoder,
    Hello,
    encode_hello,
)


def capture_of(count=6, *, group=GROUP, epoch=EPOCH, text=b"text"):
    capture = Capture(group=group, epoch=epoch, incarnation=INCARNATION)
    capture.admit(create("db/a"), 1_000)
    for number in range(1, count):
        capture.admit(write("db/a", number, text), 1_000 + number)
    return capture


def records(capture, first, last):
    return [capture.entry(n).record for n in range(first, last + 1)]


def batch(capture, first, last):
    return BatchEncoder(1).encode(first, records(capture, first, last))


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


def hello_of(capture, **fields):
    hello = Hello(
        group=capture.group,
        epoch=capture.epoch,
        incarnation=capture.incarnation,
        oldest=capture.oldest_sequence,
        newest=capture.newest.sequence,
        chain=capture.acknowledged.chain,
    )
    return encode_hello(hello._replace(**fields))


HELLO = hello_of(capture_of())
OTHER = capture_of(text=b"else")
