"""A mounted database's file: its header, its growth, and the writing of its pages.

The header is kept true at every instant (exchange.md 1.2): it names a generation as required
before any page of that generation is written, and as committed before the log of that generation
becomes current. It names the checkpoint's generation as the first required one late rather than
early, which is safe: logs that are not needed any more are then still asked for. 2003 names no
committed log, as its newest log is always required.

While a streaming backup reads the file from its first page to its last, a page that nodes were
moved from is not written as long as the backup is between the page they were moved to and it: the
image would have the nodes nowhere, and the log does not hold them. This stands in the place of
the patch file that ESE kept for such pages up to Exchange 2000 (JET errors -538 and -552); how
2003 and 2007 do it is not sourced.

Fault model: see page_flusher. Header and shadow are one write; when a power cut tears it, one of
the two is whole.
"""

from collections.abc import Generator
from typing import Any

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.page import page_offset
from emulators.ese.formats.streaming_file import (
    streaming_bytes,
    streaming_header,
    streaming_name,
)
from emulators.ese.formats.values import LGPOS_ZERO, LOG_TIME_ZERO, BackupInfo, Lgpos, LogTime
from emulators.ese.trees.page_cache import PageCache, PageWrite
from sim.kernel import Kernel, Signal
from sim.trace import Trace
from sim.volume import DiskFull, FileMissing, Volume, VolumeLost

RUN_PAGES_MAX = 32


class DatabaseFile:
    """The file of one mounted database.

    Args:
        kernel: simulated time.
        trace: where headers and page batches are recorded.
        volume: the database volume.
        name: the file.
        header: as on disk.
        cache: the pages.
        last_pgno: last page of the file.
        waypoint: newest generation whose pages may be written.
        bytes_max: how large the edition lets it become (exchange.md 5.1); None without a limit.

    Attributes:
        copied_to: the last page that a running backup has read, None when none reads the file.
    """

    def __init__(
        self,
        kernel: Kernel,
        trace: Trace,
        volume: Volume,
        name: str,
        header: DatabaseHeader,
        cache: PageCache,
        last_pgno: int,
        waypoint: int,
        bytes_max: int | None = None,
    ) -> None:
        self._kernel = kernel
        self._trace = trace
        self.volume = volume
        self.name = name
        self.header = header
        self.cache = cache
        self.last_pgno = last_pgno
        self.waypoint = waypoint
        self.min_required = waypoint
        self.required_on_disk = waypoint
        self.pages_written = 0
        self.error: EseError | None = None
        self.copied_to: int | None = None
        self._is_latched = False
        self._extended_to = last_pgno
        self._bytes_max = bytes_max

    @property
    def size_bytes(self) -> int:
        """The file's length, once it is as long as it has to be."""
        return page_offset(self.last_pgno + 1, self.header.page_bytes)

    @property
    def is_oversized(self) -> bool:
        """Whether it has outgrown its edition."""
        return self._bytes_max is not None and self.size_bytes > self._bytes_max

    def attach(self, position: Lgpos, now: LogTime) -> None:
        """Take note of the record that attached it; `write_header` makes that known on disk."""
        header = self.header
        header.state = DatabaseState.DIRTY_SHUTDOWN
        header.attach, header.attach_time = position, now
        header.detach, header.detach_time = LGPOS_ZERO, LOG_TIME_ZERO
        self.min_required = position.generation
        self.required_on_disk = position.generation

    def grow(self, pages: int) -> int:
        """Make the file longer and return its new last page; page writes queue up behind it."""
        self.last_pgno += pages
        if not self._is_latched:
            self._extend()
        return self.last_pgno

    def latch(self) -> None:
        """Leave the file as it is until `release`, also its length."""
        self._is_latched = True

    def release(self) -> None:
        """Let the file change again, and make it as long as it has become meanwhile."""
        self._is_latched = False
        self._extend()

    def fail(self, error: DiskFull | FileMissing | VolumeLost) -> EseError:
        """Take note that the file cannot be used any more: there is no room, or no disk."""
        if self.error is None:
            if isinstance(error, DiskFull):
                hint = "free space on the database volume, then mount"
                self.error = ese_error(-1808, f"{self.name} cannot grow ({error})", hint)
            else:
                self.error = ese_error(-1022, f"{self.name} ({error})", "recover from a copy")
            self._trace.record("ese.stopped", database=self.name, code=self.error.code)
        return self.error

    def write_header(
        self, committed: int, genmax_created: LogTime, required: int
    ) -> Generator[Any, Any, None]:
        """Put on disk which generations are required, and that `committed` is the newest.

        Pages of generations up to `required` may be written once this is done. What was required
        stays so. `genmax_created` is the creation time of the log `committed`.
        """
        header = self.header
        required = max(required, header.generation_max_required)
        header.generation_min_required = min(self.min_required, required)
        header.generation_max_required = required
        has_waypoint = header.file_format.has_waypoint
        header.generation_max_committed = committed if has_waypoint else 0
        header.generation_max_created = genmax_created
        yield from self._put_header()
        self.waypoint = max(self.waypoint, required)
        self.required_on_disk = header.generation_min_required
        self._trace.record(
            "ese.header",
            database=self.name,
            required=f"{header.generation_min_required}-{required}",
            committed=committed,
        )

    def write_clean_header(
        self, position: Lgpos, now: LogTime, dbtime: int
    ) -> Generator[Any, Any, None]:
        """Put on disk that the database needs no log; all its pages are on disk."""
        assert self.cache.dirty_count == 0, f"{self.name} has pages that are not on disk"
        self.header.shut_down_clean(position, now, dbtime)
        yield from self.write_streaming_header()
        yield from self._put_header()

    def write_streaming_header(self) -> Generator[Any, Any, None]:
        """Let the streaming file, where there is one, say what the header says, on disk."""
        if self.header.has_streaming_file:
            block = streaming_header(self.header).pack()
            name = streaming_name(self.name)
            yield self.volume.write(name, 0, (block, block))
            yield self.volume.flush(name)

    def note_backup(self, **fields: BackupInfo | int) -> Generator[Any, Any, None]:
        """Put on disk which backups there have been, and what is required by now.

        Args:
            fields: fields of the header by name.
        """
        header = self.header
        for name, value in fields.items():
            setattr(header, name, value)
        required = min(self.min_required, header.generation_max_required)
        header.generation_min_required = required
        yield from self._put_header()
        self.required_on_disk = max(self.required_on_disk, required)

    def _put_header(self) -> Generator[Any, Any, None]:
        block = self.header.pack()
        yield self.volume.write(self.name, 0, (block, block))
        yield self.volume.flush(self.name)

    def write_due(
        self, older_than: Lgpos, on_disk: int, unflushed_max: int | None = None
    ) -> Generator[Any, Any, bool]:
        """Write the pages that hold back the checkpoint before `older_than`, and flush.

        Pages that must follow others are written after those were flushed. Returns whether
        anything was written.

        Args:
            older_than: pages without a record before it may wait.
            on_disk: the newest generation whose log is on disk as a whole (F16).
            unflushed_max: pages after which to flush; None for all that may go together.
        """
        # It may move meanwhile, and free versions that are out of order.
        waypoint = min(self.waypoint, on_disk)
        due = self.cache.due(waypoint=waypoint, older_than=older_than)
        written = 0
        held: set[int] = set()
        for level in self.cache.levels(due):
            held.update(pgno for pgno in level if self._waits_for_backup(pgno, held))
            free = [pgno for pgno in level if pgno not in held]
            together = unflushed_max or max(len(free), 1)
            for first in range(0, len(free), together):
                chosen = free[first : first + together]
                taken = (self.cache.take(pgno, waypoint=waypoint) for pgno in chosen)
                pages = [write for write in taken if write is not None]
                if pages:
                    yield self._kernel.all_of(self._write_runs(pages))
                    yield self.volume.flush(self.name)
                    written += len(pages)
        self.pages_written += written
        if written:
            self._trace.record("ese.pages", database=self.name, pages=written)
        return written > 0

    def _write_runs(self, pages: list[PageWrite]) -> list[Signal]:
        """Write neighbouring pages together."""
        page_bytes = self.header.page_bytes
        signals = []
        start = 0
        for index in range(1, len(pages) + 1):
            run = index - start
            ends = index == len(pages) or pages[index].pgno != pages[start].pgno + run
            if ends or run == RUN_PAGES_MAX:
                images = tuple(page.image for page in pages[start:index])
                offset = page_offset(pages[start].pgno, page_bytes)
                signals.append(self.volume.write(self.name, offset, images))
                start = index
        return signals

    def _waits_for_backup(self, pgno: int, held: set[int]) -> bool:
        """Return whether a running backup would miss nodes if page `pgno` were written now."""
        copied = self.copied_to
        if copied is None:
            return False
        before = self.cache.follows(pgno)
        return any(first in held or first <= copied < pgno for first in before)

    def _extend(self) -> None:
        if self._extended_to == self.last_pgno:
            return
        self._extended_to = self.last_pgno
        self.volume.truncate(self.name, self.size_bytes).then(self._note)
        if self.header.has_streaming_file:
            size = streaming_bytes(self.last_pgno, self.header.file_format)
            self.volume.truncate(streaming_name(self.name), size).then(self._note)

    def _note(self, done: Signal) -> None:
        if isinstance(done.error, DiskFull | VolumeLost):
            self.fail(done.error)
