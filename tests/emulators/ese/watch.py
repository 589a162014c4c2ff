"""Watches the disks of a storage group at every completed operation (exchange.md 1.1, 1.2)."""

from mail_world import DATABASE, LOG_BYTES, World, recover_and_check

from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.log_scan import lgpos_at, scan_log
from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos
from sim.payload import to_bytes
from sim.volume import Kind

PAGE_BYTES = 8192
CURRENT, TEMPORARY, CHECKPOINT = "E00.log", "E00tmp.log", "E00.chk"


class Watch:
    """Checks the rules of exchange.md 1.1 and 1.2 at every instant, from the disks alone.

    Only where a page's newest record lies in the log is taken from the running group. What counts
    as on disk is what was flushed.
    """

    def __init__(self, world):
        self.world = world
        self.depth = world.group.parameters.waypoint_depth
        self.places = {}
        self.log_end = Lgpos(1, 0, 0)
        self.unflushed = dict.fromkeys((CURRENT, TEMPORARY, CHECKPOINT, DATABASE), 0)
        self.tip = 1
        self.header = self.read_header()
        self.checkpoint = Lgpos(1, 0, 0)
        self.pages_checked = self.headers_checked = self.rolls = 0
        self.checkpoints_ahead = 0
        editor = world.group.mounted(DATABASE).editor
        self._log = editor.log
        editor.log = self.note_record
        self.scan_current()
        world.watch.append(self.note)

    def note_record(self, record):
        lgpos = self._log(record)
        decoded = log_records.decode(record)[0]
        if hasattr(decoded, "dbtime"):
            self.places[decoded.dbtime] = lgpos
        return lgpos

    def read_header(self):
        return DatabaseHeader.unpack(self.world.data.peek(DATABASE, 0, PAGE_BYTES))

    def scan_current(self):
        buffer = self.world.logs.peek(CURRENT, 0, LOG_BYTES)
        generation = int.from_bytes(buffer[4:8], "little")
        assert generation == self.tip
        self.log_end = lgpos_at(generation, scan_log(buffer, generation).end)

    def note(self, operation):
        kind, name = operation.kind, operation.file
        if kind is Kind.WRITE:
            self.unflushed[name] += 1
            if name == DATABASE and operation.offset >= 2 * PAGE_BYTES:
                self.check_pages(operation)
        elif kind is Kind.FLUSH:
            self.unflushed[name] = 0
            self.flushed(name)
        elif kind is Kind.RENAME:
            self.renamed(operation)

    def check_pages(self, operation):
        """Write-ahead (F16, A5) and the waypoint: both against what is flushed."""
        image = to_bytes(operation.payload)
        for start in range(0, len(image), PAGE_BYTES):
            pgno = (operation.offset + start) // PAGE_BYTES - 1
            page = Page.from_bytes(image[start : start + PAGE_BYTES], pgno)
            place = self.places.get(page.dbtime, Lgpos(1, 0, 0))
            assert place < self.log_end, f"page {pgno} is ahead of the log"
            assert place.generation <= self.header.generation_max_required
            assert place.generation <= max(1, self.tip - self.depth + 1)
            self.pages_checked += 1

    def flushed(self, name):
        if name == CURRENT:
            self.scan_current()
        elif name == DATABASE:
            self.check_header(self.read_header())
        elif name == CHECKPOINT:
            image = self.world.logs.peek(CHECKPOINT, 0, PAGE_BYTES)
            checkpoint = Checkpoint.unpack(image).checkpoint
            assert self.checkpoint < checkpoint <= self.log_end, "the checkpoint went back"
            self.checkpoint = checkpoint

    def check_header(self, header):
        last = self.header
        committed = header.generation_max_committed
        required = header.generation_max_required
        assert header.state is DatabaseState.DIRTY_SHUTDOWN
        assert committed in (self.tip, self.tip + 1)
        assert committed >= last.generation_max_committed
        assert required == max(1, committed - self.depth), "A4"
        assert required >= last.generation_max_required, "A4: the waypoint went back"
        assert 1 <= header.generation_min_required <= required
        assert header.generation_min_required <= self.checkpoint.generation
        self.checkpoints_ahead += self.checkpoint.generation > required
        assert header.generation_min_required >= last.generation_min_required
        self.header = header
        self.headers_checked += 1

    def renamed(self, operation):
        """The roll sequence of exchange.md 1.1: what each step finds on disk."""
        names = self.world.logs.names()
        if operation.file == CURRENT:
            assert operation.new_name == f"E00{self.tip:08X}.log"
            assert self.unflushed[CURRENT] == 0, "a log was closed before it was on disk"
            assert self.header.generation_max_committed == self.tip + 1
            assert self.unflushed[TEMPORARY] == 0
            assert CURRENT not in names
            assert TEMPORARY in names
        else:
            assert (operation.file, operation.new_name) == (TEMPORARY, CURRENT)
            assert TEMPORARY not in names
            self.tip += 1
            self.rolls += 1
            self.unflushed[CURRENT] = 0
            self.scan_current()


def watched(**settings):
    world = World(**settings)
    return world, Watch(world)


def finish(world):
    """Everything sent is acknowledged and comes back from the files as they are."""
    world.run(5)
    assert len(world.acknowledged) == len(world.submitted) > 0
    assert world.kernel.unobserved_errors == []
    recovered = recover_and_check(world.files(), world.ledger())
    assert recovered.problems == []
    assert recovered.report.undone == 0
