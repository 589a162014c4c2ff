"""Writing a layer file from strata, in bounded steps, in little memory.

The bytes come from resolving the strata window by window, exactly as a read would see them; so one
piece of code flattens records, merges layers and makes images. Data is cut at multiples of the
block size of the file, so that merging layers can pass whole blocks on as they are stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from isal.isal_zlib import crc32

from engine.basics.payload import Segments
from engine.basics.settings import LayerSettings
from engine.contract.actions import AppendFile
from engine.formats.bodies import BodyEncoder
from engine.formats.layers import (
    DIGEST_ZERO,
    FLAG_ZEROS,
    LAYER_FOOTER_BYTES,
    PAGE_ROWS_MAX,
    ExtentRow,
    LayerEntry,
    LayerFooter,
    LayerHeader,
    PageReference,
    TableRow,
    encode_directory,
    encode_layer_footer,
    encode_layer_header,
    encode_page,
    encode_table,
)
from engine.layers.reader import LayerFile
from engine.layers.strata import Piece, Stratum, View, cut_through, next_start, resolve

_DIGEST_BYTES = 16


class LayerPlan(NamedTuple):
    """What is to be written: the strata of (low, high], newest first, and the files at `high`.

    `certificate` is that of the point at `high`, None where the rows' digests mean nothing.
    """

    name: str
    header: LayerHeader
    strata: Sequence[Stratum]
    table: Sequence[TableRow]
    certificate: bytes | None


class _Stored(NamedTuple):
    flags: int
    start: int
    length: int
    data: bytes
    crc: int


class LayerWriter:
    """Writes one layer; `appends` yields its actions, each of about one step's raw bytes.

    Args:
        plan: What to write.
        view: All files at `high`, for their content.
        settings: Block size, step size, compression.
    """

    def __init__(self, plan: LayerPlan, view: View, settings: LayerSettings) -> None:
        self._plan = plan
        self._view = view
        self._settings = settings
        self._encoder = BodyEncoder(settings.compression_level)
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._buffer: list[bytes] = []
        self._offset = 0  # of what the actions yielded so far have written
        self._position = 0  # of what is in the buffer, too
        self._step_raw_bytes = 0
        self._rows: list[ExtentRow] = []
        self._pages: list[PageReference] = []
        self._extents = 0
        self._raw_bytes = 0
        #: How the manifest will name the layer; None until everything was yielded.
        self.entry: LayerEntry | None = None

    def appends(self) -> Iterator[AppendFile]:
        """Yield the appends that write the whole file, in order."""
        self._add(encode_layer_header(self._plan.header))
        for row in self._plan.table:
            for stored in self._blocks(row):
                self._add_extent(row.file, stored)
                if self._step_raw_bytes >= self._settings.step_bytes_max:
                    yield self._append()
        self._finish()
        yield self._append()

    def _append(self) -> AppendFile:
        parts, length = tuple(self._buffer), sum(map(len, self._buffer))
        offset, raw_bytes = self._offset, max(self._step_raw_bytes, length)
        self._buffer, self._step_raw_bytes = [], 0
        self._offset += length
        return AppendFile(self._plan.name, offset, parts, raw_bytes)

    def _add(self, data: bytes) -> int:
        """Add bytes to the file; return where they lie."""
        position = self._position
        self._buffer.append(data)
        self._digest.update(data)
        self._position += len(data)
        return position

    # --- extents ------------------------------------------------------------------------------

    def _add_extent(self, file: int, stored: _Stored) -> None:
        flags, start, length, data, crc = stored
        self._step_raw_bytes += len(data) if flags & FLAG_ZEROS else length
        self._raw_bytes += length
        position = self._add(data) if data else 0
        if flags & FLAG_ZEROS and self._continues_zeros(file, start):
            self._rows[-1] = self._rows[-1]._replace(length=self._rows[-1].length + length)
            return
        if len(self._rows) == PAGE_ROWS_MAX:
            self._end_page()
        self._extents += 1
        self._rows.append(ExtentRow(file, flags, start, length, position, len(data), crc))

    def _continues_zeros(self, file: int, start: int) -> bool:
        if not self._rows:
            return False
        last = self._rows[-1]
        return bool(last.flags & FLAG_ZEROS) and (last.file, last.stop) == (file, start)

    def _end_page(self) -> None:
        if not self._rows:
            return
        page, first = encode_page(self._rows), self._rows[0]
        position = self._add(page)
        self._pages.append(
            PageReference(first.file, first.start, len(self._rows), position, crc32(page))
        )
        self._rows = []

    def _blocks(self, row: TableRow) -> Iterator[_Stored]:
        """Yield what the strata have of a file, in order, cut at multiples of the block size."""
        cut = row.size if row.cut is None else row.cut
        for start, pieces in self._runs(row):
            whole = self._as_stored(pieces)
            if whole is not None:
                yield whole
                continue
            content: list[bytes | int] = []
            for piece in pieces:
                content += self._view.content(piece)
            if any(isinstance(segment, bytes) for segment in content):
                yield self._encoded(start, pieces[-1].stop - start, tuple(content))
            elif start < cut:
                # From the cut on, zeros show without an extent of their own.
                yield _Stored(FLAG_ZEROS, start, pieces[-1].stop - start, b"", 0)

    def _encoded(self, start: int, length: int, content: Segments) -> _Stored:
        data, flags = self._encoder.encode(content)
        return _Stored(flags, start, length, data, crc32(data))

    def _as_stored(self, pieces: Sequence[Piece]) -> _Stored | None:
        """Return a whole block of a lower layer as it is stored there, if this is one."""
        piece = pieces[0]
        row = piece.reference
        if len(pieces) > 1 or not isinstance(row, ExtentRow) or piece.length != row.length:
            return None
        assert isinstance(piece.stratum, LayerFile), "only layers refer by rows"
        return _Stored(row.flags, row.start, row.length, piece.stratum.stored(row), row.crc)

    def _runs(self, row: TableRow) -> Iterator[tuple[int, list[Piece]]]:
        """Yield adjoining pieces up to the next block border, with where they start."""
        strata, block_bytes = self._plan.strata, self._settings.block_bytes_max
        run: list[Piece] = []
        position = 0
        while (start := next_start(strata, row.file, position)) is not None and start < row.size:
            border = start - start % block_bytes + self._settings.step_bytes_max
            position = min(border - border % block_bytes, row.size)
            for whole in resolve(strata, row.file, start, position):
                for piece in _cut_at_borders(whole, block_bytes):
                    if run and (run[-1].stop != piece.start or not piece.start % block_bytes):
                        yield run[0].start, run
                        run = []
                    run.append(piece)
        if run:
            yield run[0].start, run

    # --- the end ------------------------------------------------------------------------------

    def _finish(self) -> None:
        self._end_page()
        plan, directory = self._plan, encode_directory(self._pages)
        table = encode_table(plan.table)
        footer = LayerFooter(
            table_position=self._add(table),
            table_rows=len(plan.table),
            table_crc=crc32(table),
            directory_position=self._add(directory),
            directory_crc=crc32(directory),
            extents=self._extents,
            raw_bytes=self._raw_bytes,
            certificate=plan.certificate,
            digest=self._digest.digest(),
        )
        self._buffer.append(encode_layer_footer(footer))
        self.entry = LayerEntry(
            plan.name,
            int(plan.header.kind),
            plan.header.level,
            plan.header.before.sequence,
            plan.header.last.sequence,
            self._position + LAYER_FOOTER_BYTES,
            footer.digest,
        )


def _cut_at_borders(piece: Piece, block_bytes: int) -> Iterator[Piece]:
    start, stop, stratum, reference, skip = piece
    while start < stop:
        end = min(stop, start - start % block_bytes + block_bytes)
        yield Piece(start, end, stratum, reference, skip)
        start, skip = end, skip + end - start


def table_of(
    view: View, strata: Sequence[Stratum], digests: Mapping[int, bytes], *, is_image: bool
) -> list[TableRow]:
    """Return the table of files of a layer over `strata` whose uppermost state is `view`."""
    return [
        TableRow(
            file,
            view.names[file],
            view.size(file),
            0 if is_image else cut_through(strata, file),
            digests.get(file, DIGEST_ZERO),
        )
        for file in sorted(view.names)
    ]
