"""Which layer is to be made next, and what leaves with it: pure functions of what there is.

* delta layers: as soon as enough sealed segments lie above the uppermost layer;
* merges: as soon as enough adjacent delta layers of one level lie side by side;
* images: as soon as enough delta layers, holding enough bytes, lie above the newest image.

The segments stay: any point can still be had from them. They leave when retention orders a
compaction between two kept points, or raises the floor.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.basics.settings import LayerSettings
from engine.formats.layers import LayerEntry, LayerKind


class SegmentSpan(NamedTuple):
    """A sealed, durable segment, with the records of (low, high]."""

    name: str
    low: int
    high: int


class Order(NamedTuple):
    """What is to be made of the records of (low, high]; an image's `low` does not matter.

    `drops` names the layers and segments that leave when it is published.
    """

    kind: LayerKind
    level: int
    low: int
    high: int
    drops: Sequence[str] = ()


def next_order(
    base: int,
    segments: Sequence[SegmentSpan],
    layers: Sequence[LayerEntry],
    settings: LayerSettings,
) -> Order | None:
    """Return what is to be made next by the thresholds, None where nothing is.

    Args:
        base: The sequence that the journal begins after.
        segments: The sealed, durable segments, in order.
        layers: The published layers.
        settings: The thresholds.
    """
    return (
        _delta(base, segments, layers, settings)
        or _merge(layers, settings)
        or _image(layers, settings)
    )


def segments_behind(
    base: int, segments: Sequence[SegmentSpan], layers: Sequence[LayerEntry]
) -> list[SegmentSpan]:
    """Return the sealed segments above the uppermost layer."""
    top = top_of(base, layers)
    return [segment for segment in segments if segment.high > top]


def top_of(base: int, layers: Sequence[LayerEntry]) -> int:
    """Return the sequence up to which there are layers."""
    return max((entry.high for entry in layers), default=base)


def compaction(
    low: int, high: int, segments: Sequence[SegmentSpan], layers: Sequence[LayerEntry]
) -> Order:
    """Return the order for one delta layer in place of all records between two kept points."""
    compacted = [(entry.low, entry.high) for entry in layers if entry.kind == LayerKind.COMPACTED]
    covered = _joined([*compacted, (low, high)])
    drops = [segment.name for segment in segments if _lies_in(segment.low, segment.high, covered)]
    for entry in layers:
        if entry.kind == LayerKind.IMAGE:
            is_superfluous = low < entry.high < high
        elif entry.kind == LayerKind.DELTA:
            # What begins between the two has nothing to lie on any more.
            is_superfluous = low < entry.low < high or _lies_in(entry.low, entry.high, covered)
        else:
            is_superfluous = low <= entry.low and entry.high <= high
        if is_superfluous:
            drops.append(entry.name)
    return Order(LayerKind.COMPACTED, 0, low, high, drops)


def raised_floor(
    sequence: int, segments: Sequence[SegmentSpan], layers: Sequence[LayerEntry]
) -> Order:
    """Return the order for an image of a kept point, and nothing kept below it."""
    drops = [segment.name for segment in segments if segment.high <= sequence]
    drops += [
        entry.name
        for entry in layers
        # What begins below the floor has nothing to lie on any more.
        if (entry.high if entry.kind == LayerKind.IMAGE else entry.low + 1) <= sequence
    ]
    return Order(LayerKind.IMAGE, 0, sequence, sequence, drops)


def _delta(
    base: int,
    segments: Sequence[SegmentSpan],
    layers: Sequence[LayerEntry],
    settings: LayerSettings,
) -> Order | None:
    behind = segments_behind(base, segments, layers)
    if len(behind) < settings.segments_per_delta:
        return None
    last = behind[settings.segments_per_delta - 1]
    return Order(LayerKind.DELTA, 1, top_of(base, layers), last.high)


def _merge(layers: Sequence[LayerEntry], settings: LayerSettings) -> Order | None:
    for run in _runs_of_one_level(layers):
        if len(run) >= settings.deltas_per_merge:
            merged = run[: settings.deltas_per_merge]
            names = [entry.name for entry in merged]
            level = merged[0].level + 1
            return Order(LayerKind.DELTA, level, merged[0].low, merged[-1].high, names)
    return None


def _runs_of_one_level(layers: Sequence[LayerEntry]) -> Iterator[list[LayerEntry]]:
    deltas = sorted(
        (entry for entry in layers if entry.kind == LayerKind.DELTA), key=lambda entry: entry.low
    )
    run = deltas[:1]
    for before, entry in pairwise(deltas):
        if (before.high, before.level) != (entry.low, entry.level):
            yield run
            run = []
        run.append(entry)
    yield run


def _image(layers: Sequence[LayerEntry], settings: LayerSettings) -> Order | None:
    images = [entry for entry in layers if entry.kind == LayerKind.IMAGE]
    newest = max(images, key=lambda entry: entry.high, default=None)
    above = 0 if newest is None else newest.high
    deltas = [entry for entry in layers if entry.kind != LayerKind.IMAGE and entry.high > above]
    enough_bytes = 0 if newest is None else newest.length * settings.image_share_min
    if len(deltas) < settings.deltas_per_image:
        return None
    if sum(entry.length for entry in deltas) < enough_bytes:
        return None
    top = max(entry.high for entry in deltas)
    return Order(LayerKind.IMAGE, 0, top, top)


def _joined(intervals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the intervals, those that touch joined, ascending."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], high)
        else:
            joined.append((low, high))
    return joined


def _lies_in(low: int, high: int, intervals: Sequence[tuple[int, int]]) -> bool:
    return any(start <= low and high <= stop for start, stop in intervals)
