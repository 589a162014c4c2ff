"""Which layers and segments make the view of a sequence: the shortest way down, newest first.

Layers and segments are edges between sequences: a delta layer leads from its `high` to its `low`,
records of a segment from any sequence in it to any earlier one, an image from its `high` to the
beginning. A sequence can be read when a way leads down from it. After compaction some cannot: they
are refused, and the nearest ones that can are offered.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable

from engine.basics.cursor import Cursor
from engine.basics.errors import PointRefused
from engine.formats.layers import LayerEntry, LayerKind
from engine.journal.journal import Journal
from engine.layers.reader import LayerFile
from engine.layers.rows import RowStratum
from engine.layers.strata import Stratum, View

_EXPIRED_HINT = "Choose one of the nearest points: what lay between was compacted by retention."


class LayerMap:
    """The layers and segments of one branch of the history, as they are now.

    Args:
        journal: Its segments, and the manifest that names its layers.
        parent: The map of the branch this one began in, where it did not begin with nothing.
    """

    def __init__(self, journal: Journal, parent: "LayerMap | None" = None) -> None:
        self.journal = journal
        self.layers = journal.manifest.layers
        self.parent = parent
        self.base = journal.manifest.base.cursor.sequence
        self._ends = sorted({end for entry in self.layers for end in (entry.low, entry.high)})
        self._layers_at: dict[int, list[LayerEntry]] = {}
        for entry in self.layers:
            self._layers_at.setdefault(entry.high, []).append(entry)
        self._opened: dict[str, LayerFile] = {}

    def refreshed(self) -> "LayerMap":
        """Return the map as it is by now: of this branch, and of those below it."""
        return LayerMap(self.journal, None if self.parent is None else self.parent.refreshed())

    def view(self, sequence: int) -> View:
        """Return all files at a sequence.

        Raises:
            PointRefused: No way leads down from there.
        """
        return View(self.strata(sequence))

    def strata(self, sequence: int) -> list[Stratum]:
        """Return the strata from a sequence down to the beginning, or to an image.

        Raises:
            PointRefused: No way leads down from there, or what is below a branch was not given.
        """
        way = self._way(sequence, self.base, with_images=True)
        if way is None:
            raise self._refused(sequence)
        if not self.base or (way and is_image(way[-1])):
            return way
        if self.parent is None:
            raise PointRefused(
                f"Sequence {sequence} is of a branch that began at {self.base}, and what lies "
                "below was not given",
                "Read it through the layers of the journal that it began in.",
            )
        return way + self.parent.strata(self.base)

    def strata_between(self, low: int, high: int) -> list[Stratum]:
        """Return strata that make up exactly the records of (low, high], newest first.

        Raises:
            PointRefused: The records are no longer kept that finely.
        """
        way = self._way(high, low, with_images=False)
        if way is None:
            raise PointRefused(f"The changes from {low} to {high} are not kept", _EXPIRED_HINT)
        return way

    def is_readable(self, sequence: int) -> bool:
        """Return whether the view of a sequence can be had."""
        return self._way(sequence, self.base, with_images=True) is not None

    def is_between(self, low: int, high: int) -> bool:
        """Return whether strata of exactly (low, high] can be had."""
        return self._way(high, low, with_images=False) is not None

    def cursor(self, sequence: int) -> Cursor:
        """Return the cursor of a record, or of the end of a layer."""
        if sequence == self.base:
            return self.journal.manifest.base.cursor
        if self.journal.index.holds(sequence):
            epoch = self.journal.durable.epoch
            return Cursor(epoch, sequence, self.journal.index.chain(sequence))
        for entry in self.layers:
            if entry.high == sequence:
                return self.open(entry).header.last
            if entry.low == sequence and entry.kind != LayerKind.IMAGE:
                return self.open(entry).header.before
        raise self._refused(sequence)

    def open(self, entry: LayerEntry) -> LayerFile:
        """Return a layer, opened once."""
        if entry.name not in self._opened:
            self._opened[entry.name] = LayerFile(self.journal.storage, entry, self.journal.group)
        return self._opened[entry.name]

    # --- the way down -------------------------------------------------------------------------

    def _way(self, high: int, low: int, *, with_images: bool) -> list[Stratum] | None:
        """Return the shortest way from `high` down to `low`, or None where there is none.

        Sequences are visited by the number of strata above them, so that what lies far below an
        image is never looked at.
        """
        above: dict[int, tuple[int, LayerEntry | None]] = {}
        waiting = deque([high])
        while waiting:
            at = waiting.popleft()
            if at == low:
                return self._follow(high, at, above, [])
            for entry in self._layers_at.get(at, ()):
                if entry.kind != LayerKind.IMAGE:
                    self._visit(entry.low, (at, entry), low, above, waiting)
                elif with_images:
                    return self._follow(high, at, above, [self.open(entry)])
            for below in self._ends_in_segment(at, low):
                self._visit(below, (at, None), low, above, waiting)
        return None

    def _visit(
        self,
        sequence: int,
        edge: tuple[int, LayerEntry | None],
        low: int,
        above: dict[int, tuple[int, LayerEntry | None]],
        waiting: deque[int],
    ) -> None:
        if low <= sequence and sequence not in above:
            above[sequence] = edge
            waiting.append(sequence)

    def _ends_in_segment(self, high: int, low: int) -> list[int]:
        """Return where records of the segment of `high` can lead down to, the lowest first."""
        index = self.journal.index
        if not index.holds(high):
            return []
        start = max(index.part_of(high).before.sequence, low)
        first, last = bisect_right(self._ends, start), bisect_left(self._ends, high)
        return [start, *self._ends[first:last]]

    def _follow(
        self,
        high: int,
        at: int,
        above: dict[int, tuple[int, LayerEntry | None]],
        found: list[Stratum],
    ) -> list[Stratum]:
        """Return the strata from `high` down to `at`, then the one found below it."""
        while at != high:
            upper, entry = above[at]
            found.append(RowStratum(self.journal, at, upper) if entry is None else self.open(entry))
            at = upper
        return found[::-1]

    def _refused(self, sequence: int) -> PointRefused:
        durable = self.journal.durable.sequence
        found = {segment.last.sequence for segment in self.journal.segments}.union(self._ends)
        ends = sorted(end for end in found if self.base < end <= durable)
        earlier = [end for end in ends if end < sequence]
        later = [end for end in ends if end > sequence]
        return PointRefused(
            f"No image at sequence {sequence}: its records were compacted away",
            _EXPIRED_HINT,
            earlier=self._first_readable(reversed(earlier)),
            later=self._first_readable(later),
        )

    def _first_readable(self, sequences: Iterable[int]) -> str | None:
        found = next((end for end in sequences if self.is_readable(end)), None)
        return None if found is None else f"sequence {found}"


def is_image(stratum: Stratum) -> bool:
    """Return whether a stratum needs nothing below it."""
    return isinstance(stratum, LayerFile) and stratum.entry.kind == LayerKind.IMAGE
