"""Marks in the last segment: rot in what was synced is refused, a torn write is cut."""

from itertools import product

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    check_images,
    create,
    opened,
    parts_of,
    settle,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from engine import Capture, JournalSettings, actions, open_journal
from engine.basics.cursor import Cursor
from engine.basics.errors import JournalDamaged
from engine.formats.marks import MARK_BYTES, SyncedMark, decode_mark, encode_mark, newest_mark
from engine.formats.segments import SEGMENT_HEADER_BYTES

CHANGES = [
    create("logs/a"),
    write("logs/a", 0, b"first" * 20),
    write("logs/a", 50, b"over" * 10),
    app_tag("bookmark"),
    write("logs/a", 200, b"fourth" * 9),
    write("logs/a", 30, b"last"),
]


def records_of(changes=CHANGES):
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    for number, change in enumerate(changes):
        capture.admit(change, number * 1_000)
    return [capture.entry(n).record for n in range(1, len(changes) + 1)]


def new_journal(storage, settings=None):
    journal = open_journal(storage, group=GROUP, settings=settings).journal
    journal.adopt(EPOCH, INCARNATION)
    return journal


def storage_of(changes=CHANGES):
    """Return a storage where each record was synced before the next one came."""
    storage = MemoryStorage()
    journal = new_journal(storage)
    for record in records_of(changes):
        settle(journal, storage, journal.ingest(record))
    return storage


def content_of(storage):
    (content,) = storage.files.values()
    return bytes(content)


def storage_with(content):
    storage = MemoryStorage()
    storage.files["00000000000000000001.segment"] = bytearray(content)
    return storage


def marks_of(content):
    return [decode_mark(content[p.start : p.end]) for p in parts_of(content) if p.kind == "mark"]


def assert_refused_exactly_below(content, damaged, first_damaged, synced_bytes):
    """The damage is refused if a mark vouches for it, else cut; the image is never wrong."""
    start = max(part.start for part in parts_of(content) if part.start <= first_damaged)
    storage = storage_with(damaged)
    if first_damaged < max(synced_bytes, SEGMENT_HEADER_BYTES):
        with pytest.raises(JournalDamaged) as caught:
            open_journal(storage, group=GROUP)
        assert caught.value.file in storage.files
        assert caught.value.offset == start
        assert "another copy" in caught.value.hint
        assert bytes(storage.files[caught.value.file]) == damaged, "nothing is cut"
        return
    result = open_journal(storage, group=GROUP)
    assert result.tail_cut.offset == start
    settle(result.journal, storage, result.actions)
    check_images(result.journal, CHANGES[: result.journal.durable.sequence])


def test_a_mark_comes_only_with_an_append_and_only_when_a_sync_has_made_more_durable():
    storage = MemoryStorage()
    journal = new_journal(storage)
    records = records_of()
    settle(journal, storage, journal.ingest(records[0]))
    first_end = len(content_of(storage))
    assert marks_of(content_of(storage)) == [], "nothing was synced before the first append"
    *_, sync = under_way = journal.ingest(records[1])
    for action in under_way[:-1]:
        storage.carry_out(action)
    for record in records[2:4]:
        for action in journal.ingest(record):
            storage.carry_out(action)
    (mark,) = marks_of(content_of(storage))
    assert mark.synced_bytes == first_end, "what is under way is not yet vouched for"
    assert mark.cursor.sequence == 1
    settle(journal, storage, journal.sync_done(sync.token))
    assert journal.durable.sequence == 4
    assert len(marks_of(content_of(storage))) == 1, "a sync alone writes nothing"
    settle(journal, storage, journal.ingest(records[4]))
    assert [mark.cursor.sequence for mark in marks_of(content_of(storage))] == [1, 4]


def test_marks_cost_their_56_bytes_and_no_action_of_their_own():
    storage = MemoryStorage()
    journal = new_journal(storage)
    for number, record in enumerate(records_of()):
        given_actions = journal.ingest(record)
        kinds = [type(action) for action in given_actions if type(action) is not actions.CreateFile]
        assert kinds == [actions.AppendFile, actions.SyncFile]
        append = given_actions[-2]
        overhead = MARK_BYTES if number else SEGMENT_HEADER_BYTES
        assert len(append.data) == len(record) + overhead
        settle(journal, storage, given_actions)


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_damaged_byte_below_the_newest_mark_is_refused_and_every_later_one_cut(mask):
    content = content_of(storage_of())
    synced_bytes = marks_of(content)[-1].synced_bytes
    assert synced_bytes > len(content) // 2
    for offset in range(len(content)):
        damaged = bytearray(content)
        damaged[offset] ^= mask
        assert_refused_exactly_below(content, bytes(damaged), offset, synced_bytes)


def test_every_range_of_zeros_is_refused_if_a_mark_that_it_spared_vouches_for_it():
    content = content_of(storage_of())
    marks = marks_of(content)
    for start in range(SEGMENT_HEADER_BYTES, len(content), 8):
        for stop in range(start + 8, len(content) + 1, 40):
            damaged = content[:start] + bytes(stop - start) + content[stop:]
            first = next((n for n in range(start, stop) if content[n]), None)
            if first is None:
                continue
            spared = [
                mark.synced_bytes
                for mark in marks
                if damaged[mark.position : mark.position + MARK_BYTES] == encode_mark(mark)
            ]
            assert_refused_exactly_below(content, damaged, first, max(spared, default=0))


def test_a_header_of_zeros_is_refused_when_a_mark_says_that_it_was_synced():
    content = content_of(storage_of())
    with pytest.raises(JournalDamaged, match="the header was never written") as caught:
        open_journal(
            storage_with(bytes(SEGMENT_HEADER_BYTES) + content[SEGMENT_HEADER_BYTES:]), group=GROUP
        )
    assert caught.value.offset == 0
    unmarked = content_of(storage_of(CHANGES[:1]))[SEGMENT_HEADER_BYTES:]
    result = open_journal(storage_with(bytes(SEGMENT_HEADER_BYTES) + unmarked), group=GROUP)
    assert result.tail_cut.offset == 0, "without a mark it may be a torn write"


def test_the_refusal_names_the_place_and_who_vouches_for_it():
    content = bytearray(content_of(storage_of()))
    marks = marks_of(bytes(content))
    second = [part for part in parts_of(bytes(content)) if part.kind == "record"][1]
    content[second.start + 80] ^= 1
    with pytest.raises(JournalDamaged) as caught:
        open_journal(storage_with(content), group=GROUP)
    assert (caught.value.offset, caught.value.sequence) == (second.start, 2)
    text = str(caught.value)
    assert f"the mark at offset {marks[-1].position}" in text
    assert f"up to sequence {len(CHANGES) - 1}, was synced" in text


def test_a_mark_with_fewer_records_before_it_than_it_names_is_damage_not_a_tail():
    content = content_of(storage_of())
    parts = parts_of(content)
    for number in range(1, len(parts)):
        without = content[: parts[number].start] + content[parts[number].end :]
        if not any(part.kind == "mark" for part in parts[number + 1 :]):
            continue
        with pytest.raises(JournalDamaged):
            open_journal(storage_with(without), group=GROUP)
    first_record, mark = parts[1], marks_of(content)[-1]
    moved = mark._replace(position=first_record.end)
    with pytest.raises(JournalDamaged, match="records are missing"):
        open_journal(storage_with(content[: first_record.end] + encode_mark(moved)), group=GROUP)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"group": GROUP + 1}, "written elsewhere"),
        ({"incarnation": INCARNATION + 1}, "written elsewhere"),
        ({"position": 8}, "written elsewhere"),
        ({"cursor": Cursor(EPOCH, 1, 1)}, "other records"),
        ({"cursor": Cursor(EPOCH, 0, 0)}, "other records"),
        ({"synced_bytes": 1 << 40}, "other records"),
        ({"synced_bytes": 8}, "other records"),
    ],
    ids=str,
)
def test_an_undamaged_mark_that_does_not_fit_is_refused(other, what):
    content = content_of(storage_of())
    part = parts_of(content)[-1]
    wrong = encode_mark(decode_mark(content[part.start : part.end])._replace(**other))
    with pytest.raises(JournalDamaged, match=what) as caught:
        open_journal(storage_with(content[: part.start] + wrong + content[part.end :]), group=GROUP)
    assert caught.value.offset == part.start


def test_a_mark_of_another_epoch_is_refused():
    content = content_of(storage_of())
    part = next(part for part in parts_of(content) if part.kind == "mark")
    mark = decode_mark(content[part.start : part.end])
    wrong = encode_mark(mark._replace(cursor=mark.cursor._replace(epoch=EPOCH + 1)))
    with pytest.raises(JournalDamaged, match="other records"):
        open_journal(storage_with(content[: part.start] + wrong + content[part.end :]), group=GROUP)


@pytest.mark.parametrize(
    "other", [{"incarnation": INCARNATION + 1}, {"group": GROUP + 1}, {"position": 0}], ids=str
)
def test_a_copy_of_a_mark_inside_a_torn_body_vouches_for_nothing(other):
    """A protected volume may hold a copy of some journal: bytes of mail are never believed."""
    before = content_of(storage_of())
    body_position = len(before) + 64
    newest = marks_of(before)[-1]
    false = newest._replace(position=body_position, synced_bytes=1 << 40)
    changes = [*CHANGES, write("logs/a", 0, encode_mark(false._replace(**other)), b"x" * 99)]
    whole = content_of(storage_of(changes))
    assert whole[body_position : body_position + 4] == b"RSM1"
    result = open_journal(storage_with(whole[: body_position + 120]), group=GROUP)
    assert result.tail_cut.offset == len(before)
    assert result.journal.received.sequence == len(CHANGES)


def test_a_journal_goes_on_marking_after_it_was_cut_and_opened_again():
    content = content_of(storage_of())
    storage = storage_with(content[: -MARK_BYTES - 1])
    records = records_of()
    journal = opened(storage)
    kept = journal.durable.sequence
    assert kept == len(CHANGES) - 1
    assert len(marks_of(content_of(storage))) == kept - 1
    settle(journal, storage, journal.ingest(records[kept]))
    assert content_of(storage) == content, "as if nothing had happened"


def test_a_segment_sealed_without_new_records_still_takes_the_mark_that_is_due():
    storage = storage_of()
    journal = opened(storage, JournalSettings(1))
    more = [*CHANGES, write("logs/a", 9, b"more")]
    (seal, _) = journal.ingest(records_of(more)[-1])
    assert len(seal.data) == MARK_BYTES + 64
    assert decode_mark(seal.data).cursor.sequence == len(CHANGES)
    content = content_of(storage) + seal.data
    for offset in range(len(content_of(storage))):
        damaged = bytearray(content)
        damaged[offset] ^= 0x40
        with pytest.raises(JournalDamaged):
            open_journal(storage_with(damaged), group=GROUP)


class Schedule:
    """A journal on a storage that forgets, with syncs that complete when they are told to."""

    def __init__(self):
        self.storage = MemoryStorage()
        self.journal = new_journal(self.storage)
        self.syncs = []

    def carry_out(self, file_actions):
        for action in file_actions:
            self.storage.carry_out(action)
            if isinstance(action, actions.SyncFile):
                self.syncs.append((action, len(self.storage.unsynced[action.name])))

    def ingest(self, record, *, completes):
        self.carry_out(self.journal.ingest(record))
        if completes:
            (sync, count) = self.syncs.pop()
            self.storage.sync(sync.name, count)
            self.carry_out(self.journal.sync_done(sync.token))

    def crash(self, fates):
        fate = iter(fates)
        self.storage.crash(lambda: next(fate))


FATES = ("kept", "torn", "lost", "cut")


def test_after_every_interleaving_of_appends_syncs_and_losses_the_journal_opens():
    records = records_of()[:4]
    marks_survived = 0
    for schedule in product([False, True], repeat=4):
        for fates in product(FATES, repeat=4):
            world = Schedule()
            for record, completes in zip(records, schedule, strict=True):
                world.ingest(record, completes=completes)
            world.crash(fates)
            survivor = opened(world.storage)
            assert survivor.received.sequence >= world.journal.durable.sequence
            check_images(survivor, CHANGES[: survivor.durable.sequence])
            marks_survived += len(marks_of(content_of(world.storage)))
    assert marks_survived > 1_000, "a mark that promised too much would have been seen"


@pytest.mark.parametrize("fates", [*product(FATES, repeat=2)], ids="-".join)
def test_after_a_crash_what_was_marked_before_it_is_still_refused_when_it_rots(fates):
    world = Schedule()
    for number, record in enumerate(records_of()):
        world.ingest(record, completes=number < len(CHANGES) - 2)
    marks = marks_of(content_of(world.storage))
    world.crash(fates)
    content = content_of(world.storage)
    survived = [mark for mark in marks if encode_mark(mark) in content]
    assert len(survived) >= len(marks) - 1, "only the last one was not synced itself"
    for offset in range(survived[-1].synced_bytes):
        damaged = bytearray(content)
        damaged[offset] ^= 0x08
        with pytest.raises(JournalDamaged):
            open_journal(storage_with(damaged), group=GROUP)


@given(
    mark=st.builds(
        SyncedMark,
        group=st.integers(0, 2**32 - 1),
        incarnation=st.integers(0, 2**64 - 1),
        position=st.integers(0, 4_000).map(lambda n: n * 8),
        synced_bytes=st.integers(0, 2**64 - 1),
        cursor=st.builds(
            Cursor, st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)
        ),
    ),
    before=st.binary(max_size=40),
)
def test_a_mark_is_decoded_as_it_was_encoded_and_found_where_it_lies_only(mark, before):
    data = encode_mark(mark)
    assert decode_mark(data) == mark
    assert decode_mark(data[:-1]) is None
    found = newest_mark(
        bytes(mark.position) + data, 0, group=mark.group, incarnation=mark.incarnation
    )
    assert found == mark
    shifted = bytes(mark.position) + before + data
    found = newest_mark(shifted, 0, group=mark.group, incarnation=None)
    assert (found is None) == bool(before)
