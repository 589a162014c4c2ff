"""Ids of mailboxes, folders and messages: given out in ranges, so that none comes twice.

The end of a range is in table Global before its first id is used, in the same transaction. After
a mount the rest of a range is passed over: which of its ids were used does not matter then.
"""

from typing import cast

from emulators.ese.trees.table import Table
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.store_schema import GLOBAL

RANGE = 1000
GLOBAL_ID = 1
SCHEMA_VERSION = 1


class IdRanges:
    """The ids of one store.

    Args:
        table: Global.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        row = table.find(GLOBAL_ID)
        values = (0,) * len(GLOBAL.columns) if row is None else row
        self._is_new = row is None
        self._limits = {
            column.name: cast("int", value)
            for column, value in zip(GLOBAL.columns, values, strict=True)
        }
        self._last = dict(self._limits)

    def next_id(self, transaction: Transaction, column: str) -> int:
        """Return an id that was never given out; `column` of table Global is its kind."""
        self._last[column] += 1
        if self._last[column] > self._limits[column]:
            self._limits[column] = self._last[column] + RANGE - 1
            self._note(transaction, column)
        return self._last[column]

    def _note(self, transaction: Transaction, column: str) -> None:
        if not self._is_new:
            self._table.update(transaction, (GLOBAL_ID,), {column: self._limits[column]})
            return
        self._is_new = False
        row = {**self._limits, "GlobalId": GLOBAL_ID, "SchemaVersion": SCHEMA_VERSION}
        self._table.insert(transaction, [row[item.name] for item in GLOBAL.columns])
