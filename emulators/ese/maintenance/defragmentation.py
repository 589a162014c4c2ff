"""Offline defragmentation: a new database file with every tree packed, in the place of the old.

Records, long values and index entries are copied as they are, node by node, into full pages. The
source is checked as it is read: a page that breaks a rule ends the copy, and the source stays.

Fault model: that of the files. A copy that does not come to its end is removed; the two renames at
the end leave either file whole. A streaming file is given the new database's signature last: after
a crash before that it no longer matches (-540), and repair makes a new one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.catalog import FDP_CATALOG, CatalogEntry, read_catalog
from emulators.ese.formats.database_header import DatabaseHeader, read_header
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.formats.page import NODE_DELETED
from emulators.ese.integrity.findings import Findings
from emulators.ese.integrity.page_reader import PageReader
from emulators.ese.integrity.tree_walk import TreeWalk
from emulators.ese.maintenance.exchange_file import discard, made_anew, put_in_place
from emulators.ese.trees.bulk_database import BulkDatabase
from emulators.ese.trees.bulk_load import BulkFile, renew_streaming_file


class Defragmented(NamedTuple):
    """How large the file was and is, in bytes."""

    bytes_before: int
    bytes_after: int


def require_clean(files: FileSet, name: str, file_format: Format) -> DatabaseHeader:
    """Return the header of a database in Clean Shutdown.

    Raises:
        EseError: -550 when it is in any other state, or why it cannot be read.
    """
    header = read_header(files, name, file_format)
    if not header.is_clean:
        hint = "run soft recovery (eseutil /r) first"
        raise ese_error(-550, f"{name}: its state is {header.state.name}", hint)
    return header


def defragment(
    files: FileSet,
    name: str,
    *,
    temporary: str,
    now_ns: int,
    file_format: Format = EXCHANGE_2007,
    backup: str = "",
    is_put_in_place: bool = True,
) -> Defragmented:
    """Copy a database into a new file and put that in its place.

    Args:
        files: where it lies; there must be room for the copy.
        name: the file.
        temporary: name of the copy while it is made.
        now_ns: calendar time, for the new signature.
        file_format: its page size and revision.
        backup: the name under which the old file is kept; empty to remove it.
        is_put_in_place: whether the copy takes the place of the old file; it keeps its temporary
            name otherwise.

    Raises:
        EseError: -550 when it was not shut down cleanly, -1206 when it is damaged, -1808 when there
            is no room, -1814 when there is a file of the temporary name; nothing is changed then.
    """
    header = require_clean(files, name, file_format)
    target = BulkFile(files, temporary, file_format, header.dbtime)
    try:
        _Copy(files, name, file_format, target.database).run()
        after = _header_after(header, now_ns)
        last_pgno = target.finish(after)
    except EseError:
        discard(files, temporary)
        raise
    sizes = Defragmented(files.size(name), files.size(temporary))
    if is_put_in_place:
        put_in_place(files, temporary, name, backup)
    renew_streaming_file(files, name if is_put_in_place else temporary, after, last_pgno)
    return sizes


class _Copy:
    """The trees of one database on their way into another."""

    def __init__(
        self, files: FileSet, name: str, file_format: Format, target: BulkDatabase
    ) -> None:
        self._name = name
        self._format = file_format
        self._target = target
        self._findings = Findings()
        self._reader = PageReader(files, name, file_format, self._findings)

    def run(self) -> None:
        for entry in list(read_catalog(self._nodes(FDP_CATALOG), self._format)):
            self._copy_table(entry)

    def _copy_table(self, entry: CatalogEntry) -> None:
        table = self._target.begin_table(entry.definition)
        table.rows.add_all(self._nodes(entry.fdp))
        if table.long_values is not None and entry.long_value_fdp:
            table.long_values.add_all(self._nodes(entry.long_value_fdp))
        indexes = {index.name: self._nodes(index.fdp) for index in entry.indexes}
        self._target.finish_table(table, indexes)

    def _nodes(self, fdp: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield the nodes of a tree; raises -1206 at the first broken rule."""
        walk = TreeWalk(self._reader.page, fdp, self._findings)
        for leaf in walk.leaves():
            self._require_sound()
            for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
                if not flags & NODE_DELETED:
                    yield key, data
        self._require_sound()

    def _require_sound(self) -> None:
        if self._findings:
            hint = "restore the database from a copy or a backup; eseutil /p would repair it"
            raise ese_error(-1206, f"{self._name}, {self._findings[0]}", hint)


def _header_after(old: DatabaseHeader, now_ns: int) -> DatabaseHeader:
    """Return the header of the copy: a database of its own, which no log and no backup knows.

    Assumption: earlier repairs are added to the old count, which tells of those before the last
    defragmentation.
    """
    header = made_anew(old, now_ns)
    header.repair_count_old = old.repair_count_old + old.repair_count
    return header
