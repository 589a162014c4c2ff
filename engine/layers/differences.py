"""Where two points may differ, from indexes alone: for rollback, failback and certificates.

Nothing of the files' content is read. What is named may differ; what is not named is the same.
"""

from collections.abc import Iterator, Sequence
from heapq import merge

from engine.layers.plan import LayerMap
from engine.layers.strata import Stratum, View, cut_through, next_start, resolve

#: protection.md 1.2: the bitmap's grain of volumes up to 512 GiB.
BLOCK_BYTES = 4096
_WINDOW_BYTES = 1 << 20

Range = tuple[int, int]


def changed_ranges(low: View, high: View, strata: Sequence[Stratum], file: int) -> Iterator[Range]:
    """Yield the ranges of whole blocks of a file that may differ between two points, ascending.

    They reach beyond the file's end at either point, where it became longer or shorter or where
    the last block is not full; what lies behind a file's end counts as zeros.

    Args:
        low: All files at the earlier point.
        high: All files at the later one.
        strata: What lies between, newest first.
        file: The file's id; it lives at the later point.
    """
    size, cut = high.size(file), cut_through(strata, file)
    old_size = low.size(file) if file in low.names else 0
    end, position = (size if cut is None else max(size, old_size)), 0
    while position < end:
        is_cut_off = cut is not None and max(cut, position) < old_size
        starts = [next_start(strata, file, position)]
        starts.append(max(cut or 0, position) if is_cut_off else None)
        start = min((start for start in starts if start is not None), default=end)
        if start >= end:
            return
        start -= start % BLOCK_BYTES
        position = min(start + _WINDOW_BYTES, end)
        ranges = [
            (piece.start, piece.stop) for piece in resolve(strata, file, start, min(position, size))
        ]
        if cut is not None and max(cut, start) < min(old_size, position):
            ranges.append((max(cut, start), min(old_size, position)))
        yield from whole_blocks(sorted(ranges))


def whole_blocks(ranges: Sequence[Range] | Iterator[Range]) -> Iterator[Range]:
    """Yield the ranges, ascending, extended to whole blocks and joined where these touch."""
    begin = end = -1
    for start, stop in ranges:
        first, last = start - start % BLOCK_BYTES, stop + -stop % BLOCK_BYTES
        if first > end:
            if end > 0:
                yield begin, end
            begin, end = first, last
        else:
            end = max(end, last)
    if end > 0:
        yield begin, end


class DiffMap:
    """Where the files at one point may differ from those at another; files go by their ids.

    Make one with `between` or `across`.

    Args:
        here: All files at the one point.
        there: All files at the other.
        sides: The steps from an earlier to a later view that lead from one to the other.
    """

    def __init__(
        self,
        here: View,
        there: View,
        sides: Sequence[tuple[View, View, Sequence[Stratum]]],
    ) -> None:
        self.here = here
        self.there = there
        self._sides = sides

    @classmethod
    def between(cls, layer_map: LayerMap, here: int, there: int) -> "DiffMap":
        """Return the differences of two points of one branch, whichever is the earlier one.

        Raises:
            PointRefused: One of them cannot be had.
        """
        low, high = sorted((here, there))
        views = {sequence: layer_map.view(sequence) for sequence in (low, high)}
        strata = layer_map.strata_between(low, high)
        return cls(views[here], views[there], [(views[low], views[high], strata)])

    @classmethod
    def across(
        cls, ancestor: int, here: tuple[LayerMap, int], there: tuple[LayerMap, int]
    ) -> "DiffMap":
        """Return the differences of two points whose branches parted at `ancestor`.

        Args:
            ancestor: The newest sequence that both histories share.
            here: A branch and a sequence in it, not before the ancestor.
            there: The same of the other branch.

        Raises:
            PointRefused: A point cannot be had, or the changes since are not kept that finely.
        """
        sides = []
        for branch, sequence in (here, there):
            low, high = branch.view(ancestor), branch.view(sequence)
            sides.append((low, high, branch.strata_between(ancestor, sequence)))
        return cls(sides[0][1], sides[1][1], sides)

    def shared(self) -> list[int]:
        """Return the ids of the files that live at both points, ascending."""
        return sorted(self.here.names.keys() & self.there.names.keys())

    def only_here(self) -> list[int]:
        """Return the ids of the files that live here only, ascending."""
        return sorted(self.here.names.keys() - self.there.names.keys())

    def only_there(self) -> list[int]:
        """Return the ids of the files that live there only, ascending."""
        return sorted(self.there.names.keys() - self.here.names.keys())

    def ranges(self, file: int) -> Iterator[Range]:
        """Yield the ranges of whole blocks of a shared file that may differ, ascending."""
        parts = [
            changed_ranges(low, high, strata, file) for low, high, strata in self._sides if strata
        ]
        yield from whole_blocks(merge(*parts))

    def bytes_at_most(self) -> int:
        """Return how many bytes must be moved at most to make here what is there."""
        shared = sum(stop - start for file in self.shared() for start, stop in self.ranges(file))
        return shared + sum(self.there.size(file) for file in self.only_there())
