"""Records as a stratum: what some of a segment's records did, by the journal's index alone."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from engine.basics import invariants
from engine.basics.payload import Segments, StoredSegments, joined, slice_of
from engine.history.extents import Extent, ExtentMap
from engine.history.packed_extents import PackedExtents
from engine.journal.journal import Journal
from engine.layers.strata import Piece, Shape, Stretch

#: What is read at a time at most, of records that lie side by side: bodies are copied out of it.
_STRETCH_BYTES_MAX = 256 << 10
#: What that may take in their file.
_STORED_BYTES_MAX = 4 * _STRETCH_BYTES_MAX


def _goes_on(run: list[Extent], extent: Extent) -> bool:
    """Return whether an extent's record lies behind that of the run's last, as its bytes do."""
    last = run[-1]
    return (extent.start, extent.sequence) == (last.stop, last.sequence + 1) and extent.stop - run[
        0
    ].start <= _STRETCH_BYTES_MAX


class _Known(NamedTuple):
    """What was found out about a file."""

    is_touched: bool
    shape: Shape


class RowStratum:
    """The records of (low, high] of a journal.

    Args:
        journal: Where they are.
        low: The sequence before the first.
        high: The sequence of the last.
    """

    def __init__(self, journal: Journal, low: int, high: int) -> None:
        assert low < high, "a stratum has records"
        self.low = low
        self.high = high
        self._journal = journal
        self._maps: dict[int, ExtentMap] = {}
        self._known_files: dict[int, _Known] = {}

    def names_over(
        self,
        below: Mapping[int, str] | None,  # noqa: ARG002 - other strata need it
    ) -> dict[int, str] | None:
        """Return the names at `high`, which a segment knows by itself."""
        return self._journal.index.names_at(self.high)

    def touches(self, file: int) -> bool:
        """Return whether one of the records may be the file's."""
        return self._known(file).is_touched

    def shape(self, file: int) -> Shape:
        """Return the size, which a segment knows by itself, and the interval's cut."""
        return self._known(file).shape

    def covering(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces of records within start..stop."""
        return [
            Piece(extent.start, extent.stop, self, extent.sequence, extent.skip)
            for extent in self._map(file).covering(start, stop)
        ]

    def stretches(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return pieces of records that were captured one after the other as one."""
        found: list[Piece] = []
        run: list[Extent] = []
        for extent in self._map(file).covering(start, stop):
            if run and not _goes_on(run, extent):
                found.append(self._stretch(run))
                run = []
            run.append(extent)
        if run:
            found.append(self._stretch(run))
        return found

    def _stretch(self, run: list[Extent]) -> Piece:
        first = run[0]
        if len(run) == 1:
            return Piece(first.start, first.stop, self, first.sequence, first.skip)
        return Piece(first.start, run[-1].stop, self, Stretch(tuple(run)), 0)

    def next_start(self, file: int, position: int) -> int | None:
        """Return where the next record's bytes begin."""
        return self._map(file).next_start(position)

    def payload(self, reference: object) -> Segments:
        """Read the record of a sequence, or what a stretch needs of its records."""
        if isinstance(reference, Stretch):
            return self._read_stretch(cast("tuple[Extent, ...]", reference.parts))
        assert isinstance(reference, int), "records go by their sequence"
        return self._journal.payload(reference)

    def _read_stretch(self, extents: tuple[Extent, ...]) -> Segments:
        journal, first, last = self._journal, extents[0].sequence, extents[-1].sequence
        payloads: Iterable[StoredSegments]
        if journal.stored_bytes(first, last) <= _STORED_BYTES_MAX:
            payloads = journal.payloads(first, last)
        else:  # large records, of most of which later ones have covered all but a little
            payloads = map(journal.payload, range(first, last + 1))
        parts: list[bytes | memoryview | int] = []
        for (start, stop, _, skip), payload in zip(extents, payloads, strict=True):
            parts += slice_of(payload, skip, skip + stop - start)
        return joined(parts)

    def _known(self, file: int) -> _Known:
        if file not in self._known_files:
            self._known_files[file] = self._look_at(file)
        return self._known_files[file]

    def _look_at(self, file: int) -> _Known:
        index = self._journal.index
        shape = index.shape(file, self.low, self.high)
        if isinstance(shape, ExtentMap):
            self._keep(file, shape)
        is_whole = self.low == index.part_of(self.high).before.sequence
        size = (
            index.size_over(file, self.high, shape) if is_whole else index.size_at(file, self.high)
        )
        cut = None if shape is None else shape.cut
        return _Known(shape is not None, Shape(size, cut, is_absolute=True))

    def _map(self, file: int) -> ExtentMap | PackedExtents:
        if file in self._maps:
            return self._maps[file]
        extents = self._journal.index.extents(file, self.low, self.high)
        if isinstance(extents, ExtentMap):  # the others are kept at hand by the journal
            self._keep(file, extents)
        return extents

    def _keep(self, file: int, extents: ExtentMap) -> None:
        invariants.one_cut_for_the_group(self.high, extents.sequences())
        self._maps[file] = extents
