"""Records as a stratum: what some of a segment's records did, by the journal's index alone."""

from bisect import bisect_right
from collections.abc import Mapping

from engine.basics import invariants
from engine.basics.payload import Segments
from engine.formats.records import RecordType
from engine.history.extents import ExtentMap
from engine.journal.journal import Journal
from engine.layers.strata import Piece, Shape


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
        self._namings = [
            naming for naming in journal.index.namings if low < naming.sequence <= high
        ]
        self._created = {item.file for item in self._namings if item.kind == RecordType.CREATE}
        self._maps: dict[int, ExtentMap] = {}

    def names_over(self, below: Mapping[int, str] | None) -> dict[int, str] | None:
        """Return the names at `high`: those below, changed by the interval's namings."""
        if below is None:
            return None
        names = dict(below)
        for naming in self._namings:
            if naming.kind == RecordType.DELETE:
                del names[naming.file]
            else:
                names[naming.file] = naming.name
        return names

    def touches(self, file: int) -> bool:
        """Return whether one of the records may be the file's."""
        return bool(self._map(file).size) or self._map(file).cut is not None

    def shape(self, file: int) -> Shape:
        """Return the size as far as the interval's records tell it."""
        extents = self._map(file)
        return Shape(extents.size, extents.cut, extents.cut is not None)

    def covering(self, file: int, start: int, stop: int) -> list[Piece]:
        """Return the pieces of records within start..stop."""
        return [
            Piece(extent.start, extent.stop, self, extent.sequence, extent.skip)
            for extent in self._map(file).covering(start, stop)
        ]

    def next_start(self, file: int, position: int) -> int | None:
        """Return where the next record's bytes begin."""
        return self._map(file).next_start(position)

    def payload(self, reference: object) -> Segments:
        """Read the record of a sequence."""
        assert isinstance(reference, int), "records go by their sequence"
        return self._journal.payload(reference)

    def _map(self, file: int) -> ExtentMap:
        if file not in self._maps:
            extents = self._build(file)
            invariants.one_cut_for_the_group(self.high, extents.sequences())
            self._maps[file] = extents
        return self._maps[file]

    def _build(self, file: int) -> ExtentMap:
        extents, index = ExtentMap(), self._journal.index
        if file in self._created:
            extents.create()
        shaping = index.shaping(file)
        first, last = bisect_right(shaping, self.low), bisect_right(shaping, self.high)
        for sequence in shaping[first:last]:
            row = index.row(sequence)
            if row.kind == RecordType.WRITE:
                extents.write(row.offset, row.raw_length, sequence)
            else:
                extents.truncate(row.offset)
        return extents
