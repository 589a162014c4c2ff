"""What can be judged of a table that a later engine wrote (ese-format.md E, F).

Not judged, and counted so: keys that need the sort tables of Windows, keys of types that Exchange
does not index, default values that a record leaves out, and indexes with rules of their own.
"""

from emulators.ese.formats.catalog import IndexDefinition
from emulators.ese.formats.schema import (
    CODE_PAGE_UNICODE,
    COLUMN_AUTOINCREMENT,
    COLUMN_NOT_NULL,
    INDEX_ANY_NULLS,
    INDEX_HIGH_WORD,
    INDEX_NO_NULL_SEGMENT,
    INDEX_PRIMARY,
    INDEX_UNIQUE,
    TEXT_TYPES,
    Column,
    ColumnType,
    TableDefinition,
)

_KEY_TYPES = frozenset({
    ColumnType.BIT,
    ColumnType.UNSIGNED_BYTE,
    ColumnType.UNSIGNED_SHORT,
    ColumnType.UNSIGNED_LONG,
    ColumnType.SHORT,
    ColumnType.LONG,
    ColumnType.CURRENCY,
    ColumnType.LONG_LONG,
})  # fmt: skip
"""Types whose keys are the same in every engine (seen), and never long enough to be cut."""

_COLUMN_VERSION = 0x2
_COLUMN_FLAGS = COLUMN_NOT_NULL | _COLUMN_VERSION | COLUMN_AUTOINCREMENT
_INDEX_FLAGS = (
    INDEX_HIGH_WORD | INDEX_UNIQUE | INDEX_ANY_NULLS | INDEX_NO_NULL_SEGMENT | INDEX_PRIMARY
)
_CATALOG_NAMES = ("MSysObjects", "MSysObjectsShadow")


def has_known_key(table: TableDefinition) -> bool:
    """Return whether the primary key of a table's rows can be computed."""
    return bool(table.primary_key) and _are_known(table, table.primary_key)


def has_known_entries(table: TableDefinition, index: IndexDefinition) -> bool:
    """Return whether the entries of an index can be computed from the rows of its table."""
    is_known = index.is_plain and not index.flags & ~_INDEX_FLAGS
    return is_known and _are_known(table, index.columns)


def _are_known(table: TableDefinition, names: tuple[str, ...]) -> bool:
    columns = [table.columns[table.index_of(name)] for name in names]
    is_catalog = table.name in _CATALOG_NAMES
    return all(_is_known(column) or (is_catalog and _is_ascii(column)) for column in columns)


def _is_known(column: Column) -> bool:
    return column.column_type in _KEY_TYPES and not column.flags & ~_COLUMN_FLAGS


def _is_ascii(column: Column) -> bool:
    return column.column_type in TEXT_TYPES and column.code_page != CODE_PAGE_UNICODE
