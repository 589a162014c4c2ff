"""The catalog, MSysObjects: what tables there are, as rows of a table (ese-format.md F).

Rows are made here and read back by `catalog_reader`, whose functions this module offers as well.
"""

from collections.abc import Iterator

from emulators.ese.formats.catalog_reader import read_catalog
from emulators.ese.formats.catalog_schema import (
    FDP_CATALOG,
    FDP_CATALOG_SHADOW,
    FDP_DATABASE,
    FDP_NAME_INDEX,
    FDP_ROOT_OBJECTS_INDEX,
    INDEX_FLAGS_PRIMARY,
    OBJID_CATALOG,
    OBJID_CATALOG_SHADOW,
    OBJID_DATABASE,
    OBJID_NAME_INDEX,
    OBJID_ROOT_OBJECTS_INDEX,
    OBJID_USER_FIRST,
    PAGES_CATALOG,
    PAGES_CATALOG_SHADOW,
    PGNO_USER_FIRST,
    CatalogEntry,
    CatalogRow,
    IndexDefinition,
    ObjectType,
    catalog_definition,
)
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.record import RecordCodec, Value
from emulators.ese.formats.schema import VARIABLE_FIRST, TableDefinition

__all__ = [
    "FDP_CATALOG",
    "FDP_CATALOG_SHADOW",
    "FDP_DATABASE",
    "FDP_NAME_INDEX",
    "FDP_ROOT_OBJECTS_INDEX",
    "OBJID_CATALOG",
    "OBJID_CATALOG_SHADOW",
    "OBJID_DATABASE",
    "OBJID_NAME_INDEX",
    "OBJID_ROOT_OBJECTS_INDEX",
    "OBJID_USER_FIRST",
    "PAGES_CATALOG",
    "PAGES_CATALOG_SHADOW",
    "PGNO_USER_FIRST",
    "CatalogEntry",
    "CatalogRow",
    "CatalogWriter",
    "IndexDefinition",
    "ObjectType",
    "catalog_definition",
    "read_catalog",
    "system_rows",
    "table_rows",
]

_INDEX_FLAGS_CATALOG_ID = 0x10031
_INDEX_FLAGS_CATALOG_NAME = 0x10011
_INDEX_FLAGS_CATALOG_ROOT_OBJECTS = 0x10009
_TABLE_FLAGS_CATALOG = 0xC0000000 - (1 << 32)
_DENSITY = 80
_LC_MAP_FLAGS = 0x30401
# Assumption (F): the old formats keep a locale here, and it is US English.
_INDEX_LOCALE = 1033
_LONG_VALUE_NAME = "LV"
_LONG_VALUE_SPACE_USAGE = 100
_RECORD_HEADER_BYTES = 4


class CatalogWriter:
    """Makes the rows of a catalog.

    Args:
        file_format: whose revision decides on the catalog's own columns.
    """

    def __init__(self, file_format: Format = EXCHANGE_2007) -> None:
        self._definition = catalog_definition("MSysObjects", file_format)
        self._shadow = catalog_definition("MSysObjectsShadow", file_format)
        self._codec = RecordCodec(self._definition)
        self._names = {c.name: i for i, c in enumerate(self._definition.columns)}
        self._key = RowKey(self._definition)
        self._name_key = RowKey(self._definition, ("ObjidTable", "Type", "Name"))
        self._root_key = RowKey(self._definition, ("RootFlag", "Name"))

    def system_rows(self) -> Iterator[CatalogRow]:
        """Yield the rows by which the catalog and its shadow describe themselves."""
        catalog, shadow = self._definition, self._shadow
        identifiers = catalog.primary_key
        yield self._table(catalog.name, OBJID_CATALOG, FDP_CATALOG, PAGES_CATALOG, is_system=True)
        yield from self._columns(catalog, OBJID_CATALOG)
        for name, columns, objid, fdp, flags in (
            ("Id", identifiers, OBJID_CATALOG, FDP_CATALOG, _INDEX_FLAGS_CATALOG_ID),
            (
                "Name",
                ("ObjidTable", "Type", "Name"),
                OBJID_NAME_INDEX,
                FDP_NAME_INDEX,
                _INDEX_FLAGS_CATALOG_NAME,
            ),
            (
                "RootObjects",
                ("RootFlag", "Name"),
                OBJID_ROOT_OBJECTS_INDEX,
                FDP_ROOT_OBJECTS_INDEX,
                _INDEX_FLAGS_CATALOG_ROOT_OBJECTS,
            ),
        ):
            index = IndexDefinition(name, columns, objid, fdp, flags)
            yield self._index(catalog, OBJID_CATALOG, index)
        yield self._table(
            shadow.name,
            OBJID_CATALOG_SHADOW,
            FDP_CATALOG_SHADOW,
            PAGES_CATALOG_SHADOW,
            is_system=True,
        )
        yield from self._columns(shadow, OBJID_CATALOG_SHADOW)
        index = IndexDefinition(
            "Id", identifiers, OBJID_CATALOG_SHADOW, FDP_CATALOG_SHADOW, _INDEX_FLAGS_CATALOG_ID
        )
        yield self._index(shadow, OBJID_CATALOG_SHADOW, index)

    def table_rows(
        self,
        definition: TableDefinition,
        *,
        objid: int,
        fdp: int,
        pages: int,
        long_value: tuple[int, int] | None = None,
        indexes: tuple[IndexDefinition, ...] = (),
    ) -> Iterator[CatalogRow]:
        """Yield the rows of one table.

        Args:
            definition: its columns and primary key.
            objid: object id of the table.
            fdp: root page of its rows.
            pages: pages of its first extent.
            long_value: object id and root page of its long-value tree, if it has one.
            indexes: its secondary indexes.
        """
        yield self._table(definition.name, objid, fdp, pages, is_system=False)
        yield from self._columns(definition, objid)
        primary = IndexDefinition(
            "Primary", definition.primary_key, objid, fdp, INDEX_FLAGS_PRIMARY
        )
        for index in (primary, *indexes):
            yield self._index(definition, objid, index)
        if long_value is not None:
            yield self._row(
                ObjidTable=objid,
                Type=ObjectType.LONG_VALUE,
                Id=long_value[0],
                ColtypOrPgnoFDP=long_value[1],
                SpaceUsage=_LONG_VALUE_SPACE_USAGE,
                Flags=0,
                PagesOrLocale=1,
                Name=_LONG_VALUE_NAME,
            )

    def _table(self, name: str, objid: int, fdp: int, pages: int, *, is_system: bool) -> CatalogRow:
        return self._row(
            ObjidTable=objid,
            Type=ObjectType.TABLE,
            Id=objid,
            ColtypOrPgnoFDP=fdp,
            SpaceUsage=_DENSITY,
            Flags=_TABLE_FLAGS_CATALOG if is_system else 0,
            PagesOrLocale=pages,
            RootFlag=True,
            Name=name,
        )

    def _columns(self, definition: TableDefinition, objid: int) -> Iterator[CatalogRow]:
        offset = _RECORD_HEADER_BYTES
        for column in definition.columns:
            is_fixed = column.column_id < VARIABLE_FIRST
            yield self._row(
                ObjidTable=objid,
                Type=ObjectType.COLUMN,
                Id=column.column_id,
                ColtypOrPgnoFDP=column.column_type,
                SpaceUsage=column.size_max,
                Flags=column.flags,
                PagesOrLocale=column.code_page,
                RecordOffset=offset if is_fixed else None,
                Name=column.name,
            )
            offset += column.size_max if is_fixed else 0

    def _index(self, definition: TableDefinition, objid: int, index: IndexDefinition) -> CatalogRow:
        segments = b"".join(
            b"\0\0" + definition.columns[definition.index_of(name)].column_id.to_bytes(2, "little")
            for name in index.columns
        )
        return self._row(
            ObjidTable=objid,
            Type=ObjectType.INDEX,
            Id=index.objid,
            ColtypOrPgnoFDP=index.fdp,
            SpaceUsage=_DENSITY,
            Flags=index.flags,
            PagesOrLocale=_INDEX_LOCALE,
            LCMapFlags=_LC_MAP_FLAGS,
            Name=index.name,
            KeyFldIDs=segments,
        )

    def _row(self, **named: Value) -> CatalogRow:
        values: list[Value] = [None] * len(self._names)
        for name, value in named.items():
            values[self._names[name]] = value
        is_root = named.get("RootFlag") is not None
        return CatalogRow(
            key=self._key.of(values),
            record=self._codec.encode(values),
            name_key=self._name_key.of(values),
            root_key=self._root_key.of(values) if is_root else None,
        )


def system_rows(file_format: Format = EXCHANGE_2007) -> Iterator[CatalogRow]:
    """Yield the rows by which the catalog and its shadow describe themselves."""
    return CatalogWriter(file_format).system_rows()


def table_rows(
    definition: TableDefinition,
    *,
    objid: int,
    fdp: int,
    pages: int,
    long_value: tuple[int, int] | None = None,
    indexes: tuple[IndexDefinition, ...] = (),
    file_format: Format = EXCHANGE_2007,
) -> Iterator[CatalogRow]:
    """Yield the rows of one table; see `CatalogWriter.table_rows`."""
    return CatalogWriter(file_format).table_rows(
        definition, objid=objid, fdp=fdp, pages=pages, long_value=long_value, indexes=indexes
    )
