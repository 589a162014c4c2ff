"""A layer file as a stratum: opened by its footer and tables, read a page and a block at a time.

Every section read is checked against the crc where it is referred to, the references against the
footer, the footer against the manifest's entry. Nothing else is read: what an extent does not
touch stays on the disk. Damage is refused with file and offset, never skipped.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, cast

from isal.isal_zlib import crc32

from engine.basics.errors import JournalDamaged, RecordDamaged, SegmentForeign
from engine.basics.payload import Segments
from engine.contract.storage import Storage
from engine.formats.bodies import decode_body
from engine.formats.layers import (
    FLAG_ZEROS,
    LAYER_FOOTER_BYTES,
    LAYER_HEADER_BYTES,
    ExtentRow,
    LayerEntry,
    LayerFooter,
    LayerHeader,
    PageReference,
    TableRow,
    decode_directory,
    decode_layer_footer,
    decode_layer_header,
    decode_page,
    decode_table,
)
from engine.formats.records import RECORD_VERSION, RecordHeader, RecordType
from engine.layers.strata import Piece, Shape, Stretch

_PAGES_MAX = 64
#: What is read at a time at most, of blocks that lie side by side.
_STRETCH_BYTES_MAX = 4 << 20
_DAMAGED_HINT = (
    "Nothing was changed: take the layer file from another copy, or, where the segments it was "
    "built from are still kept, drop it and let it be built again."
)


class _Page(NamedTuple):
    """Rows, their (file, start), and of each the end of the run that one read can fetch."""

    rows: list[ExtentRow]
    starts: list[tuple[int, int]]
    ends: list[int]

    def run(self, at: int, stop: int) -> list[ExtentRow]:
        """Return the rows from this one on that one read can fetch, and that begin before `stop`.

        `stop` is an offset in the file behind the first row's beginning.
        """
        end = self.ends[at]
        if end > at + 1:
            end = bisect_left(self.starts, (self.rows[at].file, stop), at + 1, end)
        return self.rows[at:end]


def _reference_to(rows: list[ExtentRow]) -> object:
    """Return what a piece of these rows refers to: nothing where they are zeros."""
    if len(rows) > 1:
        return Stretch(tuple(rows))
    return None if rows[0].flags & FLAG_ZEROS else rows[0]


def _page_of(rows: list[ExtentRow]) -> _Page:
    ends = list(range(1, len(rows) + 1))
    for at in range(len(rows) - 2, -1, -1):
        row, after = rows[at], rows[at + 1]
        if (
            not (row.flags or after.flags)
            and (row.file, row.stop) == (after.file, after.start)
            and row.position + row.stored_length == after.position
        ):
            ends[at] = ends[at + 1]
    return _Page(rows, [(row.file, row.start) for row in rows], ends)


class LayerFile:
    """An opened layer; sections are read when they are needed first.

    Args:
        storage: Where the file is.
        entry: How the manifest names it.
        group: The consistency group it must belong to.
    """

    def __init__(self, storage: Storage, entry: LayerEntry, group: int) -> None:
        self.entry = entry
        self.low = entry.low
        self.high = entry.high
        self._storage = storage
        self._group = group
        self._footer: LayerFooter | None = None
        self._table: dict[int, TableRow] | None = None
        self._directory: list[PageReference] | None = None
        self._firsts: list[tuple[int, int]] = []
        self._pages: OrderedDict[int, _Page] = OrderedDict()

    # --- what is stored -----------------------------------------------------------------------

    @property
    def footer(self) -> LayerFooter:
        """Return the footer, checked against the manifest's entry when read first."""
        if self._footer is None:
            self._footer = self._read_footer()
        return self._footer

    @property
    def table(self) -> Mapping[int, TableRow]:
        """Return the files that live at `high`, by id, in order of the ids."""
        if self._table is None:
            footer = self.footer
            start, stop = footer.table_position, footer.directory_position
            rows = decode_table(self._section(start, stop), footer)
            if rows is None:
                raise self._damaged(start, "the table of files does not fit its checksum")
            self._table = {row.file: row for row in rows}
        return self._table

    @property
    def header(self) -> LayerHeader:
        """Return the header, read anew and checked."""
        header = decode_layer_header(self._section(0, LAYER_HEADER_BYTES))
        if header is None:
            raise self._damaged(0, "the header is damaged")
        if header.group != self._group:
            raise SegmentForeign(
                f"A layer of group {header.group} in a journal of group {self._group}",
                file=self.entry.name,
                sequence=self.high,
            )
        ends = header.before.sequence, header.last.sequence
        if (header.kind, header.level, *ends) != self.entry[1:5]:
            raise self._damaged(0, "the header speaks of another layer")
        return header

    def extents(self) -> Iterator[ExtentRow]:
        """Yield all extents, in order of (file, start)."""
        for number in range(len(self.directory)):
            yield from self._page(number).rows

    @property
    def directory(self) -> Sequence[PageReference]:
        """Return where the pages lie."""
        if self._directory is None:
            footer = self.footer
            start = footer.directory_position
            stop = self.entry.length - LAYER_FOOTER_BYTES
            pages = decode_directory(self._section(start, stop), footer)
            if pages is None:
                raise self._damaged(start, "the directory does not fit its checksum")
            self._directory = pages
            self._firsts = [(page.file, page.start) for page in pages]
        return self._directory

    # --- as a stratum -------------------------------------------------------------------------

    def names_over(self, below: Mapping[int, str] | None) -> dict[int, str] | None:
        """Return the names at `high`; a layer knows them by itself."""
        del below
        return {row.file: row.name for row in self.table.values()}

    def touches(self, file: int) -> bool:
        """Return True: a layer knows the size of every file."""
        del file
        return True

    def shape(self, file: int) -> Shape:
        """Return the file's size at `high`."""
        row = self.table.get(file)
        return Shape(0, 0, is_absolute=True) if row is None else Shape(row.size, row.cut, True)

    def covering(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces of extents within start..stop."""
        found: list[Piece] = []
        for row in self._rows_from(file, start):
            if row.file != file or row.start >= stop:
                break
            first, last = max(row.start, start), min(row.stop, stop)
            reference = None if row.flags & FLAG_ZEROS else row
            found.append(Piece(first, last, self, reference, first - row.start))
        return found

    def stretches(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return pieces whose blocks are stored as they are, one behind the other, as one."""
        found: list[Piece] = []
        for page, first_row in self._pages_from(file, start):
            at = first_row
            while at < len(page.rows):
                row = page.rows[at]
                if row.file != file or row.start >= stop:
                    return found
                rows = page.run(at, min(stop, row.start + _STRETCH_BYTES_MAX))
                at += len(rows)
                first, last = max(row.start, start), min(rows[-1].stop, stop)
                found.append(Piece(first, last, self, _reference_to(rows), first - row.start))
        return found

    def next_start(self, file: int, position: int) -> int | None:
        """Return where the next extent begins."""
        row = next(self._rows_from(file, position), None)
        return max(row.start, position) if row is not None and row.file == file else None

    def payload(self, reference: object) -> Segments:
        """Read the data of an extent, or of those of a stretch."""
        if isinstance(reference, Stretch):
            return (self._stretch(reference),)
        assert isinstance(reference, ExtentRow), "extents of layers go by their rows"
        row = reference
        data = self.stored(row)
        if not row.flags:
            return (data,)
        try:
            return decode_body(_body_header(row, self.high), data)
        except RecordDamaged as error:
            raise self._damaged(row.position, error.message) from error

    def stored(self, row: ExtentRow) -> bytes:
        """Read the data of an extent in its stored form.

        Raises:
            JournalDamaged: The stored bytes contradict their checksum.
        """
        data = self._section(row.position, row.position + row.stored_length)
        if crc32(data) != row.crc:
            raise self._rotten(row)
        return data

    def _stretch(self, stretch: Stretch) -> bytes:
        """Read blocks that lie one behind the other at once, each checked by its own checksum."""
        rows = cast("tuple[ExtentRow, ...]", stretch.parts)
        start = rows[0].position
        data = self._section(start, rows[-1].position + rows[-1].stored_length)
        view, position = memoryview(data), 0
        for row in rows:
            end = position + row.stored_length
            if crc32(view[position:end]) != row.crc:
                raise self._rotten(row)
            position = end
        return data

    def _rotten(self, row: ExtentRow) -> JournalDamaged:
        return self._damaged(row.position, f"data of file id {row.file} at {row.start} rotted")

    def _rows_from(self, file: int, position: int) -> Iterator[ExtentRow]:
        """Yield the extents from the one on that ends behind `position` of the file."""
        for page, at in self._pages_from(file, position):
            yield from page.rows[at:]

    def _pages_from(self, file: int, position: int) -> Iterator[tuple[_Page, int]]:
        """Yield pages, each with the number of its first row that ends behind `position`."""
        if not self.directory:
            return
        number = max(bisect_right(self._firsts, (file, position)) - 1, 0)
        page = self._page(number)
        at = max(bisect_right(page.starts, (file, position)) - 1, 0)
        if (page.rows[at].file, page.rows[at].stop) <= (file, position):
            at += 1
        yield page, at
        for following in range(number + 1, len(self.directory)):
            yield self._page(following), 0

    def _page(self, number: int) -> _Page:
        if number in self._pages:
            self._pages.move_to_end(number)
            return self._pages[number]
        reference = self.directory[number]
        start = reference.position
        rows = decode_page(self._section(start, start + reference.length), reference)
        if rows is None:
            raise self._damaged(start, "a page of extents does not fit its checksum")
        self._pages[number] = _page_of(rows)
        if len(self._pages) > _PAGES_MAX:
            self._pages.popitem(last=False)
        return self._pages[number]

    # --- reading ------------------------------------------------------------------------------

    def verify(self, step_bytes: int) -> Iterator[int]:
        """Read the whole file and check it; yields the number of bytes read, step by step.

        Raises:
            JournalDamaged: The file is not what was published.
        """
        header = self.header
        assert header.group == self._group, "the header was checked, too"
        digest, position = blake2b(digest_size=len(self.footer.digest)), 0
        end = self.entry.length - LAYER_FOOTER_BYTES
        while position < end:
            data = self._section(position, min(position + step_bytes, end))
            digest.update(data)
            position += len(data)
            yield len(data)
        if digest.digest() != self.footer.digest:
            raise self._damaged(0, "the file's bytes do not fit the digest in its footer")

    def _read_footer(self) -> LayerFooter:
        start = self.entry.length - LAYER_FOOTER_BYTES
        footer = decode_layer_footer(self._section(start, self.entry.length))
        if footer is None:
            raise self._damaged(start, "the footer is damaged")
        if footer.digest != self.entry.digest:
            raise self._damaged(start, "the footer's digest is not the manifest's")
        return footer

    def _section(self, start: int, stop: int) -> bytes:
        data = self._storage.read(self.entry.name, start, stop - start)
        if len(data) != stop - start:
            raise self._damaged(start, f"the file ends {stop - start - len(data)} bytes too early")
        return data

    def _damaged(self, offset: int, what: str) -> JournalDamaged:
        return JournalDamaged(
            f"A layer is damaged: {what}",
            _DAMAGED_HINT,
            file=self.entry.name,
            offset=offset,
            sequence=self.high,
        )


def _body_header(row: ExtentRow, sequence: int) -> RecordHeader:
    return RecordHeader(
        RECORD_VERSION,
        RecordType.WRITE,
        row.flags,
        row.file,
        sequence,
        0,
        row.start,
        0,
        0,
        row.length,
        row.stored_length,
        row.crc,
        0,
    )
