"""`eseutil /ms` and `/mm`: what space each tree owns, and what the catalog describes.

The columns are those of the original as far as they are known (assumption: no sample of its output
for Exchange 2003 or 2007 was at hand). Both need a database that was shut down cleanly.
"""

from collections.abc import Iterator
from typing import NamedTuple

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.catalog import (
    FDP_CATALOG,
    FDP_DATABASE,
    OBJID_DATABASE,
    CatalogEntry,
    read_catalog,
)
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import NODE_DELETED, Page
from emulators.ese.integrity.findings import Findings
from emulators.ese.integrity.page_reader import PageReader
from emulators.ese.integrity.trees_check import TreesCheck
from emulators.ese.maintenance.defragmentation import require_clean
from emulators.ese.tools.dump import Report
from emulators.ese.tools.own_format import own_format

_LINE_LENGTH = 79
_NAME_WIDTH = 31


class DatabaseObject(NamedTuple):
    """One line of a dump: an object that has a tree of its own, or the primary order of a table."""

    name: str
    kind: str
    objid: int
    fdp: int
    depth: int
    owns_tree: bool = True


def dump_space(files: FileSet, name: str, file_format: Format | None = None) -> Report:
    """Return the text of `eseutil /ms`: pages owned and available, tree by tree."""
    text = _title("SPACE DUMP")
    text += _columns("Name", "Type", "ObjidFDP", "PgnoFDP", "Owned", "Available")
    try:
        own = own_format(files, name, file_format)
        require_clean(files, name, own)
        survey = _Survey(files, name, own)
        lines = [_object_line(each, *survey.space_of(each)) for each in survey.objects(name)]
        survey.require_sound()
    except EseError as error:
        return text, error
    return text + "".join(lines) + f"{'-' * _LINE_LENGTH}\n", None


def dump_metadata(files: FileSet, name: str, file_format: Format | None = None) -> Report:
    """Return the text of `eseutil /mm`: tables, their indexes, long values and columns."""
    text = _title("META-DATA DUMP") + _columns("Name", "Type", "ObjidFDP", "PgnoFDP")
    try:
        own = own_format(files, name, file_format)
        require_clean(files, name, own)
        survey = _Survey(files, name, own)
        lines = [_object_line(each) for each in survey.objects(name)]
        lines += [line for entry in survey.entries for line in _column_lines(entry)]
        survey.require_sound()
    except EseError as error:
        return text, error
    return text + "".join(lines) + f"{'-' * _LINE_LENGTH}\n", None


class _Survey:
    """A database as its catalog and its space trees show it."""

    def __init__(self, files: FileSet, name: str, file_format: Format) -> None:
        self._name = name
        self._findings = Findings()
        reader = PageReader(files, name, file_format, self._findings)
        self._trees = TreesCheck(reader.page, reader.last_pgno, self._findings)
        rows: list[tuple[bytes, bytes]] = []

        def collect(_fdp: int, leaf: Page) -> None:
            nodes = zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True)
            rows.extend((key, data) for key, data, flags in nodes if not flags & NODE_DELETED)

        self._trees.walk(FDP_CATALOG, collect)
        self.require_sound()
        self.entries = list(read_catalog(rows, file_format, with_system_tables=True))

    def objects(self, name: str) -> Iterator[DatabaseObject]:
        """Yield the database, its tables, and below each its long values and indexes."""
        yield DatabaseObject(name, "Db", OBJID_DATABASE, FDP_DATABASE, 0)
        for entry in self.entries:
            yield DatabaseObject(entry.definition.name, "Tbl", entry.objid, entry.fdp, 1)
            if entry.long_value_fdp:
                objid, fdp = entry.long_value_objid, entry.long_value_fdp
                yield DatabaseObject("<Long Values>", "LV", objid, fdp, 2)
            yield DatabaseObject("Primary", "Pri", entry.objid, entry.fdp, 2, owns_tree=False)
            for index in entry.indexes:
                yield DatabaseObject(index.name, "Idx", index.objid, index.fdp, 2)

    def space_of(self, item: DatabaseObject) -> tuple[int | None, int | None]:
        """Return how many pages a tree owns and has available, None where it has none itself."""
        if not item.owns_tree:
            return None, None
        if item.fdp not in self._trees.territories:
            self._trees.walk(item.fdp, lambda _fdp, _leaf: None)
        territory = self._trees.territories[item.fdp]
        return len(territory.owned), len(territory.available)

    def require_sound(self) -> None:
        """Raise -1206 when a page that was read breaks a rule."""
        if self._findings:
            hint = "eseutil /g lists all that is wrong"
            raise ese_error(-1206, f"{self._name}, {self._findings[0]}", hint)


def _title(text: str) -> str:
    return f"{f' {text} '.center(_LINE_LENGTH, '*')}\n"


def _columns(name: str, kind: str, *numbers: str) -> str:
    cells = "".join(number.rjust(11) for number in numbers)
    return f"{name.ljust(_NAME_WIDTH)} {kind.ljust(4)}{cells}\n{'=' * _LINE_LENGTH}\n"


def _object_line(item: DatabaseObject, *space: int | None) -> str:
    name = ("  " * item.depth + item.name).ljust(_NAME_WIDTH)
    numbers = (item.objid, item.fdp, *space)
    cells = "".join(("-" if number is None else str(number)).rjust(11) for number in numbers)
    return f"{name} {item.kind.ljust(4)}{cells}\n"


def _column_lines(entry: CatalogEntry) -> Iterator[str]:
    yield f"\n{entry.definition.name}\n"
    for column in entry.definition.columns:
        kind = column.column_type.name.replace("_", " ").title().replace(" ", "")
        name = f"  {column.name}".ljust(_NAME_WIDTH)
        yield f"{name} Col {str(column.column_id).rjust(12)} {kind}\n"
