"""Table definitions read back from the catalog, so that it alone opens any table (F).

Fault model: rows read may be damaged or missing; what cannot be made into table definitions raises
`EseError` -1206. Not checked: that the shadow catalog says the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.catalog_schema import (
    OBJID_USER_FIRST,
    CatalogEntry,
    IndexDefinition,
    ObjectType,
    catalog_definition,
)
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.record import RecordCodec, Value
from emulators.ese.formats.schema import (
    FIXED_FORMATS,
    INDEX_PRIMARY,
    VARIABLE_FIRST,
    Column,
    ColumnType,
    Index,
    TableDefinition,
)

Row = dict[str, Value]

_FIXED_BYTES_MAX = 255


@dataclass(slots=True)
class _Parts:
    """The rows of one table, sorted by what they describe."""

    table: Row
    columns: list[Column] = field(default_factory=list)
    primary: tuple[int, ...] = ()
    secondary: list[tuple[Row, tuple[int, ...]]] = field(default_factory=list)
    long_value: tuple[int, int] = (0, 0)


def read_catalog(
    nodes: Iterable[tuple[bytes, bytes]],
    file_format: Format = EXCHANGE_2007,
    *,
    with_system_tables: bool = False,
) -> Iterator[CatalogEntry]:
    """Yield the tables that the catalog's rows describe, in order of object id.

    Args:
        nodes: key and record of each row, in key order: a table's row comes before its parts'.
        file_format: whose revision decides on the catalog's columns.
        with_system_tables: also yield MSysObjects and its shadow.

    Raises:
        EseError: -1206 when rows are damaged or do not make up a table.
    """
    definition = catalog_definition("MSysObjects", file_format)
    codec = RecordCodec(definition, is_of_later_engine=file_format.is_of_later_engine)
    tables: dict[int, _Parts] = {}
    for _, record in nodes:
        _add(tables, codec.decode_named(record, "catalog"))
    for objid, parts in tables.items():
        if with_system_tables or objid >= OBJID_USER_FIRST:
            yield _entry(objid, parts)


def _add(tables: dict[int, _Parts], row: Row) -> None:
    objid, kind = _integer(row, "ObjidTable"), _integer(row, "Type")
    if kind == ObjectType.TABLE:
        tables[objid] = _Parts(row)
        return
    parts = tables.get(objid)
    if parts is None:
        raise _damaged(f"{row['Name']!r} belongs to object {objid}, which has no row")
    if kind == ObjectType.COLUMN:
        parts.columns.append(_column(row))
    elif kind == ObjectType.INDEX:
        segments = _segments(row)
        if _integer(row, "Flags") & INDEX_PRIMARY:
            parts.primary = segments
        else:
            parts.secondary.append((row, segments))
    elif kind == ObjectType.LONG_VALUE:
        parts.long_value = (_integer(row, "Id"), _integer(row, "ColtypOrPgnoFDP"))


def _column(row: Row) -> Column:
    number = _integer(row, "ColtypOrPgnoFDP")
    if number not in set(ColumnType):
        raise _damaged(f"column {row['Name']!r} has type {number}")
    column_id, size = _integer(row, "Id"), _integer(row, "SpaceUsage")
    is_sized = column_id >= VARIABLE_FIRST or number in FIXED_FORMATS
    if not is_sized and not 0 < size <= _FIXED_BYTES_MAX:
        raise _damaged(f"column {row['Name']!r} has {size} bytes at a fixed place")
    return Column(
        str(row["Name"]),
        column_id,
        ColumnType(number),
        _integer(row, "Flags"),
        _integer(row, "PagesOrLocale"),
        size,
    )


def _segments(row: Row) -> tuple[int, ...]:
    """Return the column ids of an index: 4 bytes per segment, the id in the last two."""
    ids = row["KeyFldIDs"]
    if not isinstance(ids, bytes) or not ids or len(ids) % 4:
        raise _damaged(f"index {row['Name']!r} has no columns")
    return tuple(int.from_bytes(ids[at + 2 : at + 4], "little") for at in range(0, len(ids), 4))


def _is_plain(row: Row) -> bool:
    """Return whether an index has neither conditions nor parts nor segments with flags."""
    ids = row["KeyFldIDs"]
    assert isinstance(ids, bytes), "the segments of an index were read before"
    has_rules = row["ConditionalColumns"] is not None or row["TupleLimits"] is not None
    return not has_rules and not any(ids[::4])


def _entry(objid: int, parts: _Parts) -> CatalogEntry:
    name = str(parts.table["Name"])
    names = {column.column_id: column.name for column in parts.columns}
    try:
        primary = tuple(names[number] for number in parts.primary)
        indexes = tuple(
            IndexDefinition(
                str(row["Name"]),
                tuple(names[number] for number in segments),
                _integer(row, "Id"),
                _integer(row, "ColtypOrPgnoFDP"),
                _integer(row, "Flags"),
                _is_plain(row),
            )
            for row, segments in parts.secondary
        )
    except KeyError as unknown:
        raise _damaged(f"an index of {name!r} has column {unknown}") from unknown
    return CatalogEntry(
        _definition(name, parts, primary, indexes),
        objid,
        _integer(parts.table, "ColtypOrPgnoFDP"),
        _integer(parts.table, "PagesOrLocale"),
        *parts.long_value,
        indexes,
    )


def _definition(
    name: str, parts: _Parts, primary: tuple[str, ...], indexes: tuple[IndexDefinition, ...]
) -> TableDefinition:
    secondary = tuple(Index(index.name, index.columns, index.flags) for index in indexes)
    try:
        return TableDefinition(name, tuple(parts.columns), primary, secondary)
    except AssertionError as problem:
        raise _damaged(str(problem)) from problem


def _integer(row: Row, name: str) -> int:
    value = row[name]
    if value is None:
        raise _damaged(f"{row['Name']!r} has no {name}")
    return cast("int", value)


def _damaged(what: str) -> EseError:
    hint = "restore the database from a copy or a backup"
    return ese_error(-1206, f"catalog: {what}", hint)
