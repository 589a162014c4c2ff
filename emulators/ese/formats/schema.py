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
COLUMN_COMPRESSED = 0x1000

INDEX_UNIQUE = 0x1
INDEX_ALL_NULLS = 0x2
INDEX_FIRST_NULL = 0x4
INDEX_SOME_NULLS = 0x8
INDEX_NO_NULL_SEGMENT = 0x10
INDEX_PRIMARY = 0x20
INDEX_HIGH_WORD = 0x10000
"""Persisted index flags (fidb*, ese-format.md F). Without one of the three for NULLs, a row whose
columns of the index are all, first, or in part NULL has no entry."""

INDEX_ANY_NULLS = INDEX_ALL_NULLS | INDEX_FIRST_NULL | INDEX_SOME_NULLS

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
class Index:
    """A secondary index: a second order of a table's rows.

    Args:
        name: ASCII name.
        columns: its segments in order.
        flags: persisted index flags; by default duplicates are allowed and every row has an entry.
    """

    name: str
    columns: tuple[str, ...]
    flags: int = INDEX_HIGH_WORD | INDEX_ANY_NULLS

    @property
    def is_unique(self) -> bool:
        """Whether no two rows may have the same key."""
        return bool(self.flags & INDEX_UNIQUE)

    def has_entry(self, nulls: int) -> bool:
        """Return whether a row has an entry; bit n of `nulls` is set when segment n is NULL."""
        if not nulls:
            return True
        if nulls == (1 << len(self.columns)) - 1:
            return bool(self.flags & INDEX_ALL_NULLS)
        if nulls & 1:
            return bool(self.flags & INDEX_FIRST_NULL)
        return bool(self.flags & INDEX_SOME_NULLS)


def build_index(
    name: str, columns: tuple[str, ...], *, unique: bool = False, nulls: bool = True
) -> Index:
    """Define a secondary index.

    Args:
        name: ASCII name.
        columns: its segments in order.
        unique: whether no two rows may have the same key.
        nulls: whether rows with NULL in one of the columns have an entry.
    """
    flags = INDEX_HIGH_WORD | (INDEX_UNIQUE if unique else 0) | (INDEX_ANY_NULLS if nulls else 0)
    return Index(name, columns, flags)


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table: its columns, in the order in which rows are given, its primary key and indexes.

    Columns are in the order of their ids, and the ids of each kind run without a gap.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

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
    name: str,
    columns: tuple[tuple[str, ColumnType], ...],
    primary_key: tuple[str, ...],
    indexes: tuple[Index, ...] = (),
) -> TableDefinition:
    """Define a table from (name, type) pairs, giving ids in the order of the kinds.

    Fixed, then variable, then tagged columns: pairs must come in that order. Text is Unicode
    unless it is part of a key, as only ASCII text can be normalised (key.py).
    """
    indexed = {column for index in indexes for column in index.columns}
    next_id = {FIXED_FIRST: FIXED_FIRST, VARIABLE_FIRST: VARIABLE_FIRST, TAGGED_FIRST: TAGGED_FIRST}
    built = []
    for column_name, column_type in columns:
        kind = _kind_of(column_type)
        in_key = column_name in primary_key
        code_page = 0
        if column_type in TEXT_TYPES:
            is_ascii = in_key or column_name in indexed
            code_page = CODE_PAGE_ASCII if is_ascii else CODE_PAGE_UNICODE
        flags = COLUMN_NOT_NULL if in_key else 0
        size = size_of_type(column_type)
        built.append(Column(column_name, next_id[kind], column_type, flags, code_page, size))
        next_id[kind] += 1
    return TableDefinition(name, tuple(built), primary_key, indexes)


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
