"""Ranges of bytes of one file: sorted, not overlapping, not touching."""

from bisect import bisect_left, bisect_right

Range = tuple[int, int]


class Ranges:
    """A set of bytes as ranges (start, stop), stop excluded."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, ranges: tuple[Range, ...] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in ranges:
            self.add(start, stop)

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def bytes_total(self) -> int:
        """Return the number of bytes in the set."""
        return sum(self._stops) - sum(self._starts)

    def all(self) -> list[Range]:
        """Return the ranges in order."""
        return list(zip(self._starts, self._stops, strict=True))

    def add(self, start: int, stop: int) -> None:
        """Add bytes, none where the stop is not behind the start; neighbours become one range."""
        if start >= stop:
            return
        low = bisect_left(self._stops, start)
        high = bisect_right(self._starts, stop)
        if low < high:
            start = min(start, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [start]
        self._stops[low:high] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Take bytes out."""
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        if low >= high:
            return
        left, right = self._starts[low], self._stops[high - 1]
        rest = [piece for piece in ((left, start), (stop, right)) if piece[0] < piece[1]]
        self._starts[low:high] = [piece[0] for piece in rest]
        self._stops[low:high] = [piece[1] for piece in rest]

    def cut(self, size: int) -> None:
        """Take out everything from `size` on."""
        if self._stops:
            self.remove(size, max(self._stops[-1], size))

    def take(self, length_max: int) -> Range:
        """Take out, and return, the beginning of the first range; there must be one."""
        start, stop = self.first(length_max)
        self.remove(start, stop)
        return start, stop

    def within(self, start: int, stop: int) -> list[Range]:
        """Return the parts that lie in start..stop."""
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        return [
            (max(start, self._starts[at]), min(stop, self._stops[at])) for at in range(low, high)
        ]

    def without(self, start: int, stop: int) -> list[Range]:
        """Return the parts of start..stop that are not in the set."""
        rest, position = [], start
        for first, last in self.within(start, stop):
            if position < first:
                rest.append((position, first))
            position = last
        if position < stop:
            rest.append((position, stop))
        return rest

    def first(self, bytes_max: int) -> Range:
        """Return the beginning of the first range, at most so many bytes; there must be one."""
        return self._starts[0], min(self._stops[0], self._starts[0] + bytes_max)
