"""Index keys: values made comparable byte by byte (ese-format.md E, key normalisation).

What annex E leaves open, NULL, values of no length and binary values, follows the sources that it
cites (fldnorm): a binary value is cut into groups of eight bytes, padded with zeros, each followed
by 9 when more bytes come and by the number of bytes that count in the last group. No segment's
bytes begin those of another value's, so keys of several segments order as their values do.
"""

from collections.abc import Callable, Sequence
from struct import Struct

from emulators.ese.formats.record import Value
from emulators.ese.formats.schema import CODE_PAGE_UNICODE, Column, ColumnType, TableDefinition

PREFIX_VALUE = 0x7F
PREFIX_NULL = b"\x00"
PREFIX_EMPTY = b"\x40"
_BINARY_GROUP_BYTES = 8
_BINARY_MORE = b"\x09"

KEY_BYTES_MAX = 255
"""Keys are cut at JET_cbKeyMost of 8 KB pages before Windows Vista (assumption)."""

_UNSIGNED: dict[ColumnType, Struct] = {
    ColumnType.UNSIGNED_BYTE: Struct(">BB"),
    ColumnType.UNSIGNED_SHORT: Struct(">BH"),
    ColumnType.UNSIGNED_LONG: Struct(">BI"),
}
_SIGNED: dict[ColumnType, tuple[Struct, int]] = {
    ColumnType.SHORT: (Struct(">BH"), 1 << 15),
    ColumnType.LONG: (Struct(">BI"), 1 << 31),
    ColumnType.CURRENCY: (Struct(">BQ"), 1 << 63),
    ColumnType.LONG_LONG: (Struct(">BQ"), 1 << 63),
}

Segment = Callable[[Value], bytes]


def _bit(value: Value) -> bytes:
    return b"\x7f\xff" if value else b"\x7f\x00"


def _text(value: Value) -> bytes:
    assert isinstance(value, str), "a text key is not a str"
    assert value.isascii(), f"{value!r}: only ASCII text can be normalised without Windows tables"
    assert "\0" not in value, f"{value!r}: text in a key ends at a zero byte"
    return b"\x7f" + value.upper().encode("ascii") + b"\0" if value else PREFIX_EMPTY


def _binary(value: Value) -> bytes:
    assert isinstance(value, bytes), "a binary key is not bytes"
    if not value:
        return PREFIX_EMPTY
    groups = [
        value[start : start + _BINARY_GROUP_BYTES]
        for start in range(0, len(value), _BINARY_GROUP_BYTES)
    ]
    last = groups.pop()
    end = last.ljust(_BINARY_GROUP_BYTES, b"\0") + bytes((len(last),))
    return b"\x7f" + b"".join(group + _BINARY_MORE for group in groups) + end


def _unsigned(layout: Struct) -> Segment:
    def encode(value: Value) -> bytes:
        return layout.pack(PREFIX_VALUE, value)

    return encode


def _signed(layout: Struct, offset: int) -> Segment:
    def encode(value: Value) -> bytes:
        assert isinstance(value, int), "an integer key is not an int"
        return layout.pack(PREFIX_VALUE, value + offset)

    return encode


def segment_encoder(column: Column) -> Segment:
    """Return the function that normalises the values of one column (never None)."""
    column_type = column.column_type
    if column_type is ColumnType.BIT:
        return _bit
    if column_type in _UNSIGNED:
        return _unsigned(_UNSIGNED[column_type])
    if column_type in _SIGNED:
        return _signed(*_SIGNED[column_type])
    if column_type is ColumnType.BINARY:
        return _binary
    assert column_type is ColumnType.TEXT, f"{column.name}: {column_type.name} cannot be a key"
    assert column.code_page != CODE_PAGE_UNICODE, f"{column.name}: Unicode text cannot be a key"
    return _text


class KeyCodec:
    """Normalises the values of an index's columns.

    Args:
        columns: the segments in order.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._segments = tuple(segment_encoder(column) for column in columns)

    def encode(self, values: Sequence[Value]) -> bytes:
        """Return the key of one value per segment; None is NULL, which sorts first."""
        return self.encode_whole(values)[:KEY_BYTES_MAX]

    def encode_columns(self, columns: Sequence[Sequence[Value]]) -> list[bytes]:
        """Return the keys of many rows, given one column of values per segment."""
        assert self._segments, "a key of no column cannot tell rows apart"
        segments = [
            [PREFIX_NULL if value is None else segment(value) for value in column]
            for segment, column in zip(self._segments, columns, strict=True)
        ]
        whole = (
            segments[0] if len(segments) == 1 else list(map(b"".join, zip(*segments, strict=True)))
        )
        if max(map(len, whole), default=0) > KEY_BYTES_MAX:
            return [key[:KEY_BYTES_MAX] for key in whole]
        return whole

    def encode_whole(self, values: Sequence[Value]) -> bytes:
        """Return the key of one value for each of the first segments, however long it is."""
        return b"".join(
            PREFIX_NULL if value is None else segment(value)
            for segment, value in zip(self._segments, values, strict=False)
        )


class RowKey:
    """Computes the key of a table's rows for its primary key or any other list of columns.

    Args:
        table: the definition that rows follow.
        names: columns of the key; the primary key when not given.
    """

    def __init__(self, table: TableDefinition, names: tuple[str, ...] | None = None) -> None:
        names = table.primary_key if names is None else names
        self._indexes = tuple(table.index_of(name) for name in names)
        self._codec = KeyCodec([table.columns[index] for index in self._indexes])

    def of(self, row: Sequence[Value]) -> bytes:
        """Return the key of a row."""
        return self._codec.encode([row[index] for index in self._indexes])

    def of_columns(self, columns: Sequence[Sequence[Value]]) -> list[bytes]:
        """Return the keys of many rows, given the values of each column of the table."""
        return self._codec.encode_columns([columns[index] for index in self._indexes])

    def whole_of(self, row: Sequence[Value]) -> bytes:
        """Return the key of a row, not cut."""
        return self._codec.encode_whole([row[index] for index in self._indexes])

    def prefix_of(self, values: Sequence[Value]) -> bytes:
        """Return what the whole keys of all rows with these leading values begin with."""
        return self._codec.encode_whole(values)

    def nulls_of(self, row: Sequence[Value]) -> int:
        """Return which segments of a row's key are NULL, as bits."""
        nulls = 0
        for bit, index in enumerate(self._indexes):
            if row[index] is None:
                nulls |= 1 << bit
        return nulls
