"""A database file as recovery and readers see it: synchronous, on a file set."""

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats import streaming_file
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import HEADER_PAGES, Page, page_offset
from emulators.ese.formats.values import Lgpos, LogTime
from emulators.ese.trees.page_cache import PageCache


class OfflineDatabase:
    """One database that is not mounted.

    Args:
        files: where it lies.
        name: the file.
        file_format: sizes and versions expected.

    Raises:
        EseError: -1811 when it is missing, -1206 when header and shadow are damaged, -1213 for
            another page size.
    """

    def __init__(self, files: FileSet, name: str, file_format: Format) -> None:
        if not files.exists(name):
            raise ese_error(-1811, name, "name the database file that belongs to these logs")
        self._files = files
        self.name = name
        self.header = read_header(files, name, file_format)
        self._format = file_format
        self._page_bytes = file_format.page_bytes
        self._blank = bytes(file_format.page_bytes)
        self._pages_on_disk = files.size(name) // self._page_bytes - HEADER_PAGES
        self.last_pgno = self._pages_on_disk
        self.cache = PageCache(self._load, file_format, keep_versions=False)

    def has_page(self, pgno: int) -> bool:
        """Return whether page `pgno` lies in the file and was ever written."""
        return pgno <= self._pages_on_disk and self._read(pgno) != self._blank

    def extend(self, pgno_last: int) -> None:
        """Let the file reach to page `pgno_last`, once pages are written."""
        self.last_pgno = max(self.last_pgno, pgno_last)

    def grow(self, pages: int) -> int:
        """Make the file `pages` longer and return its new last page."""
        self.last_pgno += pages
        return self.last_pgno

    def require(self, generation: int, created: LogTime) -> None:
        """Note in the header that logs up to `generation` are needed until all is written.

        During recovery the waypoint is the log's tip (exchange.md 1.2).
        """
        self.header.generation_max_required = generation
        has_waypoint = self.header.file_format.has_waypoint
        self.header.generation_max_committed = generation if has_waypoint else 0
        self.header.generation_max_created = created
        self._write_header()

    def write_pages(self, generation: int) -> int:
        """Write all changed pages, in the order that splits demand; return how many."""
        cache = self.cache
        written = 0
        if self.last_pgno > self._pages_on_disk:
            size = page_offset(self.last_pgno, self._page_bytes) + self._page_bytes
            self._files.truncate(self.name, size)
            self._pages_on_disk = self.last_pgno
        everything = Lgpos(generation + 1, 0, 0)
        for level in cache.levels(cache.due(waypoint=generation, older_than=everything)):
            for pgno in level:
                write = cache.take(pgno, waypoint=generation)
                if write is not None:
                    offset = page_offset(pgno, self._page_bytes)
                    self._files.write(self.name, offset, write.image)
                    written += 1
            self._files.flush(self.name)
        return written

    def shut_down_clean(self, position: Lgpos, now: LogTime, dbtime: int) -> None:
        """Write the header of a database that needs no log (ese-format.md B)."""
        self.header.shut_down_clean(position, now, dbtime)
        if self._has_streaming_file:
            streaming_file.grow(self._files, self.name, self.last_pgno, self._format)
            streaming_file.write_header(self._files, self.name, self.header)
        self._write_header()

    @property
    def _has_streaming_file(self) -> bool:
        """Whether there is a streaming file; whether there must be one is not asked here."""
        name = streaming_file.streaming_name(self.name)
        return self.header.has_streaming_file and self._files.exists(name)

    def _write_header(self) -> None:
        block = self.header.pack()
        self._files.write(self.name, 0, block + block)
        self._files.flush(self.name)

    def _read(self, pgno: int) -> bytes:
        return self._files.read(self.name, page_offset(pgno, self._page_bytes), self._page_bytes)

    def _load(self, pgno: int) -> Page:
        if pgno > self._pages_on_disk:
            where = f"{self.name}, page {pgno}: the file ends at page {self._pages_on_disk}"
            raise ese_error(-1206, where, "the file was cut off: recover to another point")
        return Page.from_bytes(self._read(pgno), pgno, self.name)
