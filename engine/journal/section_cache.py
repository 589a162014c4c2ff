"""What was last read of index files, within a bound of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


class SectionCache:
    """Keeps the values used last.

    Args:
        bytes_max: What they may take together; one value is kept however large it is.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self.misses = 0
        self._values: OrderedDict[tuple[int, ...], tuple[object, int]] = OrderedDict()

    def get(self, key: tuple[int, ...], load: Callable[[], tuple[_Value, int]]) -> _Value:
        """Return the value of a key; `load` returns it and its bytes where it is not at hand."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]  # type: ignore[return-value] # a key has one loader
        self.misses += 1
        value, cost = load()
        self._values[key] = (value, cost)
        self.bytes += cost
        while self.bytes > self.bytes_max and len(self._values) > 1:
            self.bytes -= self._values.popitem(last=False)[1][1]
        return value

    def forget(self, first: int) -> None:
        """Drop all values whose key begins with this number."""
        for key in [key for key in self._values if key[0] == first]:
            self.bytes -= self._values.pop(key)[1]
