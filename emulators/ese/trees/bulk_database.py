"""A whole database file from sorted nodes: tables one after another, then the catalog (F).

Every page is written once, most of them in the order in which they lie in the file. What is loaded
is not logged: it is a file that nobody has attached yet, and its header, which makes it a database,
is written last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulators.ese.formats import catalog
from emulators.ese.formats.catalog import CatalogRow, CatalogWriter, IndexDefinition
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import FLAG_INDEX, FLAG_LONG_VALUE, FLAG_NON_UNIQUE
from emulators.ese.formats.schema import LONG_TYPES, Index, TableDefinition
from emulators.ese.trees.bulk_pages import BulkPages, PageWriter
from emulators.ese.trees.bulk_space import Territory
from emulators.ese.trees.bulk_tree import BulkTree

Nodes = Iterable[tuple[bytes, bytes]]

INDEX_PAGES = 3
DATABASE_PAGES_MIN = 254
"""A smaller file is rounded up to what a new database has."""


@dataclass(slots=True)
class BulkTable:
    """A table that is being loaded: its trees, to which nodes are added in order of their keys.

    Rows and long values may be added by turns; an index in one go.
    """

    definition: TableDefinition
    rows: BulkTree
    long_values: BulkTree | None
    indexes: dict[str, BulkTree] = field(default_factory=dict)


class BulkDatabase:
    """A database file that is being made.

    Args:
        write: takes its pages.
        file_format: of the file.
        dbtime: what all pages carry as the time of their last change.
    """

    def __init__(self, write: PageWriter, file_format: Format, dbtime: int = 1) -> None:
        self._pages = BulkPages(write, file_format, dbtime)
        self._writer = CatalogWriter(file_format)
        self._rows: list[CatalogRow] = list(self._writer.system_rows())
        self.objid_last = catalog.OBJID_USER_FIRST - 1
        self._root = BulkTree(self._pages, Territory(None), catalog.OBJID_DATABASE)
        land = self._root.territory
        self._catalog = self._system_tree(land, catalog.PAGES_CATALOG, catalog.OBJID_CATALOG, 0)
        below = self._catalog.territory
        self._names, self._root_objects = (
            self._system_tree(below, INDEX_PAGES, objid, FLAG_INDEX)
            for objid in (catalog.OBJID_NAME_INDEX, catalog.OBJID_ROOT_OBJECTS_INDEX)
        )
        self._shadow = self._system_tree(
            land, catalog.PAGES_CATALOG_SHADOW, catalog.OBJID_CATALOG_SHADOW, 0
        )
        fdps = [tree.fdp for tree in (self._catalog, self._names, self._root_objects, self._shadow)]
        assert fdps == [
            catalog.FDP_CATALOG,
            catalog.FDP_NAME_INDEX,
            catalog.FDP_ROOT_OBJECTS_INDEX,
            catalog.FDP_CATALOG_SHADOW,
        ], f"the system trees lie at {fdps}"

    def begin_table(
        self, definition: TableDefinition, *, is_interleaved: bool = False
    ) -> BulkTable:
        """Begin a table; it must be finished before the next one is begun.

        Args:
            definition: of the table.
            is_interleaved: whether rows and long values will come by turns; long values then take
                larger extents, so that each tree owns few.
        """
        rows = self._tree(self._root.territory)
        has_long_values = any(column.column_type in LONG_TYPES for column in definition.columns)
        long_values = None
        if has_long_values:
            long_values = self._tree(rows.territory, FLAG_LONG_VALUE, is_growing=is_interleaved)
        return BulkTable(definition, rows, long_values)

    def finish_table(self, table: BulkTable, index_nodes: Mapping[str, Nodes]) -> None:
        """Load the indexes of a table, and write what is left of it.

        Args:
            table: with all its rows and long values.
            index_nodes: for each index its entries, in order.
        """
        if table.long_values is not None:
            table.long_values.finish()
        for index in table.definition.indexes:
            tree = self._tree(table.rows.territory, index_page_flags(index))
            table.indexes[index.name] = tree
            tree.add_all(index_nodes[index.name])
            tree.finish()
        table.rows.finish()
        self._describe(table)

    def finish(self) -> int:
        """Write catalog and root; return the number of the last page."""
        rows = sorted(self._rows)
        for tree in (self._catalog, self._shadow):
            tree.add_all((row.key, row.record) for row in rows)
        self._names.add_all(sorted((row.name_key, row.key) for row in rows))
        roots = ((row.root_key, row.key) for row in rows if row.root_key is not None)
        self._root_objects.add_all(sorted(roots))
        for tree in (self._names, self._root_objects, self._catalog, self._shadow):
            tree.finish()
        self._root.territory.grow_to(DATABASE_PAGES_MIN)
        self._root.finish()
        self._pages.flush()
        return self._root.territory.pages

    def _system_tree(self, parent: Territory, pages: int, objid: int, flags: int) -> BulkTree:
        return BulkTree(self._pages, Territory(parent, pages), objid, flags)

    def _tree(self, parent: Territory, flags: int = 0, *, is_growing: bool = False) -> BulkTree:
        self.objid_last += 1
        territory = Territory(parent, is_growing=is_growing)
        return BulkTree(self._pages, territory, self.objid_last, flags)

    def _describe(self, table: BulkTable) -> None:
        """Note the catalog rows of a table whose trees are done."""
        long_values = table.long_values
        indexes = tuple(
            IndexDefinition(
                index.name,
                index.columns,
                table.indexes[index.name].objid,
                table.indexes[index.name].fdp,
                index.flags,
            )
            for index in table.definition.indexes
        )
        self._rows += self._writer.table_rows(
            table.definition,
            objid=table.rows.objid,
            fdp=table.rows.fdp,
            pages=table.rows.territory.owned[0][1],
            long_value=None if long_values is None else (long_values.objid, long_values.fdp),
            indexes=indexes,
        )


def index_page_flags(index: Index) -> int:
    """Return the page flags of an index's tree."""
    return FLAG_INDEX if index.is_unique else FLAG_INDEX | FLAG_NON_UNIQUE
