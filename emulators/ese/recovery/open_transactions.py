"""Which transactions were open when the log ended, and what undoing them takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from emulators.ese.formats.log_records import (
    PAGE_UNIQUE,
    PAGE_VERSIONED,
    Begin0,
    Commit0,
    FlagInsert,
    FlagInsertAndReplace,
    Insert,
    Place,
    Rollback,
    Undo,
    UndoInfo,
    decode_whole,
)
from emulators.ese.trees.change import OPERATION_INSERT, OPERATION_REPLACE, Change

TRANSACTION_RECORDS = frozenset((Begin0, Commit0, Rollback))
"""The records that are of no database."""

Insertion: TypeAlias = Insert | FlagInsert | FlagInsertAndReplace
ChangeRecord: TypeAlias = Insertion | UndoInfo
"""What says how a change is taken back."""


@dataclass(slots=True)
class OpenTransaction:
    """A transaction without a commit so far, and the records of its changes in order.

    `flagged` are the changes taken back that may have left a node flagged as deleted.
    """

    procid: int
    trx: int
    records: list[ChangeRecord | Place] = field(default_factory=list)
    flagged: list[Change] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        """Its changes in order; made only when they are asked for, as nearly all commit."""
        return [_change_of(record) for record in self.records]

    @property
    def has_work(self) -> bool:
        """Whether it changed anything that is not settled."""
        return bool(self.records or self.flagged)

    def take_back(self, rceid: int) -> None:
        """Forget a change that was undone; undo goes backwards, so all after it were too."""
        while self.records:
            change = _change_of(self.records.pop())
            if change.operation == OPERATION_INSERT:
                self.flagged.append(change)
            if change.rceid == rceid:
                return


def _change_of(found: ChangeRecord | Place) -> Change:
    record = found if isinstance(found, ChangeRecord) else decode_whole(*found)
    assert isinstance(record, ChangeRecord), "no other records are kept"
    if isinstance(record, UndoInfo):
        return Change(
            record.pgno_fdp,
            record.operation,
            record.bookmark_key,
            record.bookmark_data,
            record.data,
            record.rceid,
        )
    bookmark = b"" if record.flags & PAGE_UNIQUE else record.data
    return Change(record.pgno_fdp, OPERATION_INSERT, record.key, bookmark, b"", record.rceid)


class OpenTransactions:
    """Follows the log and remembers the changes of transactions until they end.

    `by_session` are the open transactions, one of each session, by its number.
    `notes` says for each type of record that matters what takes it into account.
    `unfinished` are changes of the transactions that ended last: a log that ends there may lack
    the records by which the nodes that they had flagged were removed.
    """

    def __init__(self) -> None:
        self.by_session: dict[int, OpenTransaction] = {}
        self._ended: OpenTransaction | None = None
        self.notes: dict[type, Callable[[Any], None]] = {
            **dict.fromkeys((Insert, FlagInsert, FlagInsertAndReplace), self._note_insertion),
            UndoInfo: self._note_change,
            Begin0: self._begin,
            Commit0: self._end,
            Rollback: self._end,
            Undo: self._note_undo,
        }

    def note(self, record: object) -> None:
        """Take the next record of the log into account."""
        note = self.notes.get(type(record))
        if note is not None:
            note(record)

    @property
    def unfinished(self) -> list[Change]:
        """What the transaction that ended last may have left flagged."""
        if self._ended is None:
            return []
        changes = (*self._ended.changes, *self._ended.flagged)
        return [each for each in changes if each.operation != OPERATION_REPLACE]

    @property
    def has_work(self) -> bool:
        """Whether there is anything to take back or to clean up."""
        return bool(self.unfinished) or any(each.has_work for each in self.by_session.values())

    def newest_first(self) -> list[OpenTransaction]:
        """Return the open transactions, the one that began last first."""
        return sorted(self.by_session.values(), key=lambda item: item.trx, reverse=True)

    def _begin(self, record: Begin0) -> None:
        self.by_session[record.procid] = OpenTransaction(record.procid, record.trx)
        self._ended = None

    def _end(self, record: Commit0 | Rollback) -> None:
        self._ended = self.by_session.pop(record.procid, None) or self._ended

    def _note_insertion(self, record: Insertion) -> None:
        if record.flags & PAGE_VERSIONED:
            self._note_change(record)

    def _note_change(self, record: ChangeRecord) -> None:
        transaction = self._of(record)
        if transaction is not None:
            transaction.records.append(record)

    def _note_undo(self, record: Undo) -> None:
        transaction = self._of(record)
        if transaction is not None:
            transaction.take_back(record.rceid)

    def _of(self, record: ChangeRecord | Undo) -> OpenTransaction | None:
        """Return the transaction of a record, None when its begin lies before the replayed logs."""
        transaction = self.by_session.get(record.procid)
        if transaction is None or transaction.trx != record.trx_begin0:
            return None
        return transaction
