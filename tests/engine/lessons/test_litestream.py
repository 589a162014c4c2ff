"""What users of Litestream had to learn: replication that looks healthy, and a restore that fails.

One test for each thread, named after it.
"""

from random import Random

import pytest
from engine_direct import Direct
from engine_lessons import failures_of, leave_out_of_next_batch, pair_of
from engine_model import (
    GROUP,
    INCARNATION,
    MemoryStorage,
    check_images,
    contents,
    create,
    opened,
    settle,
    truncate,
    write,
)
from engine_points import check_live, check_points
from layer_model import Shop

from engine import Capture, CaptureSettings, Image, RecoveryPoints, open_journal
from engine.basics.errors import SegmentMissing, SequenceGap
from engine.history.filetable import FileTableState
from engine.layers.plan import LayerMap


@pytest.mark.parametrize("position", range(4))
def test_litestream_1323_an_increment_with_a_gap_is_refused_when_it_comes(position):
    """An increment without some new pages was accepted; only a restore found it, too late.

    Here the gap is found when the batch comes, nothing past it is stored, the operator hears of
    it, and the missing record comes by itself. https://github.com/benbjohnson/litestream/pull/1323
    """
    pair = pair_of(1)
    before = pair.journal.received.sequence
    for number in range(5):
        pair.show(write("db/a", number * 10, b"page"))
    missing = leave_out_of_next_batch(pair, position)
    pair.run(lambda pair: bool(failures_of(pair, "target")))
    (error,) = failures_of(pair, "target")
    assert isinstance(error, SequenceGap)
    assert str(missing + 1) in error.message
    assert pair.journal.received.sequence == before, "a batch is taken as a whole or not at all"
    pair.converge()
    assert pair.journal.durable.sequence == before + 5
    check_images(pair.journal, pair.shown)


def test_litestream_1323_a_segment_that_is_missing_at_rest_fails_before_a_restore():
    """The same hole in what lies there already: opening says which file is gone, every time."""
    shop = Shop([create("a"), *[write("a", n * 9, b"page %d" % n) for n in range(20)]], 300)
    names = [entry.name for entry in shop.journal.manifest.segments]
    assert len(names) > 3
    for name in names:
        twin = MemoryStorage()
        twin.files = {other: data for other, data in shop.storage.files.items() if other != name}
        with pytest.raises(SegmentMissing) as refusal:
            open_journal(twin, group=GROUP)
        assert refusal.value.file == name
        assert "another copy" in refusal.value.hint


def test_litestream_1323_an_increment_is_not_compacted_over_a_hole():
    """Nor does compaction take the files on both sides of a hole for neighbours."""
    shop = Shop([create("a"), *[write("a", n * 9, b"page %d" % n) for n in range(20)]], 300)
    gone = shop.journal.manifest.segments[1].name
    del shop.storage.files[gone]
    before = shop.journal.manifest
    keeper = shop.keeper()
    keeper.compact(0, before.segments[2].last.sequence)
    with pytest.raises(AssertionError, match="is gone"):
        shop.run(keeper)
    assert isinstance(keeper.failure, SegmentMissing)
    assert shop.journal.manifest == before, "nothing was published, nothing dropped"


@pytest.mark.parametrize("seed", range(5))
def test_litestream_752_killed_while_the_database_goes_on_and_restarted(seed):
    """The agent was killed, the database wrote on and reset its log, the agent started again.

    What it then shipped did not fit what it had shipped before, and no restore worked at all. Here
    a new capture believes nothing: it compares. Until that is done the last point stays, after it
    the newest one is the live state. https://github.com/benbjohnson/litestream/issues/752
    """
    random = Random(seed)
    direct = Direct(CaptureSettings())
    for change in (create("db"), create("log"), write("db", 0, random.randbytes(20_000))):
        direct.show(change)
    for _ in range(4):
        direct.show(write("log", random.randrange(9_000), random.randbytes(3_000)))
    direct.ship()
    last_good = direct.journal.durable.sequence
    direct.show(write("log", 100, b"captured, and never shipped"))
    unseen = (
        write("log", 5_000, random.randbytes(8_000)),
        write("db", 9_000, random.randbytes(6_000)),  # the checkpoint
        truncate("log", 0),  # and the log begins anew
        write("log", 0, random.randbytes(500)),
    )
    for change in unseen:
        direct.volume.apply(change)
    direct.stop_host()  # the next one is up at once, and sees what there is by now
    direct.begin_resync()
    direct.ship()
    assert RecoveryPoints(direct.journal).latest().sequence == last_good
    direct.compare(random, lambda: direct.show(write("log", 600, random.randbytes(99))))
    check_points(direct)
    check_live(direct)


def test_litestream_781_after_a_restore_what_is_written_is_protected_from_the_first_write_on():
    """After a restore the numbers began at 1 again; nothing was kept until they had caught up.

    Here what follows a restore is a branch: it goes on from the point's sequence and chain, its
    first write can be recovered, and so can what the old branch had after the point.
    https://github.com/benbjohnson/litestream/issues/781
    """
    changes = [create("db"), *[write("db", n * 2, b"%d" % n) for n in range(9)]]
    shop = Shop(changes, 300)
    for sequence in range(1, len(changes) + 1):
        base = shop.journal.standing_at(sequence)
        capture = Capture.branch(
            group=GROUP,
            epoch=base.cursor.epoch + 1,
            incarnation=INCARNATION + 1,
            base=base.cursor,
            files=FileTableState(base.files, base.id_newest),
            source_time_ns=base.source_time_ns,
        )
        capture.admit(write("db", 1, b"after"), 1_000)
        assert capture.newest.sequence == sequence + 2, "an EPOCH, and the write"
        storage = MemoryStorage()
        opening = open_journal(storage, group=GROUP, base=base)
        settle(opening.journal, storage, opening.actions)
        opening.journal.adopt(base.cursor.epoch + 1, INCARNATION + 1)
        records = [capture.entry(n).record for n in (sequence + 1, sequence + 2)]
        settle(opening.journal, storage, opening.journal.ingest(b"".join(records)))
        branch = opened(storage)
        newest = RecoveryPoints(branch).latest().sequence
        expected = bytearray(shop.references[sequence]["db"])
        expected.extend(bytes(max(6 - len(expected), 0)))
        expected[1:6] = b"after"
        assert newest == sequence + 2
        image = Image(branch, newest, parent=LayerMap(shop.journal))
        assert contents(image) == {"db": bytes(expected)}
    shop.check_all()
