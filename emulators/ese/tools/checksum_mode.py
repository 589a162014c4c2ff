"""`eseutil /k`: the checksums of a database, a log or a checkpoint (exchange.md 2.3).

A page with one flipped bit could be corrected from its ECC. This engine does not correct pages when
it reads them, so such a page counts as an error here too, listed on a line of its own.
"""

from dataclasses import dataclass

import numpy as np

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.checkpoint import CHECKPOINT_BYTES, Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, read_header
from emulators.ese.formats.detection import detect_database, detect_log, detect_log_set
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.page import HEADER_PAGES
from emulators.ese.formats.page_verification import PageCheck, verify_pages
from emulators.ese.formats.streaming_file import STREAMING_SUFFIX, check_files, streaming_line
from emulators.ese.tools.dump import Report
from emulators.ese.tools.dump_log import PREFIX_LENGTH, check_log, dump_log_set

PAGES_PER_READ = 256
_MEGABYTE = 1 << 20
_RULER = """\
                     Checksum Status (% complete)

          0    10   20   30   40   50   60   70   80   90  100
          |----|----|----|----|----|----|----|----|----|----|
          ...................................................
"""


@dataclass(slots=True)
class ChecksumSummary:
    """What the pages of a database turned out to be; header and shadow count as pages.

    `bad`, `correctable` and `wrong_number` exclude one another.
    """

    pages: int = 0
    bad: int = 0
    correctable: int = 0
    uninitialized: int = 0
    wrong_number: int = 0
    dbtime_max: int = 0
    dbtime_max_pgno: int = 0
    reads: int = 0
    bytes_read: int = 0
    first_bad_pgno: int | None = None

    @property
    def damaged(self) -> int:
        """Pages that cannot be used."""
        return self.bad + self.correctable + self.wrong_number


def check_database(
    files: FileSet, name: str, file_format: Format = EXCHANGE_2007
) -> ChecksumSummary:
    """Check every page of a database, also of one that Windows wrote.

    Args:
        files: where it lies.
        name: the file.
        file_format: decides on the size of its pages.

    Raises:
        EseError: -1811 or -1022 when it cannot be read.
    """
    page_bytes = file_format.page_bytes
    size = files.size(name)
    summary = ChecksumSummary()
    for copy in range(HEADER_PAGES):
        block = files.read(name, copy * page_bytes, page_bytes)
        _add_header(summary, block, file_format)
    for offset in range(HEADER_PAGES * page_bytes, size, PAGES_PER_READ * page_bytes):
        image = files.read(name, offset, PAGES_PER_READ * page_bytes)
        summary.reads += 1
        summary.bytes_read += len(image)
        _add_pages(summary, image, offset // page_bytes - 1, page_bytes)
    return summary


def checksum_text(
    name: str, summary: ChecksumSummary, seconds: float = 0.0, companion: str = ""
) -> str:
    """Return the text of `eseutil /k` for a database.

    Args:
        name: the file.
        summary: what was found.
        seconds: how long it took; no rates are given for 0.
        companion: the line about its streaming file, if it has one.
    """
    megabytes = summary.bytes_read // _MEGABYTE
    lines = [
        "",
        _RULER,
        f"{summary.pages} pages seen",
        f"{summary.bad} bad checksums",
        f"{summary.correctable} correctable checksums",
        f"{summary.uninitialized} uninitialized pages",
        f"{summary.wrong_number} wrong page numbers",
        f"{summary.dbtime_max:#x} highest dbtime (pgno {summary.dbtime_max_pgno:#x})",
        "",
        f"{summary.reads} reads performed",
        f"{megabytes} MB read",
        f"{seconds:.0f} seconds taken",
    ]
    if seconds > 0:
        rate = summary.bytes_read / _MEGABYTE / seconds
        latency_ms = seconds * 1000 / max(summary.reads, 1)
        lines += [f"{rate:.0f} MB/second", f"{latency_ms:.3f} milliseconds per read"]
    return f"File: {name}\n{companion}" + "\n".join(lines) + "\n"


def checksum_error(name: str, summary: ChecksumSummary) -> EseError | None:
    """Return the -1206 of a database with damaged pages, or None."""
    if summary.damaged == 0:
        return None
    where = f"{name}: {summary.damaged} damaged pages, the first is {summary.first_bad_pgno}"
    hint = "restore the database from a copy or a backup; eseutil /p would lose the pages"
    return ese_error(-1206, where, hint)


def verify_checksums(
    files: FileSet,
    name: str,
    file_format: Format | None = None,
    seconds: float = 0.0,
    *,
    ignores_streaming_file: bool = False,
) -> Report:
    """Return the text of `eseutil /k` for a database, a log, a checkpoint or a base name.

    Args:
        files: where the file lies.
        name: the file, or the base name of a set of logs.
        file_format: sizes and versions expected; None for what the file says.
        seconds: how long it took.
        ignores_streaming_file: whether a database goes without its streaming file (`/i`).
    """
    if len(name) == PREFIX_LENGTH:
        found = file_format or detect_log_set(files, name) or EXCHANGE_2007
        return dump_log_set(files, name, found)
    if name.lower().endswith(".log"):
        return _verify_log(files, name, file_format)
    if name.lower().endswith(".chk"):
        return _verify_checkpoint(files, name)
    try:
        summary = check_database(files, name, file_format or _stated_format(files, name))
    except EseError as error:
        return f"File: {name}\n", error
    problem = checksum_error(name, summary)
    line, mismatch = _streaming_file(files, name)
    if problem is None and not ignores_streaming_file:
        problem = mismatch
    text = checksum_text(name, summary, seconds, line)
    return text, problem


def _stated_format(files: FileSet, name: str) -> Format:
    """Return what the header says; one that says nothing is counted as damage later."""
    try:
        return detect_database(files, name)
    except EseError as error:
        if error.code != -1206:
            raise
        return EXCHANGE_2007


def _streaming_file(files: FileSet, name: str) -> tuple[str, EseError | None]:
    """Return the line about the streaming file of a database, and why the two are no pair."""
    if name.lower().endswith(STREAMING_SUFFIX):
        return "", None
    line = ""
    try:
        header = read_header(files, name, detect_database(files, name))
        line = streaming_line(name, header)
        check_files(files, name, header)
    except EseError as error:
        return line, error
    return line, None


def _verify_log(files: FileSet, name: str, file_format: Format | None) -> Report:
    checked = check_log(files, name, file_format or detect_log(files, name) or EXCHANGE_2007)
    verdict = "OK" if checked.error is None else "damaged"
    return f"File: {name}\n\n      Log file: {name} - {verdict}\n", checked.error


def _verify_checkpoint(files: FileSet, name: str) -> Report:
    try:
        Checkpoint.unpack(files.read(name, 0, CHECKPOINT_BYTES), name)
    except EseError as error:
        return f"File: {name}\n\n      Checkpoint file: {name} - damaged\n", error
    return f"File: {name}\n\n      Checkpoint file: {name} - OK\n", None


def _add_header(summary: ChecksumSummary, block: bytes, file_format: Format) -> None:
    summary.pages += 1
    summary.reads += 1
    summary.bytes_read += len(block)
    try:
        DatabaseHeader.unpack(block, file_format)
    except EseError:
        summary.bad += 1
        if summary.first_bad_pgno is None:
            summary.first_bad_pgno = summary.pages - HEADER_PAGES


def _add_pages(summary: ChecksumSummary, image: bytes, first_pgno: int, page_bytes: int) -> None:
    whole = len(image) - len(image) % page_bytes
    check = verify_pages(image[:whole], first_pgno, page_bytes)
    summary.pages += whole // page_bytes
    summary.correctable += len(check.correctable)
    summary.wrong_number += len(check.wrong_number)
    summary.bad += len(check.bad) - len(check.correctable) - len(check.wrong_number)
    summary.uninitialized += len(check.uninitialized)
    if len(check.bad) and summary.first_bad_pgno is None:
        summary.first_bad_pgno = first_pgno + int(check.bad[0])
    if whole < len(image):
        summary.pages += 1
        summary.bad += 1
        if summary.first_bad_pgno is None:
            summary.first_bad_pgno = first_pgno + whole // page_bytes
    _note_dbtime(summary, image[:whole], first_pgno, page_bytes, check)


def _note_dbtime(
    summary: ChecksumSummary, image: bytes, first_pgno: int, page_bytes: int, check: PageCheck
) -> None:
    if not image:
        return
    dbtimes = np.frombuffer(image, "<i8").reshape(-1, page_bytes // 8)[:, 1].copy()
    dbtimes[check.bad] = 0
    newest = int(dbtimes.argmax())
    if dbtimes[newest] > summary.dbtime_max:
        summary.dbtime_max = int(dbtimes[newest])
        summary.dbtime_max_pgno = first_pgno + newest
