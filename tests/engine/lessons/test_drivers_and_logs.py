"""What users of block drivers and log-structured stores had to learn, one test for each thread."""

from random import Random

import pytest
from engine_harness import Pair
from engine_lessons import failures_of
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    app_tag,
    check_images,
    create,
    parts_of,
    write,
)
from engine_overload import live_through
from engine_overload import pair_of as overload_pair_of
from engine_points import check_live, check_points

from engine import (
    Admitted,
    Capture,
    CaptureMode,
    CaptureSettings,
    JournalSettings,
    RecordType,
    RecoveryPoints,
    Refused,
    SessionSettings,
    SourceState,
    actions,
)
from engine.basics.errors import JournalDamaged, JournalRegressed
from engine.formats.manifest import MANIFEST_NAME

SECOND_NS = 1_000_000_000


def names_in(journal):
    """Return every name that a file has at any point; in a gap names may be makeshift."""
    index, sequences = journal.index, range(1, journal.durable.sequence + 1)
    points = [n for n in sequences if index.gap_at(n) is None]
    return {name for n in points for name in index.names_at(n).values()}


@pytest.mark.parametrize("seed", range(12))
def test_dattobd_364_the_journal_does_not_track_itself(seed):
    """The snapshot's own file was counted as changed: a tenth of the disk without any change.

    Here spool, journal and marks are written through a whole overload, and the history names only
    files of the application. https://github.com/datto/dattobd/issues/364
    """
    pair = live_through(seed, 60, 0.03)
    named = names_in(pair.journal)
    assert named <= {"logs/a", "logs/b", "db/c", "db/d"}
    assert pair.storage.files.keys() & named == set()


def test_dattobd_364_a_group_in_which_nothing_changes_has_no_changes():
    """An hour without a change is TIME records, one for each interval, and nothing else."""
    settings = CaptureSettings(time_interval_ns=60 * SECOND_NS, overflow="spill")
    pair = overload_pair_of(settings, Random(1), settings=SessionSettings())
    pair.show(create("a"))
    pair.converge()
    idle_since, begun_ns = pair.journal.durable.sequence, pair.now_ns
    while pair.now_ns < begun_ns + 3_600 * SECOND_NS:
        pair.step() or pair.advance()
    pair.converge()
    newest = pair.journal.durable.sequence
    kinds = [pair.journal.index.row(n).kind for n in range(idle_since + 1, newest + 1)]
    assert set(kinds) == {RecordType.TIME}
    assert 58 <= len(kinds) <= 61
    assert not pair.spool.files


def test_dattobd_127_a_full_area_costs_the_order_for_a_while_and_nothing_else():
    """When the area for old blocks was full, the snapshot was gone: that was the expected thing.

    Here a full spool costs the order: writers go on, every point from before stays, what follows is
    kept as the places that changed, and when the link is back there are points again.
    https://github.com/datto/dattobd/issues/127
    """
    settings = CaptureSettings(
        pool_bytes_max=2_000,
        overflow="spill",
        spool_bytes_max=6_000,
        spool_file_bytes_max=2_000,
        metadata_changes_max=8,
        metadata_changes_low=4,
        time_interval_ns=1 << 50,
    )
    pair = overload_pair_of(settings, Random(5))
    pair.show(create("a"))
    pair.converge()
    pair.is_cut = True
    pair.disconnect()
    modes, bookmarks = set(), []
    for number in range(60):
        admission = pair.show(write("a", number * 50_000, b"%02d" % number * 300))
        assert not isinstance(admission, Refused)
        bookmarks.append(pair.show(app_tag(f"bookmark {number}")))
        while pair.spool_syncs:
            pair._complete_spool_sync()
        modes.add(pair.capture.figures(pair.now_ns).mode)
    assert modes == {
        CaptureMode.DATA,
        CaptureMode.SPOOL,
        CaptureMode.METADATA,
        CaptureMode.BITMAP,
    }
    assert not pair.waiting, "no writer waits"
    told = [n for _, n in pair.notices if isinstance(n, actions.CaptureModeChanged)]
    assert [n.after for n in told] == ["spool", "metadata", "bitmap"]
    assert all(n.hint for n in told[:2]), "each loss is told with what can be done"
    good = [a.sequence for a in bookmarks if isinstance(a, Admitted)]
    assert 3 < len(good) < 60
    pair.is_cut = False
    pair.converge()
    found = [point.sequence for point in RecoveryPoints(pair.journal).app_points()]
    assert found == good, "every bookmark that was accepted is a point, and no other"
    check_points(pair)
    check_live(pair)
    assert isinstance(pair.show(app_tag("after")), Admitted)


def shipped(count=9):
    """Return a pair whose journal has sealed segments and an open one, all acknowledged."""
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(time_interval_ns=1 << 50),
    )
    pair = Pair(capture, journal_settings=JournalSettings(segment_bytes_max=350))
    pair.show(create("a"))
    for number in range(count):
        pair.show(write("a", number * 40, b"%d" % number * 40))
        pair.converge()
    return pair


def test_rocksdb_a_log_cut_at_a_record_boundary_is_never_taken_for_a_whole_one(figure):
    """A log that ends exactly after a record passes every checksum, and its end is silently lost.

    Here every file of the journal is cut after every part of it. Either opening refuses, for the
    manifest or a mark says that there was more; or the source, which keeps the acknowledged cursor
    itself, refuses to go on. https://github.com/facebook/rocksdb/issues/12488
    """
    whole = shipped()
    names = sorted(name for name in whole.storage.files if name.endswith(".segment"))
    assert len(names) > 3
    outcomes = {"refused at opening": 0, "refused by the source": 0}
    for name in names:
        content = bytes(whole.storage.files[name])
        for part in parts_of(content):
            if part.kind == "mark" and part.end == len(content):
                continue  # a mark at the very end is no record: without it nothing is lost
            outcomes[outcome_of_a_cut(name, part.start)] += 1
    figure(f"{outcomes}")
    assert min(outcomes.values()) > 0


def outcome_of_a_cut(name, size):
    """Cut a file of a journal that was acknowledged; return who refused to go on with it."""
    pair = shipped()
    pair.disk_lies = True
    acknowledged = pair.capture.acknowledged
    del pair.storage.files[name][size:]
    try:
        pair.crash_target()
    except JournalDamaged as error:
        return "refused at opening" if error.file == name else "the wrong file is blamed"
    pair.run(lambda pair: bool(failures_of(pair, "source")))
    assert pair.source.state is SourceState.HALTED
    (error,) = failures_of(pair, "source")
    assert isinstance(error, JournalRegressed)
    assert "another copy" in error.hint
    assert pair.capture.acknowledged == acknowledged
    return "refused by the source"


def test_rocksdb_a_whole_journal_goes_on():
    """The same restart without a cut: nothing is refused."""
    pair = shipped()
    pair.crash_target()
    pair.show(write("a", 0, b"more"))
    pair.converge()
    assert not failures_of(pair, "source")
    assert pair.storage.exists(MANIFEST_NAME)
    check_images(pair.journal, pair.shown)
