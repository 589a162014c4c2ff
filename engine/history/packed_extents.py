"""The extents of one file in a sealed segment, in columns as its index file has them.

Reads like an `ExtentMap`, but takes 20 bytes an extent instead of an object each: many of them can
be kept at hand.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.history.extents import Extent, ExtentMap


class PackedExtents(NamedTuple):
    """Columns of extents, sorted by `starts`; `rows` count from `first_sequence`.

    `cut` and `size` as in `ExtentMap`.
    """

    first_sequence: int
    cut: int | None
    size: int
    starts: "array[int]"
    lengths: "array[int]"
    skips: "array[int]"
    rows: "array[int]"

    def size_over(self, size_below: int) -> int:
        """Return the file's size, given its size before the interval."""
        return max(self.size, size_below) if self.cut is None else self.size

    def extents(self) -> Sequence[Extent]:
        """Return all extents, in order of the file."""
        return [self._extent(at) for at in range(len(self.starts))]

    def covering(self, start: int, stop: int) -> Iterator[Extent]:
        """Yield the parts of extents that lie within start..stop, in order."""
        at = max(bisect_right(self.starts, start) - 1, 0)
        while at < len(self.starts) and self.starts[at] < stop:
            extent = self._extent(at)
            first, last = max(extent.start, start), min(extent.stop, stop)
            if first < last:
                yield Extent(first, last, extent.sequence, extent.skip + first - extent.start)
            at += 1

    def next_start(self, position: int) -> int | None:
        """Return the first covered offset from `position` on, None where there is none."""
        at = bisect_right(self.starts, position)
        if at and self.starts[at - 1] + self.lengths[at - 1] > position:
            return position
        return self.starts[at] if at < len(self.starts) else None

    def sequences(self) -> list[int]:
        """Return the sequence behind each extent, in order of the file."""
        return [self.first_sequence + row for row in self.rows]

    def _extent(self, at: int) -> Extent:
        start = self.starts[at]
        return Extent(
            start, start + self.lengths[at], self.first_sequence + self.rows[at], self.skips[at]
        )


def columns_of(extents: ExtentMap, first_sequence: int) -> list["array[int]"]:
    """Return the columns of a map: starts, lengths, skips and rows."""
    found = extents.extents()
    return [
        array("Q", [extent.start for extent in found]),
        array("I", [extent.stop - extent.start for extent in found]),
        array("I", [extent.skip for extent in found]),
        array("I", [extent.sequence - first_sequence for extent in found]),
    ]
