"""However a history is parted into segments, it says the same; branches, resyncs and publishing."""

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    RecordStream,
    check_images,
    contents,
    create,
    opened,
    settle,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_model import CHANGES, copy_of, indexes_of, manifest_of, records_of, segments_of
from layer_model import CHANGES as ANY_CHANGES

from engine import Capture, Image, JournalSettings, RecordType, actions, open_journal
from engine.basics.errors import (
    JournalDamaged,
    PointRefused,
    SegmentForeign,
)
from engine.formats.control import encode_incarnation, encode_parent
from engine.formats.manifest import KeptPoint, Pin
from engine.formats.standings import FileEntry
from engine.journal.verification import verify_journal
from engine.layers.plan import LayerMap

R = RecordType
LAST = len(CHANGES)


def journal_of(records, records_max, *, cache_bytes_max=1 << 20):
    storage = MemoryStorage()
    bounds = JournalSettings(segment_records_max=records_max, index_cache_bytes_max=cache_bytes_max)
    journal = open_journal(storage, group=GROUP, settings=bounds).journal
    journal.adopt(EPOCH, INCARNATION)
    for record in records:
        settle(journal, storage, journal.ingest(record))
    return storage, journal


def told_by(journal):
    """Return everything that the catalogue says of each sequence."""
    index, last = journal.index, journal.received.sequence
    told = [
        list(index.events(set(R))),
        list(index.events_backwards(set(R), last)),
        list(index.gaps),
    ]
    for sequence in range(1, last + 1):
        row = index.row(sequence)._replace(position=0)
        names = index.names_at(sequence)
        sizes = {file: index.size_at(file, sequence) for file in names}
        told.append((row, index.newest_at(row.source_time_ns, last), names, sizes))
        told.append((journal.standing_at(sequence), journal.payload(sequence)))
        told.append([index.gap_at(sequence) is None, index.holds(sequence)])
    return told


@settings(max_examples=40)
@given(ANY_CHANGES, st.integers(1, 7))
def test_however_a_history_is_parted_into_segments_it_says_the_same(changes, records_max):
    records = records_of(changes)
    _, whole = journal_of(records, 1_000)
    storage, parted = journal_of(records, records_max, cache_bytes_max=600)
    reopened = opened(storage, parted.settings)
    assert len(whole.segments) == 1
    expected = told_by(whole)
    assert told_by(parted) == expected
    assert told_by(reopened) == expected
    check_images(reopened, changes)
    assert verify_journal(storage, group=GROUP) == len(changes)


@settings(max_examples=25)
@given(ANY_CHANGES, st.integers(1, 5), st.data())
def test_a_part_of_a_segment_does_what_its_rows_do(changes, records_max, data):
    records = records_of(changes)
    _, whole = journal_of(records, 1_000)
    _, parted = journal_of(records, records_max)
    for part in parted.segments:
        high = data.draw(st.integers(part.first_sequence, part.last.sequence))
        low = data.draw(st.integers(part.before.sequence, high - 1))
        touched = parted.index.touched_files(low, high)
        live = parted.index.names_at(high)
        assert set(touched) & set(live) == set(whole.index.touched_files(low, high)) & set(live)
        for file in touched:
            if file not in live:
                continue
            one, other = whole.index.extents(file, low, high), parted.index.extents(file, low, high)
            assert list(one.extents()) == list(other.extents())
            assert (one.cut, one.size, one.sequences()) == (
                other.cut,
                other.size,
                other.sequences(),
            )
            for position in range(0, 130, 7):
                assert one.next_start(position) == other.next_start(position)
                stop = position + 30
                assert list(one.covering(position, stop)) == list(other.covering(position, stop))


# --- a capture that goes on from another ----------------------------------------------------------


def resync_stream():
    stream = RecordStream().add(R.CREATE, b"a", file=1).add(R.WRITE, b"old" * 9, file=1)
    stream.add(R.RESYNC_BEGIN, encode_incarnation(0xBEE)).add(R.WRITE, b"new" * 9, file=1)
    return stream.add(R.RESYNC_END).add(R.TAG_APP, b"after")


def test_each_segment_is_of_one_capture_and_a_resync_begins_a_new_one():
    records = resync_stream().records
    for batches in (records, [b"".join(records)]):
        storage, journal = journal_of(batches, 1_000)
        assert [part.last.sequence for part in journal.segments] == [2, 6]
        assert journal.incarnation == 0xBEE
        reopened = opened(storage)
        assert reopened.incarnation == 0xBEE
        assert [(gap.opened, gap.closed) for gap in reopened.index.gaps] == [(3, 5)]
        assert contents(Image(reopened, 6)) == {"a": b"new" * 9}
        assert contents(Image(reopened, 2)) == {"a": b"old" * 9}
        assert verify_journal(storage, group=GROUP) == 6


def test_a_resync_cut_anywhere_by_a_crash_is_taken_again_from_there():
    records = resync_stream().records
    storage, _ = journal_of(records, 1_000)
    name = segments_of(storage)[-1]
    whole = bytes(storage.files[name])
    for length in range(len(whole)):
        torn = copy_of(storage)
        del torn.files[name][length:]
        if 0 < length < 64:
            assert open_journal(torn, group=GROUP).tail_cut.offset == 0
        journal = opened(torn)
        kept = journal.received.sequence
        assert journal.incarnation == (INCARNATION if kept < 3 else 0xBEE)
        for record in records[kept:]:
            settle(journal, torn, journal.ingest(record))
        assert contents(Image(opened(torn), 6)) == {"a": b"new" * 9}
        assert verify_journal(torn, group=GROUP) == 6


def test_a_header_of_another_capture_without_its_resync_is_foreign():
    storage, _ = journal_of(resync_stream().records, 1_000)
    other = RecordStream().add(R.CREATE, b"a", file=1).add(R.WRITE, b"old" * 9, file=1)
    other.add(R.TIME).add(R.TIME)
    twin, _ = journal_of(other.records, 2)
    name = segments_of(storage)[-1]
    header = storage.files[name][:64]
    storage.files[name] = header + twin.files[segments_of(twin)[-1]][64:]
    with pytest.raises(SegmentForeign):
        open_journal(storage, group=GROUP)


# --- branches ------------------------------------------------------------------------------------


def branch_of(parent, sequence):
    base = parent.standing_at(sequence)
    storage = MemoryStorage()
    result = open_journal(storage, group=GROUP, base=base, settings=JournalSettings(1))
    return storage, base, result


def branch_records(base):
    stream = RecordStream(base.cursor._replace(epoch=EPOCH + 1))
    stream.add(R.EPOCH, encode_parent(base.cursor), time_ns=50_000)
    file = base.files[0].file
    stream.add(R.WRITE, b"branch", file=file, time_ns=50_001)
    return stream.add(R.CREATE, b"new", file=base.id_newest + 1, time_ns=50_002).records


@pytest.mark.parametrize("records_max", [2, 1_000])
def test_a_branch_goes_on_from_any_point_of_its_parent(records_max):
    _, parent = journal_of(records_of(), records_max)
    for cut in range(1, LAST + 1):
        storage, base, result = branch_of(parent, cut)
        assert isinstance(result.actions[0], actions.ReplaceFile), "the base is kept at once"
        settle(result.journal, storage, result.actions)
        journal = opened(storage)
        assert journal.incarnation is None
        assert journal.received == base.cursor
        assert journal.durable_time_ns == base.source_time_ns
        journal.adopt(EPOCH + 1, INCARNATION + 1)
        truth = contents(Image(parent, cut))
        name = base.files[0].name
        for record in branch_records(base):
            settle(journal, storage, journal.ingest(record))
        truth[name] = b"branch" + truth[name][6:]
        truth["new"] = b""
        for again in (journal, opened(storage), opened(storage, JournalSettings(1))):
            image = Image(again, cut + 3, parent=LayerMap(parent))
            assert contents(image) == truth
            assert again.index.names_at(cut + 3)[base.id_newest + 1] == "new"
        assert verify_journal(storage, group=GROUP) == cut + 3
        check_images(parent, CHANGES)


def test_a_branch_is_refused_where_it_does_not_belong():
    _, parent = journal_of(records_of(), 1_000)
    storage, _, result = branch_of(parent, 4)
    settle(result.journal, storage, result.actions)
    with pytest.raises(SegmentForeign, match="This branch begins at"):
        open_journal(storage, group=GROUP, base=parent.standing_at(5))
    journal = opened(storage)
    with pytest.raises(AssertionError, match="later epoch"):
        journal.adopt(EPOCH, INCARNATION + 1)


def test_a_branch_that_crashed_before_its_first_record_takes_any_later_epoch():
    _, parent = journal_of(records_of(), 1_000)
    storage, base, result = branch_of(parent, 4)
    settle(result.journal, storage, result.actions)
    opened(storage).adopt(EPOCH + 5, 1)
    journal = opened(storage)
    journal.adopt(EPOCH + 1, INCARNATION + 1)
    settle(journal, storage, journal.ingest(b"".join(branch_records(base))))
    assert opened(storage).received.epoch == EPOCH + 1


# --- publishing ----------------------------------------------------------------------------------


def test_points_and_pins_stay_in_the_manifest_whatever_is_sealed_after_them():
    storage, journal = journal_of(records_of()[:3], 2)
    points = (KeptPoint(journal.durable, 3, R.TAG_APP, "label", b"c" * 16),)
    pins = (Pin(3, "upgrade", "before the new release"),)
    settle(journal, storage, journal.publish(points=points, pins=pins))
    for record in records_of()[3:]:
        settle(journal, storage, journal.ingest(record))
    for again in (journal, opened(storage)):
        assert (again.manifest.points, again.manifest.pins) == (points, pins)
        check_images(again, CHANGES)


@pytest.mark.parametrize("dropped", [[0], [1], [3], [0, 1], [1, 2], [2, 3], [0, 3], [0, 1, 2, 3]])
def test_segments_leave_with_their_index_files_and_the_journal_goes_on(dropped):
    storage, journal = journal_of(records_of(), 2)
    whole = {n: journal.standing_at(n) for n in range(1, LAST + 1)}
    entries = manifest_of(storage).segments
    names = [entries[n].name for n in dropped]
    given = journal.publish(drop_segments=names)
    kinds = [type(action) for action in given]
    assert kinds == [actions.ReplaceFile, actions.SyncFile] + 2 * len(names) * [actions.DeleteFile]
    settle(journal, storage, given)
    assert len(segments_of(storage)) == len(indexes_of(storage)) + 1 == 5 - len(names)
    gone = {n for entry in (entries[k] for k in dropped) for n in range(*_range_of(entry))}
    more = [*CHANGES, write("db/b", 9, b"more"), create("x")]
    for again in (journal, opened(storage), opened(storage, JournalSettings(1))):
        for sequence in range(1, LAST + 1):
            assert again.index.holds(sequence) == (sequence not in gone)
            if sequence in gone:
                with pytest.raises(PointRefused, match="compacted"):
                    again.payload(sequence)
            else:
                assert again.standing_at(sequence) == whole[sequence]
    for entry in entries:
        if entry.name not in names:
            del storage.files[entry.index_name]
    again = opened(storage, JournalSettings(1))
    for sequence in sorted(set(whole) - gone):
        assert again.standing_at(sequence) == whole[sequence]
    for record in records_of(more)[LAST:]:
        settle(again, storage, again.ingest(record))
    assert verify_journal(storage, group=GROUP) == LAST + 2
    assert again.standing_at(LAST + 2).files[-1] == FileEntry(3, "x", 0)


def _range_of(entry):
    return entry.first_sequence, entry.last.sequence + 1


def test_after_a_crash_amid_publishing_what_was_to_leave_leaves():
    storage, journal = journal_of(records_of(), 2)
    names = [entry.name for entry in manifest_of(storage).segments[:2]]
    given = journal.publish(drop_segments=names)
    for count in range(len(given) + 1):
        copy = copy_of(storage)
        for action in given[:count]:
            copy.carry_out(action)
        again = opened(copy)
        assert len(segments_of(copy)) == (5 if count == 0 else 3)
        assert again.index.holds(1) == (count == 0)
        assert again.received.sequence == LAST
        assert verify_journal(copy, group=GROUP) == LAST


def test_only_sealed_segments_can_be_dropped():
    _, journal = journal_of(records_of(), 2)
    with pytest.raises(AssertionError, match="sealed"):
        journal.publish(drop_segments=[journal.segments[-1].name])


def test_an_idle_journal_can_be_sealed_and_goes_on_in_a_new_segment():
    storage, journal = journal_of(records_of()[:4], 1_000)
    settle(journal, storage, journal.seal())
    assert journal.seal() == []
    assert [part.is_sealed for part in journal.segments] == [True]
    assert manifest_of(storage).segments[-1].last == journal.durable
    for again in (journal, opened(storage)):
        assert again.is_settled
    for record in records_of()[4:]:
        settle(again, storage, again.ingest(record))
    check_images(opened(storage), CHANGES)


def test_a_missing_index_behind_a_hole_that_nothing_tells_of_is_refused():
    storage, journal = journal_of(records_of(), 2)
    settle(journal, storage, journal.publish(drop_segments=[journal.segments[0].name]))
    manifest = manifest_of(storage)
    entry = manifest.segments[0]
    journal = opened(storage)
    journal.manifest = manifest._replace(standings=manifest.standings[:1])
    del storage.files[entry.index_name]
    with pytest.raises(JournalDamaged, match="Nothing tells"):
        journal.standing_at(entry.first_sequence)


def test_a_source_that_captures_on_writes_the_same_after_any_number_of_restarts():
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    storage = MemoryStorage()
    bounds = JournalSettings(segment_records_max=3)
    journal = open_journal(storage, group=GROUP, settings=bounds).journal
    journal.adopt(EPOCH, INCARNATION)
    for number, change in enumerate(CHANGES, 1):
        capture.admit(change, number)
        settle(journal, storage, journal.ingest(capture.entry(number).record))
        journal = opened(storage, bounds)
        check_images(journal, CHANGES[:number])
    assert len(segments_of(storage)) == 3
