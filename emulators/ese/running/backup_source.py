"""A storage group as a streaming backup sees it: its files, its log, and that a backup runs.

That a backup runs is known in memory alone (exchange.md 4.8).
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.log_records import Backup2
from emulators.ese.formats.values import Lgpos, LogTime, Signature
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.databases import Databases
from emulators.ese.running.log_stream import LogStream
from emulators.ese.running.parameters import Parameters
from sim.volume import Volume

Process = Generator[Any, Any, None]


class BackupSource:
    """What a backup reads, and what it asks of the group.

    Args:
        name: the group's display name.
        database_names: the files of the databases that belong to the group.
        parameters: its settings.
        stream: its log and checkpoint.
        databases: those that are mounted.
        wall_ns: the calendar time, in nanoseconds since 1970.

    Attributes:
        needs_from: while a backup runs, the first generation that it still has to copy; no log
            from there on may be deleted. None without a backup.
    """

    def __init__(
        self,
        name: str,
        database_names: Sequence[str],
        parameters: Parameters,
        stream: LogStream,
        databases: Databases,
        wall_ns: Callable[[], int],
    ) -> None:
        self.name = name
        self.database_names = tuple(database_names)
        self.parameters = parameters
        self._stream = stream
        self._databases = databases
        self._wall_ns = wall_ns
        self.needs_from: int | None = None

    @property
    def files(self) -> tuple[DatabaseFile, ...]:
        """The files of the databases that are mounted and stay so."""
        found = (self._databases.named(name) for name in self._databases.names())
        return tuple(mounted.file for mounted in found if not mounted.is_leaving)

    @property
    def error(self) -> EseError | None:
        """What stopped the group, or None while it runs."""
        return self._stream.log.error or self._databases.error

    @property
    def log_volume(self) -> Volume:
        """Where the logs and the checkpoint lie."""
        return self._stream.log.files.volume

    @property
    def log_signature(self) -> Signature:
        """The signature of the log stream."""
        return self._stream.signature

    def wall_time(self) -> LogTime:
        """Return the calendar time."""
        return LogTime.from_ns(self._wall_ns())

    def first_required(self) -> int:
        """Return the lowest generation that a header, the checkpoint or a backup asks for."""
        checkpoint = self._stream.checkpoint.checkpoint.generation
        needed = [checkpoint, *self._databases.first_required()]
        if self.needs_from is not None:
            needed.append(self.needs_from)
        return min(needed)

    def log_phase(self, record: Backup2) -> Lgpos:
        """Log a phase of a backup; return where it would stand in 2003's log, which has none."""
        if not self.parameters.file_format.has_backup_records:
            return self._stream.appended
        return self._stream.append(log_records.encode(record))

    def close_log(self) -> Generator[Any, Any, int]:
        """Close the log being written; return its generation once it is an archive."""
        buffer = self._stream.log.buffer
        generation = buffer.generation
        buffer.close_generation()
        yield self._stream.log.commit(buffer.appended)
        return generation

    def let_pages_go(self) -> None:
        """Let pages be written that had to wait for the backup."""
        self._stream.flusher.wake()

    def note_full_backup(self, mark: Lgpos, time: LogTime) -> Process:
        """Put in the checkpoint file which full backup was the last."""
        checkpoint = self._stream.checkpoint
        checkpoint.full_backup_checkpoint = checkpoint.checkpoint
        checkpoint.full_backup, checkpoint.full_backup_time = mark, time
        yield from self._stream.flusher.write_checkpoint(checkpoint.checkpoint)

    def note_incremental_backup(self, mark: Lgpos, time: LogTime) -> Process:
        """Put in the checkpoint file which incremental backup was the last."""
        checkpoint = self._stream.checkpoint
        checkpoint.incremental_backup, checkpoint.incremental_backup_time = mark, time
        yield from self._stream.flusher.write_checkpoint(checkpoint.checkpoint)
