"""RPO(t) as the engine publishes it: the age of the newest point, exact between events.

A point's time is by the source's wall clock, and so is 'now': the driver's steady clock plus the
offset that the session has measured. Durations are by the steady clock alone, so a stepped wall
clock moves the age, but neither makes time nor takes any. What the offset may be wrong by is
carried along: the honest promise is the age plus that bound (invariant I8).
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from engine.health.ages import AgeHistogram

#: How many changes of a curve are kept for drawing. Assumption.
RECENT_MAX = 256


@dataclass(frozen=True, slots=True)
class Drop:
    """One change of a curve: the age just before it, and from then on."""

    at_ns: int
    before_ns: int
    after_ns: int


@dataclass(frozen=True, slots=True)
class RpoFigures:
    """One curve in figures; all are time-weighted over the curve, not over samples.

    Attributes:
        newest_ns: Source time of the newest point, None before the first one.
        age_ns: Its age now; before the first point the age of the protection.
        mean_ns: The expected age at a random instant (protection.md 5).
        max_ns: The highest age.
        p50_ns: Not exceeded half of the time; this and the next two at most 1 % too high.
        p95_ns: Not exceeded for 95 % of the time.
        p99_ns: Not exceeded for 99 % of the time.
        not_met_ns: For how long the age was above the target; None without a target.
        watched_ns: For how long the curve was watched.
    """

    newest_ns: int | None
    age_ns: int
    mean_ns: Fraction
    max_ns: int
    p50_ns: int
    p95_ns: int
    p99_ns: int
    not_met_ns: int | None
    watched_ns: int


class RpoCurve:
    """The age of the newest point of one class at one stage; O(1) per event.

    Args:
        now_ns: The driver's steady clock.
        offset_ns: The source's wall clock minus that.
        target_ns: The age that was promised, None for no promise.
    """

    def __init__(self, now_ns: int, offset_ns: int = 0, target_ns: int | None = None) -> None:
        self.target_ns = target_ns
        self.newest_ns: int | None = None
        #: The newest changes of the curve, oldest first.
        self.recent: deque[Drop] = deque(maxlen=RECENT_MAX)
        self._since_ns = self._began_ns = now_ns
        self._offset_ns = offset_ns
        self._origin_ns = now_ns + offset_ns
        self._ages = AgeHistogram()
        self._doubled_area = 0
        self._max_ns = 0
        self._not_met_ns = 0

    def age_ns(self, now_ns: int) -> int:
        """Return the age now; zero where a clock's error puts the point into the future."""
        origin_ns = self._origin_ns if self.newest_ns is None else self.newest_ns
        return max(0, now_ns + self._offset_ns - origin_ns)

    def point(self, time_ns: int | None, now_ns: int) -> None:
        """Note which point is the newest from now on.

        It may be an older one than before, where a point turned out to be none.
        """
        if time_ns == self.newest_ns:
            return
        before_ns = self._roll(now_ns)
        self.newest_ns = time_ns
        self.recent.append(Drop(now_ns, before_ns, self.age_ns(now_ns)))

    def clock(self, offset_ns: int, now_ns: int) -> None:
        """Note another offset of the source's wall clock from the steady one."""
        if offset_ns == self._offset_ns:
            return
        self._roll(now_ns)
        if self.newest_ns is None:
            # The protection began when it began, whatever its clock said then.
            self._origin_ns += offset_ns - self._offset_ns
        self._offset_ns = offset_ns

    def figures(self, now_ns: int) -> RpoFigures:
        """Return the curve's figures up to now."""
        age_ns = self._roll(now_ns)
        watched_ns = now_ns - self._began_ns
        return RpoFigures(
            newest_ns=self.newest_ns,
            age_ns=age_ns,
            mean_ns=Fraction(self._doubled_area, 2 * watched_ns)
            if watched_ns
            else Fraction(age_ns),
            max_ns=max(self._max_ns, age_ns),
            p50_ns=self._quantile_ns(500, age_ns),
            p95_ns=self._quantile_ns(950, age_ns),
            p99_ns=self._quantile_ns(990, age_ns),
            not_met_ns=None if self.target_ns is None else self._not_met_ns,
            watched_ns=watched_ns,
        )

    def _quantile_ns(self, per_mille: int, age_ns: int) -> int:
        quantile_ns = self._ages.quantile_ns(per_mille)
        return age_ns if quantile_ns is None else min(quantile_ns, self._max_ns)

    def _roll(self, now_ns: int) -> int:
        """Account for the time up to now, and return the age at its end."""
        passed_ns = now_ns - self._since_ns
        assert passed_ns >= 0, "the steady clock does not run backward"
        high_ns = self.age_ns(now_ns)
        if not passed_ns:
            return high_ns
        low_ns = max(0, high_ns - passed_ns)
        self._ages.rest(passed_ns - (high_ns - low_ns))
        self._ages.rise(low_ns, high_ns)
        self._doubled_area += (low_ns + high_ns) * (high_ns - low_ns)
        self._max_ns = max(self._max_ns, high_ns)
        if self.target_ns is not None:
            self._not_met_ns += max(0, high_ns - max(low_ns, self.target_ns))
        self._since_ns = now_ns
        return high_ns
