"""The records that fill logs, redone straight from the log's bytes.

Insert, Replace, UndoInfo, FlagDelete and Delete are four in five of all records. Where a page is in
memory, has changes already, stands as the record expects it and has room, nothing can go wrong,
and the record needs no object of its own. All else is left to `DatabaseRecovery.apply`, which also
tells what is wrong.
"""

from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import Protocol

from emulators.ese.formats.log_records import PAGE_VERSIONED
from emulators.ese.formats.log_types import RecordType
from emulators.ese.formats.page import NODE_OVERHEAD_BYTES, Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.redo import Redo
from emulators.ese.trees.page_cache import PageCache

DBID_OFFSET = 3
"""Where the record of a page names its database (LRPAGE_)."""

QUICK_RECORDS = frozenset(
    map(
        int,
        (
            RecordType.INSERT,
            RecordType.REPLACE,
            RecordType.UNDO_INFO,
            RecordType.FLAG_DELETE,
            RecordType.DELETE,
        ),
    )
)
"""The numbers of their types."""

# What matters here of LRPAGE_ (procid, pgno, dbtime, dbtime before, trx, line, flags) and, of what
# follows it, the length of the data or, in UndoInfo, the rceid (ese-format.md G).
_read_insert = Struct("<xHxIqqIxHB16xH").unpack_from
_read_replace = Struct("<xxxxIqq5xH13xH").unpack_from
_read_node = Struct("<xxxxIqq5xH").unpack_from
_read_undo_info = Struct("<xH21xI4xI").unpack_from
_HEAD_BYTES = 50


class QuickOperation(Protocol):
    """Redoes one record; false when nothing was done, as it is not one of the easy ones."""

    def __call__(self, log: bytes, offset: int, end: int, lgpos: Lgpos, /) -> bool:
        """Redo the record at `lgpos`, between two offsets of a log."""


class QuickRedo:
    """Redoes the easy records of one database.

    Args:
        cache: its pages; it keeps no versions.
        redo: counts what was done, and remembers what nodes held before.
        transactions: notes the changes that may have to be undone.
        since: the attach that the database's header names; records before it are not its own.
    """

    __slots__ = ("_buffers", "_open", "_redo", "_since", "operations")

    def __init__(
        self, cache: PageCache, redo: Redo, transactions: OpenTransactions, since: Lgpos
    ) -> None:
        self._buffers = cache.plain_buffers
        self._redo = redo
        self._open = transactions.by_session
        self._since = since
        self.operations: dict[int, QuickOperation] = {
            RecordType.INSERT: self._insert,
            RecordType.REPLACE: self._replace,
            RecordType.UNDO_INFO: self._note,
            RecordType.FLAG_DELETE: partial(self._remove, Page.flag_deleted),
            RecordType.DELETE: partial(self._remove, Page.delete),
        }

    def _insert(self, log: bytes, offset: int, end: int, lgpos: Lgpos) -> bool:
        procid, pgno, dbtime, before, trx, line, flags, data_bytes = _read_insert(log, offset)
        buffer = self._buffers.get(pgno)
        if buffer is None or not buffer.dirty or lgpos < self._since:
            return False
        page = buffer.page
        keys = page.keys
        key_at = offset + _HEAD_BYTES
        free_bytes = page.free_bytes - (end - key_at + NODE_OVERHEAD_BYTES)
        if not page.dbtime == before < dbtime or line > len(keys) or free_bytes < 0:
            return False
        data_at = end - data_bytes
        keys.insert(line, log[key_at:data_at])
        page.datas.insert(line, log[data_at:end])
        page.node_flags.insert(line, 0)
        page.free_bytes = free_bytes
        page.dbtime = dbtime
        buffer.newest = lgpos
        redo = self._redo
        redo.applied += 1
        if dbtime > redo.dbtime:  # noqa: PLR1730 - half the cost of max, for every record
            redo.dbtime = dbtime
        if flags & PAGE_VERSIONED:
            transaction = self._open.get(procid)
            if transaction is not None and transaction.trx == trx:
                transaction.records.append((log, offset, end))
        return True

    def _replace(self, log: bytes, offset: int, end: int, lgpos: Lgpos) -> bool:
        pgno, dbtime, before, line, data_bytes = _read_replace(log, offset)
        buffer = self._buffers.get(pgno)
        if buffer is None or not buffer.dirty or lgpos < self._since:
            return False
        page = buffer.page
        datas = page.datas
        if not page.dbtime == before < dbtime or line >= len(datas):
            return False
        free_bytes = page.free_bytes + len(datas[line]) - data_bytes
        if free_bytes < 0:
            return False
        datas[line] = log[offset + _HEAD_BYTES : end]
        page.free_bytes = free_bytes
        page.dbtime = dbtime
        buffer.newest = lgpos
        redo = self._redo
        redo.applied += 1
        if dbtime > redo.dbtime:  # noqa: PLR1730 - half the cost of max, for every record
            redo.dbtime = dbtime
        return True

    def _remove(
        self,
        change: Callable[[Page, int], None],
        log: bytes,
        offset: int,
        _end: int,
        lgpos: Lgpos,
        /,
    ) -> bool:
        pgno, dbtime, before, line = _read_node(log, offset)
        buffer = self._buffers.get(pgno)
        if buffer is None or not buffer.dirty or lgpos < self._since:
            return False
        page = buffer.page
        if not page.dbtime == before < dbtime or line >= len(page.keys):
            return False
        change(page, line)
        page.dbtime = dbtime
        buffer.newest = lgpos
        self._redo.applied += 1
        self._redo.dbtime = max(self._redo.dbtime, dbtime)
        return True

    def _note(self, log: bytes, offset: int, end: int, lgpos: Lgpos) -> bool:
        if lgpos < self._since:
            return False
        procid, trx, rceid = _read_undo_info(log, offset)
        place = (log, offset, end)
        transaction = self._open.get(procid)
        if transaction is not None and transaction.trx == trx:
            transaction.records.append(place)
        self._redo.remember(trx, rceid, place)
        return True
