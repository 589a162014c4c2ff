"""A set of byte ranges: sorted, apart from each other."""

from bisect import bisect_left, bisect_right


class RangeSet:
    """What is still to be done of a file; offsets in bytes, the stop excluded."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._starts)

    @property
    def bytes_total(self) -> int:
        """Return the number of bytes in all ranges."""
        return sum(self._stops) - sum(self._starts)

    def add(self, start: int, stop: int) -> None:
        """Add a range, joined with those it overlaps or touches."""
        if start >= stop:
            return
        low = bisect_left(self._stops, start)
        high = bisect_right(self._starts, stop)
        if low < high:
            start = min(start, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [start]
        self._stops[low:high] = [stop]

    def cut(self, size: int) -> None:
        """Take away everything from `size` on."""
        keep = bisect_left(self._starts, size)
        del self._starts[keep:], self._stops[keep:]
        if self._stops:
            self._stops[-1] = min(self._stops[-1], size)

    def take(self, length_max: int) -> tuple[int, int]:
        """Take the beginning of the first range out of the set, at most so many bytes."""
        start, stop = self._starts[0], min(self._stops[0], self._starts[0] + length_max)
        if stop == self._stops[0]:
            del self._starts[0], self._stops[0]
        else:
            self._starts[0] = stop
        return start, stop
