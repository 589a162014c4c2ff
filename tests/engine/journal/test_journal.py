"""The journal on its disk: what a crash can leave is cut, everything else is refused by name."""

import contextlib

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    check_images,
    contents,
    create,
    opened,
    parts_of,
    rename,
    settle,
    truncate,
    write,
)

from engine import Capture, Image, JournalSettings, actions, open_journal
from engine.basics.errors import (
    EpochFenced,
    JournalDamaged,
    LocalProtocolError,
    PointRefused,
    RecordDamaged,
    SegmentForeign,
    SegmentMisplaced,
    SegmentMissing,
    SequenceGap,
    SequenceReplayed,
    WrongGroup,
)
from engine.formats.segments import (
    FOOTER_BYTES,
    SEGMENT_HEADER_BYTES,
    decode_footer,
    encode_footer,
    segment_name,
    sequence_of_name,
)

CHANGES = [
    create("logs/a"),
    write("logs/a", 0, b"first" * 20),
    create("db/b"),
    write("db/b", 100, b"second", 300, b"third"),
    write("logs/a", 50, b"over" * 10),
    rename("logs/a", "logs/c"),
    truncate("logs/c", 60),
    app_tag("bookmark"),
    write("db/b", 0, b"last"),
]
A_FEW_PER_SEGMENT = JournalSettings(segment_bytes_max=360)
ONE_SEGMENT = JournalSettings(segment_bytes_max=1 << 20)


def records_of(changes=CHANGES, *, group=GROUP, epoch=EPOCH):
    capture = Capture(group=group, epoch=epoch, incarnation=INCARNATION)
    for number, change in enumerate(changes):
        capture.admit(change, number * 1_000)
    return [capture.entry(n).record for n in range(1, len(changes) + 1)]


def storage_of(settings=ONE_SEGMENT, *, group=GROUP, incarnation=INCARNATION, epoch=EPOCH):
    """Return the storage of a journal that holds CHANGES, all synced."""
    storage = MemoryStorage()
    journal = open_journal(storage, group=group, settings=settings).journal
    journal.adopt(epoch, incarnation)
    for record in records_of(group=group, epoch=epoch):
        settle(journal, storage, journal.ingest(record))
    return storage


def copy_of(storage):
    copy = MemoryStorage()
    copy.files = {name: bytearray(data) for name, data in storage.files.items()}
    return copy


def opened_or_refused(storage, settings):
    """Return the opened journal, or None where it was refused with its place named."""
    with contextlib.suppress(JournalDamaged):
        return open_journal(storage, group=GROUP, settings=settings)
    with pytest.raises(JournalDamaged) as caught:
        open_journal(storage, group=GROUP, settings=settings)
    assert caught.value.file in storage.files
    assert caught.value.hint
    return None


def test_an_empty_storage_is_an_empty_journal_and_nothing_is_written_for_it():
    result = open_journal(MemoryStorage(), group=GROUP)
    assert (result.actions, result.tail_cut) == ([], None)
    assert result.journal.received.sequence == 0
    assert result.journal.durable_time_ns is None
    assert Image(result.journal, 0).names() == []


@pytest.mark.parametrize("settings", [ONE_SEGMENT, A_FEW_PER_SEGMENT, JournalSettings(1)])
def test_a_journal_opens_as_it_was_and_goes_on(settings):
    storage = storage_of(settings)
    journal = opened(storage, settings)
    assert journal.durable.sequence == len(CHANGES)
    check_images(journal, CHANGES)
    more = [*CHANGES, write("db/b", 9, b"more")]
    settle(journal, storage, journal.ingest(records_of(more)[-1]))
    check_images(opened(storage, settings), more)


def test_opening_claims_nothing_durable_before_its_own_sync_is_done():
    storage = storage_of()
    result = open_journal(storage, group=GROUP)
    assert result.journal.received.sequence == len(CHANGES)
    assert result.journal.durable.sequence == 0
    with pytest.raises(PointRefused):
        Image(result.journal, 1)
    settle(result.journal, storage, result.actions)
    assert result.journal.durable == result.journal.received


def test_a_segment_is_created_only_after_its_predecessor_was_sealed_and_synced():
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
    second = journal.sync_done(first[3].token)
    assert journal.durable.sequence == 1
    assert isinstance(second[0], actions.CreateFile)
    assert second[0].name == segment_name(2)


def test_records_that_come_while_a_sync_is_under_way_share_the_next_one():
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    records = records_of()
    *_, sync = journal.ingest(records[0])
    later = [action for record in records[1:] for action in journal.ingest(record)]
    assert all(isinstance(action, actions.AppendFile) for action in later)
    (next_sync,) = journal.sync_done(sync.token)
    assert journal.durable.sequence == 1, "what was appended after the sync began is not in it"
    journal.sync_done(next_sync.token)
    assert journal.durable == journal.received


def test_a_sync_nobody_asked_for_is_the_drivers_mistake():
    with pytest.raises(LocalProtocolError):
        open_journal(MemoryStorage(), group=GROUP).journal.sync_done(1)


def test_every_torn_tail_is_cut_to_the_last_whole_record_and_opens_to_a_true_image():
    storage = storage_of()
    (name,) = storage.files
    full = bytes(storage.files[name])
    parts = parts_of(full)
    assert {part.kind for part in parts} == {"header", "record", "mark"}
    for length in range(len(full)):
        torn = MemoryStorage()
        torn.files[name] = bytearray(full[:length])
        result = open_journal(torn, group=GROUP)
        kept = sum(part.kind == "record" and part.end <= length for part in parts)
        assert result.journal.received.sequence == kept
        is_whole = length == 0 or any(part.end == length for part in parts)
        assert (result.tail_cut is None) == is_whole
        if not is_whole:
            assert result.tail_cut.sequence == kept
            assert result.actions[0] == actions.TruncateFile(name, result.tail_cut.offset)
        settle(result.journal, torn, result.actions)
        check_images(result.journal, CHANGES[:kept])


def test_every_tail_of_zeros_is_cut_like_a_torn_one():
    storage = storage_of()
    (name,) = storage.files
    full = bytes(storage.files[name])
    for length in range(0, len(full), 8):
        if length % SEGMENT_HEADER_BYTES and length < SEGMENT_HEADER_BYTES:
            continue
        zeroed = MemoryStorage()
        zeroed.files[name] = bytearray(full[:length].ljust(len(full), b"\0"))
        journal = opened(zeroed)
        check_images(journal, CHANGES[: journal.durable.sequence])
        assert len(zeroed.files[name]) <= length


def test_zeros_in_a_sealed_segment_are_refused_not_cut():
    storage = storage_of(A_FEW_PER_SEGMENT)
    name = min(storage.files)
    storage.files[name][-200:] = bytes(200)
    with pytest.raises(JournalDamaged) as caught:
        open_journal(storage, group=GROUP)
    assert caught.value.file == name
    assert caught.value.offset >= SEGMENT_HEADER_BYTES
    assert "another copy" in caught.value.hint


@pytest.mark.parametrize("settings", [ONE_SEGMENT, A_FEW_PER_SEGMENT], ids=["one", "several"])
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_damaged_byte_is_refused_or_cut_with_the_tail_but_never_a_wrong_image(settings, mask):
    storage = storage_of(settings)
    names = sorted(storage.files)
    for name in names:
        for offset in range(len(storage.files[name])):
            damaged = copy_of(storage)
            damaged.files[name][offset] ^= mask
            result = opened_or_refused(damaged, settings)
            if result is None:
                continue
            assert name == names[-1], "only the last segment has a tail"
            assert result.tail_cut is not None
            assert result.tail_cut.offset <= offset
            settle(result.journal, damaged, result.actions)
            check_images(result.journal, CHANGES[: result.journal.durable.sequence])


def test_every_byte_damaged_after_opening_is_noticed_when_it_is_read():
    storage = storage_of(A_FEW_PER_SEGMENT)
    journal = opened(storage)
    truth = contents(Image(journal, len(CHANGES)))
    noticed = 0
    for name in sorted(storage.files):
        for offset in range(len(storage.files[name])):
            storage.files[name][offset] ^= 0x10
            with contextlib.suppress(JournalDamaged):
                assert contents(Image(journal, len(CHANGES))) == truth, "it was not needed"
                noticed -= 1
            noticed += 1
            storage.files[name][offset] ^= 0x10
    assert noticed > 100


def test_a_segment_in_the_middle_that_is_gone_is_missed():
    for gone in range(3):
        storage = storage_of(A_FEW_PER_SEGMENT)
        names = sorted(storage.files)
        assert len(names) == 4
        del storage.files[names[gone]]
        with pytest.raises(SegmentMissing) as caught:
            open_journal(storage, group=GROUP)
        assert caught.value.file == names[gone + 1]


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (2, 3), (0, 3)])
def test_swapped_segments_are_seen(one, other):
    storage = storage_of(A_FEW_PER_SEGMENT)
    names = sorted(storage.files)
    files = storage.files
    files[names[one]], files[names[other]] = files[names[other]], files[names[one]]
    with pytest.raises(SegmentMisplaced):
        open_journal(storage, group=GROUP)


def test_a_copy_of_a_segment_under_a_name_that_overlaps_is_misplaced():
    storage = storage_of(A_FEW_PER_SEGMENT)
    storage.files[segment_name(2)] = bytearray(storage.files[min(storage.files)])
    with pytest.raises(SegmentMisplaced):
        open_journal(storage, group=GROUP)


@pytest.mark.parametrize(
    "other", [{"group": GROUP + 1}, {"incarnation": INCARNATION + 1}, {"epoch": EPOCH + 1}]
)
def test_a_segment_of_another_group_capture_or_epoch_is_foreign(other):
    for position in range(4):
        storage = storage_of(A_FEW_PER_SEGMENT)
        foreign = storage_of(A_FEW_PER_SEGMENT, **other)
        name = sorted(storage.files)[position]
        storage.files[name] = foreign.files[name]
        with pytest.raises(SegmentForeign):
            open_journal(storage, group=GROUP)


def test_a_segment_of_a_twin_history_breaks_the_chain():
    storage, twin = storage_of(A_FEW_PER_SEGMENT), MemoryStorage()
    journal = open_journal(twin, group=GROUP, settings=A_FEW_PER_SEGMENT).journal
    journal.adopt(EPOCH, INCARNATION)
    changes = [create("logs/z"), write("logs/z", 0, b"other" * 20), create("db/b"), *CHANGES[3:5]]
    changes[4] = write("logs/z", 50, b"over" * 10)
    settle(journal, twin, journal.ingest(b"".join(records_of(changes))))
    second = sorted(storage.files)[1]
    assert second in twin.files
    storage.files[second] = twin.files[second]
    with pytest.raises(JournalDamaged, match="another chain"):
        open_journal(storage, group=GROUP)


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
    content = storage.files[min(storage.files)]
    footer = decode_footer(content[-FOOTER_BYTES:])._replace(**other)
    content[-FOOTER_BYTES:] = encode_footer(footer)
    with pytest.raises(JournalDamaged, match="seals other records"):
        open_journal(storage, group=GROUP)


def test_bytes_after_a_footer_are_refused():
    storage = storage_of(JournalSettings(1))
    name = min(storage.files)
    storage.files[name] += b"\0" * 8
    with pytest.raises(JournalDamaged, match="bytes follow the footer"):
        open_journal(storage, group=GROUP)


def test_a_torn_footer_is_cut_and_the_segment_goes_on():
    storage = storage_of()
    journal = opened(storage, JournalSettings(1))
    more = [*CHANGES, write("db/b", 9, b"more")]
    queue = journal.ingest(records_of(more)[-1])
    (seal,) = [action for action in queue if isinstance(action, actions.AppendFile)]
    whole = bytes(storage.files[seal.name]) + seal.data
    assert [part.kind for part in parts_of(whole)[-2:]] == ["mark", "footer"]
    storage.files[seal.name] += seal.data[:-24]
    result = open_journal(storage, group=GROUP)
    assert result.tail_cut.bytes_cut == FOOTER_BYTES - 24
    settle(result.journal, storage, result.actions)
    check_images(result.journal, CHANGES)


def test_a_damaged_batch_changes_nothing_and_the_right_one_is_taken_after_it():
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    records = records_of()
    batch = b"".join(records)
    for offset in range(len(batch)):
        damaged = bytearray(batch)
        damaged[offset] ^= 0x20
        with pytest.raises(RecordDamaged):
            journal.ingest(bytes(damaged))
        assert journal.received.sequence == 0
    for length in (len(batch) - 1, len(records[0]) + 1):
        with pytest.raises(RecordDamaged):
            journal.ingest(batch[:length])
    settle(journal, storage, journal.ingest(batch))
    check_images(journal, CHANGES)


def test_records_out_of_order_are_refused_by_what_is_wrong_with_them():
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    records = records_of()
    settle(journal, storage, journal.ingest(records[0]))
    cases = [
        (records[2], SequenceGap),
        (records[0], SequenceReplayed),
        (records_of(group=GROUP + 1)[1], WrongGroup),
        (records_of(epoch=EPOCH - 1)[1], EpochFenced),
    ]
    for record, error in cases:
        with pytest.raises(error):
            journal.ingest(record)
        assert journal.received.sequence == 1


def test_a_segment_that_shrinks_or_vanishes_after_opening_refuses_the_next_image():
    storage = storage_of(A_FEW_PER_SEGMENT)
    journal = opened(storage)
    name = sorted(storage.files)[1]
    whole = storage.files[name]
    storage.files[name] = whole[:100]
    with pytest.raises(JournalDamaged, match="were made durable"):
        Image(journal, len(CHANGES))
    del storage.files[name]
    with pytest.raises(SegmentMissing):
        Image(journal, len(CHANGES))
    assert Image(journal, 2).names() == ["logs/a"], "points before it are unharmed"


def test_files_that_are_no_segments_are_left_alone():
    storage = storage_of()
    storage.files["notes.txt"] = bytearray(b"hello")
    storage.files["1.segment"] = bytearray(b"not a name of ours")
    check_images(opened(storage), CHANGES)
    assert sequence_of_name(segment_name(77)) == 77
    assert sequence_of_name("²".rjust(20, "0") + ".segment") is None
