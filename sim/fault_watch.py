"""Faults that come when something becomes true.

A condition is looked at on a stated period, before everything else of that instant, and without
a draw: until it comes true the run is the run without the fault, to the byte. What it reads must
change nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.fault_plan import Fault, FaultOutcome, FaultPlan

__all__ = ["Watch", "watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A fault and what lets it come.

    Attributes:
        fault: The fault; its `at_ns` is when watching begins.
        holds: Whether it is to come now.
        told: What was seen so far, in words: the evidence of a fault that never came.
        until_ns: When watching ends.
        every_ns: The time from one look to the next.
        again_after_ns: How long after it came it may come again; None: it comes once.
        count_max: How often it comes at most.
        placed: Returns the fault for the instant at which it comes.
    """

    fault: Fault
    holds: Callable[[], bool]
    told: Callable[[], str]
    until_ns: int
    every_ns: int
    again_after_ns: int | None = None
    count_max: int = 1
    placed: Callable[[Fault], Fault] = lambda fault: fault


def watch(plan: FaultPlan, item: Watch) -> list[FaultOutcome]:
    """Begin to watch; returns the outcomes, to which each further coming adds one.

    Its probability is drawn once, for all of it.

    Raises:
        FaultTargetMissing: the fault names a device that is not there.
    """
    first = plan.draw(item.fault)
    outcomes = [first]
    if first.chosen:
        first.evidence = item.told()
        _Watcher(plan, item, outcomes).look_at(item.fault.at_ns)
    return outcomes


class _Watcher:
    """Looks, lets the fault come, and goes on looking."""

    def __init__(self, plan: FaultPlan, item: Watch, outcomes: list[FaultOutcome]) -> None:
        self._plan = plan
        self._item = item
        self._outcomes = outcomes
        self._count = 0

    def look_at(self, at_ns: int) -> None:
        """Look at an instant, unless watching has ended by then."""
        if at_ns < self._item.until_ns:
            self._plan.kernel.call_at(at_ns, self._look, at_ns)

    def _look(self, now_ns: int) -> None:
        item = self._item
        if not item.holds():
            if not self._count:
                self._outcomes[0].evidence = item.told()
            self.look_at(now_ns + item.every_ns)
            return
        self._come(now_ns)
        if item.again_after_ns is not None and self._count < item.count_max:
            self.look_at(now_ns + max(item.again_after_ns, item.every_ns))

    def _come(self, now_ns: int) -> None:
        """Let the fault come now."""
        fault = self._item.placed(replace(self._item.fault, at_ns=now_ns))
        if self._count:
            outcome = FaultOutcome(fault, chosen=True)
            self._outcomes.append(outcome)
        else:
            [outcome] = self._outcomes
            outcome.fault = fault
        self._count += 1
        self._plan.strike(outcome)
