"""Hard recovery: a restored streaming backup is made one database again (`eseutil /cc`).

The image in a backup is of no one instant, so all logs from the backup's beginning to its end are
needed, whatever the header says: redo brings every page to the end of the last log, whether it was
copied before or after what the logs tell of it. Where the group's own logs go on from the backup's,
they are replayed too, up to the newest. Then what had not committed is undone, and the database is
shut down cleanly. It can be mounted in the group, as soft recovery starts at its next attach.

The group's own logs are only read. What undo does is logged in the restore folder, in a log that
follows the last one replayed.

Fault model: a refusal leaves all files as they were. Recovery may be cut after any operation and
begun again: all pages that change are put in a file of the restore folder (recovered_pages.py)
before the status in restore.env says that databases change, and that is on disk before they do.
From then on recovery goes on from that file, whatever the logs and switches. The same status tells
a database that is already recovered from one that never was a backup image (-615).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emulators.ese.errors import EseError, ese_error
from emulators.ese.events import Event, event
from emulators.ese.file_set import FileSet
from emulators.ese.formats import log_records
from emulators.ese.formats.format import current_name, temporary_name
from emulators.ese.formats.recovered_pages import RECOVERED_PAGES_NAME
from emulators.ese.formats.restore_env import (
    RESTORE_ENV_NAME,
    RecoverStatus,
    RestoredDatabase,
    RestoreEnv,
)
from emulators.ese.formats.streaming_file import check_files
from emulators.ese.formats.values import BACKUP_INFO_ZERO, LGPOS_ZERO, LogTime
from emulators.ese.recovery.deferred_files import DeferredFiles
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog, make_temporary_log
from emulators.ese.recovery.recovered_page_file import (
    put_pages,
    read_page_file,
    write_page_file,
)
from emulators.ese.recovery.replayed_database import ReplayedDatabase, shut_down_restored
from emulators.ese.recovery.restored_logs import Origin, RestoredLog, RestoredLogs

HINT_RESTORE_FIRST = "restore the database from the backup, then run hard recovery"


@dataclass(frozen=True, slots=True)
class HardRecoveryReport:
    """What hard recovery did.

    `generations` were replayed, the last `played_forward` of them from the group's own logs; both
    are empty when an earlier run had replayed them and was cut. `undone` counts the operations
    of transactions that had not committed, `removed` are the files deleted at the end.
    """

    generations: tuple[int, ...]
    played_forward: int
    records: int
    applied: int
    skipped: int
    undone: int
    pages_written: int
    removed: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def last_generation(self) -> int:
        """The newest generation that was replayed, 0 when there was nothing to do."""
        return self.generations[-1] if self.generations else 0


def read_restore_env(folder: FileSet) -> RestoreEnv:
    """Read restore.env; raises EseError -1811 when it is missing, -1003 when it is damaged."""
    if not folder.exists(RESTORE_ENV_NAME):
        hint = "name the restore folder; without a restore there is nothing to recover"
        raise ese_error(-1811, RESTORE_ENV_NAME, hint)
    return RestoreEnv.unpack(folder.read(RESTORE_ENV_NAME, 0, folder.size(RESTORE_ENV_NAME)))


def hard_recover(
    files: FileSet,
    folder: FileSet,
    *,
    now_ns: int,
    play_forward: bool = True,
    keep: bool = False,
) -> HardRecoveryReport:
    """Recover what was restored, and bring it to Clean Shutdown.

    Args:
        files: the restored databases, and the logs of the group that they belong to. The group
            must not be running.
        folder: the restore folder, with restore.env and the backup's logs.
        now_ns: calendar time, for log records and headers.
        play_forward: replay the group's own logs too, where they go on from the backup.
        keep: leave restore.env and the logs in the restore folder (/k).

    Raises:
        EseError: -615 for a database that is no backup image, -531 for another one, -553 or -554
            when the logs restored are not those that its image needs, the errors of
            `RestoredLogs`, -1018 for a bad page, -540 or -1811 for a streaming file that is not
            the one of its database or is missing; nothing was written then. -1808 or -529 when a
            disk became full: recover again when there is room.
    """
    recovery = _HardRecovery(files, folder, LogTime.from_ns(now_ns))
    try:
        return recovery.run(play_forward=play_forward, keep=keep)
    except EseError as error:
        failed = event(205, f"{RESTORE_ENV_NAME}: error {error.code} ({error.name})")
        error.events = (*recovery.events, *error.events, failed)
        raise


class _HardRecovery:
    def __init__(self, files: FileSet, folder: FileSet, now: LogTime) -> None:
        self._files = files
        self._folder = folder
        self._now = now
        self._records = 0
        self._end = LGPOS_ZERO
        self.events: list[Event] = []
        self._env = read_restore_env(folder)

    def run(self, *, play_forward: bool, keep: bool) -> HardRecoveryReport:
        self._note(300, f"{self._env.group}, {RESTORE_ENV_NAME}")
        logs: list[RestoredLog] = []
        databases: list[ReplayedDatabase] = []
        undone = pages = 0
        if self._env.status is RecoverStatus.NOT_STARTED:
            databases = [ReplayedDatabase(database) for database in self._images()]
            group = self._files if play_forward else None
            found = RestoredLogs(self._env, self._folder, group)
            logs = found.sequence()
            self._redo(logs, databases)
            folder = DeferredFiles(self._folder)
            _delete(folder, found.leftovers())
            undone = self._undo(folder, logs[-1], databases)
            folder.carry_out()
            page_bytes = self._env.file_format.page_bytes
            write_page_file(self._folder, databases, page_bytes, self._end)
            self._set_status(RecoverStatus.STARTED)
        if self._env.status is RecoverStatus.STARTED:
            pages = self._write()
            self._set_status(RecoverStatus.ENDED)
        self._note(302, f"{self._env.group}, {RESTORE_ENV_NAME}")
        removed = () if keep else self._tidy_up()
        return HardRecoveryReport(
            tuple(log.header.generation for log in logs),
            sum(log.origin is Origin.GROUP for log in logs),
            self._records,
            sum(database.redo.applied for database in databases),
            sum(database.redo.skipped for database in databases),
            undone,
            pages,
            removed,
            tuple(self.events),
        )

    def _note(self, event_id: int, where: str) -> None:
        self.events.append(event(event_id, where))

    def _images(self) -> list[OfflineDatabase]:
        """Return the databases, all of which must be backup images."""
        opened = [self._open(restored) for restored in self._env.databases]
        for database in opened:
            if database.header.full_backup_current == BACKUP_INFO_ZERO:
                raise _not_from_a_backup(database.name)
            self._require_range(database)
        return opened

    def _open(self, restored: RestoredDatabase) -> OfflineDatabase:
        """Open a database; refuse another one in its place, and one without its pair (F8)."""
        database = OfflineDatabase(self._files, restored.target, self._env.file_format)
        if database.header.signature != restored.signature:
            where = f"{database.name}: its signature is not that of the database restored"
            raise ese_error(-531, where, HINT_RESTORE_FIRST)
        check_files(self._files, database.name, database.header)
        return database

    def _require_range(self, database: OfflineDatabase) -> None:
        """Refuse logs of another range than the image needs."""
        image, env = database.header.full_backup_current, self._env
        where = f"{database.name} needs generations {image.generation_low}-{image.generation_high}"
        where += f", restored are {env.generation_low}-{env.generation_high}"
        if env.generation_high < image.generation_high:
            raise ese_error(-553, where, HINT_RESTORE_FIRST)
        if env.generation_low > image.generation_low:
            raise ese_error(-554, where, HINT_RESTORE_FIRST)

    def _redo(self, logs: Sequence[RestoredLog], databases: Sequence[ReplayedDatabase]) -> None:
        for log in logs:
            scan = log.scan()
            self._note(301, f"{log.name} of {log.origin.value}")
            if scan.damage_offset is not None:
                self._note(462, f"{log.name}, cut off at offset {scan.damage_offset}")
            for lgpos, offset, end in scan.spans():
                record = log_records.decode_whole(scan.buffer, offset, end)
                self._records += 1
                for database in databases:
                    database.note(record, lgpos)

    def _undo(
        self, folder: FileSet, last: RestoredLog, databases: Sequence[ReplayedDatabase]
    ) -> int:
        """Log and make what takes the open transactions back; return how many changes."""
        prefix = self._env.prefix
        name = current_name(prefix)
        header = last.header.next(self._now)
        make_temporary_log(folder, prefix, header)
        folder.rename(temporary_name(prefix), name)
        log = OfflineLog(folder, prefix, name, header, self._now)
        log.append(log_records.encode(log_records.RecoveryUndo2(self._now)))
        undone = sum(database.undo(log) for database in databases)
        self._end = log.position()
        quit_record = log_records.RecoveryQuit2(self._end, self._end, 1, self._now)
        log.append(log_records.encode(quit_record))
        log.flush()
        return undone

    def _write(self) -> int:
        """Write pages and clean headers where that was not done yet; return how many pages."""
        head = read_page_file(self._folder)
        waiting: dict[int, OfflineDatabase] = {}
        for index, restored in enumerate(self._env.databases):
            database = self._open(restored)
            if database.header.full_backup_current != BACKUP_INFO_ZERO:
                waiting[index] = database
            elif not database.header.is_clean:
                raise _not_from_a_backup(database.name)
        names = {index: database.name for index, database in waiting.items()}
        pages = put_pages(self._files, self._folder, head, names.get)
        for index, database in waiting.items():
            last_pgno, dbtime = head.databases[index]
            database.extend(last_pgno)
            shut_down_restored(database, head.end, self._now, dbtime)
        return pages

    def _set_status(self, status: RecoverStatus) -> None:
        self._env = replace(self._env, status=status)
        self._folder.write(RESTORE_ENV_NAME, 0, self._env.pack())
        self._folder.flush(RESTORE_ENV_NAME)

    def _tidy_up(self) -> tuple[str, ...]:
        """Delete the restored logs, the pages and, last of all, restore.env."""
        prefix = self._env.prefix.lower()
        names = [
            name
            for name in self._folder.names()
            if name == RECOVERED_PAGES_NAME
            or (name.lower().startswith(prefix) and name.lower().endswith(".log"))
        ]
        return _delete(self._folder, [*names, RESTORE_ENV_NAME])


def _delete(files: FileSet, names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        files.delete(name)
    return tuple(names)


def _not_from_a_backup(name: str) -> EseError:
    where = f"{name}: its header says of no backup that it came from"
    return ese_error(-615, where, HINT_RESTORE_FIRST)
