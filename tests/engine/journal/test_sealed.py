"""Sealed segments, their index files and the manifest: damaged, lost or swapped, never a lie."""

import contextlib
from dataclasses import replace

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    check_images,
    contents,
    opened,
    settle,
    write,
)
from journal_model import (
    A_FEW_PER_SEGMENT,
    CHANGES,
    copy_of,
    indexes_of,
    manifest_of,
    records_of,
    segments_of,
    storage_of,
)

from engine import Image, JournalSettings, actions, open_journal
from engine.basics.errors import (
    IndexDamaged,
    JournalDamaged,
    ManifestDamaged,
    SegmentForeign,
    SegmentMisplaced,
    SegmentMissing,
)
from engine.formats.manifest import MANIFEST_NAME, decode_manifest, encode_manifest
from engine.formats.segments import (
    FOOTER_BYTES,
    SEGMENT_HEADER_BYTES,
    decode_footer,
    encode_footer,
    segment_name,
)
from engine.journal.verification import verify_journal

LAST = len(CHANGES)
#: Points whose images are looked at where looking at all of them would take too long.
SAMPLE = (LAST, LAST - 2, 4)


def truths():
    journal = opened(storage_of(A_FEW_PER_SEGMENT))
    return {sequence: contents(Image(journal, sequence)) for sequence in SAMPLE}


def test_a_segment_is_created_only_after_its_predecessor_is_durable_and_in_the_manifest():
    journal = open_journal(MemoryStorage(), group=GROUP, settings=JournalSettings(1)).journal
    journal.adopt(EPOCH, INCARNATION)
    first = journal.ingest(b"".join(records_of()))
    assert [type(action) for action in first] == [
        actions.CreateFile,
        actions.AppendFile,
        actions.AppendFile,
        actions.SyncFile,
    ]
    assert decode_footer(first[2].data).last_sequence == 1
    assert journal.durable.sequence == 0
    index, manifest, create_file, *_ = journal.sync_done(first[3].token)
    assert journal.durable.sequence == 1
    assert (index.name, manifest.name) == ("00000000000000000001.index", MANIFEST_NAME)
    (entry,) = decode_manifest(manifest.data).segments
    assert (entry.name, entry.index_name) == (segment_name(1), index.name)
    assert entry.index_size == len(index.data)
    assert create_file == actions.CreateFile(segment_name(2))


@pytest.mark.parametrize("settings", [A_FEW_PER_SEGMENT, JournalSettings(segment_records_max=2)])
def test_every_record_says_the_same_whether_its_rows_are_in_memory_or_on_disk(settings):
    storage = storage_of(settings)
    whole, parted = opened(storage_of(JournalSettings())), opened(storage, settings)
    assert len(parted.segments) > 3
    assert [part.is_sealed for part in parted.segments] == [True] * (len(parted.segments) - 1) + [
        False
    ]
    for sequence in range(1, LAST + 1):
        one, other = whole.index.row(sequence), parted.index.row(sequence)
        assert one[:6] == other[:6]
        assert one.chain == other.chain == parted.index.chain(sequence)
        assert parted.index.source_time_ns(sequence) == one.source_time_ns
        assert whole.payload(sequence) == parted.payload(sequence)
        assert whole.standing_at(sequence) == parted.standing_at(sequence)
        assert whole.index.names_at(sequence) == parted.index.names_at(sequence)
    for time_ns in range(0, LAST * 1_000, 500):
        newest = whole.index.newest_at(time_ns, LAST)
        assert parted.index.newest_at(time_ns, LAST) == newest
    assert list(whole.index.tags) == list(parted.index.tags)
    assert [parted.index.tag(tag.sequence) for tag in parted.index.tags] == list(whole.index.tags)


def test_rows_of_sealed_segments_leave_memory_once_their_index_file_is_durable():
    storage = MemoryStorage()
    settings = JournalSettings(segment_records_max=2, index_cache_bytes_max=1)
    journal = open_journal(storage, group=GROUP, settings=settings).journal
    journal.adopt(EPOCH, INCARNATION)
    given = journal.ingest(b"".join(records_of()))
    in_memory = [hasattr(part, "rows") for part in journal.segments]
    assert in_memory == [True] * 5, "nothing is on disk yet"
    settle(journal, storage, given)
    in_memory = [hasattr(part, "rows") for part in journal.segments]
    assert in_memory == [False] * 4 + [True]
    check_images(journal, CHANGES)
    assert journal.index.cache.bytes < 2_000, "one entry at most, whatever it takes"


def test_zeros_in_a_sealed_segment_are_refused_not_cut():
    storage = storage_of(A_FEW_PER_SEGMENT)
    name = segments_of(storage)[0]
    storage.files[name][-200:] = bytes(200)
    with pytest.raises(JournalDamaged) as caught:
        verify_journal(storage, group=GROUP)
    assert caught.value.file == name
    assert caught.value.offset >= SEGMENT_HEADER_BYTES
    assert "another copy" in caught.value.hint


@pytest.mark.parametrize(("mask", "first"), [(0x01, 0), (0x80, 1), (0xFF, 2)])
def test_every_damaged_byte_is_refused_repaired_or_cut_with_the_tail_but_never_a_lie(mask, first):
    storage, truth = storage_of(A_FEW_PER_SEGMENT), truths()
    *sealed, last = segments_of(storage)
    repaired = refused = 0
    for name in sorted(storage.files):
        for offset in range(first, len(storage.files[name]), 3):
            damaged = copy_of(storage)
            damaged.files[name][offset] ^= mask
            if name == last:
                continue  # test_journal
            with pytest.raises(JournalDamaged) as caught:
                verify_journal(damaged, group=GROUP)
            assert caught.value.file == name
            if name == MANIFEST_NAME:
                with pytest.raises(ManifestDamaged, match="rebuild_manifest"):
                    open_journal(damaged, group=GROUP)
                continue
            journal = opened(damaged)
            for sequence in SAMPLE:
                if name in sealed:
                    with contextlib.suppress(JournalDamaged):
                        assert contents(Image(journal, sequence)) == truth[sequence]
                        refused -= 1
                    refused += 1
                else:
                    assert isinstance(caught.value, IndexDamaged)
                    assert contents(Image(journal, sequence)) == truth[sequence]
            if journal.repairs:
                (repair,) = journal.repairs
                assert repair.file == name
                repaired += 1
    assert refused > 100
    assert repaired > 100


def test_every_byte_damaged_after_opening_is_noticed_when_it_is_read():
    storage = storage_of(A_FEW_PER_SEGMENT)
    truth = truths()[LAST]
    noticed = 0
    for name in segments_of(storage):
        for offset in range(0, len(storage.files[name]), 2):
            journal = opened(storage)
            storage.files[name][offset] ^= 0x10
            with contextlib.suppress(JournalDamaged):
                assert contents(Image(journal, LAST)) == truth, "it was not needed"
                noticed -= 1
            noticed += 1
            storage.files[name][offset] ^= 0x10
    assert noticed > 100


@pytest.mark.parametrize("gone", [[0], [1], [2], [0, 1, 2]])
def test_an_index_file_that_is_gone_is_built_again_and_said_so(gone):
    storage, whole = storage_of(A_FEW_PER_SEGMENT), storage_of(A_FEW_PER_SEGMENT)
    names = [indexes_of(storage)[number] for number in gone]
    for name in names:
        del storage.files[name]
    with pytest.raises(IndexDamaged, match="open the journal"):
        verify_journal(storage, group=GROUP)
    journal = opened(storage)
    check_images(journal, CHANGES)
    assert {repair.file for repair in journal.repairs} == set(names)
    more = [*CHANGES, write("db/b", 9, b"more")]
    settle(journal, storage, journal.ingest(records_of(more)[-1]))
    for name in names:
        assert storage.files[name] == whole.files[name], "the same to the last byte"
    check_images(journal, more)
    reopened = opened(storage)
    check_images(reopened, more)
    assert not reopened.repairs
    assert verify_journal(storage, group=GROUP) == LAST + 1


def test_an_index_file_in_another_ones_place_is_not_believed():
    storage = storage_of(A_FEW_PER_SEGMENT)
    one, other, _ = indexes_of(storage)
    files = storage.files
    files[one], files[other] = files[other], files[one]
    journal = opened(storage)
    check_images(journal, CHANGES)
    assert {repair.file for repair in journal.repairs} == {one, other}


def test_where_segment_and_index_are_both_damaged_the_image_is_refused():
    storage = storage_of(A_FEW_PER_SEGMENT)
    name = segments_of(storage)[1]
    storage.files[name][100] ^= 1
    del storage.files[indexes_of(storage)[1]]
    journal = opened(storage)
    with pytest.raises(JournalDamaged) as caught:
        contents(Image(journal, LAST))
    assert caught.value.file == name


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_segment_that_the_manifest_names_and_that_is_gone_is_missed(gone):
    storage = storage_of(A_FEW_PER_SEGMENT)
    names = segments_of(storage)
    assert len(names) == 4
    del storage.files[names[gone]]
    with pytest.raises(SegmentMissing) as caught:
        open_journal(storage, group=GROUP)
    assert caught.value.file == names[gone]


def test_a_segment_that_is_shorter_or_longer_than_the_manifest_says_is_refused():
    for change in (-1, 1):
        storage = storage_of(A_FEW_PER_SEGMENT)
        name = segments_of(storage)[1]
        content = storage.files[name]
        storage.files[name] = content[:-1] if change < 0 else content + b"x"
        with pytest.raises(JournalDamaged, match="it must have"):
            open_journal(storage, group=GROUP)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (2, 3), (0, 3)])
def test_swapped_segments_are_seen(one, other):
    storage = storage_of(A_FEW_PER_SEGMENT)
    names = segments_of(storage)
    files = storage.files
    files[names[one]], files[names[other]] = files[names[other]], files[names[one]]
    with pytest.raises(JournalDamaged):
        verify_journal(storage, group=GROUP)
    for name in names:
        files[name] = files[name].ljust(2_000, b"\0")  # the length does not give it away
    with pytest.raises(JournalDamaged):
        verify_journal(storage, group=GROUP)


def test_a_copy_of_a_segment_under_a_name_that_overlaps_is_misplaced():
    storage = storage_of(A_FEW_PER_SEGMENT)
    storage.files[segment_name(2)] = bytearray(storage.files[segments_of(storage)[0]])
    with pytest.raises(SegmentMisplaced):
        open_journal(storage, group=GROUP)


@pytest.mark.parametrize(
    "other", [{"group": GROUP + 1}, {"incarnation": INCARNATION + 1}, {"epoch": EPOCH + 1}]
)
def test_a_segment_of_another_group_capture_or_epoch_is_foreign(other):
    for position in range(4):
        storage = storage_of(A_FEW_PER_SEGMENT)
        foreign = storage_of(A_FEW_PER_SEGMENT, **other)
        name = segments_of(storage)[position]
        storage.files[name] = foreign.files[name]
        # Before the first segment nothing but the manifest tells whose it must be.
        error = SegmentForeign if position or "group" in other else JournalDamaged
        with pytest.raises(error):
            verify_journal(storage, group=GROUP)


def test_a_manifest_of_another_group_is_foreign():
    storage = storage_of(A_FEW_PER_SEGMENT)
    with pytest.raises(SegmentForeign, match="A manifest of group"):
        open_journal(storage, group=GROUP + 1)


def test_a_segment_of_a_twin_history_is_not_the_one_the_manifest_names():
    storage, twin = storage_of(A_FEW_PER_SEGMENT), MemoryStorage()
    journal = open_journal(twin, group=GROUP, settings=A_FEW_PER_SEGMENT).journal
    journal.adopt(EPOCH, INCARNATION)
    changes = [replace(change, file=change.file.replace("a", "z")) for change in CHANGES]
    for record in records_of(changes):
        settle(journal, twin, journal.ingest(record))
    second = segments_of(storage)[1]
    assert len(storage.files[second]) == len(twin.files[second])
    storage.files[second] = twin.files[second]
    with pytest.raises(JournalDamaged, match="another chain"):
        verify_journal(storage, group=GROUP)
    journal = opened(storage)
    with pytest.raises(JournalDamaged, match="was replaced by record"):
        contents(Image(journal, LAST))


@pytest.mark.parametrize(
    "other",
    [
        {"digest": bytes(16)},
        {"record_count": 2},
        {"last_sequence": 2},
        {"chain": 0},
        {"record_bytes": 8},
        {"group": GROUP + 1},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_undamaged_footer_that_seals_other_records_is_refused(other):
    storage = storage_of(JournalSettings(1))
    content = storage.files[segments_of(storage)[0]]
    footer = decode_footer(content[-FOOTER_BYTES:])._replace(**other)
    content[-FOOTER_BYTES:] = encode_footer(footer)
    with pytest.raises(JournalDamaged, match="seals other records"):
        verify_journal(storage, group=GROUP)


def test_bytes_after_a_footer_are_refused():
    storage = storage_of(JournalSettings(1))
    name = segments_of(storage)[0]
    storage.files[name] += b"\0" * 8
    entry = manifest_of(storage).segments[0]
    grown = manifest_of(storage)
    grown = grown._replace(segments=(entry._replace(size=entry.size + 8), *grown.segments[1:]))
    storage.files[MANIFEST_NAME] = bytearray(encode_manifest(grown))
    with pytest.raises(JournalDamaged, match="bytes follow the footer"):
        verify_journal(storage, group=GROUP)


def test_a_segment_that_shrinks_or_vanishes_after_opening_refuses_what_needs_it():
    storage = storage_of(A_FEW_PER_SEGMENT)
    journal = opened(storage)
    names = segments_of(storage)
    whole = storage.files[names[1]]
    storage.files[names[1]] = whole[:100]
    with pytest.raises(JournalDamaged, match="unreadable"):
        contents(Image(journal, LAST))
    with pytest.raises(JournalDamaged, match="were made durable"):
        Image(journal, 4)
    del storage.files[names[1]]
    with pytest.raises(SegmentMissing):
        contents(Image(journal, LAST))
    with pytest.raises(SegmentMissing):
        Image(journal, 4)
    assert Image(journal, 2).names() == ["logs/a"], "points before it are unharmed"
