"""Index keys: values made comparable byte by byte (ese-format.md E, key normalisation)."""

from collections.abc import Callable, Sequence
from struct import Struct

from emulators.ese.formats.record import Value
from emulators.ese.formats.schema import CODE_PAGE_UNICODE, Column, ColumnType, TableDefinition

PREFIX_VALUE = 0x7F
# Assumption, not seen in a sample: what stands for NULL and for text of no length.
PREFIX_NULL = b"\x00"
PREFIX_EMPTY = b"\x40"

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
    return b"\x7f" + value.upper().encode("ascii") + b"\0" if value else PREFIX_EMPTY


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
        key = b"".join(
            PREFIX_NULL if value is None else segment(value)
            for segment, value in zip(self._segments, values, strict=True)
        )
        return key[:KEY_BYTES_MAX]


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


def encode_key(columns: Sequence[Column], values: Sequence[Value]) -> bytes:
    """Return the normalised key of `values`; for one key only, use `KeyCodec` for many."""
    return KeyCodec(columns).encode(values)
