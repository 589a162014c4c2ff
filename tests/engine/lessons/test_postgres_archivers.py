"""What users of Barman, WAL-G and pgBackRest had to learn, one test for each thread."""

from random import Random

import pytest
from engine_lessons import pair_of
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    RecordStream,
    app_tag,
    contents,
    create,
    opened,
    settle,
    write,
)
from engine_overload import pair_of as overload_pair_of
from engine_points import check_points
from layer_model import Shop

from engine import (
    Admitted,
    CaptureSettings,
    Image,
    JournalSettings,
    RecordType,
    RecoveryPoints,
    Refused,
    actions,
    open_journal,
    verify_journal,
)
from engine.basics.errors import PointRefused, SegmentMissing
from engine.formats.control import encode_parent
from engine.journal.verification import JournalVerifier


@pytest.mark.parametrize("tail", range(1, 6))
def test_barman_393_a_restore_uses_the_tail_that_is_not_sealed_yet(tail):
    """A recovery left out the partial file, and with it what a synchronous receiver had.

    Here the open segment is read as the sealed ones are, after a crash of the host, too.
    https://github.com/EnterpriseDB/barman/issues/393
    """
    shop = Shop([create("a")], 400)
    while len(shop.journal.segments) < 4:
        shop.show(write("a", len(shop.references) * 3, b"row"))
    sealed = shop.journal.manifest.segments[-1].last.sequence
    for number in range(tail - 1):
        shop.show(write("a", number, b"the tail"))
    assert shop.journal.manifest.segments[-1].last.sequence == sealed
    shop.storage.crash(lambda: "lost")
    shop.open()
    latest = RecoveryPoints(shop.journal).latest().sequence
    assert latest == len(shop.references) - 1 == sealed + tail
    assert contents(Image(shop.journal, latest)) == shop.references[-1]


def test_barman_881_a_time_after_the_last_write_is_answered_before_anything_is_restored():
    """A target time past the last commit was accepted, and the database never came up.

    Here TIME records carry an idle stream on: such a time is the last write's image. Past the
    newest of them nobody knows, and the nearest point is offered instead, before any restore.
    https://github.com/EnterpriseDB/barman/issues/881
    """
    pair = pair_of(3)
    last_write = pair.journal.durable.sequence
    written_ns = pair.journal.index.source_time_ns(last_write)
    truth = contents(Image(pair.journal, last_write))
    points = RecoveryPoints(pair.journal)
    with pytest.raises(PointRefused) as refusal:
        points.at_time(written_ns + 1)
    assert refusal.value.earlier.sequence == last_write
    pair.run(lambda pair: pair.journal.durable.sequence > last_write)
    newest = pair.journal.durable.sequence
    assert pair.journal.index.row(newest).kind == RecordType.TIME
    newest_ns = pair.journal.index.source_time_ns(newest)
    for time_ns in (written_ns + 1, (written_ns + newest_ns) // 2, newest_ns):
        found = points.at_time(time_ns).sequence
        assert contents(Image(pair.journal, found)) == truth
    with pytest.raises(PointRefused) as refusal:
        points.at_time(newest_ns + 1)
    assert refusal.value.earlier.sequence == newest


def lineage(sizes):
    """Return storages and bases of a journal and its branches, each with so many records."""
    found, base = [], None
    for number, size in enumerate(sizes):
        stream = RecordStream(base.cursor if base else None)
        storage = MemoryStorage()
        settings = JournalSettings(segment_bytes_max=300)
        opening = open_journal(storage, group=GROUP, settings=settings, base=base)
        journal = opening.journal
        settle(journal, storage, opening.actions)
        journal.adopt(EPOCH + number, INCARNATION + number)
        if base:
            parent = encode_parent(base.cursor)
            stream.add(RecordType.EPOCH, parent, epoch=EPOCH + number)
        else:
            stream.add(RecordType.CREATE, b"a", file=1)
        for _ in range(size - 1):
            stream.add(RecordType.WRITE, b"x" * 60, file=1, offset=stream.newest.sequence)
        settle(journal, storage, journal.ingest(b"".join(stream.records)))
        settle(journal, storage, journal.seal())
        found.append((storage, base))
        base = opened(storage).standing_at(stream.newest.sequence)
    return found


def test_wal_g_1390_a_verification_over_epochs_finds_what_is_there_and_only_what_is_lost():
    """Verifying across promotions skipped a timeline and reported its file as lost.

    Here each branch knows where it begins in its parent, one with a single record, too; each is
    verified in full, and what is really missing is named in the epoch that it belongs to.
    https://github.com/wal-g/wal-g/issues/1390
    """
    sizes, newest = (12, 1, 1, 9, 2), 0
    branches = lineage(sizes)
    for size, (storage, base) in zip(sizes, branches, strict=True):
        newest += size
        assert verify_journal(storage, group=GROUP, base=base) == newest
    for storage, base in branches:
        segments = [name for name in storage.files if name.endswith(".segment")]
        for name in segments:
            kept = storage.files.pop(name)
            for other, other_base in branches:
                if other is storage:
                    with pytest.raises(SegmentMissing) as lost:
                        verify_journal(storage, group=GROUP, base=base)
                    assert lost.value.file == name
                else:
                    assert verify_journal(other, group=GROUP, base=other_base)
            storage.files[name] = kept
    verifier = JournalVerifier(branches[3][0], group=GROUP)
    while verifier.step() is not None:
        pass
    assert verifier.verified == sum(sizes[:4])


def test_pgbackrest_queue_max_what_is_dropped_is_dropped_loudly():
    """Past archive-push-queue-max the archiver says 'archived' and drops; a warning in another
    program's log is all there is, and recovery stops there until the next backup.

    Here policy `break` drops as well, so that the application never waits; but the operator is told
    why and what to do, the stream says where order was lost, bookmarks are refused, no point is
    offered there, and both edges are. https://github.com/pgbackrest/pgbackrest/issues/1296
    """
    settings = CaptureSettings(pool_bytes_max=2_000, overflow="break", time_interval_ns=1 << 50)
    pair = overload_pair_of(settings, Random(1))
    pair.show(create("a"))
    pair.show(write("a", 0, b"before"))
    pair.converge()
    before = RecoveryPoints(pair.journal).latest()
    pair.is_cut = True
    pair.disconnect()
    assert isinstance(pair.show(app_tag("in the queue")), Admitted)
    for number in range(40):
        assert not isinstance(pair.show(write("a", number * 100, b"d" * 100)), Refused)
    assert not pair.waiting, "no writer waits"
    told = [notice for end, notice in pair.notices if end == "capture"]
    (changed,) = [n for n in told if isinstance(n, actions.CaptureModeChanged)]
    (gap,) = [n for n in told if isinstance(n, actions.GapOpened)]
    assert "full" in changed.reason
    assert changed.hint
    refused = pair.show(app_tag("in the hole"))
    assert isinstance(refused, Refused)
    assert "gap" in refused.reason
    pair.is_cut = False
    pair.run(lambda pair: pair.journal.durable.sequence >= gap.sequence)
    points = RecoveryPoints(pair.journal)
    assert before.sequence < points.latest().sequence < gap.sequence
    with pytest.raises(PointRefused) as refusal:
        points.at_sequence(gap.sequence)
    assert refusal.value.earlier.sequence == gap.sequence - 1
    assert refusal.value.later is None
    check_points(pair)
