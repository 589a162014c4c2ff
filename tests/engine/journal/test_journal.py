"""The journal on its disk: what a crash can leave is cut, everything else is refused by name."""

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    check_images,
    opened,
    parts_of,
    settle,
    write,
)
from journal_model import (
    A_FEW_PER_SEGMENT,
    CHANGES,
    ONE_SEGMENT,
    copy_of,
    opened_or_refused,
    records_of,
    storage_of,
)

from engine import Image, JournalSettings, actions, open_journal
from engine.basics.errors import (
    EpochFenced,
    LocalProtocolError,
    PointRefused,
    RecordDamaged,
    SequenceGap,
    SequenceReplayed,
    WrongGroup,
)
from engine.formats.segments import (
    FOOTER_BYTES,
    SEGMENT_HEADER_BYTES,
    segment_name,
    sequence_of_name,
)


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


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_damaged_byte_of_the_last_segment_is_cut_with_the_tail_but_never_a_wrong_image(mask):
    storage = storage_of(ONE_SEGMENT)
    (name,) = storage.files
    for offset in range(len(storage.files[name])):
        damaged = copy_of(storage)
        damaged.files[name][offset] ^= mask
        result = opened_or_refused(damaged, ONE_SEGMENT)
        if result is not None:
            assert result.tail_cut is not None
            assert result.tail_cut.offset <= offset
            settle(result.journal, damaged, result.actions)
            check_images(result.journal, CHANGES[: result.journal.durable.sequence])


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


def test_files_that_are_no_segments_are_left_alone():
    storage = storage_of()
    storage.files["notes.txt"] = bytearray(b"hello")
    storage.files["1.segment"] = bytearray(b"not a name of ours")
    check_images(opened(storage), CHANGES)
    assert sequence_of_name(segment_name(77)) == 77
    assert sequence_of_name("²".rjust(20, "0") + ".segment") is None
