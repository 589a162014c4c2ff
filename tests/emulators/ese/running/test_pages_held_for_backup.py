"""While a backup reads a file, no page is written that would take nodes out of its image."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.page import FLAG_LEAF, Page, page_offset
from emulators.ese.formats.values import Lgpos, LogTime, Signature
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.trees.page_cache import PageCache
from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

PAGE_BYTES = 8192
PAGES = 8
TIME = LogTime.from_ns(1_180_000_000_123_000_000)


class Bench:
    """A file of a few pages; `moves` says which page must be on disk before which other."""

    def __init__(self, moves):
        self.kernel = Kernel(Streams(1))
        disk = Disk(self.kernel, "disk", throughput_bytes_s=1 << 40, latency_ns=1)
        self.volume = Volume(self.kernel, "database", disk, capacity_bytes=1 << 30)
        self.volume.create("MDB1.edb")
        self.volume.truncate("MDB1.edb", page_offset(PAGES + 1, PAGE_BYTES))
        self.cache = PageCache(lambda pgno: Page(pgno, 6, FLAG_LEAF))
        header = DatabaseHeader(
            EXCHANGE_2007, signature=Signature(1, TIME, ""), log_signature=Signature(2, TIME, "")
        )
        self.file = DatabaseFile(
            self.kernel,
            Trace(lambda: self.kernel.now_ns),
            self.volume,
            "MDB1.edb",
            header,
            self.cache,
            last_pgno=PAGES,
            waypoint=3,
        )
        for pgno in range(1, PAGES + 1):
            self.cache.page(pgno)
            self.cache.touch(pgno, Lgpos(1, 8, 0))
            self.cache.page(pgno).dbtime = 1
        for first, then in moves:
            self.cache.order(first, then, Lgpos(1, 8, 0))
        self.kernel.run(1000)

    def flush(self):
        task = self.kernel.spawn(self.file.write_due(Lgpos(9, 0, 0), 9), name="flusher")
        self.kernel.run(self.kernel.now_ns + 10**6)
        assert task.fired

    def has_changes(self, pgno):
        image = self.volume.peek("MDB1.edb", page_offset(pgno, PAGE_BYTES), PAGE_BYTES)
        return any(image)


def chains(moves):
    """Leave out what would be a circle: a page waits only for pages that wait for no other."""
    waiting = {then for _, then in moves}
    return [(first, then) for first, then in moves if first not in waiting]


@settings(deadline=None)
@given(
    moves=st.sets(st.tuples(st.integers(1, PAGES), st.integers(1, PAGES)), max_size=8),
    instants=st.lists(st.integers(0, PAGES), max_size=4),
)
def test_no_image_has_a_page_without_nodes_whose_new_page_was_read_too_early(moves, instants):
    moves = chains(sorted(pair for pair in moves if pair[0] != pair[1]))
    bench = Bench(moves)
    read = {}
    for copied in range(PAGES + 1):
        if copied:
            bench.file.copied_to = copied
            read[copied] = bench.has_changes(copied)
        if copied in instants:
            bench.file.copied_to = copied
            bench.flush()
    bench.file.copied_to = None
    for first, then in moves:
        assert read[first] or not read[then], f"nodes moved from {then} to {first} are lost"
    bench.flush()
    assert all(bench.has_changes(pgno) for pgno in range(1, PAGES + 1))


def test_a_page_is_held_only_while_the_backup_is_between_the_two():
    for copied, is_written in ((0, True), (1, True), (2, False), (5, False), (6, True), (8, True)):
        bench = Bench([(2, 6)])
        bench.file.copied_to = copied
        bench.flush()
        assert bench.has_changes(6) is is_written, copied
        assert bench.has_changes(2)


def test_what_must_follow_a_held_page_is_held_with_it():
    bench = Bench([(2, 6), (6, 3)])
    bench.file.copied_to = 4
    bench.flush()
    assert not bench.has_changes(6)
    assert not bench.has_changes(3)
    assert bench.has_changes(5)
