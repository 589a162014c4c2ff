"""Which transactions were open when the log ended, and what undoing them takes."""

from dataclasses import dataclass, field
from typing import NamedTuple

from emulators.ese.formats.log_records import (
    PAGE_VERSIONED,
    Begin0,
    Commit0,
    Insert,
    Rollback,
    UndoInfo,
)


class Change(NamedTuple):
    """One change to take back: remove the node, or give it back what it held before.

    `before` is None when the node was inserted.
    """

    pgno_fdp: int
    objid_fdp: int
    key: bytes
    before: bytes | None


@dataclass(slots=True)
class OpenTransaction:
    """A transaction without a commit so far, and its changes in order."""

    procid: int
    trx: int
    changes: list[Change] = field(default_factory=list)


class OpenTransactions:
    """Follows the log and remembers the changes of transactions until they commit."""

    def __init__(self) -> None:
        self._open: dict[int, OpenTransaction] = {}

    def note(self, record: object) -> None:
        """Take the next record of the log into account."""
        if isinstance(record, Begin0):
            self._open[record.procid] = OpenTransaction(record.procid, record.trx)
        elif isinstance(record, Commit0 | Rollback):
            self._open.pop(record.procid, None)
        elif isinstance(record, Insert):
            if record.flags & PAGE_VERSIONED:
                self._add(record, Change(record.pgno_fdp, record.objid_fdp, record.key, None))
        elif isinstance(record, UndoInfo):
            change = Change(record.pgno_fdp, record.objid_fdp, record.bookmark_key, record.data)
            self._add(record, change)

    def newest_first(self) -> list[OpenTransaction]:
        """Return the open transactions, the one that began last first."""
        return sorted(self._open.values(), key=lambda item: item.trx, reverse=True)

    def _add(self, record: Insert | UndoInfo, change: Change) -> None:
        transaction = self._open.get(record.procid)
        if transaction is not None and transaction.trx == record.trx_begin0:
            transaction.changes.append(change)
