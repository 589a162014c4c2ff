"""Reads the pages of a database file for its checker, each in a run of many.

Fault model: anything may be on the disk. A page that cannot be used is a finding, told once.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import HEADER_PAGES, Page, page_offset
from emulators.ese.integrity.findings import Findings, Rule
from emulators.ese.integrity.page_rules import page_problems

PAGES_PER_READ = 128
RUNS_HELD = 64
"""Runs of pages that are kept: 64 MB of 8 KB pages."""

PageOf: TypeAlias = Callable[[int], Page | None]
"""Gives a page by number; None when it cannot be used, which has been noted."""


class PageReader:
    """The pages of one file.

    Args:
        files: where it lies.
        name: the file.
        file_format: its page size.
        findings: where pages that cannot be used are noted.
    """

    def __init__(
        self, files: FileSet, name: str, file_format: Format, findings: Findings | None = None
    ) -> None:
        self._files = files
        self._name = name
        self._page_bytes = file_format.page_bytes
        self._is_later = file_format.is_of_later_engine
        self._findings = Findings() if findings is None else findings
        self._runs: OrderedDict[int, bytes] = OrderedDict()
        self._told: set[tuple[int, Rule]] = set()
        self.last_pgno = files.size(name) // self._page_bytes - HEADER_PAGES

    def image(self, pgno: int) -> bytes:
        """Return the bytes of a page; fewer, or none, where the file ends before."""
        if pgno < 1:
            return b""
        number, at = divmod(pgno, PAGES_PER_READ)
        run = self._runs.get(number)
        if run is None:
            first = page_offset(number * PAGES_PER_READ, self._page_bytes)
            run = self._files.read(self._name, first, PAGES_PER_READ * self._page_bytes)
            self._runs[number] = run
            if len(self._runs) > RUNS_HELD:
                self._runs.popitem(last=False)
        return run[at * self._page_bytes : (at + 1) * self._page_bytes]

    def page(self, pgno: int) -> Page | None:
        """Return a page; None when it cannot be used, which becomes a finding."""
        image = self.image(pgno)
        if len(image) < self._page_bytes:
            self._tell(pgno, Rule.CHECKSUM, f"the file ends at page {self.last_pgno}")
            return None
        try:
            page = Page.from_bytes(image, pgno, self._name)
        except EseError as error:
            self._tell_error(pgno, image, error)
            return None
        problems = list(page_problems(image, is_of_later_engine=self._is_later))
        for rule, text in problems:
            self._tell(pgno, rule, text)
        return None if problems else page

    def _tell_error(self, pgno: int, image: bytes, error: EseError) -> None:
        if error.code != -1206:
            self._tell(pgno, Rule.CHECKSUM, error.text)
            return
        for rule, text in [*page_problems(image, is_of_later_engine=self._is_later)] or [
            (Rule.TAGS, error.where)
        ]:
            self._tell(pgno, rule, text)

    def _tell(self, pgno: int, rule: Rule, text: str) -> None:
        if (pgno, rule) not in self._told:
            self._told.add((pgno, rule))
            self._findings.must(False, rule, pgno, text)
