"""Which transactions were open when the log ended, and what undoing them takes."""

from dataclasses import dataclass, field
from typing import TypeAlias

from emulators.ese.formats.log_records import (
    PAGE_UNIQUE,
    PAGE_VERSIONED,
    Begin0,
    Commit0,
    FlagInsert,
    FlagInsertAndReplace,
    Insert,
    Rollback,
    Undo,
    UndoInfo,
)
from emulators.ese.trees.change import OPERATION_INSERT, OPERATION_REPLACE, Change

Insertion: TypeAlias = Insert | FlagInsert | FlagInsertAndReplace


@dataclass(slots=True)
class OpenTransaction:
    """A transaction without a commit so far, and its changes in order.

    `flagged` are the changes, also those taken back, that may have left a node flagged as deleted.
    """

    procid: int
    trx: int
    changes: list[Change] = field(default_factory=list)
    flagged: list[Change] = field(default_factory=list)

    @property
    def has_work(self) -> bool:
        """Whether it changed anything that is not settled."""
        return bool(self.changes or self.flagged)

    def take_back(self, rceid: int) -> None:
        """Forget a change that was undone; undo goes backwards, so all after it were too."""
        while self.changes:
            change = self.changes.pop()
            if change.operation == OPERATION_INSERT:
                self.flagged.append(change)
            if change.rceid == rceid:
                return


class OpenTransactions:
    """Follows the log and remembers the changes of transactions until they end.

    `unfinished` are changes of the transactions that ended last: a log that ends there may lack
    the records by which the nodes that they had flagged were removed.
    """

    def __init__(self) -> None:
        self._open: dict[int, OpenTransaction] = {}
        self.unfinished: list[Change] = []

    def note(self, record: object) -> None:
        """Take the next record of the log into account."""
        if isinstance(record, Insert | FlagInsert | FlagInsertAndReplace):
            if record.flags & PAGE_VERSIONED:
                self._add_insertion(record)
        elif isinstance(record, UndoInfo):
            self._add_change(record)
        elif isinstance(record, Begin0):
            self._open[record.procid] = OpenTransaction(record.procid, record.trx)
            self.unfinished = []
        elif isinstance(record, Commit0 | Rollback):
            self._end(record.procid)
        elif isinstance(record, Undo):
            transaction = self._of(record)
            if transaction is not None:
                transaction.take_back(record.rceid)

    @property
    def has_work(self) -> bool:
        """Whether there is anything to take back or to clean up."""
        return bool(self.unfinished) or any(each.has_work for each in self._open.values())

    def newest_first(self) -> list[OpenTransaction]:
        """Return the open transactions, the one that began last first."""
        return sorted(self._open.values(), key=lambda item: item.trx, reverse=True)

    def _add_insertion(self, record: Insertion) -> None:
        transaction = self._of(record)
        if transaction is not None:
            bookmark = b"" if record.flags & PAGE_UNIQUE else record.data
            transaction.changes.append(
                Change(record.pgno_fdp, OPERATION_INSERT, record.key, bookmark, b"", record.rceid)
            )

    def _add_change(self, record: UndoInfo) -> None:
        transaction = self._of(record)
        if transaction is not None:
            transaction.changes.append(
                Change(
                    record.pgno_fdp,
                    record.operation,
                    record.bookmark_key,
                    record.bookmark_data,
                    record.data,
                    record.rceid,
                )
            )

    def _of(self, record: Insertion | UndoInfo | Undo) -> OpenTransaction | None:
        """Return the transaction of a record, None when its begin lies before the replayed logs."""
        transaction = self._open.get(record.procid)
        if transaction is None or transaction.trx != record.trx_begin0:
            return None
        return transaction

    def _end(self, procid: int) -> None:
        transaction = self._open.pop(procid, None)
        if transaction is not None:
            changes = (*transaction.changes, *transaction.flagged)
            self.unfinished = [each for each in changes if each.operation != OPERATION_REPLACE]
