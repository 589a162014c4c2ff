"""Which layers and segments make the view of a sequence: the shortest way down, newest first.

Layers and segments are edges between sequences: a delta layer leads from its `high` to its `low`,
records of a segment from any sequence in it to any earlier one, an image from its `high` to the
beginning. A sequence can be read when a way leads down from it. After compaction some cannot: they
are refused, and the nearest ones that can are offered.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.basics.errors import PointRefused
from engine.formats.layers import LayerEntry, LayerKind
from engine.journal.journal import Journal
from engine.layers.reader import LayerFile
from engine.layers.rows import RowStratum
from engine.layers.strata import Stratum, View

_EXPIRED_HINT = "Choose one of the nearest points: what lay between was compacted by retention."


class _Way(NamedTuple):
    """The best way down from a sequence: how many strata, and the first of them."""

    cost: int
    low: int
    layer: LayerEntry | None


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
        self._segments = [
            (segment.before.sequence, segment.last.sequence)
            for segment in journal.segments
            if segment.last.sequence > segment.before.sequence
        ]
        self._layers_at: dict[int, list[LayerEntry]] = {}
        for entry in self.layers:
            self._layers_at.setdefault(entry.high, []).append(entry)
        self._opened: dict[str, LayerFile] = {}

    def view(self, sequence: int) -> View:
        """Return all files at a sequence.

        Raises:
            PointRefused: No way leads down from there.
        """
        return View(self.strata(sequence))

    def strata(self, sequence: int) -> list[Stratum]:
        """Return the strata from a sequence down to the beginning, or to an image.

        Raises:
            PointRefused: No way leads down from there.
        """
        way = self._way(sequence, self.base, with_images=True)
        if way is None:
            raise self._refused(sequence)
        if self.parent is None or (way and is_image(way[-1])):
            return way
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
        """Return the shortest way from `high` down to `low`, or None where there is none."""
        if high == low:
            return []
        best: dict[int, _Way] = {low: _Way(0, low, None)}
        reached = [low]
        for bound in self._bounds(low, high):
            ways = list(self._edges(bound, low, best, reached, with_images=with_images))
            if ways:
                best[bound] = min(ways, key=_cost_of)
                reached.append(bound)
        return list(self._follow(high, low, best)) if high in best else None

    def _bounds(self, low: int, high: int) -> list[int]:
        """Return the sequences in (low, high] at which something ends, ascending."""
        ends = {high}
        ends.update(entry.high for entry in self.layers)
        ends.update(entry.low for entry in self.layers)
        ends.update(last for _, last in self._segments)
        return sorted(end for end in ends if low < end <= high)

    def _edges(
        self,
        bound: int,
        low: int,
        best: dict[int, _Way],
        reached: list[int],
        *,
        with_images: bool,
    ) -> Iterator[_Way]:
        """Yield the ways that lead down from `bound`; `reached` are those known, ascending."""
        for entry in self._layers_at.get(bound, ()):
            if entry.kind == LayerKind.IMAGE:
                if with_images:
                    yield _Way(1, low, entry)
            elif entry.low in best:
                yield _Way(1 + best[entry.low].cost, entry.low, entry)
        segment = self._segment_with(bound)
        if segment is not None:
            for start in reached[bisect_left(reached, segment[0]) :]:
                yield _Way(1 + best[start].cost, start, None)

    def _follow(self, high: int, low: int, best: dict[int, _Way]) -> Iterator[Stratum]:
        at = top = high
        while at != low:
            _, below, entry = best[at]
            is_joined = (
                entry is None
                and below not in (low, self._beginning_of(at))
                and best[below].layer is None
            )
            if entry is not None:
                yield self.open(entry)
                top = below
            elif not is_joined:
                yield RowStratum(self.journal, below, top)
                top = below
            at = below

    def _beginning_of(self, sequence: int) -> int | None:
        segment = self._segment_with(sequence)
        return None if segment is None else segment[0]

    def _segment_with(self, sequence: int) -> tuple[int, int] | None:
        at = bisect_left(self._segments, sequence, key=_last_of)
        if at < len(self._segments) and self._segments[at][0] < sequence:
            return self._segments[at]
        return None

    def _refused(self, sequence: int) -> PointRefused:
        ends = self._bounds(self.base, self.journal.durable.sequence)
        readable = [end for end in ends if end != sequence and self.is_readable(end)]
        earlier = [end for end in readable if end < sequence]
        later = [end for end in readable if end > sequence]
        return PointRefused(
            f"No image at sequence {sequence}: its records were compacted away",
            _EXPIRED_HINT,
            earlier=f"sequence {earlier[-1]}" if earlier else None,
            later=f"sequence {later[0]}" if later else None,
        )


def is_image(stratum: Stratum) -> bool:
    """Return whether a stratum needs nothing below it."""
    return isinstance(stratum, LayerFile) and stratum.entry.kind == LayerKind.IMAGE


def _cost_of(way: _Way) -> int:
    return way.cost


def _last_of(segment: tuple[int, int]) -> int:
    return segment[1]
