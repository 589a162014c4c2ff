"""What one dirty database of a group goes through: redo, undo, and a clean shutdown.

Its records are told from those of the others by the number that the log knows it by.
"""

from emulators.ese.errors import ese_error
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_records import DetachDb
from emulators.ese.formats.values import LOG_TIME_ZERO, Lgpos, LogTime
from emulators.ese.recovery.decision import Required
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.quick_redo import QuickRedo
from emulators.ese.recovery.redo import Redo
from emulators.ese.recovery.undo import Undo
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.space import Space


class DatabaseRecovery:
    """The recovery of one database.

    Args:
        offline: its file.

    `quick` says for the types of easy records what redoes one from its bytes (quick_redo).
    """

    def __init__(self, offline: OfflineDatabase) -> None:
        self.offline = offline
        self.name = offline.name
        self.header = offline.header
        self.redo = Redo(offline.cache, offline.has_page, offline.extend, offline.name)
        self.open = OpenTransactions()
        self._notes = self.open.notes
        self._operations = self.redo.operations
        self.dbtime = offline.header.dbtime
        self._since = offline.header.attach
        self.quick = QuickRedo(offline.cache, self.redo, self.open, self._since).operations

    @property
    def required(self) -> Required:
        """The generations that its header asks for; without a waypoint all of them (1.2)."""
        header = self.header
        last, committed = header.generation_max_required, header.generation_max_committed
        if not header.file_format.has_waypoint:
            committed = last
        created = header.generation_max_created
        ages = () if created == LOG_TIME_ZERO else ((committed, created),)
        return Required(self.name, header.generation_min_required, last, committed, ages)

    def apply(self, record: object, lgpos: Lgpos) -> None:
        """Take a record of this database into account, or one of a transaction.

        Records before the attach that its header names are of an earlier life: it was dismounted
        cleanly after them, or came back from a backup and never saw them.
        """
        if lgpos < self._since:
            return
        kind = type(record)
        note = self._notes.get(kind)
        if note is not None:
            note(record)
        operation = self._operations.get(kind)
        if operation is not None:
            operation(record, lgpos)

    def undo(self, log: OfflineLog) -> int:
        """Take back what never committed, logged; return how many changes that were.

        A transaction changes one database. The others must not close it: a recovery that is cut
        after their Rollback record would leave its changes in place.
        """
        cache = self.offline.cache
        dbtime = max(self.redo.dbtime, self.header.dbtime)
        editor = Editor(cache, log.append, dbtime, self.header.dbid)
        undone = 0
        if self.open.has_work:
            space = Space(cache, editor, self.offline.grow)
            undone = Undo(cache, editor, space).run(self.open)
        self.dbtime = editor.dbtime
        return undone

    def detach_record(self) -> DetachDb:
        """Return the record by which the log stops speaking of this database."""
        return DetachDb(procid=0, dbid=self.header.dbid, path=self.name)

    def shut_down(self, end: Lgpos, newest: LogHeader, now: LogTime) -> int:
        """Write what is required, the pages and the clean header; return how many pages."""
        self.offline.require(newest.generation, newest.created)
        pages = self.offline.write_pages(newest.generation)
        self.offline.shut_down_clean(end, now, self.dbtime)
        return pages


def require_distinct(parts: list[DatabaseRecovery]) -> None:
    """Refuse databases that cannot be of one group as they are.

    Raises:
        EseError: -530: they belong to different log streams; -1216: two have one number, so one
            of them is a copy of the other or was put in its place.
    """
    first = parts[0]
    for index, part in enumerate(parts[1:], 1):
        if part.header.log_signature != first.header.log_signature:
            where = f"{part.name} and {first.name} are of different log streams"
            raise ese_error(-530, where, "recover the databases of each storage group apart")
        for other in parts[:index]:
            if part.header.dbid == other.header.dbid:
                where = f"{other.name} and {part.name} are both database {part.header.dbid}"
                raise ese_error(-1216, where, "move away the one that is only a copy")
