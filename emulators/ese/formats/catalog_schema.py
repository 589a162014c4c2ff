"""The catalog's own shape: its numbers, columns, and what its rows describe (ese-format.md F)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from emulators.ese.formats.format import (
    CATALOG_KEY_MOST_REVISION,
    CATALOG_LATER_REVISION,
    EXCHANGE_2007,
    Format,
)
from emulators.ese.formats.schema import (
    CODE_PAGE_ASCII,
    COLUMN_NOT_NULL,
    INDEX_ANY_NULLS,
    INDEX_HIGH_WORD,
    INDEX_PRIMARY,
    INDEX_UNIQUE,
    TAGGED_FIRST,
    VARIABLE_FIRST,
    Column,
    ColumnType,
    TableDefinition,
    size_of_type,
)

OBJID_DATABASE = 1
OBJID_CATALOG = 2
OBJID_CATALOG_SHADOW = 3
OBJID_NAME_INDEX = 4
OBJID_ROOT_OBJECTS_INDEX = 5
OBJID_USER_FIRST = 6

FDP_DATABASE = 1
FDP_CATALOG = 4
FDP_NAME_INDEX = 7
FDP_ROOT_OBJECTS_INDEX = 10
FDP_CATALOG_SHADOW = 24
PAGES_CATALOG = 20
PAGES_CATALOG_SHADOW = 9
PGNO_USER_FIRST = 33

INDEX_FLAGS_PRIMARY = INDEX_HIGH_WORD | INDEX_PRIMARY | INDEX_ANY_NULLS | INDEX_UNIQUE


class ObjectType(IntEnum):
    """What a row of the catalog describes."""

    TABLE = 1
    COLUMN = 2
    INDEX = 3
    LONG_VALUE = 4
    CALLBACK = 5


class CatalogRow(NamedTuple):
    """One row with all its index entries.

    `key` and `record` go into both catalogs; `name_key` and `root_key` (None unless the row is a
    table's) into the two indexes, with `key` as data.
    """

    key: bytes
    record: bytes
    name_key: bytes
    root_key: bytes | None


class IndexDefinition(NamedTuple):
    """A secondary index: its columns, tree and persisted flags.

    `is_plain` is false where later engines keep entries by further rules: for some rows only, for
    parts of values, or in descending order.
    """

    name: str
    columns: tuple[str, ...]
    objid: int
    fdp: int
    flags: int
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A table as the catalog describes it; the long-value fields are 0 without long values."""

    definition: TableDefinition
    objid: int
    fdp: int
    pages: int
    long_value_objid: int = 0
    long_value_fdp: int = 0
    indexes: tuple[IndexDefinition, ...] = ()


_FIXED = (
    ("ObjidTable", ColumnType.LONG),
    ("Type", ColumnType.SHORT),
    ("Id", ColumnType.LONG),
    ("ColtypOrPgnoFDP", ColumnType.LONG),
    ("SpaceUsage", ColumnType.LONG),
    ("Flags", ColumnType.LONG),
    ("PagesOrLocale", ColumnType.LONG),
    ("RootFlag", ColumnType.BIT),
    ("RecordOffset", ColumnType.SHORT),
    ("LCMapFlags", ColumnType.LONG),
    ("KeyMost", ColumnType.UNSIGNED_SHORT),
    ("LVChunkMax", ColumnType.LONG),
)
_VARIABLE = (
    ("Name", ColumnType.TEXT),
    ("Stats", ColumnType.BINARY),
    ("TemplateTable", ColumnType.TEXT),
    ("DefaultValue", ColumnType.BINARY),
    ("KeyFldIDs", ColumnType.BINARY),
    ("VarSegMac", ColumnType.BINARY),
    ("ConditionalColumns", ColumnType.BINARY),
    ("TupleLimits", ColumnType.BINARY),
    ("Version", ColumnType.BINARY),
    ("SortID", ColumnType.BINARY),
)
_TAGGED = (
    ("CallbackData", ColumnType.LONG_BINARY),
    ("CallbackDependencies", ColumnType.LONG_BINARY),
    ("SeparateLV", ColumnType.LONG_BINARY),
    ("SpaceHints", ColumnType.LONG_BINARY),
    ("SpaceDeferredLVHints", ColumnType.LONG_BINARY),
    ("LocaleName", ColumnType.LONG_BINARY),
)
_NEW_IN_0XC = ("KeyMost", "Version")
_LATER = ("LVChunkMax", "SortID", *(name for name, _ in _TAGGED[2:]))
# Seen for ObjidTable; the others are not null by their use (assumption).
_NOT_NULL = (*(name for name, _ in _FIXED[:7]), "Name")


def catalog_definition(name: str, file_format: Format = EXCHANGE_2007) -> TableDefinition:
    """Return the definition of MSysObjects or its shadow in a revision of the format."""
    revision = file_format.revision
    unknown: tuple[str, ...] = _LATER if revision < CATALOG_LATER_REVISION else ()
    if revision < CATALOG_KEY_MOST_REVISION:
        unknown += _NEW_IN_0XC
    columns = []
    for first, kind in ((1, _FIXED), (VARIABLE_FIRST, _VARIABLE), (TAGGED_FIRST, _TAGGED)):
        for index, (column_name, column_type) in enumerate(kind):
            if column_name not in unknown:
                flags = COLUMN_NOT_NULL if column_name in _NOT_NULL else 0
                size = size_of_type(column_type)
                columns.append(
                    Column(column_name, first + index, column_type, flags, CODE_PAGE_ASCII, size)
                )
    return TableDefinition(name, tuple(columns), ("ObjidTable", "Type", "Id"))
