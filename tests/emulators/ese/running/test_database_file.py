"""The file of a mounted database: versions and order of page writes while the log goes on."""

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
from sim.volume import Kind, Volume

PAGE_BYTES = 8192
TIME = LogTime.from_ns(1_180_000_000_123_000_000)
S = 10**9


class Bench:
    """One database file on a slow volume, and a note of what is done to it."""

    def __init__(self, waypoint):
        self.kernel = Kernel(Streams(1))
        disk = Disk(self.kernel, "disk", throughput_bytes_s=1 << 30, latency_ns=S)
        self.volume = Volume(self.kernel, "database", disk, capacity_bytes=1 << 30)
        self.volume.create("MDB1.edb")
        self.cache = PageCache(lambda pgno: Page(pgno, 6, FLAG_LEAF))
        self.file = DatabaseFile(
            self.kernel,
            Trace(lambda: self.kernel.now_ns),
            self.volume,
            "MDB1.edb",
            DatabaseHeader(
                EXCHANGE_2007,
                signature=Signature(1, TIME, ""),
                log_signature=Signature(2, TIME, ""),
            ),
            self.cache,
            last_pgno=100,
            waypoint=waypoint,
        )
        self.kernel.run(2 * S)
        self.seen = []
        self.volume.attach(self.seen.append)

    def change(self, pgno, generation):
        self.cache.page(pgno)
        self.cache.touch(pgno, Lgpos(generation, 8, 0))
        self.cache.page(pgno).dbtime += 1

    def dbtime_on_disk(self, pgno):
        image = self.volume.peek("MDB1.edb", page_offset(pgno, PAGE_BYTES), PAGE_BYTES)
        return Page.from_bytes(image, pgno).dbtime

    def write_all(self, older_than=9):
        process = self.file.write_due(Lgpos(older_than, 0, 0), on_disk=9)
        return self.kernel.spawn(process, name="flusher")


def test_a_page_split_again_while_it_waits_for_its_turn_is_written_as_it_was_before():
    """A waypoint that moves meanwhile must not free a version whose nodes are nowhere on disk."""
    bench = Bench(waypoint=5)
    source, first, second = 10, 11, 12
    for pgno in (source, first):
        bench.change(pgno, 5)
    bench.cache.order(first, source, Lgpos(5, 8, 0))
    bench.write_all()
    bench.kernel.run(bench.kernel.now_ns + S // 2)
    for pgno in (source, second):
        bench.change(pgno, 6)
    bench.cache.order(second, source, Lgpos(6, 8, 0))
    bench.file.waypoint = 6
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    assert bench.dbtime_on_disk(first) == 1
    assert bench.dbtime_on_disk(source) == 1, "the split of generation 6 is on disk too early"
    assert bench.volume.size("MDB1.edb") == page_offset(second, PAGE_BYTES)
    bench.write_all()
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    assert bench.dbtime_on_disk(source) == 2
    assert bench.dbtime_on_disk(second) == 1


def test_each_batch_is_flushed_before_the_next_is_written():
    bench = Bench(waypoint=5)
    for pgno in (20, 21, 22, 30):
        bench.change(pgno, 5)
    bench.cache.order(30, 21, Lgpos(5, 8, 0))
    bench.write_all()
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    done = [(op.kind, op.offset // PAGE_BYTES - 1) for op in bench.seen]
    assert done[0] == (Kind.WRITE, 20)
    assert done.index((Kind.WRITE, 30)) < [kind for kind, _ in done].index(Kind.FLUSH)
    assert done[-2:] == [(Kind.WRITE, 21), (Kind.FLUSH, -1)]


def test_neighbouring_pages_are_written_together():
    bench = Bench(waypoint=5)
    for pgno in (*range(40, 110), 200):
        bench.change(pgno, 5)
    bench.write_all()
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    sizes = [op.size // PAGE_BYTES for op in bench.seen if op.kind is Kind.WRITE]
    assert sizes == [32, 32, 6, 1]


def test_a_latched_file_grows_when_it_is_released():
    bench = Bench(waypoint=5)
    bench.file.latch()
    assert bench.file.grow(256) == 356
    assert bench.file.grow(256) == 612
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    assert bench.seen == []
    bench.file.release()
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    assert [(op.kind, op.size) for op in bench.seen] == [
        (Kind.TRUNCATE, page_offset(613, PAGE_BYTES))
    ]


def test_the_header_never_asks_for_more_than_the_waypoint_from_the_checkpoint_on():
    bench = Bench(waypoint=5)
    bench.file.min_required = 9
    bench.kernel.spawn(bench.file.write_header(12, TIME, 6), name="log writer")
    bench.kernel.run(bench.kernel.now_ns + 60 * S)
    header = DatabaseHeader.unpack(bench.volume.peek("MDB1.edb", PAGE_BYTES, PAGE_BYTES))
    required = (header.generation_min_required, header.generation_max_required)
    assert required == (6, 6)
    assert header.generation_max_committed == 12
    assert bench.file.waypoint == 6
