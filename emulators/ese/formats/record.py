"""Rows as bytes: fixed, variable and tagged columns (ese-format.md E).

A codec is compiled once per table. Fixed columns are stored up to the last one with a value,
variable columns likewise, tagged columns only where they have a value.

Not supported, and reported as -1206 when read: compressed values and columns with several values,
which this project's writer never makes.
"""

from collections.abc import Iterator, Sequence
from struct import Struct, error
from typing import NamedTuple, TypeAlias

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.schema import (
    FIXED_FORMATS,
    LONG_TYPES,
    TAGGED_FIRST,
    VARIABLE_FIRST,
    Column,
    ColumnType,
    TableDefinition,
)

RECORD_HEADER_BYTES = 4
NO_VARIABLE_COLUMN = 127
VARIABLE_NULL = 0x8000
TAG_EXTENDED = 0x4000
TAG_NULL = 0x2000
_TAG_OFFSET_MASK = 0x1FFF
LONG_VALUE_IN_RECORD = 0x01
LONG_VALUE_SEPARATED = 0x05


class Separated(NamedTuple):
    """A long value that is not in the record but in the table's long-value tree."""

    lid: int


Value: TypeAlias = int | float | str | bytes | Separated | None
"""A column's value: int for Bit and integers, bytes for binary and GUID, str for text."""


class RecordCodec:
    """Encodes and decodes the rows of one table.

    Args:
        table: its definition; rows are sequences in the order of its columns.
    """

    def __init__(self, table: TableDefinition) -> None:
        self.table = table
        fixed = [FIXED_FORMATS[column.column_type] for column in table.fixed]
        self._fixed_structs = [
            Struct("<BBH" + "".join(fixed[:count])) for count in range(len(fixed) + 1)
        ]
        self._blanks: list[int | float | bytes] = [b"" if code == "16s" else 0 for code in fixed]
        self._fixed_end = len(fixed)
        self._bits = tuple(i for i, c in enumerate(table.fixed) if c.column_type is ColumnType.BIT)
        self._variable_end = len(fixed) + len(table.variable)
        self._variable = tuple((c, c.encoding) for c in table.variable)
        self._tagged = table.tagged
        self._by_id = {column.column_id: column for column in table.tagged}

    def encode(self, values: Sequence[Value]) -> bytes:
        """Return the record of a row."""
        assert len(values) == len(self.table.columns), f"{self.table.name}: wrong number of values"
        fixed_end, variable_end = self._fixed_end, self._variable_end
        variable_last, variable = self._encode_variable(values[fixed_end:variable_end])
        tagged = self._encode_tagged(values[variable_end:])
        fixed = values[:fixed_end]
        if self._bits:
            fixed = self._with_bits(fixed)
        if None in fixed:
            return self._encode_sparse(fixed, variable_last) + variable + tagged
        layout = self._fixed_structs[fixed_end]
        head = layout.pack(fixed_end, variable_last, layout.size + (fixed_end + 7 >> 3), *fixed)
        return head + _null_bitmap(0, fixed_end) + variable + tagged

    def _with_bits(self, fixed: Sequence[Value]) -> Sequence[Value]:
        """Return the fixed values with true bits as 0xFF, as they are stored (F, RootFlag)."""
        stored = list(fixed)
        for index in self._bits:
            if stored[index] is not None:
                stored[index] = 0xFF if stored[index] else 0
        return stored

    def _encode_sparse(self, fixed: Sequence[Value], variable_last: int) -> bytes:
        """Encode fixed columns of which some are NULL; those after the last value are left out."""
        count = len(fixed)
        while count and fixed[count - 1] is None:
            count -= 1
        nulls = 0
        stored = list(fixed[:count])
        for index, value in enumerate(stored):
            if value is None:
                nulls |= 1 << index
                stored[index] = self._blanks[index]
        layout = self._fixed_structs[count]
        end = layout.size + (count + 7 >> 3)
        return layout.pack(count, variable_last, end, *stored) + _null_bitmap(nulls, count)

    def _encode_variable(self, values: Sequence[Value]) -> tuple[int, bytes]:
        """Return the id of the last variable column with a value, and end offsets with data."""
        count = len(values)
        while count and values[count - 1] is None:
            count -= 1
        ends = bytearray()
        parts = []
        end = 0
        for value, (_, encoding) in zip(values[:count], self._variable, strict=False):
            if value is None:
                ends += (end | VARIABLE_NULL).to_bytes(2, "little")
                continue
            data = _as_bytes(value, encoding)
            parts.append(data)
            end += len(data)
            ends += end.to_bytes(2, "little")
        return NO_VARIABLE_COLUMN + count, bytes(ends) + b"".join(parts)

    def _encode_tagged(self, values: Sequence[Value]) -> bytes:
        present = [(c, v) for c, v in zip(self._tagged, values, strict=True) if v is not None]
        if not present:
            return b""
        offset = 4 * len(present)
        fields = bytearray()
        parts = []
        for column, value in present:
            data, flags = _encode_tagged_value(column, value)
            fields += column.column_id.to_bytes(2, "little")
            fields += (offset | flags).to_bytes(2, "little")
            parts.append(data)
            offset += len(data)
        return bytes(fields) + b"".join(parts)

    def decode(self, record: bytes, where: str = "record") -> tuple[Value, ...]:
        """Return the row of a record; raises EseError -1206 when it is not one of this table."""
        try:
            return self._decode(record)
        except (error, ValueError, IndexError) as problem:
            raise _damaged(f"{where}, table {self.table.name}: {problem}") from problem

    def decode_named(self, record: bytes, where: str = "record") -> dict[str, Value]:
        """Return the row as a dict by column name."""
        names = (column.name for column in self.table.columns)
        return dict(zip(names, self.decode(record, where), strict=True))

    def _decode(self, record: bytes) -> tuple[Value, ...]:
        count, variable_last, fixed_end = record[0], record[1], record[2] | record[3] << 8
        layout = self._fixed_structs[count]
        if fixed_end != layout.size + (count + 7 >> 3) or variable_last < NO_VARIABLE_COLUMN:
            raise ValueError(f"fixed columns 1-{count} cannot end at byte {fixed_end}")
        values: list[Value] = list(layout.unpack_from(record)[3:])
        for index in self._bits:
            if index < count:
                values[index] = bool(values[index])
        nulls = int.from_bytes(record[layout.size : fixed_end], "little")
        for index in range(count):
            if nulls >> index & 1:
                values[index] = None
        values += [None] * (self._fixed_end - count)
        variable, tagged_start = self._decode_variable(
            record, fixed_end, variable_last - NO_VARIABLE_COLUMN
        )
        values += variable
        tagged = dict(self._decode_tagged(record[tagged_start:]))
        values += [tagged.get(column.column_id) for column in self._tagged]
        return tuple(values)

    def _decode_variable(
        self, record: bytes, fixed_end: int, count: int
    ) -> tuple[list[Value], int]:
        if count > len(self._variable):
            raise ValueError(f"the table has no variable column {NO_VARIABLE_COLUMN + count}")
        values: list[Value] = []
        base = fixed_end + 2 * count
        start = 0
        for index, (column, encoding) in enumerate(self._variable):
            if index >= count:
                values.append(None)
                continue
            place = fixed_end + 2 * index
            end = int.from_bytes(record[place : place + 2], "little")
            is_null = end & VARIABLE_NULL
            end &= ~VARIABLE_NULL
            if end < start or base + end > len(record):
                raise ValueError(f"variable column {column.column_id} ends at {end}")
            data = record[base + start : base + end]
            values.append(None if is_null else _as_value(column, data, encoding))
            start = end
        return values, base + start

    def _decode_tagged(self, area: bytes) -> Iterator[tuple[int, Value]]:
        if not area:
            return
        count = (int.from_bytes(area[2:4], "little") & _TAG_OFFSET_MASK) >> 2
        fields = [
            (area[at] | area[at + 1] << 8, area[at + 2] | area[at + 3] << 8)
            for at in range(0, 4 * count, 4)
        ]
        ends = [place & _TAG_OFFSET_MASK for _, place in fields[1:]] + [len(area)]
        for (column_id, place), end in zip(fields, ends, strict=True):
            start = place & _TAG_OFFSET_MASK
            column = self._by_id.get(column_id)
            if column is None or not 4 * count <= start <= end <= len(area):
                raise ValueError(f"tagged column {column_id} lies at {start}-{end}")
            if place & TAG_NULL:
                yield column_id, None
            else:
                yield column_id, _decode_tagged_value(column, area[start:end], place)


def _encode_tagged_value(column: Column, value: Value) -> tuple[bytes, int]:
    if column.column_type in LONG_TYPES:
        if isinstance(value, Separated):
            return b"\x05" + value.lid.to_bytes(4, "little"), TAG_EXTENDED
        return b"\x01" + _as_bytes(value, column.encoding), TAG_EXTENDED
    code = FIXED_FORMATS.get(column.column_type)
    if code is None:
        return _as_bytes(value, column.encoding), 0
    return Struct("<" + code).pack(value), 0


def _decode_tagged_value(column: Column, data: bytes, place: int) -> Value:
    if column.column_type not in LONG_TYPES:
        code = FIXED_FORMATS.get(column.column_type)
        if place & TAG_EXTENDED:
            raise ValueError(f"tagged column {column.column_id} has several values")
        if code is None:
            return _as_value(column, data, column.encoding)
        value: int | float | bytes = Struct("<" + code).unpack(data)[0]
        return value
    if not place & TAG_EXTENDED:
        return _as_value(column, data, column.encoding)
    if data[0] == LONG_VALUE_IN_RECORD:
        return _as_value(column, data[1:], column.encoding)
    if data[0] == LONG_VALUE_SEPARATED and len(data) == 5:
        return Separated(int.from_bytes(data[1:], "little"))
    raise ValueError(f"tagged column {column.column_id} has a header byte {data[0]:#x}")


def _null_bitmap(nulls: int, count: int) -> bytes:
    """Return the bitmap of `count` columns: bit set = NULL, unused bits set as well."""
    size = count + 7 >> 3
    return (nulls | (1 << 8 * size) - (1 << count)).to_bytes(size, "little")


def _as_bytes(value: Value, encoding: str) -> bytes:
    if isinstance(value, str):
        return value.encode(encoding, "surrogatepass")
    assert isinstance(value, bytes), f"{type(value).__name__} in a text or binary column"
    return value


def _as_value(column: Column, data: bytes, encoding: str) -> Value:
    if column.column_type in (ColumnType.TEXT, ColumnType.LONG_TEXT):
        return bytes(data).decode(encoding, "surrogatepass")
    return bytes(data)


def _damaged(where: str) -> EseError:
    hint = "restore the database from a copy or a backup; eseutil /p would drop the record"
    return ese_error(-1206, where, hint)


assert VARIABLE_FIRST == NO_VARIABLE_COLUMN + 1 < TAGGED_FIRST, "column ids overlap"
