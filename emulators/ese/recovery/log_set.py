"""The log files of a storage group as found on disk, and where their chain breaks.

A log follows the one before it when its generation is one higher, when it names that log's
creation time, and when both carry one signature (exchange.md F14). An archive whose header has
another generation than its name is out of sequence too. The header of a database notes when the
newest log was made.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import (
    LOG_HEADER_BYTES,
    Format,
    archive_generation,
    archive_name,
    current_name,
    temporary_name,
)
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.values import LogTime, Signature


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file: its header, or the error that reading the header gave."""

    name: str
    header: LogHeader | None
    error: EseError | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the chain of logs cannot be followed into `generation`.

    `event_id` is the event that says so, None where the sheet has none of its own.
    """

    generation: int
    name: str
    code: int
    text: str
    event_id: int | None = None


class LogSet:
    """All logs of one base name.

    Args:
        files: where they lie.
        prefix: base name ('E00').
        log_format: sizes and versions expected.
        signature: that of the log stream as the database knows it; None to take the logs' own.
    """

    def __init__(
        self, files: FileSet, prefix: str, log_format: Format, signature: Signature | None = None
    ) -> None:
        self._files = files
        self._prefix = prefix
        self._format = log_format
        self._signature = signature
        self.archives: dict[int, LogFile] = {}
        for name in files.names():
            generation = archive_generation(name, prefix, log_format)
            if generation is not None:
                self.archives[generation] = self._open(name)
        self.current = self._open_if_there(self.current_name)
        self.temporary = self._open_if_there(temporary_name(prefix))

    @property
    def current_name(self) -> str:
        """Name of the log being written."""
        return current_name(self._prefix)

    @property
    def first(self) -> int:
        """Lowest generation present, 0 without logs."""
        return self.first_from(0)

    def first_from(self, generation: int) -> int:
        """Return the lowest generation present at or above another, 0 when there is none."""
        found = (present for present in self._generations() if present >= generation)
        return min(found, default=0)

    @property
    def last(self) -> int:
        """Highest generation with records, 0 without logs."""
        return max(self._generations(), default=0)

    @property
    def tip(self) -> int:
        """Newest generation that is known to be complete on disk.

        A next generation that exists as E00tmp.log only never became current, so it holds no
        record and nothing of it can be missing (R1).
        """
        return self.last + 1 if self.temporary_follows else self.last

    @property
    def temporary_follows(self) -> bool:
        """Whether E00tmp.log is the log after the last one."""
        if self.temporary is None or self.temporary.header is None:
            return False
        found = self.file_of(self.last)
        previous = found.header if found is not None else None
        return self._mismatch(self.temporary.header, self.last + 1, previous) is None

    @property
    def own_signature(self) -> Signature | None:
        """The signature of the newest log that can be read, whatever the database says."""
        newest_first = [self.current, *(self.archives[key] for key in sorted(self.archives)[::-1])]
        headers = (log.header for log in newest_first if log is not None)
        return next((header.signature for header in headers if header is not None), None)

    def names_from(self, generation: int) -> list[str]:
        """Return the names of the logs at or above a generation, newest first.

        A current log that cannot be read, or is none of the sequence, is one of them.
        """
        archives = [key for key in sorted(self.archives)[::-1] if key >= generation]
        names = [self.archives[key].name for key in archives]
        is_kept = 0 < self._current_generation() < generation
        return names if self.current is None or is_kept else [self.current_name, *names]

    def name_of(self, generation: int) -> str:
        """Return the file name of a generation: that of the current log or of an archive."""
        if self._current_generation() == generation:
            return self.current_name
        return archive_name(self._prefix, generation, self._format)

    def file_of(self, generation: int) -> LogFile | None:
        """Return the log file of a generation, if it is there."""
        if self._current_generation() == generation:
            return self.current
        return self.archives.get(generation)

    def problem_from(self, first: int) -> Problem | None:
        """Return the first break of the chain from generation `first` to the last one."""
        previous = None
        for generation in range(first, self.last + 1):
            problem = self._problem_at(generation, previous)
            if problem is not None:
                return problem
            found = self.file_of(generation)
            previous = found.header if found is not None else None
        return self._problem_with_current()

    def problem_of_age(self, ages: Iterable[tuple[int, LogTime]]) -> Problem | None:
        """Return the first log that is not the one whose creation time a database header notes.

        The chain of creation times tells a log of another life of the stream from its neighbours,
        but not the newest logs of one life, all together, from those of the other.
        """
        for generation, created in sorted(ages):
            found = self.file_of(generation)
            if found is None and self.temporary_follows and generation == self.last + 1:
                found = self.temporary
            if found is not None and found.header is not None and found.header.created != created:
                text = f"it was created {found.header.created}, not {created} as the database notes"
                return Problem(generation, found.name, -515, text)
        return None

    def _problem_with_current(self) -> Problem | None:
        """Return why a current log that is there is not the log after the archives."""
        if self.current is None or self._current_generation():
            return None
        generation = max(self.archives, default=0) + 1
        if self.current.header is None:
            return self._unreadable(self.current, generation)
        text = f"its header says generation {self.current.header.generation}"
        text += f", and there are archives up to {generation - 1}"
        return Problem(generation, self.current_name, -515, text)

    def _problem_at(self, generation: int, previous: LogHeader | None) -> Problem | None:
        name = self.name_of(generation)
        found = self.file_of(generation)
        if found is None:
            return self._hole(generation, name)
        if found.header is None:
            return self._unreadable(found, generation)
        text = self._mismatch(found.header, generation, previous)
        if text is None:
            return None
        code = -530 if "signature" in text else -515
        return Problem(generation, name, code, text)

    def _hole(self, generation: int, name: str) -> Problem:
        text = "is missing, and later logs are there"
        if self.current is None:
            return Problem(generation, name, -528, text, 558)
        is_single = self.file_of(generation + 1) is not None
        return Problem(generation, name, -515, text, 518 if is_single else 519)

    def _mismatch(
        self, header: LogHeader, generation: int, previous: LogHeader | None
    ) -> str | None:
        if header.generation != generation:
            return f"its header says generation {header.generation}"
        if self._signature is not None and header.signature != self._signature:
            return "its signature is that of another log set"
        if previous is not None and header.signature != previous.signature:
            return "its signature is not that of the log before it"
        if previous is not None and header.previous_created != previous.created:
            return f"it follows a log created {header.previous_created}, not {previous.created}"
        return None

    def _generations(self) -> list[int]:
        current = self._current_generation()
        return [*self.archives, current] if current else list(self.archives)

    def _current_generation(self) -> int:
        """Return the current log's generation, 0 when it cannot be the log after the archives.

        A roll renames the current log, so no archive is ever as new as the log beside it.
        """
        if self.current is None or self.current.header is None:
            return 0
        generation = self.current.header.generation
        return generation if generation > max(self.archives, default=0) else 0

    @staticmethod
    def _unreadable(found: LogFile, generation: int) -> Problem:
        assert found.error is not None, f"{found.name} has neither header nor error"
        error = found.error
        event_id = 440 if error.code == -501 else None
        return Problem(generation, found.name, error.code, error.where, event_id)

    def _open_if_there(self, name: str) -> LogFile | None:
        return self._open(name) if self._files.exists(name) else None

    def _open(self, name: str) -> LogFile:
        block = self._files.read(name, 0, LOG_HEADER_BYTES)
        try:
            return LogFile(name, LogHeader.unpack(block, self._format, name), None)
        except EseError as error:
            return LogFile(name, None, error)
