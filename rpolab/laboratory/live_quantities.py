"""Reads live figures of a protection at an instant, and changes nothing by it."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from emulators.vss.requestor import Outcome
from engine.capture.figures import CaptureFigures
from rpolab.protections.cdp import Cdp
from rpolab.protections.kept_copy import KeptCopy
from scenarios import Condition, Measure, spell_duration

Value = Fraction | int | str | None


class Gauges:
    """The live figures of a protection, and of one of its copies; one method for each quantity.

    Args:
        protection: the protection.
        copy: the copy that figures of copies are of.
    """

    def __init__(self, protection: Cdp, copy: KeptCopy) -> None:
        self._protection = protection
        self._copy = copy

    def read(self, name: str) -> Value:
        """Return a quantity by its name; None where it cannot be told yet."""
        value: Value = getattr(self, name)()
        return value

    def backlog(self) -> int:
        """Captured, and not yet safe at the copy."""
        figures = self._figures()
        return figures.pool_bytes + figures.spool_bytes

    def backlog_age(self) -> int:
        """Age of the oldest write that waits."""
        capture = self._copy.source.capture
        if capture.sendable_sequence < capture.oldest_sequence:
            return 0
        oldest = capture.entry(capture.oldest_sequence)
        made_ns = oldest.source_time_ns - capture.clock_offset_ns
        return max(self._now_ns - made_ns, 0)

    def pool(self) -> Fraction:
        """How full the pool is."""
        return Fraction(self._figures().pool_bytes, self._protection.spec.pool_bytes)

    def rpo(self) -> int | None:
        """The engine's own RPO to any write."""
        return self._copy.reported_rpo_ns("any")

    def app_rpo(self) -> int | None:
        """The engine's own RPO to a bookmark."""
        return self._copy.reported_rpo_ns("app")

    def bookmarks(self) -> int:
        """Application-consistent points made so far."""
        results = self._protection.bookmarks.results
        return sum(result.outcome is Outcome.TAKEN for result in results)

    def mode(self) -> str:
        """What becomes of a write that is captured now."""
        return self._figures().mode.value

    @property
    def _now_ns(self) -> int:
        return self._copy.source.kernel.now_ns

    def _figures(self) -> CaptureFigures:
        return self._copy.source.capture.figures(self._now_ns)


@dataclass(slots=True)
class Watched:
    """A condition, and what of its quantity was seen so far.

    Attributes:
        condition: what is asked.
        read: gives the quantity now.
        low: the least that was seen.
        high: the most; a word is noted in the order of the alphabet.
    """

    condition: Condition
    read: Callable[[], Value]
    low: Value = None
    high: Value = None

    def holds(self) -> bool:
        """Read the quantity and compare it."""
        value = self.read()
        if value is not None:
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)
        return self.condition.holds(value)

    def told(self) -> str:
        """Say what was seen while the condition never held."""
        if self.high is None:
            return f"{self.condition.text} never held: it could not be told"
        low, high = self._spell(self.low), self._spell(self.high)
        seen = low if low == high else f"{low} to {high}"
        return f"{self.condition.text} never held: it was {seen}"

    def _spell(self, value: Value) -> str:
        measure = self.condition.quantity.measure
        if measure is Measure.DURATION_NS:
            assert isinstance(value, int), value
            return spell_duration(value // 1_000_000 * 1_000_000)
        if measure is Measure.SIZE_BYTES:
            return f"{value:,} B"
        if measure is Measure.SHARE:
            assert isinstance(value, Fraction), value
            return f"{float(value):.1%}"
        return str(value)


def watched(condition: Condition, protection: Cdp) -> Watched:
    """Return what watches a condition over a protection, or over one of its copies."""
    copies = protection.copies
    copy = next(copy for copy in copies if condition.copy in ("", copy.title, copy.copy_site))
    gauges = Gauges(protection, copy)
    return Watched(condition, lambda: gauges.read(condition.quantity.name))
