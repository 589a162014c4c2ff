"""Transactions: what joins the log records of one change of the store.

Transactions of one group run one after another in simulated time, each in one instant, so they
need no locks. They still end up apart on disk: a generation may be full, or a flush may be cut,
between any two records of one, and recovery then undoes it.
"""

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.change import (
    OPERATION_FLAG_DELETE,
    Change,
    Context,
    Undoable,
    clean_up,
    roll_back,
)
from emulators.ese.trees.editor import Editor

PROCID = 1


class Transaction:
    """One open transaction.

    Args:
        editor: logs and applies its changes.
        number: its trxBegin0; higher than that of every transaction before it.
    """

    def __init__(self, editor: Editor, number: int) -> None:
        self._editor = editor
        self.begin: Lgpos = editor.log(log_records.encode_begin0(PROCID, number))
        self._changes: list[tuple[Undoable, Change]] = []
        self.context = Context(PROCID, number, True, self._changes, self.begin)
        self.is_open = True

    @property
    def dbid(self) -> int:
        """Number of the database that it changes; a transaction is of one database."""
        return self._editor.dbid

    def commit(self) -> None:
        """Log the commit; the caller waits until the log is on disk."""
        self._end()
        self._editor.log(log_records.encode_commit0(PROCID, self.context.trx + 1))
        # What was inserted and not deleted again is not flagged: nothing to search for.
        deleted = [each for each in self._changes if each[1].operation == OPERATION_FLAG_DELETE]
        clean_up(deleted, self.begin)

    def rollback(self) -> None:
        """Take back all that the transaction did; nobody needs to wait for the log."""
        self._end()
        try:
            roll_back(self.context, self._changes)
        except EseError as error:
            # The log would hold a transaction without an end, and recovery know nothing of it.
            raise RuntimeError(f"transaction {self.context.trx} cannot be taken back") from error
        self._editor.log(log_records.encode(log_records.Rollback(PROCID, 1)))
        clean_up(self._changes, self.begin)

    def _end(self) -> None:
        assert self.is_open, f"transaction {self.context.trx} has ended"
        self.is_open = False
