"""A table of a database: rows by primary key, long values in a tree of their own."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, cast

from emulators.ese.formats.key import KeyCodec, RowKey
from emulators.ese.formats.record import RecordCodec, Separated, Value
from emulators.ese.formats.schema import LONG_TYPES, TableDefinition
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.long_values import LongValues
from emulators.ese.trees.transaction import Transaction
from sim.payload import Segments, length_of, to_bytes

LONG_VALUE_IN_RECORD_BYTES_MAX = 1024
"""Longer values are kept apart from the record."""

RowValue: TypeAlias = Value | Segments


class Table:
    """One table.

    Args:
        definition: its columns and primary key.
        tree: its rows.
        long_values: its long values; None when it has no such column.
    """

    def __init__(
        self, definition: TableDefinition, tree: BTree, long_values: LongValues | None
    ) -> None:
        self.definition = definition
        self.tree = tree
        self.long_values = long_values
        self._codec = RecordCodec(definition)
        self._key = RowKey(definition)
        key_columns = [definition.columns[definition.index_of(n)] for n in definition.primary_key]
        self._key_codec = KeyCodec(key_columns)
        self._long = [
            index
            for index, column in enumerate(definition.columns)
            if column.column_type in LONG_TYPES
        ]

    def insert(self, transaction: Transaction, row: Sequence[RowValue]) -> None:
        """Insert a row; long values may be text, bytes, or a payload of segments."""
        values = self._stored(transaction, row)
        key = self._key.of(values)
        self.tree.insert(transaction.context, key, self._codec.encode(values))

    def replace(self, transaction: Transaction, row: Sequence[Value]) -> None:
        """Give the row with this primary key new values; for tables without long values."""
        assert self.long_values is None, f"{self.definition.name} has long values"
        self.tree.replace(transaction.context, self._key.of(row), self._codec.encode(row))

    def get(self, *key: Value) -> tuple[Value, ...]:
        """Return the row with that primary key, long values left where they are."""
        data = self.tree.get(self._key_codec.encode(key))
        assert data is not None, f"{self.definition.name} has no row {key}"
        return self._codec.decode(data, self.definition.name)

    def rows(self) -> Iterator[tuple[Value, ...]]:
        """Yield all rows in key order, with their long values."""
        for row in self.records():
            yield self._resolved(row)

    def records(self) -> Iterator[tuple[Value, ...]]:
        """Yield all rows in key order; a separated long value stays a reference."""
        name = self.definition.name
        for _, data in self.tree.scan():
            yield self._codec.decode(data, name)

    def last_id(self, index: int) -> int:
        """Return the highest value of the integer column `index`, 0 for an empty table."""
        return max((cast("int", row[index]) for row in self.records()), default=0)

    def _stored(self, transaction: Transaction, row: Sequence[RowValue]) -> list[Value]:
        """Return the row as the record holds it, with its larger long values put apart."""
        values = list(row)
        for index in self._long:
            value = values[index]
            if value is not None:
                values[index] = self._stored_long(transaction, index, value)
        return cast("list[Value]", values)

    def _stored_long(self, transaction: Transaction, index: int, value: RowValue) -> Value:
        payload: Segments
        if isinstance(value, str):
            encoding = self.definition.columns[index].encoding
            payload = (value.encode(encoding, "surrogatepass"),)
        elif isinstance(value, bytes):
            payload = (value,)
        else:
            payload = cast("Segments", value)
        size = length_of(payload)
        if size <= LONG_VALUE_IN_RECORD_BYTES_MAX:
            return value if isinstance(value, str) else to_bytes(payload)
        assert self.long_values is not None, f"{self.definition.name} has no long-value tree"
        return Separated(self.long_values.add(transaction.context, payload))

    def _resolved(self, row: tuple[Value, ...]) -> tuple[Value, ...]:
        if not any(isinstance(row[index], Separated) for index in self._long):
            return row
        values = list(row)
        for index in self._long:
            value = values[index]
            if isinstance(value, Separated):
                assert self.long_values is not None, "a separated value without a tree"
                data = self.long_values.read(value.lid)
                column = self.definition.columns[index]
                text = column.code_page != 0
                values[index] = data.decode(column.encoding, "surrogatepass") if text else data
        return tuple(values)
