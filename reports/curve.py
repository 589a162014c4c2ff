"""Exact statistics of RPO(t), the age of the newest recoverable point at each instant.

RPO(t) is piecewise linear: it grows by one second a second and drops when a newer point becomes
recoverable. All figures are time-weighted over the curve, not over samples (protection.md 5);
arithmetic is in integers and fractions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from reports.copies import Exceedance
from reports.records import Class, CurvePoint, RpoStatistics, seconds


@dataclass(frozen=True, slots=True)
class Stretch:
    """One rise of the curve: from `start_ns`, where RPO is `low_ns`, to `end_ns`."""

    start_ns: int
    end_ns: int
    low_ns: int

    @property
    def length_ns(self) -> int:
        """How long it rises; also by how much."""
        return self.end_ns - self.start_ns

    @property
    def high_ns(self) -> int:
        """RPO at its end, just before the drop."""
        return self.low_ns + self.length_ns


class Curve:
    """RPO(t) between two instants of a run, in nanoseconds.

    Args:
        stretches: the rises in order of time, without gaps.
    """

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self.stretches = tuple(stretches)
        assert self.stretches, "a curve has a length"
        self.start_ns = self.stretches[0].start_ns
        self.end_ns = self.stretches[-1].end_ns
        self.length_ns = self.end_ns - self.start_ns

    @classmethod
    def from_points(
        cls, start_ns: int, end_ns: int, points: Iterable[tuple[int, int]], first_ns: int
    ) -> "Curve":
        """Builds the curve from the recovery points of a run.

        Args:
            start_ns: where the curve begins.
            end_ns: where it ends; later than `start_ns`.
            points: (instant it became recoverable, source time of the point), in any order; a
                point older than one already there changes nothing.
            first_ns: source time of the newest point at `start_ns`; the start itself when
                nothing was protected before, since nothing older can be lost.
        """
        assert start_ns < end_ns, (start_ns, end_ns)
        return cls(_stretches(start_ns, end_ns, sorted(points), first_ns))

    def at(self, time_ns: int) -> int:
        """RPO at an instant; at a drop, the value after it."""
        assert self.start_ns <= time_ns <= self.end_ns, time_ns
        low, high = 0, len(self.stretches) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.stretches[middle].start_ns <= time_ns:
                low = middle
            else:
                high = middle - 1
        stretch = self.stretches[low]
        return stretch.low_ns + time_ns - stretch.start_ns

    def between(self, from_ns: int, to_ns: int) -> "Curve | None":
        """The part of the curve between two instants; None where it has none."""
        parts = [
            Stretch(start, end, stretch.low_ns + start - stretch.start_ns)
            for stretch in self.stretches
            if (start := max(stretch.start_ns, from_ns)) < (end := min(stretch.end_ns, to_ns))
        ]
        return Curve(parts) if parts else None

    def falls_to(self, level_ns: int, from_ns: int) -> int | None:
        """The first instant from one on at which RPO is no more than a level; None if never."""
        for stretch in self.stretches:
            start_ns = max(stretch.start_ns, from_ns)
            if stretch.end_ns > from_ns and (
                stretch.low_ns + start_ns - stretch.start_ns <= level_ns
            ):
                return start_ns
        return None

    def max_ns(self) -> int:
        """The highest value, reached just before a drop or at the end."""
        return max(stretch.high_ns for stretch in self.stretches)

    def mean_ns(self) -> Fraction:
        """The time-weighted mean: the expected RPO of a disaster at a random instant."""
        doubled = sum(
            (stretch.low_ns + stretch.high_ns) * stretch.length_ns for stretch in self.stretches
        )
        return Fraction(doubled, 2 * self.length_ns)

    def above_ns(self, limit_ns: int) -> int:
        """For how long RPO was more than a limit."""
        return sum(
            max(0, stretch.high_ns - max(stretch.low_ns, limit_ns)) for stretch in self.stretches
        )

    def exceedance(self, consistency: Class, limit_ns: int) -> Exceedance:
        """How often and for how long RPO was more than a limit; touching it is no excess."""
        lengths_ns: list[int] = []
        is_above = False
        for stretch in self.stretches:
            above_ns = max(0, stretch.high_ns - max(stretch.low_ns, limit_ns))
            if not above_ns:
                is_above = False
                continue
            if is_above and stretch.low_ns > limit_ns:
                lengths_ns[-1] += above_ns
            else:
                lengths_ns.append(above_ns)
            is_above = True
        return Exceedance(
            consistency=consistency,
            limit_s=seconds(limit_ns),
            count=len(lengths_ns),
            total_s=seconds(sum(lengths_ns)),
            longest_s=seconds(max(lengths_ns, default=0)),
            peak_s=seconds(self.max_ns()),
            share=round(sum(lengths_ns) / self.length_ns, 9),
        )

    def quantiles_ns(self, shares: Iterable[Fraction]) -> list[Fraction]:
        """The smallest values not exceeded for such shares of the time, in the order asked.

        The time spent at or below x grows, between neighbouring ends of stretches, by as many
        nanoseconds a nanosecond as there are stretches over x.
        """
        wanted = list(shares)
        assert all(0 < share <= 1 for share in wanted), wanted
        answers: dict[Fraction, Fraction] = {}
        pending = sorted(dict.fromkeys(wanted), reverse=True)
        for value_ns, next_ns, density, spent_ns in self._levels():
            while pending:
                target = pending[-1] * self.length_ns
                reached = value_ns + (target - spent_ns) / density
                if reached > next_ns:
                    break
                answers[pending.pop()] = reached
        assert not pending, "all of the time is spent at or below the maximum"
        return [answers[share] for share in wanted]

    def _levels(self) -> Iterator[tuple[int, int, int, int]]:
        """Bands of RPO between ends of stretches: from, to, stretches over it, time below it."""
        lows = sorted(stretch.low_ns for stretch in self.stretches)
        highs = sorted(stretch.high_ns for stretch in self.stretches)
        edges = sorted(dict.fromkeys((*lows, *highs)))
        low = high = density = spent_ns = 0
        for value_ns, next_ns in pairwise(edges):
            while low < len(lows) and lows[low] <= value_ns:
                low, density = low + 1, density + 1
            while high < len(highs) and highs[high] <= value_ns:
                high, density = high + 1, density - 1
            if density:
                yield value_ns, next_ns, density, spent_ns
                spent_ns += density * (next_ns - value_ns)

    def statistics(self) -> RpoStatistics:
        """The figures of a report."""
        p95_ns, p99_ns = self.quantiles_ns((Fraction(95, 100), Fraction(99, 100)))
        return RpoStatistics(
            max_s=seconds(self.max_ns()),
            p99_s=round(float(p99_ns / 1_000_000_000), 9),
            p95_s=round(float(p95_ns / 1_000_000_000), 9),
            mean_s=round(float(self.mean_ns() / 1_000_000_000), 9),
        )

    def vertices(self, stretches_max: int = 2_000) -> tuple[CurvePoint, ...]:
        """The line to draw, as (time_s, rpo_s); a drop is two points at one time.

        A longer curve is thinned: of each part of the time the highest and the lowest stretch
        stay, so that no peak is hidden. The figures of `statistics` are from the whole curve.
        """
        drawn: list[CurvePoint] = []
        for stretch in _thinned(self.stretches, stretches_max):
            drawn.append((seconds(stretch.start_ns), seconds(stretch.low_ns)))
            drawn.append((seconds(stretch.end_ns), seconds(stretch.high_ns)))
        return tuple(drawn)


def _stretches(
    start_ns: int, end_ns: int, points: list[tuple[int, int]], first_ns: int
) -> Iterator[Stretch]:
    newest_ns, from_ns = first_ns, start_ns
    assert newest_ns <= start_ns, "a point is not from the future"
    for available_ns, source_ns in points:
        assert source_ns <= available_ns, "a point is recoverable only after its source time"
        if source_ns <= newest_ns or available_ns >= end_ns:
            continue
        if available_ns > from_ns:
            yield Stretch(from_ns, available_ns, from_ns - newest_ns)
            from_ns = available_ns
        newest_ns = source_ns
    yield Stretch(from_ns, end_ns, from_ns - newest_ns)


def _thinned(stretches: tuple[Stretch, ...], stretches_max: int) -> Iterator[Stretch]:
    if len(stretches) <= stretches_max:
        yield from stretches
        return
    parts = max(1, stretches_max // 2)
    for part in range(parts):
        members = stretches[part * len(stretches) // parts : (part + 1) * len(stretches) // parts]
        highest = max(members, key=lambda stretch: stretch.high_ns)
        lowest = min(members, key=lambda stretch: stretch.low_ns)
        kept = {stretch.start_ns: stretch for stretch in (highest, lowest)}
        yield from (kept[start_ns] for start_ns in sorted(kept))
