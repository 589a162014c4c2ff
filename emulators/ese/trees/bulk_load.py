"""Databases loaded in bulk from sorted rows: what a test or a migration of many messages needs.

    loader = BulkLoader(files, "MDB1.edb", EXCHANGE_2007, tables)
    loader.load("Msg", rows)
    header = loader.finish(signature, now)

The result is in Clean Shutdown, belongs to no log stream yet, and can be mounted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import cast

from emulators.ese.file_set import FileSet
from emulators.ese.formats import long_value, streaming_file
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import Format
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.formats.record import RecordCodec, Separated, Value
from emulators.ese.formats.schema import LONG_TYPES, Column, TableDefinition
from emulators.ese.formats.values import SIGNATURE_ZERO, LogTime, Signature
from emulators.ese.trees.bulk_database import BulkDatabase, BulkTable, Nodes
from emulators.ese.trees.table import LONG_VALUE_IN_RECORD_BYTES_MAX, RowValue
from sim.payload import Segments, length_of, to_bytes

ROWS_PER_BATCH = 256
NO_NULLS = 0


class BulkLoader:
    """Loads the tables of a new database file.

    Args:
        files: where the file is made; it must not be there.
        name: the file.
        file_format: of the file.
        tables: all of its tables; those that are not loaded stay empty.

    Raises:
        EseError: -1814 when the file is there, -1808 when the disk is full.
    """

    def __init__(
        self, files: FileSet, name: str, file_format: Format, tables: Iterable[TableDefinition]
    ) -> None:
        self._files = files
        self._name = name
        self._target = BulkFile(files, name, file_format)
        self._format = file_format
        self._waiting = {definition.name: definition for definition in tables}

    def load(self, name: str, rows: Iterable[Sequence[RowValue]]) -> int:
        """Load a table, which can be done once; return how many rows it has.

        Args:
            name: the table.
            rows: in order of the primary key; long values as text, bytes, or segments.

        Raises:
            EseError: -1206 when rows are not in order.
        """
        table = self._target.database.begin_table(self._waiting.pop(name), is_interleaved=True)
        encoder = _RowEncoder(table, self._format)
        table.rows.add_all(encoder.nodes(rows))
        self._target.database.finish_table(table, encoder.index_nodes())
        return encoder.count

    def finish(self, signature: Signature, now: LogTime) -> DatabaseHeader:
        """Make the tables that were not loaded, and write catalog and header."""
        for name in list(self._waiting):
            self.load(name, ())
        header = DatabaseHeader(self._format, signature, SIGNATURE_ZERO)
        header.consistent_time = header.detach_time = now
        last_pgno = self._target.finish(header)
        renew_streaming_file(self._files, self._name, header, last_pgno)
        return header


class BulkFile:
    """A database file that is being made from sorted nodes.

    Args:
        files: where it is made; it must not be there.
        name: the file.
        file_format: of the file.
        dbtime: what its pages carry as the time of their last change.

    Raises:
        EseError: -1814 when the file is there, -1808 when the disk is full.
    """

    def __init__(self, files: FileSet, name: str, file_format: Format, dbtime: int = 1) -> None:
        self._files = files
        self._name = name
        self._page_bytes = file_format.page_bytes
        self._dbtime = dbtime
        files.create(name)
        self.database = BulkDatabase(self._write, file_format, dbtime)

    def finish(self, header: DatabaseHeader) -> int:
        """Write catalog, root, and then the header of a database that needs no log.

        Returns the number of the last page.
        """
        pages = self.database.finish()
        size = (pages + HEADER_PAGES) * self._page_bytes
        if self._files.size(self._name) < size:
            self._files.truncate(self._name, size)
        self._files.flush(self._name)
        header.state = DatabaseState.CLEAN_SHUTDOWN
        header.dbtime = self._dbtime
        header.objid_last = self.database.objid_last
        block = header.pack()
        self._files.write(self._name, 0, block + block)
        self._files.flush(self._name)
        return pages

    def _write(self, pgno: int, image: bytes) -> None:
        self._files.write(self._name, page_offset(pgno, self._page_bytes), image)


def renew_streaming_file(files: FileSet, name: str, header: DatabaseHeader, last_pgno: int) -> None:
    """Let the streaming file of a database that was made anew belong to it, if it must have one.

    Args:
        files: where both lie.
        name: the database.
        header: its new header.
        last_pgno: its last page.
    """
    if not header.has_streaming_file:
        return
    if files.exists(streaming_file.streaming_name(name)):
        streaming_file.grow(files, name, last_pgno, header.file_format)
        streaming_file.write_header(files, name, header)
    else:
        streaming_file.create(files, name, header, last_pgno)


class _RowEncoder:
    """Turns rows into nodes; puts their larger long values into the table's tree of them."""

    def __init__(self, table: BulkTable, file_format: Format) -> None:
        definition = table.definition
        self._table = table
        self._format = file_format
        self._codec = RecordCodec(definition)
        self._key = RowKey(definition)
        self._long = [
            (position, column)
            for position, column in enumerate(definition.columns)
            if column.column_type in LONG_TYPES
        ]
        self._indexes = [
            (index, RowKey(definition, index.columns), cast("list[tuple[bytes, bytes]]", []))
            for index in definition.indexes
        ]
        self._in_record_max = LONG_VALUE_IN_RECORD_BYTES_MAX
        self._lid = 0
        self.count = 0

    def nodes(self, rows: Iterable[Sequence[RowValue]]) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and record of each row."""
        source = iter(rows)
        while batch := list(islice(source, ROWS_PER_BATCH)):
            columns = list(zip(*batch, strict=True))
            if self._are_plain(columns):
                yield from self._nodes_of_columns(cast("list[Sequence[Value]]", columns))
            else:
                yield from self._nodes_of_rows(batch)

    def _are_plain(self, columns: Sequence[Sequence[RowValue]]) -> bool:
        """Return whether rows have no NULL, and long values only as the record holds them."""
        if any(None in column for column in columns):
            return False
        for position, _ in self._long:
            values = columns[position]
            if set(map(type, values)) != {bytes}:
                return False
            if max(map(len, cast("Sequence[bytes]", values))) > self._in_record_max:
                return False
        return True

    def _nodes_of_columns(
        self, columns: Sequence[Sequence[Value]]
    ) -> Iterator[tuple[bytes, bytes]]:
        """Return key and record of plain rows, given column by column."""
        keys = self._key.of_columns(columns)
        for index, index_key, entries in self._indexes:
            if index.has_entry(NO_NULLS):
                entries.extend(zip(index_key.of_columns(columns), keys, strict=True))
        self.count += len(keys)
        return zip(keys, self._codec.encode_columns(columns), strict=True)

    def _nodes_of_rows(self, rows: Iterable[Sequence[RowValue]]) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and record of each row; a long value may go to its tree before its row does."""
        encode, key_of = self._codec.encode, self._key.of
        for row in rows:
            values = self._stored(row) if self._long else cast("Sequence[Value]", row)
            key = key_of(values)
            for index, index_key, entries in self._indexes:
                if index.has_entry(index_key.nulls_of(values)):
                    entries.append((index_key.of(values), key))
            self.count += 1
            yield key, encode(values)

    def index_nodes(self) -> Mapping[str, Nodes]:
        """Return the entries of each index, in order."""
        return {index.name: sorted(entries) for index, _, entries in self._indexes}

    def _stored(self, row: Sequence[RowValue]) -> Sequence[Value]:
        """Return the row as the record holds it; the row itself where nothing changes."""
        values: list[RowValue] | None = None
        for position, column in self._long:
            value = row[position]
            if value is None or (isinstance(value, bytes) and len(value) <= self._in_record_max):
                continue
            stored = self._stored_value(value, column)
            if stored is not value:
                values = list(row) if values is None else values
                values[position] = stored
        return cast("Sequence[Value]", row if values is None else values)

    def _stored_value(self, value: RowValue, column: Column) -> RowValue:
        if isinstance(value, str):
            payload: Segments = (value.encode(column.encoding, "surrogatepass"),)
        elif isinstance(value, bytes):
            payload = (value,)
        else:
            payload = cast("Segments", value)
        if length_of(payload) > self._in_record_max:
            return self._separated(payload)
        return value if isinstance(value, str) else to_bytes(payload)

    def _separated(self, payload: Segments) -> Separated:
        assert self._table.long_values is not None, "a long value in a table without a tree"
        self._lid += 1
        self._table.long_values.add_all(long_value.nodes_of(self._lid, payload, self._format))
        return Separated(self._lid)
