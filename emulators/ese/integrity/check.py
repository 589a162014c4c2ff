"""The integrity check of a whole database file: `check_database` (ese-format.md D, E, F).

It reads pages and the catalog by itself and shares nothing with the trees that the engine runs on.

Fault model: anything may be on the disk; whatever is wrong becomes a finding. Only a file that
cannot be read, or whose header and shadow are both damaged, is an error. Not checked: values that
are wrong but well formed, and the references between the store's tables, which are isinteg's. What
is not understood of a database that a later engine wrote is counted in `Findings.not_judged`.
"""

from dataclasses import dataclass, field

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.catalog import (
    FDP_CATALOG,
    FDP_CATALOG_SHADOW,
    FDP_DATABASE,
    FDP_NAME_INDEX,
    FDP_ROOT_OBJECTS_INDEX,
    CatalogEntry,
    read_catalog,
)
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.page import NODE_DELETED, Page
from emulators.ese.formats.schema import COLUMN_COMPRESSED
from emulators.ese.integrity.findings import Findings, Rule
from emulators.ese.integrity.long_value_rules import LongValueRules
from emulators.ese.integrity.page_reader import PageOf, PageReader
from emulators.ese.integrity.record_rules import RecordRules
from emulators.ese.integrity.trees_check import TreesCheck

Nodes = dict[bytes, bytes]


@dataclass(slots=True)
class TableFigures:
    """What was met in one table."""

    name: str
    rows: int = 0
    long_values: int = 0


@dataclass(slots=True)
class IntegrityReport:
    """All findings of a check, and the figures of what was met.

    `leaked` are pages that no tree uses and none has available: space that only defragmentation
    brings back, not damage.
    """

    findings: Findings
    tables: list[TableFigures] = field(default_factory=list)
    leaked: set[int] = field(default_factory=set)
    empty_leaves: list[int] = field(default_factory=list)
    used: dict[int, list[int]] = field(default_factory=dict)


def check_database(
    files: FileSet, name: str, file_format: Format = EXCHANGE_2007
) -> IntegrityReport:
    """Check the structure of a database whose file does not change meanwhile.

    Args:
        files: where it lies.
        name: the file.
        file_format: its page size and revision.

    Raises:
        EseError: when the file cannot be read.
    """
    findings = Findings()
    reader = PageReader(files, name, file_format, findings)
    return check_pages(reader.page, reader.last_pgno, file_format, findings)


def check_pages(
    page_of: PageOf, last_pgno: int, file_format: Format, findings: Findings
) -> IntegrityReport:
    """Check the structure of a database whose pages come from anywhere.

    Args:
        page_of: gives a page; None when it cannot be used, which it has noted.
        last_pgno: number of the last page.
        file_format: revision and page size.
        findings: where violations are noted.
    """
    return _DatabaseCheck(page_of, last_pgno, file_format, findings).run()


class _DatabaseCheck:
    """The steps of `check_pages`."""

    def __init__(
        self, page_of: PageOf, last_pgno: int, file_format: Format, findings: Findings
    ) -> None:
        self._format = file_format
        self._findings = findings
        self._is_later = file_format.is_of_later_engine
        self._trees = TreesCheck(page_of, last_pgno, findings, has_single_extents=self._is_later)
        self._tables: list[TableFigures] = []

    def run(self) -> IntegrityReport:
        trees = self._trees
        trees.walk(FDP_DATABASE, _ignore)
        catalog, shadow = self._collect(FDP_CATALOG), self._collect(FDP_CATALOG_SHADOW)
        text = "the catalog's shadow is another"
        self._findings.must(catalog == shadow, Rule.CATALOG_SHADOW, FDP_CATALOG_SHADOW, text)
        entries = self._entries(catalog)
        if entries:
            self._check_tables(entries, catalog)
            trees.check_space()
        used = {fdp: territory.used for fdp, territory in trees.territories.items()}
        return IntegrityReport(self._findings, self._tables, trees.leaked, trees.empty_leaves, used)

    def _collect(self, fdp: int) -> Nodes:
        nodes: Nodes = {}

        def visit(_fdp: int, leaf: Page) -> None:
            for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
                if not flags & NODE_DELETED:
                    nodes[key] = data

        self._trees.walk(fdp, visit)
        return nodes

    def _entries(self, catalog: Nodes) -> list[CatalogEntry]:
        """Return the tables that the catalog describes, and the catalog itself; none if damaged."""
        try:
            entries = list(read_catalog(catalog.items(), self._format, with_system_tables=True))
        except EseError as error:
            self._findings.must(False, Rule.CATALOG, FDP_CATALOG, error.where)
            return []
        has_itself = {FDP_CATALOG, FDP_CATALOG_SHADOW} <= {entry.fdp for entry in entries}
        text = "the catalog does not describe itself"
        self._findings.must(has_itself, Rule.CATALOG, FDP_CATALOG, text)
        return entries if has_itself else []

    def _check_tables(self, entries: list[CatalogEntry], catalog: Nodes) -> None:
        """Check the trees of all tables."""
        for entry in entries:
            if entry.fdp == FDP_CATALOG:
                self._check_catalog_indexes(entry, catalog)
            elif entry.fdp != FDP_CATALOG_SHADOW:
                self._check_table(entry)

    def _check_catalog_indexes(self, entry: CatalogEntry, catalog: Nodes) -> None:
        found = {index.fdp for index in entry.indexes}
        text = "the catalog has other indexes than it must"
        is_right = found == {FDP_NAME_INDEX, FDP_ROOT_OBJECTS_INDEX}
        self._findings.must(is_right, Rule.CATALOG, FDP_CATALOG, text)
        rules = self._rules(entry)
        for key, data in catalog.items():
            rules.record(FDP_CATALOG, key, data)
        self._check_indexes(rules)

    def _check_table(self, entry: CatalogEntry) -> None:
        rules = self._rules(entry)
        figures = TableFigures(entry.definition.name)
        self._tables.append(figures)
        self._trees.walk(entry.fdp, rules.visit)
        self._check_object(entry.fdp, entry.objid)
        figures.rows = rules.count
        if entry.long_value_fdp:
            chunk_bytes = self._format.long_value_chunk_bytes
            is_whole = not rules.unread and not self._has_compressed(entry)
            values = LongValueRules(
                rules.references, chunk_bytes, self._findings, is_whole=is_whole
            )
            self._trees.walk(entry.long_value_fdp, values.visit)
            self._check_object(entry.long_value_fdp, entry.long_value_objid)
            values.finish(entry.long_value_fdp)
            figures.long_values = values.count
        else:
            text = f"{entry.definition.name} refers to long values and has no tree of them"
            self._findings.must(not rules.references, Rule.LONG_VALUE, entry.fdp, text)
        self._check_indexes(rules)

    def _rules(self, entry: CatalogEntry) -> RecordRules:
        return RecordRules(entry, self._findings, is_of_later_engine=self._is_later)

    def _has_compressed(self, entry: CatalogEntry) -> bool:
        """Return whether a later engine may have compressed long values of the table."""
        is_compressed = any(c.flags & COLUMN_COMPRESSED for c in entry.definition.columns)
        return self._is_later and is_compressed

    def _check_indexes(self, rules: RecordRules) -> None:
        for index in rules.indexes:
            self._trees.walk(index.index.fdp, index.visit)
            self._check_object(index.index.fdp, index.index.objid)
            index.finish()

    def _check_object(self, fdp: int, objid: int) -> None:
        found = self._trees.objid_of(fdp)
        text = f"the catalog says object {objid}, the page {found}"
        self._findings.must(found in (objid, None), Rule.CATALOG, fdp, text)


def _ignore(_fdp: int, _leaf: Page) -> None:
    """The root tree of a database has no records."""
