"""The extent map of one file: which record of an interval of the history holds which of its bytes.

Sorted, non-overlapping extents. Writes are laid over in order, so the map needs no body: it is
built from the index alone. A map may begin anywhere in the history; then what no extent covers is
as it was before the interval, but only in front of `cut`: from there on it reads as zeros, for the
file was created or truncated inside the interval. So maps of adjacent intervals can be laid over
each other, in any grouping, without knowing sizes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Extent(NamedTuple):
    """Bytes start..stop of the file are bytes from `skip` on of the payload of `sequence`."""

    start: int
    stop: int
    sequence: int
    skip: int


class ExtentMap:
    """Lays writes and truncates over each other; sizes and offsets in bytes."""

    def __init__(self) -> None:
        #: The file's size where `cut` is known, else what the writes of the interval reach.
        self.size = 0
        #: Nothing from before the interval shows from here on; None where all of it does.
        self.cut: int | None = None
        self._starts: list[int] = []
        self._extents: list[Extent] = []

    def create(self) -> None:
        """Begin an empty file: nothing from before shows."""
        self.truncate(0)

    def write(self, offset: int, length: int, sequence: int) -> None:
        """Lay a write over everything before it."""
        if not length:
            return
        new = Extent(offset, offset + length, sequence, 0)
        if offset >= self.size:
            self._starts.append(offset)
            self._extents.append(new)
        else:
            self._replace(new)
        self.size = max(self.size, new.stop)

    def truncate(self, size: int) -> None:
        """Cut the file, or extend it with zeros."""
        if size < self.size:
            keep = bisect_left(self._starts, size)
            del self._starts[keep:], self._extents[keep:]
            if self._extents and self._extents[-1].stop > size:
                self._extents[-1] = self._extents[-1]._replace(stop=size)
        self.size = size
        self.cut = size if self.cut is None else min(self.cut, size)

    def size_over(self, size_below: int) -> int:
        """Return the file's size, given its size before the interval."""
        return max(self.size, size_below) if self.cut is None else self.size

    def extents(self) -> Sequence[Extent]:
        """Return all extents, in order of the file."""
        return self._extents

    def covering(self, start: int, stop: int) -> Iterator[Extent]:
        """Yield the parts of extents that lie within start..stop, in order."""
        at = max(bisect_right(self._starts, start) - 1, 0)
        while at < len(self._extents) and self._extents[at].start < stop:
            extent = self._extents[at]
            first, last = max(extent.start, start), min(extent.stop, stop)
            if first < last:
                yield Extent(first, last, extent.sequence, extent.skip + first - extent.start)
            at += 1

    def next_start(self, position: int) -> int | None:
        """Return the first covered offset from `position` on, None where there is none."""
        at = bisect_right(self._starts, position)
        if at and self._extents[at - 1].stop > position:
            return position
        return self._starts[at] if at < len(self._starts) else None

    def sequences(self) -> list[int]:
        """Return the sequence behind each extent, in order of the file."""
        return [extent.sequence for extent in self._extents]

    def _replace(self, new: Extent) -> None:
        """Put `new` in place of what it covers, keeping what sticks out on either side."""
        low = bisect_left(self._starts, new.start)
        high = bisect_left(self._starts, new.stop, lo=low)
        pieces = [new]
        if low and self._extents[low - 1].stop > new.start:
            low -= 1
            left = self._extents[low]
            pieces.insert(0, left._replace(stop=new.start))
        if high > low and (right := self._extents[high - 1]).stop > new.stop:
            skip = right.skip + new.stop - right.start
            pieces.append(Extent(new.stop, right.stop, right.sequence, skip))
        self._extents[low:high] = pieces
        self._starts[low:high] = [piece.start for piece in pieces]
