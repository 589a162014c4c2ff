"""Reads live figures of a protection at an instant, and changes nothing by it."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from emulators.vss.requestor import Outcome
from rpolab.protections.cdp import Cdp
from scenarios import Condition, Measure, spell_duration

Value = Fraction | int | str | None


def _backlog(protection: Cdp) -> int:
    figures = protection.source.capture.figures(protection.source.kernel.now_ns)
    return figures.pool_bytes + figures.spool_bytes


def _backlog_age(protection: Cdp) -> int:
    capture = protection.source.capture
    if capture.sendable_sequence < capture.oldest_sequence:
        return 0
    oldest = capture.entry(capture.oldest_sequence)
    made_ns = oldest.source_time_ns - capture.clock_offset_ns
    return max(protection.source.kernel.now_ns - made_ns, 0)


def _pool(protection: Cdp) -> Fraction:
    figures = protection.source.capture.figures(protection.source.kernel.now_ns)
    return Fraction(figures.pool_bytes, protection.spec.pool_bytes)


def _bookmarks(protection: Cdp) -> int:
    return sum(result.outcome is Outcome.TAKEN for result in protection.bookmarks)


def _mode(protection: Cdp) -> str:
    return protection.source.capture.figures(protection.source.kernel.now_ns).mode.value


READERS: dict[str, Callable[[Cdp], Value]] = {
    "backlog": _backlog,
    "backlog_age": _backlog_age,
    "pool": _pool,
    "rpo": lambda protection: protection.reported_rpo_ns("any"),
    "app_rpo": lambda protection: protection.reported_rpo_ns("app"),
    "bookmarks": _bookmarks,
    "mode": _mode,
}


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
    """Return what watches a condition over a protection."""
    reader = READERS[condition.quantity.name]
    return Watched(condition, lambda: reader(protection))
