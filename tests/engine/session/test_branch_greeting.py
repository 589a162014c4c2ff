"""Who may begin a branch: the capture of a later epoch that goes on exactly where it begins."""

import pytest
from engine_frames import capture_of, hello_of, only_failure, sent_frames
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, contents, opened, settle, write

from engine import Capture, Image, TargetSession, TargetState, events, open_journal
from engine.basics.errors import ChainMismatch, EpochFenced, JournalRegressed
from engine.formats.wire import Welcome
from engine.history.filetable import FileTableState
from engine.layers.plan import LayerMap


def parent_journal():
    capture, storage = capture_of(4), MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    records = [capture.entry(n).record for n in range(1, 5)]
    settle(journal, storage, journal.ingest(b"".join(records)))
    return journal


def branch_capture(base, epoch=EPOCH + 1):
    return Capture.branch(
        group=GROUP,
        epoch=epoch,
        incarnation=INCARNATION + 1,
        base=base.cursor,
        files=FileTableState(base.files, base.id_newest),
        source_time_ns=base.source_time_ns,
    )


def greeted(base, hello):
    storage = MemoryStorage()
    result = open_journal(storage, group=GROUP, base=base)
    settle(result.journal, storage, result.actions)
    target = TargetSession(opened(storage))
    target.handle(events.Connected(1), 10_000)
    return storage, target, target.handle(events.BytesReceived(1, hello), 10_000)


def test_a_promoted_copy_writes_its_branch_and_the_image_goes_on_from_the_parents():
    parent = parent_journal()
    base = parent.standing_at(3)
    capture = branch_capture(base)
    capture.admit(write("db/a", 0, b"BRANCH"), 20_000)
    storage, target, given = greeted(base, hello_of(capture))
    assert target.state is TargetState.STREAMING
    assert [frame.cursor for frame in sent_frames(given) if isinstance(frame, Welcome)] == [
        base.cursor._replace(epoch=EPOCH + 1)
    ]
    records = [capture.entry(n).record for n in range(4, capture.newest.sequence + 1)]
    settle(target.journal, storage, target.journal.ingest(b"".join(records)))
    journal = opened(storage)
    truth = contents(Image(parent, 3))["db/a"]
    image = Image(journal, journal.durable.sequence, parent=LayerMap(parent))
    assert contents(image) == {"db/a": b"BRANCH" + truth[6:]}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"epoch": EPOCH}, EpochFenced),
        ({"epoch": EPOCH - 1}, EpochFenced),
        ({"oldest": 6}, JournalRegressed),
        ({"oldest": 1, "chain": 0}, ChainMismatch),
        ({"chain": 12345}, ChainMismatch),
    ],
    ids=str,
)
def test_whoever_does_not_go_on_where_the_branch_begins_is_refused(fields, error):
    base = parent_journal().standing_at(3)
    capture = branch_capture(base)
    capture.admit(write("db/a", 0, b"BRANCH"), 20_000)
    _, target, given = greeted(base, hello_of(capture, **fields))
    assert isinstance(only_failure(given).error, error)
    assert target.journal.incarnation is None
    assert target.journal.received == base.cursor
