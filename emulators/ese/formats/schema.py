"""Tables and columns as ESE knows them (ese-format.md E, F)."""

from dataclasses import dataclass
from enum import IntEnum


class ColumnType(IntEnum):
    """JET_coltyp."""

    BIT = 1
    UNSIGNED_BYTE = 2
    SHORT = 3
    LONG = 4
    CURRENCY = 5
    SINGLE = 6
    DOUBLE = 7
    DATE_TIME = 8
    BINARY = 9
    TEXT = 10
    LONG_BINARY = 11
    LONG_TEXT = 12
    UNSIGNED_LONG = 14
    LONG_LONG = 15
    GUID = 16
    UNSIGNED_SHORT = 17


FIXED_FORMATS: dict[ColumnType, str] = {
    ColumnType.BIT: "B",
    ColumnType.UNSIGNED_BYTE: "B",
    ColumnType.SHORT: "h",
    ColumnType.LONG: "i",
    ColumnType.CURRENCY: "q",
    ColumnType.SINGLE: "f",
    ColumnType.DOUBLE: "d",
    ColumnType.DATE_TIME: "d",
    ColumnType.UNSIGNED_LONG: "I",
    ColumnType.LONG_LONG: "q",
    ColumnType.GUID: "16s",
    ColumnType.UNSIGNED_SHORT: "H",
}
"""How the value of a type of fixed size is stored (little-endian)."""

LONG_TYPES = (ColumnType.LONG_BINARY, ColumnType.LONG_TEXT)
TEXT_TYPES = (ColumnType.TEXT, ColumnType.LONG_TEXT)

FIXED_FIRST = 1
VARIABLE_FIRST = 128
TAGGED_FIRST = 256

COLUMN_NOT_NULL = 0x1
COLUMN_AUTOINCREMENT = 0x4
COLUMN_MULTI_VALUED = 0x8

CODE_PAGE_ASCII = 1252
CODE_PAGE_UNICODE = 1200


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: ASCII name.
        column_id: 1.. for fixed, 128.. for variable, 256.. for tagged columns.
        column_type: what it holds.
        flags: persisted column flags (ffield*, ese-format.md F), not JET_bitColumn*.
        code_page: 1252 or 1200 for text, 0 otherwise.
        size_max: SpaceUsage of the catalog: bytes of a fixed column, largest size of others.
    """

    name: str
    column_id: int
    column_type: ColumnType
    flags: int = 0
    code_page: int = 0
    size_max: int = 0

    @property
    def encoding(self) -> str:
        """The codec of a text column's bytes."""
        return "utf-16-le" if self.code_page == CODE_PAGE_UNICODE else "cp1252"


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table: its columns, in the order in which rows are given, and its primary key.

    Columns are in the order of their ids, and the ids of each kind run without a gap.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]

    def __post_init__(self) -> None:
        ids = [column.column_id for column in self.columns]
        assert ids == sorted(set(ids)), f"the columns of {self.name} are not in order of their ids"
        for first, end in ((FIXED_FIRST, VARIABLE_FIRST), (VARIABLE_FIRST, TAGGED_FIRST)):
            kind = [number for number in ids if first <= number < end]
            assert kind == list(range(first, first + len(kind))), f"{self.name} has a gap in ids"

    @property
    def fixed(self) -> tuple[Column, ...]:
        """Columns stored at a fixed offset."""
        return tuple(c for c in self.columns if c.column_id < VARIABLE_FIRST)

    @property
    def variable(self) -> tuple[Column, ...]:
        """Columns stored by end offset."""
        return tuple(c for c in self.columns if VARIABLE_FIRST <= c.column_id < TAGGED_FIRST)

    @property
    def tagged(self) -> tuple[Column, ...]:
        """Columns stored only where they have a value; every long value is one."""
        return tuple(c for c in self.columns if c.column_id >= TAGGED_FIRST)

    def index_of(self, name: str) -> int:
        """Return the position of a column in a row."""
        return next(i for i, column in enumerate(self.columns) if column.name == name)


def build_table(
    name: str, columns: tuple[tuple[str, ColumnType], ...], primary_key: tuple[str, ...]
) -> TableDefinition:
    """Define a table from (name, type) pairs, giving ids in the order of the kinds.

    Fixed, then variable, then tagged columns: pairs must come in that order. Text is Unicode
    unless it is part of the primary key, as only ASCII text can be normalised (key.py).
    """
    next_id = {FIXED_FIRST: FIXED_FIRST, VARIABLE_FIRST: VARIABLE_FIRST, TAGGED_FIRST: TAGGED_FIRST}
    built = []
    for column_name, column_type in columns:
        kind = _kind_of(column_type)
        in_key = column_name in primary_key
        code_page = 0
        if column_type in TEXT_TYPES:
            code_page = CODE_PAGE_ASCII if in_key else CODE_PAGE_UNICODE
        flags = COLUMN_NOT_NULL if in_key else 0
        size = size_of_type(column_type)
        built.append(Column(column_name, next_id[kind], column_type, flags, code_page, size))
        next_id[kind] += 1
    return TableDefinition(name, tuple(built), primary_key)


def size_of_type(column_type: ColumnType) -> int:
    """Return the bytes of a fixed type, 255 for short binary and text, 0 for long values."""
    if column_type in LONG_TYPES:
        return 0
    code = FIXED_FORMATS.get(column_type)
    return 255 if code is None else _SIZES[code]


def _kind_of(column_type: ColumnType) -> int:
    if column_type in LONG_TYPES:
        return TAGGED_FIRST
    return FIXED_FIRST if column_type in FIXED_FORMATS else VARIABLE_FIRST


_SIZES = {"B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "f": 4, "d": 8, "16s": 16}
