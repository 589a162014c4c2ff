"""One table of a damaged file: which of its rows and long values can be kept, and what is lost."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from emulators.ese.errors import EseError
from emulators.ese.formats import long_value
from emulators.ese.formats.catalog import CatalogEntry
from emulators.ese.formats.format import Format
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.record import RecordCodec, Separated, Value
from emulators.ese.integrity.record_rules import key_of
from emulators.ese.maintenance.salvage import Node, Salvage, SalvagedTree
from emulators.ese.trees.bulk_database import BulkDatabase

_LONG_VALUE_ROOT_BYTES = 8
_NO_SIZE = -1


@dataclass(slots=True)
class TableRepair:
    """What was kept of a table, and what is known to be lost."""

    name: str
    rows: int = 0
    rows_unreadable: int = 0
    rows_without_values: int = 0
    rows_excluded: int = 0
    long_values: int = 0
    long_values_incomplete: int = 0
    long_values_unused: int = 0
    pages_lost: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be lost."""
        lost = self.rows_unreadable + self.rows_without_values + self.rows_excluded
        return not lost + self.long_values_incomplete + self.long_values_unused + self.pages_lost


class TableSalvage:
    """One table on its way from the damaged file into the new one.

    Args:
        salvage: finds what is left of its trees.
        entry: the table as the catalog describes it.
        file_format: of the file.
    """

    def __init__(self, salvage: Salvage, entry: CatalogEntry, file_format: Format) -> None:
        definition = entry.definition
        self._salvage = salvage
        self._entry = entry
        self._format = file_format
        self._codec = RecordCodec(definition)
        self._key = RowKey(definition)
        self._index_keys = [(each, RowKey(definition, each.columns)) for each in definition.indexes]
        self._entries: dict[str, list[Node]] = {each.name: [] for each in definition.indexes}
        self._taken: dict[str, set[bytes]] = {each.name: set() for each in definition.indexes}
        self._references: Counter[int] = Counter()
        self._values: set[int] = set()
        self._done = TableRepair(definition.name)

    def run(self, target: BulkDatabase) -> TableRepair:
        """Make the table in the new file; return what was kept and lost."""
        entry, done = self._entry, self._done
        rows = self._salvage.tree(entry.fdp, entry.objid)
        values = SalvagedTree()
        if entry.long_value_fdp:
            values = self._salvage.tree(entry.long_value_fdp, entry.long_value_objid)
            self._values = set(self._whole_values(values))
        table = target.begin_table(entry.definition)
        table.rows.add_all(self._rows(rows))
        if table.long_values is not None:
            table.long_values.add_all(self._value_nodes(values))
        target.finish_table(table, {name: sorted(e) for name, e in self._entries.items()})
        done.pages_lost = len(rows.lost_pages) + len(values.lost_pages)
        done.long_values = len(self._references)
        done.long_values_unused = len(self._values) - len(self._references)
        return done

    def _rows(self, tree: SalvagedTree) -> Iterator[Node]:
        """Yield the records that can be kept, and note their entries and references."""
        for key, record in self._salvage.nodes(tree):
            row = self._row(key, record)
            if row is None:
                self._done.rows_unreadable += 1
                continue
            lids = [value.lid for value in row if isinstance(value, Separated)]
            if not self._values.issuperset(lids):
                self._done.rows_without_values += 1
                continue
            if not self._has_entered(row, key):
                self._done.rows_excluded += 1
                continue
            self._references.update(lids)
            self._done.rows += 1
            yield key, record

    def _row(self, key: bytes, record: bytes) -> tuple[Value, ...] | None:
        """Return the row of a record; None when it is not one, or not that of its key."""
        try:
            row = self._codec.decode(record)
        except EseError:
            return None
        is_own = key_of(self._key, row) == key
        has_keys = all(key_of(index_key, row) is not None for _, index_key in self._index_keys)
        return row if is_own and has_keys else None

    def _has_entered(self, row: tuple[Value, ...], primary: bytes) -> bool:
        """Note a row's index entries; not if a unique index has one of its keys already."""
        entries = [
            (index, index_key.of(row))
            for index, index_key in self._index_keys
            if index.has_entry(index_key.nulls_of(row))
        ]
        if any(key in self._taken[index.name] for index, key in entries if index.is_unique):
            return False
        for index, key in entries:
            self._entries[index.name].append((key, primary))
            if index.is_unique:
                self._taken[index.name].add(key)
        return True

    def _whole_values(self, tree: SalvagedTree) -> Iterator[int]:
        """Yield the long values whose chunks make up their size; count the others."""
        value = _Chunks()
        for key, data in self._salvage.nodes(tree):
            if long_value.lid_of(key) == value.lid and not long_value.is_root_key(key):
                value.add(key, data)
                continue
            yield from self._judged(value)
            value = _Chunks(key, data)
        yield from self._judged(value)

    def _judged(self, value: "_Chunks") -> Iterator[int]:
        if value.is_whole:
            yield value.lid
        elif value.lid:
            self._done.long_values_incomplete += 1

    def _value_nodes(self, tree: SalvagedTree) -> Iterator[Node]:
        """Yield the nodes of the long values that records refer to, with their new counts."""
        for key, data in self._salvage.nodes(tree):
            references = self._references.get(long_value.lid_of(key), 0)
            if references and long_value.is_root_key(key):
                size = long_value.decode_root(data).size
                yield key, long_value.encode_root(size, references)
            elif references:
                yield key, data


class _Chunks:
    """A long value as its nodes come: what its root states, and how far its chunks reach.

    Args:
        key: of its first node, which must be its root.
        data: of that node.
    """

    def __init__(self, key: bytes = b"", data: bytes = b"") -> None:
        self.lid = long_value.lid_of(key)
        is_root = long_value.is_root_key(key) and len(data) == _LONG_VALUE_ROOT_BYTES
        self._size = long_value.decode_root(data).size if is_root else _NO_SIZE
        self._end = 0

    @property
    def is_whole(self) -> bool:
        """Whether the chunks make up the size that the root states."""
        return self.lid > 0 and self._end == self._size

    def add(self, key: bytes, data: bytes) -> None:
        """Take in a chunk; one that does not follow spoils the value."""
        if key != long_value.chunk_key(self.lid, self._end):
            self._size = _NO_SIZE
        self._end += len(data)
