"""The streaming backup: a mounted storage group is copied while it goes on (exchange.md 4.8).

The database files are read page by page in order while pages are written, so their images are of
no one instant ('fuzzy'): the logs from the checkpoint at the beginning (the low generation) to the
log that is closed at the end (the high one) belong to them, and hard recovery redoes them.

Fault model: the volumes may be lost and the power may go at any operation; the group is then as if
there had been no backup, as nothing on its disks changes before everything was copied. A page with
a wrong checksum ends the backup (-1018), so that a finished backup is a verified one. Logs are
checked for being those of this stream, by their headers; what a damaged record in them does shows
in hard recovery. That a backup runs is known in memory alone (exchange.md 4.8): a stopped store
forgets it.

Not modelled: the medium, other than by its speed; backups of single mailboxes; several backup
programs. Assumptions: how many pages are read at a time, and the numbers of scope and phase in the
log records of a backup.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from emulators.ese.backup_set import BackupKind, BackupSet, DatabaseIdentity
from emulators.ese.errors import EseError, ese_error, refusal
from emulators.ese.events import Event, event
from emulators.ese.file_set import FileSet
from emulators.ese.formats.database_header import BACKUP_STREAMING
from emulators.ese.formats.format import archive_name
from emulators.ese.formats.log_records import Backup2
from emulators.ese.formats.values import BACKUP_INFO_ZERO, BackupInfo, Lgpos
from emulators.ese.running.backup_reader import HINT_FULL_BACKUP, BackupReader, require_mounted
from emulators.ese.running.backup_source import BackupSource
from emulators.ese.running.circular_logging import require_all_logs_kept
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.truncation import (
    Truncation,
    archives_on,
    plan_truncation,
    truncate,
)
from sim.kernel import Kernel
from sim.volume import VolumeError

__all__ = ["BackupKind", "BackupOptions", "BackupSource", "streaming_backup"]

Process = Generator[Any, Any, None]

# Assumption: the sheets name the record and its fields, not the numbers of its phases.
PHASE_BEGIN, PHASE_TRUNCATE, PHASE_END, PHASE_ABORT = 1, 2, 3, 4
SCOPE_GROUP = 1

_STARTS = {
    BackupKind.FULL: 210,
    BackupKind.COPY: 210,
    BackupKind.INCREMENTAL: 211,
    BackupKind.DIFFERENTIAL: 211,
}


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """How to back up.

    Args:
        databases: names of the databases to copy; empty for all. Logs are deleted only after a
            backup of all.
        throughput_bytes_s: what the medium takes per second, 0 when it is not what limits.
        copies_need_from: tells the first generation that a copy of the group has not received
            yet (exchange.md C14); None when the group has no copies.
    """

    databases: tuple[str, ...] = ()
    throughput_bytes_s: int = 0
    copies_need_from: Callable[[], int] | None = None


DEFAULT_OPTIONS = BackupOptions()


def streaming_backup(
    kernel: Kernel,
    source: BackupSource,
    kind: BackupKind,
    medium: FileSet,
    options: BackupOptions = DEFAULT_OPTIONS,
) -> Generator[Any, Any, BackupSet]:
    """Back a mounted storage group up; returns the finished set.

    Args:
        kernel: simulated time.
        source: the group (its `backup_source`); it goes on meanwhile.
        kind: what to copy and what becomes of the logs afterwards.
        medium: where the files go; it must not hold files of their names.
        options: which databases, how fast.

    Raises:
        EseError: -505 while another backup runs, -526 for logs alone with circular logging, -560
            without a full backup before, -569 when a log is missing, -1003 for a database that is
            not mounted, -1018 for a damaged page, -1022 when a volume is lost, or what stopped
            the group. Nothing was deleted then.
    """
    if source.needs_from is not None:
        where = f"{source.name}: a backup is running"
        raise ese_error(-505, where, "wait until it has ended, or stop it")
    backup = _Backup(kernel, source, kind, medium, options)
    source.needs_from = source.first_required()
    try:
        return (yield from backup.run())
    except VolumeError as error:
        lost = ese_error(-1022, f"{source.name} ({error})", "recover from an older backup")
        raise backup.failed(lost) from error
    except EseError as error:
        raise backup.failed(error) from error.__cause__
    finally:
        source.needs_from = None


class _Backup:
    """One backup from its begin to its end."""

    def __init__(
        self,
        kernel: Kernel,
        source: BackupSource,
        kind: BackupKind,
        medium: FileSet,
        options: BackupOptions,
    ) -> None:
        self._source = source
        self._kind = kind
        self._medium = medium
        self._options = options
        self._format = source.parameters.file_format
        self._prefix = source.parameters.prefix
        self._reader = BackupReader(kernel, source, medium, options.throughput_bytes_s, self._note)
        self.events: list[Event] = []

    def run(self) -> Generator[Any, Any, BackupSet]:
        source, kind = self._source, self._kind
        files = self._chosen()
        low = source.needs_from = self._first_generation(files)
        time = source.wall_time()
        mark = self._log(PHASE_BEGIN, BACKUP_INFO_ZERO)
        self._note(_STARTS[kind], f"{source.name}, {kind.name.lower()}")
        for file in files if kind.has_databases else ():
            yield from self._reader.copy_pages(file)
            yield from self._reader.copy_streaming_file(file)
        high = yield from source.close_log()
        info = BackupInfo(mark, time, low, high)
        yield from self._reader.copy_logs(range(low, high + 1))
        for file in files:
            require_mounted(source, file)
        for file in files if kind.has_databases else ():
            self._reader.finish_image(file.header, file.name, info)
        yield from self._record(files, info)
        truncation = yield from self._truncate(files, info)
        self._log(PHASE_END, info)
        self._note(213, source.name)
        return BackupSet(
            kind,
            source.name,
            self._prefix,
            self._format,
            source.log_signature,
            tuple(DatabaseIdentity(file.name, file.header.signature) for file in files),
            info,
            self._medium,
            truncation.generations,
            truncation.warning,
            tuple(self.events),
        )

    def failed(self, error: EseError) -> EseError:
        """Take note of what ended the backup, and give the error all events that led to it."""
        if self._source.error is None:
            self._log(PHASE_ABORT, BACKUP_INFO_ZERO)
        self._note(214, f"{self._source.name}: error {error.code} ({error.name})")
        error.events = (*self.events[:-1], *error.events, self.events[-1])
        return error

    def _note(self, event_id: int, where: str) -> None:
        self.events.append(event(event_id, where))

    def _log(self, phase: int, info: BackupInfo) -> Lgpos:
        return self._source.log_phase(
            Backup2(
                phase=phase,
                kind=self._kind,
                scope=SCOPE_GROUP,
                dbid=0,
                details=info.pack(),
                reserved=0,
                data=b"",
            )
        )

    def _chosen(self) -> tuple[DatabaseFile, ...]:
        """Return the files to back up."""
        if self._source.error is not None:
            raise self._source.error
        mounted = self._source.files
        names = self._options.databases
        absent = sorted(set(names) - {file.name for file in mounted})
        if absent or not mounted:
            where = f"{self._source.name}: {', '.join(absent) or 'no database'} is not mounted"
            raise ese_error(-1003, where, "mount it, or leave it out of the backup")
        return tuple(file for file in mounted if not names or file.name in names)

    def _first_generation(self, files: Sequence[DatabaseFile]) -> int:
        """Return the first log that belongs to the backup.

        The images need the logs from the checkpoint on; a backup of logs alone goes on after the
        backup that it builds on.
        """
        if self._kind.has_databases:
            return self._source.first_required()
        is_circular = self._source.parameters.circular_logging
        require_all_logs_kept(self._source.name, circular_logging=is_circular)
        return 1 + min(self._built_on(file) for file in files)

    def _built_on(self, file: DatabaseFile) -> int:
        """Return the newest log of the backup that this one goes on from."""
        header = file.header
        full, incremental = header.full_backup_previous, header.incremental_backup_previous
        if full == BACKUP_INFO_ZERO:
            raise refusal(-560, f"{file.name} was never backed up", HINT_FULL_BACKUP, 206)
        if header.full_backup_kind != BACKUP_STREAMING:
            where = f"{file.name}: its last full backup was a shadow copy"
            raise refusal(-560, where, HINT_FULL_BACKUP, 206)
        if self._kind is BackupKind.DIFFERENTIAL:
            return full.generation_high
        return max(full.generation_high, incremental.generation_high)

    def _record(self, files: Sequence[DatabaseFile], info: BackupInfo) -> Process:
        """Note the backup in headers and checkpoint."""
        for file in files:
            yield from file.note_backup(**_header_fields(self._kind, info))
        if self._kind is BackupKind.FULL:
            yield from self._source.note_full_backup(info.mark, info.time)
        elif self._kind is BackupKind.INCREMENTAL:
            yield from self._source.note_incremental_backup(info.mark, info.time)

    def _truncate(
        self, files: Sequence[DatabaseFile], info: BackupInfo
    ) -> Generator[Any, Any, Truncation]:
        """Delete what the backup has made superfluous, where its kind says so.

        With circular logging the group deletes its logs itself (exchange.md 4.8).
        """
        volume, need_from = self._source.log_volume, self._options.copies_need_from
        truncation = Truncation((), None)
        has_all = len(files) == len(self._source.database_names)
        if self._kind.truncates and has_all and not self._source.parameters.circular_logging:
            self._source.needs_from = info.generation_high + 1
            truncation = plan_truncation(
                archives_on(volume, self._prefix, self._format),
                required_from=self._source.first_required(),
                generation_high=info.generation_high,
                copies_need_from=None if need_from is None else need_from(),
            )
        generations = truncation.generations
        if not generations:
            self._note(225, self._source.name)
            return truncation
        first, last = (archive_name(self._prefix, generations[at], self._format) for at in (0, -1))
        self._note(224, f"{first} - {last}")
        self._log(PHASE_TRUNCATE, info)
        yield from truncate(volume, self._prefix, self._format, generations)
        return truncation


def _header_fields(kind: BackupKind, info: BackupInfo) -> dict[str, BackupInfo | int]:
    """Return what a header says after a backup; a full one begins a new chain."""
    if kind is BackupKind.FULL:
        return {
            "full_backup_previous": info,
            "full_backup_kind": BACKUP_STREAMING,
            "incremental_backup_previous": BACKUP_INFO_ZERO,
            "differential_backup_previous": BACKUP_INFO_ZERO,
        }
    field = {
        BackupKind.INCREMENTAL: "incremental_backup",
        BackupKind.DIFFERENTIAL: "differential_backup",
        BackupKind.COPY: "copy_backup",
    }[kind]
    return {f"{field}_previous": info, f"{field}_kind": BACKUP_STREAMING}
