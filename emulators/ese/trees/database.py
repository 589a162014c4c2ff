"""A database as trees and tables: opening it through its catalog, and making a new one.

A new database is built in memory and written at once, before it is attached to the log: its first
pages need no log records, and a crash while they are written leaves a file in state 'just
created', which is refused.
"""

from collections.abc import Iterable, Iterator

from emulators.ese.formats import catalog, catalog_reader
from emulators.ese.formats.catalog_schema import CatalogEntry, IndexDefinition
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.page import FLAG_INDEX, FLAG_LONG_VALUE, FLAG_NON_UNIQUE, Page
from emulators.ese.formats.schema import LONG_TYPES, Index, TableDefinition
from emulators.ese.formats.values import LGPOS_ZERO, Lgpos
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import SYSTEM
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.long_values import LongValues
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.secondary_index import SecondaryIndex
from emulators.ese.trees.space import Space
from emulators.ese.trees.table import Table
from emulators.ese.trees.tree import Tree

ROOT = Tree(fdp=1, objid=1, leaf_flags=0, parent=None)
CATALOG = Tree(fdp=4, objid=2, leaf_flags=0, parent=ROOT)
CATALOG_NAME_INDEX = Tree(fdp=7, objid=4, leaf_flags=FLAG_INDEX, parent=CATALOG)
CATALOG_ROOT_OBJECTS = Tree(fdp=10, objid=5, leaf_flags=FLAG_INDEX, parent=CATALOG)
CATALOG_SHADOW = Tree(fdp=24, objid=3, leaf_flags=0, parent=ROOT)
"""The trees with fixed places (ese-format.md F)."""

DATABASE_PAGES_FIRST = 254
DATABASE_PAGES_STEP = 256
DATABASE_PAGES_SPARE = 64
"""A new file has the first number of pages, or whole steps more where its tables need them."""

CATALOG_PAGES = 20
CATALOG_SHADOW_PAGES = 9
INDEX_PAGES = 3
TABLE_PAGES = 48
LONG_VALUE_PAGES = 16
SECONDARY_INDEX_PAGES = 8
OBJID_FIRST = 6


class Database:
    """The tables of one database.

    Args:
        cache: its pages.
        editor: logs and applies changes; None to read only.
        space: gives pages to trees; None to read only.
    """

    def __init__(
        self, cache: PageCache, editor: Editor | None = None, space: Space | None = None
    ) -> None:
        self.cache = cache
        self._editor = editor
        self._space = space
        self._tables = {opened.definition.name: opened for opened in self._open_tables()}

    def table(self, name: str) -> Table:
        """Return the table of that name; it must exist."""
        return self._tables[name]

    def tables(self) -> list[Table]:
        """Return all tables but the catalog's own, by name."""
        return [self._tables[name] for name in sorted(self._tables)]

    def _tree(self, tree: Tree) -> BTree:
        return BTree(tree, self.cache, self._editor, self._space)

    def _open_tables(self) -> Iterator[Table]:
        rows = self._tree(CATALOG).scan()
        for entry in catalog_reader.read_catalog(rows, self.cache.file_format):
            tree = Tree(entry.fdp, entry.objid, 0, ROOT)
            long_values = None
            if entry.long_value_fdp:
                owner = Tree(entry.long_value_fdp, entry.long_value_objid, FLAG_LONG_VALUE, tree)
                long_values = LongValues(self._tree(owner))
            indexes = self._open_indexes(entry, tree)
            yield Table(entry.definition, self._tree(tree), long_values, indexes)

    def _open_indexes(self, entry: CatalogEntry, parent: Tree) -> list[SecondaryIndex]:
        opened = []
        for index, definition in zip(entry.indexes, entry.definition.indexes, strict=True):
            tree = Tree(index.fdp, index.objid, _index_flags(definition), parent)
            opened.append(SecondaryIndex(definition, entry.definition, self._tree(tree)))
        return opened


def _index_flags(index: Index) -> int:
    return FLAG_INDEX if index.is_unique else FLAG_INDEX | FLAG_NON_UNIQUE


def _table_pages(definition: TableDefinition) -> int:
    return TABLE_PAGES + SECONDARY_INDEX_PAGES * len(definition.indexes)


def _unlogged(_record: bytes) -> Lgpos:
    return LGPOS_ZERO


def _never(pgno: int) -> Page:
    raise AssertionError(f"page {pgno} of a new database was read before it was made")


def _no_growth(_pages: int) -> int:
    raise AssertionError("the tables of a new database do not fit into its first extent")


class DatabaseBuilder:
    """Builds the pages of a new database with the given tables, all empty.

    Args:
        tables: their definitions.
        file_format: decides on the size and checksum of pages and on the catalog's columns.
    """

    def __init__(
        self, tables: Iterable[TableDefinition], file_format: Format = EXCHANGE_2007
    ) -> None:
        definitions = tuple(tables)
        self._cache = PageCache(_never, file_format)
        self._catalog = catalog.CatalogWriter(file_format)
        self._editor = Editor(self._cache, _unlogged, dbtime=1)
        self._space = Space(self._cache, self._editor, _no_growth)
        self._objid = OBJID_FIRST
        self.pages_total = self._pages_for(definitions)
        """Pages of the new file without its header pages; also the number of the last one."""
        self._build_system_trees()
        for definition in definitions:
            self._build_table(definition)

    @property
    def dbtime(self) -> int:
        """The newest dbtime used."""
        return self._editor.dbtime

    @property
    def objid_last(self) -> int:
        """The highest object id in use."""
        return self._objid - 1

    def pages(self) -> dict[int, Page]:
        """Return all pages that were made, by number."""
        return self._cache.resident()

    @staticmethod
    def _pages_for(definitions: tuple[TableDefinition, ...]) -> int:
        needed = catalog.PGNO_USER_FIRST - 1 + sum(map(_table_pages, definitions))
        over = needed - DATABASE_PAGES_FIRST
        if over <= 0:
            return DATABASE_PAGES_FIRST
        steps = -(-(over + DATABASE_PAGES_SPARE) // DATABASE_PAGES_STEP)
        return DATABASE_PAGES_FIRST + steps * DATABASE_PAGES_STEP

    def _build_system_trees(self) -> None:
        space = self._space
        space.make_tree(ROOT, first=1, pages=self.pages_total)
        space.carve(ROOT, CATALOG.fdp, CATALOG_PAGES)
        space.make_tree(CATALOG, first=CATALOG.fdp, pages=CATALOG_PAGES)
        for index in (CATALOG_NAME_INDEX, CATALOG_ROOT_OBJECTS):
            space.carve(CATALOG, index.fdp, INDEX_PAGES)
            space.make_tree(index, first=index.fdp, pages=INDEX_PAGES)
        space.carve(ROOT, CATALOG_SHADOW.fdp, CATALOG_SHADOW_PAGES)
        space.make_tree(CATALOG_SHADOW, first=CATALOG_SHADOW.fdp, pages=CATALOG_SHADOW_PAGES)
        self._describe(self._catalog.system_rows())

    def _build_table(self, definition: TableDefinition) -> None:
        pages = _table_pages(definition)
        tree = self._make_tree(ROOT, pages, 0)
        long_value = None
        if any(column.column_type in LONG_TYPES for column in definition.columns):
            long_value = self._make_tree(tree, LONG_VALUE_PAGES, FLAG_LONG_VALUE)
        indexes = tuple(self._make_index(tree, index) for index in definition.indexes)
        self._describe(
            self._catalog.table_rows(
                definition,
                objid=tree.objid,
                fdp=tree.fdp,
                pages=pages,
                long_value=None if long_value is None else (long_value.objid, long_value.fdp),
                indexes=indexes,
            )
        )

    def _make_index(self, parent: Tree, index: Index) -> IndexDefinition:
        tree = self._make_tree(parent, SECONDARY_INDEX_PAGES, _index_flags(index))
        return IndexDefinition(index.name, index.columns, tree.objid, tree.fdp, index.flags)

    def _make_tree(self, parent: Tree, pages: int, leaf_flags: int) -> Tree:
        first = self._space.take_exactly(parent, pages)
        tree = Tree(first, self._objid, leaf_flags, parent)
        self._objid += 1
        self._space.make_tree(tree, first=first, pages=pages)
        return tree

    def _describe(self, rows: Iterable[catalog.CatalogRow]) -> None:
        for row in rows:
            self._insert(CATALOG, row.key, row.record)
            self._insert(CATALOG_SHADOW, row.key, row.record)
            self._insert(CATALOG_NAME_INDEX, row.name_key, row.key)
            if row.root_key is not None:
                self._insert(CATALOG_ROOT_OBJECTS, row.root_key, row.key)

    def _insert(self, tree: Tree, key: bytes, data: bytes) -> None:
        BTree(tree, self._cache, self._editor, self._space).insert(SYSTEM, key, data)
