"""Rows as bytes: fixed, variable and tagged columns (ese-format.md E).

A codec is compiled once per table. Fixed columns are stored up to the last one with a value,
variable columns likewise, tagged columns only where they have a value.

Not supported, and reported as -1206 when read: compressed values and columns with several values,
which this project's writer never makes; a codec for later engines has them as `Unread`.
"""

import codecs
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import repeat
from operator import add, or_
from struct import Struct, error
from typing import NamedTuple, TypeAlias, cast

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


class Unread(NamedTuple):
    """A value of a later engine that is not understood: compressed, or several in one column."""

    data: bytes


Value: TypeAlias = int | float | str | bytes | Separated | Unread | None
"""A column's value: int for Bit and integers, bytes for binary and GUID, str for text."""

Encoder: TypeAlias = Callable[[Value], bytes]
Decoder: TypeAlias = Callable[[bytes], Value]
TaggedEncoder: TypeAlias = Callable[[Value], tuple[bytes, int]]
TaggedDecoder: TypeAlias = Callable[[bytes, int], Value]
"""One column's part of a codec; a tagged value comes with the flags of its field."""


class RecordCodec:
    """Encodes and decodes the rows of one table.

    Args:
        table: its definition; rows are sequences in the order of its columns.
        is_of_later_engine: whether compressed values and columns with several values are read as
            `Unread`, and tagged columns that the table does not have are passed over.
    """

    def __init__(self, table: TableDefinition, *, is_of_later_engine: bool = False) -> None:
        self.table = table
        self._is_of_later_engine = is_of_later_engine
        fixed = [_fixed_format(column) for column in table.fixed]
        self._fixed_structs = [
            Struct("<BBH" + "".join(fixed[:count])) for count in range(len(fixed) + 1)
        ]
        self._blanks: list[int | float | bytes] = [
            b"" if code.endswith("s") else 0 for code in fixed
        ]
        self._fixed_end = len(fixed)
        self._no_nulls = _null_bitmap(0, len(fixed))
        self._bits = tuple(i for i, c in enumerate(table.fixed) if c.column_type is ColumnType.BIT)
        self._variable_end = len(fixed) + len(table.variable)
        self._variable_encoders = tuple(_encoder(column) for column in table.variable)
        self._variable_decoders = tuple(_decoder(column) for column in table.variable)
        self._tagged = tuple((c.column_id, _tagged_encoder(c)) for c in table.tagged)
        self._by_id = {
            column.column_id: (index, _tagged_decoder(column))
            for index, column in enumerate(table.tagged)
        }

    def encode(self, values: Sequence[Value]) -> bytes:
        """Return the record of a row."""
        assert len(values) == len(self.table.columns), f"{self.table.name}: wrong number of values"
        fixed_end, variable_end = self._fixed_end, self._variable_end
        parts = [b""]
        variable_last = self._add_variable(parts, values[fixed_end:variable_end])
        self._add_tagged(parts, values[variable_end:])
        fixed = values[:fixed_end]
        if self._bits:
            fixed = self._with_bits(fixed)
        parts[0] = self._encode_fixed(fixed, variable_last)
        return b"".join(parts)

    def encode_columns(self, columns: Sequence[Sequence[Value]]) -> list[bytes]:
        """Return the records of many rows, given all values of each column of the table.

        Rows without a NULL are encoded column by column, and the same bytes come of it: what is
        done for every record is then done by the interpreter's own loops.
        """
        assert len(columns) == len(self.table.columns), f"{self.table.name}: wrong number of values"
        rows = len(columns[0])
        if not rows or any(None in column for column in columns):
            return [self.encode(row) for row in zip(*columns, strict=True)]
        variable = columns[self._fixed_end : self._variable_end]
        datas = [
            list(map(encode, values))
            for encode, values in zip(self._variable_encoders, variable, strict=True)
        ]
        heads = self._encode_heads(rows, columns[: self._fixed_end], _running_ends(datas))
        tagged = self._encode_all_tagged(columns[self._variable_end :])
        return list(map(b"".join, zip(heads, *datas, *tagged, strict=True)))

    def _encode_heads(
        self, rows: int, fixed: Sequence[Sequence[Value]], ends: Sequence[Sequence[int]]
    ) -> Iterable[bytes]:
        """Return what stands before the variable data of each record, none of which has a NULL."""
        stored: list[Sequence[Value]] = list(fixed)
        for index in self._bits:
            stored[index] = [value and 0xFF for value in fixed[index]]
        plain, no_nulls = self._fixed_structs[-1], self._no_nulls
        layout = Struct(f"{plain.format}{len(no_nulls)}s{len(ends)}H")
        variable_last = NO_VARIABLE_COLUMN + len(ends)
        start = (self._fixed_end, variable_last, plain.size + len(no_nulls))
        same = [repeat(value, rows) for value in start]
        return map(layout.pack, *same, *stored, repeat(no_nulls, rows), *ends)

    def _encode_all_tagged(self, columns: Sequence[Sequence[Value]]) -> list[Iterable[bytes]]:
        """Return the fields of the tagged columns of each record, and then their data by column."""
        if not columns:
            return []
        datas: list[Sequence[bytes]] = []
        flags: list[Sequence[int]] = []
        for values, (_, encode) in zip(columns, self._tagged, strict=True):
            encoded = list(map(encode, values))
            datas.append([data for data, _ in encoded])
            flags.append([flag for _, flag in encoded])
        starts = _running_ends([[bytes(4 * len(columns))] * len(columns[0]), *datas[:-1]])
        fields: list[Iterable[int]] = []
        for (column_id, _), start, flag in zip(self._tagged, starts, flags, strict=True):
            fields += (repeat(column_id), map(or_, start, flag))
        return [map(_words(len(fields)).pack, *fields), *datas]

    def _encode_fixed(self, fixed: Sequence[Value], variable_last: int) -> bytes:
        if None in fixed:
            return self._encode_sparse(fixed, variable_last)
        layout, no_nulls = self._fixed_structs[-1], self._no_nulls
        end = layout.size + len(no_nulls)
        return layout.pack(self._fixed_end, variable_last, end, *fixed) + no_nulls

    def _with_bits(self, fixed: Sequence[Value]) -> Sequence[Value]:
        """Return the fixed values with true bits as 0xFF, as they are stored (F, RootFlag)."""
        stored = list(fixed)
        for index in self._bits:
            stored[index] = stored[index] and 0xFF
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

    def _add_variable(self, parts: list[bytes], values: Sequence[Value]) -> int:
        """Add end offsets and data; return the id of the last variable column with a value."""
        count = len(values)
        while count and values[count - 1] is None:
            count -= 1
        if not count:
            return NO_VARIABLE_COLUMN
        ends_at = len(parts)
        parts.append(b"")
        ends = []
        end = 0
        for value, encode in zip(values[:count], self._variable_encoders, strict=False):
            if value is None:
                ends.append(end | VARIABLE_NULL)
                continue
            data = encode(value)
            parts.append(data)
            end += len(data)
            ends.append(end)
        parts[ends_at] = _words(count).pack(*ends)
        return NO_VARIABLE_COLUMN + count

    def _add_tagged(self, parts: list[bytes], values: Sequence[Value]) -> None:
        """Add the fields of the tagged columns that have a value, and their data."""
        fields_at = len(parts)
        parts.append(b"")
        fields: list[int] = []
        offset = 4 * (len(values) - values.count(None))
        for value, (column_id, encode) in zip(values, self._tagged, strict=True):
            if value is not None:
                data, flags = encode(value)
                fields += (column_id, offset | flags)
                parts.append(data)
                offset += len(data)
        parts[fields_at] = _words(len(fields)).pack(*fields)

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
        nulls = int.from_bytes(record[layout.size : fixed_end], "little") & (1 << count) - 1
        if nulls:
            for index in range(count):
                if nulls >> index & 1:
                    values[index] = None
        values += [None] * (self._fixed_end - count)
        tagged_start = self._decode_variable(
            values, record, fixed_end, variable_last - NO_VARIABLE_COLUMN
        )
        self._decode_tagged(values, record[tagged_start:])
        return tuple(values)

    def _decode_variable(
        self, values: list[Value], record: bytes, fixed_end: int, count: int
    ) -> int:
        """Append the values of the variable columns; return where their data ends."""
        if count > len(self._variable_decoders):
            raise ValueError(f"the table has no variable column {NO_VARIABLE_COLUMN + count}")
        base = start = fixed_end + 2 * count
        ends = _words(count).unpack_from(record, fixed_end)
        for end_and_null, decode in zip(ends, self._variable_decoders, strict=False):
            end = base + (end_and_null & ~VARIABLE_NULL)
            if end < start or end > len(record):
                raise ValueError(f"a variable column lies at {start - base}-{end - base}")
            is_null = end_and_null & VARIABLE_NULL
            values.append(None if is_null else decode(record[start:end]))
            start = end
        values += [None] * (len(self._variable_decoders) - count)
        return start

    def _decode_tagged(self, values: list[Value], area: bytes) -> None:
        """Append the values of the tagged columns, found by their ids."""
        values_start = len(values)
        values += [None] * len(self._tagged)
        if not area:
            return
        count = (int.from_bytes(area[2:4], "little") & _TAG_OFFSET_MASK) >> 2
        fields = _words(2 * count).unpack_from(area)
        places = fields[1::2]
        ends = [place & _TAG_OFFSET_MASK for place in places[1:]]
        ends.append(len(area))
        for column_id, place, end in zip(fields[::2], places, ends, strict=True):
            start = place & _TAG_OFFSET_MASK
            found = self._by_id.get(column_id)
            is_known = found is not None or self._is_of_later_engine
            if not is_known or not 4 * count <= start <= end <= len(area):
                raise ValueError(f"tagged column {column_id} lies at {start}-{end}")
            if found is not None and not place & TAG_NULL:
                index, decode = found
                data = area[start:end]
                is_unread = self._is_of_later_engine and _is_unread(data, place)
                values[values_start + index] = Unread(data) if is_unread else decode(data, place)


def _is_unread(data: bytes, place: int) -> bool:
    """Return whether a tagged field has a header byte that this project never writes."""
    known = (LONG_VALUE_IN_RECORD, LONG_VALUE_SEPARATED)
    return bool(place & TAG_EXTENDED and data) and data[0] not in known


def _tagged_encoder(column: Column) -> TaggedEncoder:
    """Return the function that encodes the values of one tagged column (never None)."""
    plain = _encoder(column)
    if column.column_type not in LONG_TYPES:
        return lambda value: (plain(value), 0)

    def encode_long(value: Value) -> tuple[bytes, int]:
        if isinstance(value, Separated):
            return b"\x05" + value.lid.to_bytes(4, "little"), TAG_EXTENDED
        return b"\x01" + plain(value), TAG_EXTENDED

    return encode_long


def _tagged_decoder(column: Column) -> TaggedDecoder:
    """Return the function that reads the values of one tagged column by data and field."""
    plain, column_id = _decoder(column), column.column_id
    if column.column_type in LONG_TYPES:
        return lambda data, place: _decode_long(plain, column_id, data, place)

    def decode_short(data: bytes, place: int) -> Value:
        if place & TAG_EXTENDED:
            raise ValueError(f"tagged column {column_id} has several values")
        return plain(data)

    return decode_short


def _decode_long(plain: Decoder, column_id: int, data: bytes, place: int) -> Value:
    if not place & TAG_EXTENDED:
        return plain(data)
    if data[0] == LONG_VALUE_IN_RECORD:
        return plain(data[1:])
    if data[0] == LONG_VALUE_SEPARATED and len(data) == 5:
        return Separated(int.from_bytes(data[1:], "little"))
    raise ValueError(f"tagged column {column_id} has a header byte {data[0]:#x}")


def _fixed_format(column: Column) -> str:
    """Return how a fixed column is stored; later engines have binary ones of a stated size."""
    return FIXED_FORMATS.get(column.column_type) or f"{column.size_max}s"


def _running_ends(datas: Sequence[Sequence[bytes]]) -> list[list[int]]:
    """Return where the data of each column ends in each record, the first column's from 0."""
    ends: list[list[int]] = []
    for column in datas:
        sizes = map(len, column)
        ends.append(list(map(add, ends[-1], sizes) if ends else sizes))
    return ends


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}H")


def _null_bitmap(nulls: int, count: int) -> bytes:
    """Return the bitmap of `count` columns: bit set = NULL, unused bits set as well."""
    size = count + 7 >> 3
    return (nulls | (1 << 8 * size) - (1 << count)).to_bytes(size, "little")


def _encoder(column: Column) -> Encoder:
    """Return the function that turns the values of one column (never None) to bytes."""
    code = FIXED_FORMATS.get(column.column_type)
    if code is not None:
        return Struct("<" + code).pack
    encode_text = codecs.getencoder(column.encoding)

    def encode(value: Value) -> bytes:
        if isinstance(value, str):
            return encode_text(value, "surrogatepass")[0]
        assert isinstance(value, bytes), f"{type(value).__name__} in a text or binary column"
        return value

    return encode


def _decoder(column: Column) -> Decoder:
    """Return the function that reads the values of one column, which are not NULL."""
    code = FIXED_FORMATS.get(column.column_type)
    if code is not None:
        unpack = Struct("<" + code).unpack
        return lambda data: cast("Value", unpack(data)[0])
    if column.column_type not in (ColumnType.TEXT, ColumnType.LONG_TEXT):
        return bytes
    decode_text = codecs.getdecoder(column.encoding)
    return lambda data: decode_text(data, "surrogatepass")[0]


def _damaged(where: str) -> EseError:
    hint = "restore the database from a copy or a backup; eseutil /p would drop the record"
    return ese_error(-1206, where, hint)


assert VARIABLE_FIRST == NO_VARIABLE_COLUMN + 1 < TAGGED_FIRST, "column ids overlap"
