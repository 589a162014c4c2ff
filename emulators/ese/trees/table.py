"""A table of a database: rows by primary key, secondary indexes, and long values in a tree.

A column of a long type holds a value in the record, or a reference (`Separated`) to one in the
long-value tree. Several rows may refer to one value: a row that is stored with a reference counts
as one more, and a row that goes, or gets another value, as one less.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

from emulators.ese.errors import ese_error
from emulators.ese.formats.key import KeyCodec, RowKey
from emulators.ese.formats.page import node_bytes_max
from emulators.ese.formats.record import RecordCodec, Separated, Value
from emulators.ese.formats.schema import LONG_TYPES, TableDefinition
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.long_values import LongValues
from emulators.ese.trees.secondary_index import SecondaryIndex, nodes_with_prefix
from emulators.ese.trees.transaction import Transaction
from sim.payload import Segments, length_of, to_bytes

LONG_VALUE_IN_RECORD_BYTES_MAX = 1024
"""Longer values are kept apart from the record."""
SEPARATED_BYTES = 4
"""What stays in a record of a value that is kept apart: its LID."""

RowValue: TypeAlias = Value | Segments
Row: TypeAlias = tuple[Value, ...]


class Table:
    """One table.

    Args:
        definition: its columns, primary key and indexes.
        tree: its rows.
        long_values: its long values; None when it has no such column.
        indexes: its secondary indexes.

    Iterators over rows end with the next change of the table: make a list first to change what
    they find.
    """

    def __init__(
        self,
        definition: TableDefinition,
        tree: BTree,
        long_values: LongValues | None,
        indexes: Sequence[SecondaryIndex] = (),
    ) -> None:
        self.definition = definition
        self.tree = tree
        self.long_values = long_values
        self.indexes = {index.definition.name: index for index in indexes}
        self._indexes = tuple(indexes)
        self._codec = RecordCodec(definition)
        self._key = RowKey(definition)
        self._node_bytes_max = node_bytes_max(tree.file_format.page_bytes)
        key_columns = [definition.columns[definition.index_of(n)] for n in definition.primary_key]
        self._key_codec = KeyCodec(key_columns)
        self._long = [
            index
            for index, column in enumerate(definition.columns)
            if column.column_type in LONG_TYPES
        ]

    def insert(self, transaction: Transaction, row: Sequence[RowValue]) -> None:
        """Insert a row; long values may be text, bytes, a payload of segments, or a reference.

        Raises:
            EseError: -1605 when its primary key or the key of a unique index is there already,
                -1026 when the record does not fit into a page.
        """
        context = transaction.context
        key = self._key.of(cast("Sequence[Value]", row))
        for index in self._indexes:
            index.require_free(cast("Sequence[Value]", row), key)
        values = self._stored(transaction, row)
        self.tree.insert(context, key, self._record(transaction, key, values))
        for index in self._indexes:
            index.insert(context, values, key)

    def replace(self, transaction: Transaction, row: Sequence[RowValue]) -> None:
        """Give the row with this primary key new values.

        A long value given as the reference that the row holds stays as it is. Any other is stored
        anew, and what the row held is released.

        Raises:
            EseError: -1605 when another row has the key of a unique index, -1026 when the record
                does not fit into a page.
        """
        key = self._key.of(cast("Sequence[Value]", row))
        if not self._indexes and self.long_values is None:
            record = self._record(transaction, key, cast("list[Value]", row))
            self.tree.replace(transaction.context, key, record)
            return
        old = self._decode(self._require(key, row))
        for index in self._indexes:
            index.require_free(cast("Sequence[Value]", row), key)
        values = self._stored(transaction, row, old)
        self.tree.replace(transaction.context, key, self._record(transaction, key, values))
        for index in self._indexes:
            index.replace(transaction.context, old, values, key)
        self._release(transaction, old, values)

    def update(
        self, transaction: Transaction, key: Sequence[Value], values: Mapping[str, RowValue]
    ) -> None:
        """Change some columns, by name, of the row with that primary key.

        Where they are of the primary key, the row moves, and its long values stay where they are.

        Raises:
            EseError: -1605 when another row has the new primary key or the key of a unique index,
                -1026 when the record does not fit into a page.
        """
        old = self.get(*key)
        row: list[RowValue] = list(old)
        for name, value in values.items():
            row[self.definition.index_of(name)] = value
        if self._key.of(cast("Row", row)) == self._key.of(old):
            self.replace(transaction, row)
        else:
            self._move(transaction, old, row)

    def _move(self, transaction: Transaction, old: Row, row: Sequence[RowValue]) -> None:
        """Delete the row `old` and insert `row`, which may refer to the same long values."""
        context = transaction.context
        before, after = self._key.of(old), self._key.of(cast("Row", row))
        for index in self._indexes:
            index.require_free(cast("Row", row), before)
        if self.tree.get(after) is not None:
            hint = "delete the row that is there, or give this one another key"
            raise ese_error(-1605, f"table {self.definition.name}, primary key", hint)
        values = self._stored(transaction, row, old)
        record = self._record(transaction, after, values)
        for index in self._indexes:
            index.delete(context, old, before)
            index.insert(context, values, after)
        self.tree.delete(context, before)
        self.tree.insert(context, after, record)
        self._release(transaction, old, values)

    def delete(self, transaction: Transaction, *key: Value) -> None:
        """Delete the row with that primary key, its index entries, and its share in long values."""
        bookmark = self._key_codec.encode(key)
        row = self._decode(self._require(bookmark, key))
        for index in self._indexes:
            index.delete(transaction.context, row, bookmark)
        self.tree.delete(transaction.context, bookmark)
        self._release(transaction, row, (None,) * len(row))

    def get(self, *key: Value) -> Row:
        """Return the row with that primary key, long values left where they are."""
        row = self.find(*key)
        assert row is not None, f"{self.definition.name} has no row {key}"
        return row

    def find(self, *key: Value) -> Row | None:
        """Return the row with that primary key, long values left where they are, or None."""
        data = self.tree.get(self._key_codec.encode(key))
        return None if data is None else self._decode(data)

    def range(self, *leading: Value, descending: bool = False) -> Iterator[Row]:
        """Yield the rows whose primary key begins with these values, in its order.

        A separated long value stays a reference.
        """
        prefix = self._key_codec.encode_whole(leading)
        for _, data in nodes_with_prefix(self.tree, prefix, descending=descending):
            yield self._decode(data)

    def seek(self, index_name: str, *leading: Value, descending: bool = False) -> Iterator[Row]:
        """Yield the rows whose key in an index begins with these values, in the index's order.

        A separated long value stays a reference. Rows without an entry are not found.

        Raises:
            EseError: -1206 when the index has an entry without a row.
        """
        index = self.indexes[index_name]
        is_cut = index.is_cut(leading)
        for bookmark in index.seek(leading, descending=descending):
            row = self._decode(self._indexed(index_name, bookmark))
            if not is_cut or index.begins_with(row, leading):
                yield row

    def rows(self) -> Iterator[Row]:
        """Yield all rows in key order, with their long values."""
        for row in self.records():
            yield self.resolved(row)

    def records(self) -> Iterator[Row]:
        """Yield all rows in key order; a separated long value stays a reference."""
        for _, data in self.tree.scan():
            yield self._decode(data)

    def resolved(self, row: Row) -> Row:
        """Return a row with its long values in place of the references to them."""
        if not any(isinstance(row[index], Separated) for index in self._long):
            return row
        values = list(row)
        for index in self._long:
            value = values[index]
            if isinstance(value, Separated):
                data = self._tree_of_long_values.read(value.lid)
                column = self.definition.columns[index]
                text = column.code_page != 0
                values[index] = data.decode(column.encoding, "surrogatepass") if text else data
        return tuple(values)

    @property
    def _tree_of_long_values(self) -> LongValues:
        assert self.long_values is not None, f"{self.definition.name} has no long-value tree"
        return self.long_values

    def _decode(self, data: bytes) -> Row:
        return self._codec.decode(data, self.definition.name)

    def _require(self, key: bytes, named: object) -> bytes:
        data = self.tree.get(key)
        assert data is not None, f"{self.definition.name} has no row {named}"
        return data

    def _indexed(self, index_name: str, bookmark: bytes) -> bytes:
        data = self.tree.get(bookmark)
        if data is None:
            where = f"table {self.definition.name}, index {index_name}: {bookmark.hex()} has no row"
            raise ese_error(-1206, where, "rebuild the index: eseutil /d")
        return data

    def _stored(
        self, transaction: Transaction, row: Sequence[RowValue], old: Row | None = None
    ) -> list[Value]:
        """Return the row as the record holds it, with its larger long values put apart."""
        values = list(row)
        for index in self._long:
            value = values[index]
            held = None if old is None else old[index]
            is_held = isinstance(value, Separated) and isinstance(held, Separated) and value == held
            if value is not None and not is_held:
                values[index] = self._stored_long(transaction, index, value)
        return cast("list[Value]", values)

    def _record(self, transaction: Transaction, key: bytes, values: list[Value]) -> bytes:
        """Return the record of stored values, which lose long values until it fits into a page.

        The largest leave first: 4 KB hold four of the size that may stay in a record, not more.
        """
        record = self._codec.encode(values)
        while len(key) + len(record) > self._node_bytes_max:
            inside = [(len(self._bytes_of(i, values[i])), i) for i in self._long]
            size, index = max(inside, default=(0, 0))
            if size <= SEPARATED_BYTES:
                where = f"table {self.definition.name}: {len(record)} bytes"
                raise ese_error(-1026, where, "shorten the columns that are not long values")
            payload = (self._bytes_of(index, values[index]),)
            values[index] = Separated(self._tree_of_long_values.add(transaction.context, payload))
            record = self._codec.encode(values)
        return record

    def _bytes_of(self, index: int, value: Value) -> bytes:
        """Return the bytes of a long value that is in its record, none for any other."""
        if isinstance(value, str):
            return value.encode(self.definition.columns[index].encoding, "surrogatepass")
        return value if isinstance(value, bytes) else b""

    def _stored_long(self, transaction: Transaction, index: int, value: RowValue) -> Value:
        payload: Segments
        if isinstance(value, Separated):
            self._tree_of_long_values.add_reference(transaction.context, value.lid)
            return value
        if isinstance(value, str | bytes):
            payload = (self._bytes_of(index, value),)
        else:
            payload = cast("Segments", value)
        size = length_of(payload)
        if size <= LONG_VALUE_IN_RECORD_BYTES_MAX:
            return value if isinstance(value, str) else to_bytes(payload)
        return Separated(self._tree_of_long_values.add(transaction.context, payload))

    def _release(self, transaction: Transaction, old: Row, new: Sequence[Value]) -> None:
        """Release the long values that a row held and does not hold any more."""
        for index in self._long:
            value = old[index]
            if isinstance(value, Separated) and value != new[index]:
                self._tree_of_long_values.release(transaction.context, value.lid)
