"""Phases of a run: chaos, then quiet. One follows the other from the start on."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from scenarios.fields import Name, PositiveDuration, Strict

PHASES_MAX = 100


class Phase(Strict):
    """A named stretch of the run: faults may belong to it, and thresholds be restricted to it."""

    name: Name = Field(description="Name of the phase.", examples=["chaos"])
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it lasts.", examples=["40 min"]
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the run, in nanoseconds after its start; its end is not part of it."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is; 0 where nothing is left of it."""
        return max(self.end_ns - self.start_ns, 0)

    def within(self, other: "Span") -> "Span":
        """What of it lies in another stretch."""
        start_ns = max(self.start_ns, other.start_ns)
        return Span(start_ns, max(min(self.end_ns, other.end_ns), start_ns))

    def holds(self, at_ns: int) -> bool:
        """Whether an instant is part of it."""
        return self.start_ns <= at_ns < self.end_ns


def phase_spans(phases: Iterable[Phase]) -> dict[str, Span]:
    """Where each phase lies, by its name."""
    spans: dict[str, Span] = {}
    start_ns = 0
    for phase in phases:
        spans[phase.name] = Span(start_ns, start_ns + phase.duration_ns)
        start_ns += phase.duration_ns
    return spans
