"""One database in a hard recovery: its pages, and what the logs say of it.

The logs speak of a database by the number that it was attached under, which may change from one
mount to the next. Records from before the attach that its header names are of an earlier mount, and
all they did is on its pages.
"""

from emulators.ese.errors import ese_error
from emulators.ese.formats import log_records
from emulators.ese.formats.log_records import AttachDb, DetachDb
from emulators.ese.formats.values import BACKUP_INFO_ZERO, Lgpos, LogTime
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.redo import Redo
from emulators.ese.recovery.undo import Undo
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.space import Space


class ReplayedDatabase:
    """Redoes, then undoes, what concerns one database.

    Args:
        database: its file.
    """

    def __init__(self, database: OfflineDatabase) -> None:
        self._database = database
        self._dbid: int | None = database.header.dbid
        self._open = OpenTransactions()
        self.redo = Redo(database.cache, database.has_page, database.extend, database.name)

    @property
    def name(self) -> str:
        """The database's file."""
        return self._database.name

    def note(self, record: object, lgpos: Lgpos) -> None:
        """Take the next record of the logs into account.

        Raises:
            EseError: -551 when the database came back from somewhere else in the middle of these
                logs, -566 or -567 when its pages are not of this history.
        """
        if lgpos <= self._database.header.attach:
            return
        if isinstance(record, AttachDb):
            self._attach(record, lgpos)
        elif getattr(record, "dbid", self._dbid) != self._dbid:
            return
        elif isinstance(record, DetachDb):
            self._dbid = None
        else:
            self._open.note(record)
            self.redo.apply(record, lgpos)

    def undo(self, log: OfflineLog) -> int:
        """Take back what never committed, and detach; return the number of changes undone."""
        database = self._database
        if self._dbid is None:
            return 0
        editor = Editor(database.cache, log.append, self._newest_dbtime())
        space = Space(database.cache, editor, database.grow)
        undone = Undo(database.cache, editor, space).run(self._open)
        self.redo.dbtime = editor.dbtime
        detach = DetachDb(procid=0, dbid=self._dbid, path=database.name)
        log.append(log_records.encode(detach))
        return undone

    def write_pages(self, generation: int) -> int:
        """Write all changed pages; return how many."""
        return self._database.write_pages(generation)

    def shut_down(self, position: Lgpos, now: LogTime) -> None:
        """Write the header of a clean database that is no backup image any more.

        It names no backup: what hard recovery logged is in none, so that the next backup of logs
        has to build on a new full one.
        """
        header = self._database.header
        header.full_backup_current = BACKUP_INFO_ZERO
        header.full_backup_previous = header.incremental_backup_previous = BACKUP_INFO_ZERO
        header.copy_backup_previous = header.differential_backup_previous = BACKUP_INFO_ZERO
        self._database.shut_down_clean(position, now, self._newest_dbtime())

    def _newest_dbtime(self) -> int:
        return max(self.redo.dbtime, self._database.header.dbtime)

    def _attach(self, record: AttachDb, lgpos: Lgpos) -> None:
        if record.signature != self._database.header.signature:
            return
        if self._dbid is not None:
            where = f"{self.name}: attached at {lgpos}, without having been detached before"
            hint = "it was recovered elsewhere in between: use a backup made after that"
            raise ese_error(-551, where, hint)
        self._dbid = record.dbid
