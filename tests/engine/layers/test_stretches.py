"""Records and blocks that lie side by side are read at once, but never more than is wanted."""

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, create, settle, write

from engine import Capture, CaptureSettings, Image, open_journal
from engine.basics.errors import JournalDamaged
from engine.basics.settings import LayerSettings
from engine.layers.keeper import LayerKeeper

KIB = 1 << 10
PAGE = 8 * KIB


class CountingStorage(MemoryStorage):
    """Notes how much each read asks for."""

    lengths: tuple[int, ...] = ()

    def read(self, name, offset, length):
        self.lengths = (*self.lengths, length)
        return super().read(name, offset, length)


def journal_of(changes):
    storage = CountingStorage()
    journal = open_journal(storage, group=GROUP).journal
    journal.adopt(EPOCH, INCARNATION)
    settings = CaptureSettings(pool_bytes_max=1 << 40, compression_level=None)
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION, settings=settings)
    for change in (create("a"), *changes):
        capture.admit(change, 0)
    records = [capture.entry(n).record for n in range(1, capture.newest.sequence + 1)]
    settle(journal, storage, journal.ingest(b"".join(records)))
    return storage, journal


def page(number):
    return bytes([number % 251]) * PAGE


def pages_in_order(count):
    return [write("a", number * PAGE, page(number)) for number in range(count)]


def test_records_of_one_run_are_one_read():
    storage, journal = journal_of(pages_in_order(16))
    image = Image(journal, journal.durable.sequence)
    storage.lengths = ()
    content = image.read("a", 100, 15 * PAGE)
    assert content == b"".join(map(page, range(16)))[100 : 100 + 15 * PAGE]
    assert len(storage.lengths) == 1


def test_blocks_of_one_run_are_one_read():
    storage, journal = journal_of(pages_in_order(16))
    settle(journal, storage, journal.seal())
    settings = LayerSettings(
        segments_per_delta=1, deltas_per_image=1, block_bytes_max=PAGE, compression_level=None
    )
    keeper = LayerKeeper(journal, settings)
    while not keeper.is_idle:
        settle(keeper, storage, keeper.step())
    image = Image(journal, journal.durable.sequence)
    expected = b"".join(map(page, range(16)))
    assert image.read("a", 0, 16 * PAGE) == expected, "the tables are read by now"
    storage.lengths = ()
    assert image.read("a", 100, 15 * PAGE) == expected[100 : 100 + 15 * PAGE]
    assert storage.lengths == (16 * PAGE,)


def test_a_rotten_record_in_a_run_is_refused_by_its_own_place():
    storage, journal = journal_of(pages_in_order(16))
    (name,) = [name for name in storage.files if name.endswith(".segment")]
    position, _, _ = journal.index.part_of(9).place(9)
    storage.files[name][position + 100] ^= 1
    image = Image(journal, journal.durable.sequence)
    with pytest.raises(JournalDamaged) as refusal:
        image.read("a", 0, 16 * PAGE)
    assert (refusal.value.sequence, refusal.value.offset) == (9, position)


def test_large_records_of_which_little_shows_are_not_held_all_at_once():
    """Each write covers all of the one before but its first page."""
    count, length = 24, 512 * KIB
    changes = [write("a", n * PAGE, bytes([n + 1]) * length) for n in range(count)]
    storage, journal = journal_of(changes)
    image = Image(journal, journal.durable.sequence)
    storage.lengths = ()
    shown = b"".join(bytes([n + 1]) * PAGE for n in range(count))
    assert image.read("a", 0, count * PAGE) == shown
    assert max(storage.lengths) < 2 * length
