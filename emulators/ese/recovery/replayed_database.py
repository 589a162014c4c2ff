"""One database in a hard recovery: its pages, and what the logs say of it.

The logs speak of a database by the number that it was attached under, which may change from one
mount to the next. Records from before the attach that its header names are of an earlier mount, and
all they did is on its pages.
"""

from collections.abc import Iterator

from emulators.ese.errors import ese_error
from emulators.ese.formats import log_records
from emulators.ese.formats.log_records import AttachDb, DetachDb
from emulators.ese.formats.values import BACKUP_INFO_ZERO, Lgpos, LogTime
from emulators.ese.recovery.database_recovery import DatabaseRecovery
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.trees.page_cache import PageWrite


class ReplayedDatabase:
    """Redoes, then undoes, what concerns one database.

    Args:
        offline: its file.
    """

    def __init__(self, offline: OfflineDatabase) -> None:
        self._offline = offline
        self._recovery = DatabaseRecovery(offline)
        self._since = offline.header.attach
        self._is_attached = True
        self.redo = self._recovery.redo

    def note(self, record: object, lgpos: Lgpos) -> None:
        """Take the next record of the logs into account.

        Raises:
            EseError: -551 when the database came back from somewhere else in the middle of these
                logs, -566 or -567 when its pages are not of this history.
        """
        if lgpos <= self._since:
            return
        if isinstance(record, AttachDb):
            self._attach(record, lgpos)
        elif not self._is_own(record):
            return
        elif isinstance(record, DetachDb):
            self._is_attached = False
        else:
            self._recovery.apply(record, lgpos)

    def undo(self, log: OfflineLog) -> int:
        """Take back what never committed, and detach; return the number of changes undone."""
        if not self._is_attached:
            return 0
        undone = self._recovery.undo(log)
        log.append(log_records.encode(self._recovery.detach_record()))
        return undone

    @property
    def last_pgno(self) -> int:
        """The last page of the file, as it must become."""
        return self._offline.last_pgno

    @property
    def dbtime(self) -> int:
        """The newest dbtime of the database."""
        return max(self._recovery.dbtime, self.redo.dbtime)

    def changed_pages(self, generation: int) -> Iterator[PageWrite]:
        """Yield all pages that differ from those on disk.

        Args:
            generation: the newest of the log.
        """
        cache = self._offline.cache
        everything = Lgpos(generation + 1, 0, 0)
        for level in cache.levels(cache.due(waypoint=generation, older_than=everything)):
            for pgno in level:
                write = cache.take(pgno, waypoint=generation)
                if write is not None:
                    yield write

    def _is_own(self, record: object) -> bool:
        """Return whether a record is of this database, or of a transaction, which names none."""
        dbid = getattr(record, "dbid", None)
        return dbid is None or (self._is_attached and dbid == self._offline.header.dbid)

    def _attach(self, record: AttachDb, lgpos: Lgpos) -> None:
        header = self._offline.header
        if record.signature != header.signature:
            return
        if self._is_attached:
            where = f"{self._offline.name}: attached at {lgpos}, and not detached before"
            hint = "it was recovered elsewhere in between: use a backup made after that"
            raise ese_error(-551, where, hint)
        self._is_attached = True
        header.dbid = record.dbid


def shut_down_restored(offline: OfflineDatabase, end: Lgpos, now: LogTime, dbtime: int) -> None:
    """Write the header of a clean database that is no backup image any more.

    It names no backup: what hard recovery logged is in none, so that the next backup of logs
    has to build on a new full one.
    """
    header = offline.header
    header.full_backup_current = BACKUP_INFO_ZERO
    header.full_backup_previous = header.incremental_backup_previous = BACKUP_INFO_ZERO
    header.copy_backup_previous = header.differential_backup_previous = BACKUP_INFO_ZERO
    offline.shut_down_clean(end, now, dbtime)
