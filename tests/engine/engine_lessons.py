"""What the lessons from other engines' threads share: a small protected group, and a bad line."""

from engine_frames import batch_of
from engine_harness import Pair
from engine_model import EPOCH, GROUP, INCARNATION, create, write

from engine import Capture, SessionSettings, actions, events
from engine.capture.stream import entries_of
from engine.formats.frame_parser import FrameParser
from engine.formats.wire import Batch


def pair_of(count=5, **arguments):
    """Return a pair at rest that has shipped a file of `count` writes."""
    arguments.setdefault("settings", SessionSettings())
    pair = Pair(Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION), **arguments)
    pair.show(create("db/a"))
    for number in range(count):
        pair.show(write("db/a", number, b"x"))
    pair.converge()
    return pair


def refuse_connections(pair):
    """Let every connection that the source asks for fail, as over a dead line."""
    asked = [a for a in pair.source_actions if isinstance(a, actions.OpenConnection)]
    for action in asked:
        pair.source_actions.remove(action)
        pair.tell_source(events.ConnectFailed(action.connection, "the line is down"))


def leave_out_of_next_batch(pair, position):
    """Take one record out of the next batch on its way, as if the sender had never had it.

    Returns:
        The sequence of the record that is gone.
    """
    pair.run(lambda pair: any(as_batch(item) for _, item in pair.to_target))
    at, batch = next(
        (at, batch)
        for at, (_, item) in enumerate(pair.to_target)
        if (batch := as_batch(item)) is not None
    )
    records = [entry.record for entry in entries_of(bytes(batch.records))]
    del records[position]
    pair.to_target[at] = (pair.to_target[at][0], batch_of(batch.first, records))
    return batch.first + position


def as_batch(item):
    """Return the batch that a piece of the line is, None where it is something else."""
    if not isinstance(item, bytes):
        return None
    parser = FrameParser(1 << 30)
    parser.receive(item)
    frame = parser.next_frame()
    return frame if isinstance(frame, Batch) else None


def failures_of(pair, end):
    """Return the errors that an end has told its operator of."""
    return [
        notice.error
        for at, notice in pair.notices
        if at == end and isinstance(notice, actions.SessionFailed)
    ]
