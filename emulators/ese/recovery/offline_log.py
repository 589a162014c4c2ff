"""The log as recovery goes on with it: synchronous, on a file set, rolling when it is full.

Fault model: the disk may be full at any operation, which is -529 for a log (exchange.md R17), and
the power may go after any. A new log gets its header last, when the rest of it is on disk, so that
a log with a header is whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import (
    LOG_HEADER_BYTES,
    archive_name,
    current_name,
    temporary_name,
)
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame, blank_log, lgpos_at
from emulators.ese.formats.values import AttachInfo, Lgpos, LogTime


class OfflineLog:
    """The current log of a group that is being recovered.

    Args:
        files: where the logs lie.
        prefix: base name ('E00').
        name: the file that is, or is about to become, the current log; raises EseError -501 when
            it is corrupt before its end.
        header: of that file.
        now: creation time of generations that are added.
        attached: the databases that their headers list.
    """

    def __init__(
        self,
        files: FileSet,
        prefix: str,
        name: str,
        header: LogHeader,
        now: LogTime,
        attached: tuple[AttachInfo, ...] = (),
    ) -> None:
        self._files = files
        self._prefix = prefix
        self._header = header
        self._now = now
        self._attached = attached
        self._frame = LogFrame.resume(files.read(name, 0, files.size(name)))

    @property
    def header(self) -> LogHeader:
        """The header of the log being written."""
        return self._header

    @property
    def generation(self) -> int:
        """The generation being written."""
        return self._frame.generation

    def append(self, record: bytes) -> Lgpos:
        """Append a record, rolling to the next generation where it does not fit."""
        if not self._frame.room(len(record)):
            self.flush()
            self._roll()
        return lgpos_at(self.generation, self._frame.append(record))

    def flush(self) -> None:
        """Put everything appended on disk."""
        if not self._frame.pending:
            return
        name = current_name(self._prefix)
        offset, data = self._frame.flush()
        with log_disk(name):
            self._files.write(name, offset, data)
            self._files.flush(name)

    def position(self) -> Lgpos:
        """Return where the next record will begin."""
        return lgpos_at(self.generation, self._frame.position)

    def _roll(self) -> None:
        previous = self._header
        log_format = previous.log_format
        generation = previous.generation + 1
        if generation > log_format.generation_max_recovery:
            hint = "recover to another point: no log is left to undo in"
            raise ese_error(-519, f"{current_name(self._prefix)} {generation:#x}", hint)
        created = _prepared_at(self._files, self._prefix, previous) or self._now
        self._header = replace(previous.next(created), attachments=self._attached)
        make_temporary_log(self._files, self._prefix, self._header)
        current = current_name(self._prefix)
        archive = archive_name(self._prefix, previous.generation, log_format)
        self._files.rename(current, archive)
        self._files.rename(temporary_name(self._prefix), current)
        self._frame = LogFrame(self._header.generation, log_format.log_bytes)


def make_temporary_log(files: FileSet, prefix: str, header: LogHeader) -> None:
    """Write an empty log as E00tmp.log; raises EseError -529 when the disk is full.

    One that is there is kept until its header is written again where it has the same age: a
    database header may name it, and after a power cut it must still be there.
    """
    name = temporary_name(prefix)
    is_there = files.exists(name)
    if is_there and _header_of(files, name, header) != (header.generation, header.created):
        files.delete(name)
        is_there = False
    block, *body = blank_log(header.pack(), header.generation, header.log_format.log_bytes)
    offset = len(block)
    with log_disk(name):
        if not is_there:
            files.create(name)
        for part in body:
            files.write(name, offset, part)
            offset += len(part)
        files.flush(name)
        files.write(name, 0, block)
        files.flush(name)


def _prepared_at(files: FileSet, prefix: str, previous: LogHeader) -> LogTime | None:
    """Return when E00tmp.log was made, if it is the log after `previous`."""
    name = temporary_name(prefix)
    if not files.exists(name):
        return None
    found = _read_header(files, name, previous)
    if found is None or found.previous_created != previous.created:
        return None
    is_next = found.generation == previous.generation + 1
    return found.created if is_next and found.signature == previous.signature else None


def _header_of(files: FileSet, name: str, like: LogHeader) -> tuple[int, LogTime] | None:
    found = _read_header(files, name, like)
    return None if found is None else (found.generation, found.created)


def _read_header(files: FileSet, name: str, like: LogHeader) -> LogHeader | None:
    try:
        return LogHeader.unpack(files.read(name, 0, LOG_HEADER_BYTES), like.log_format, name)
    except EseError:
        return None


@contextmanager
def log_disk(name: str) -> Iterator[None]:
    """Call a full disk by the name that it has where logs are written."""
    try:
        yield
    except EseError as error:
        if error.code != -1808:
            raise
        hint = "free space on the log volume, then recover again"
        raise ese_error(-529, f"{name} ({error.where})", hint) from error
