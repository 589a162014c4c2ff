"""Plans a scenario's faults: draws their instants, watches for their conditions, tells of them.

Every draw is from a stream that is named by the fault, never by its place in the list, so that a
fault that is removed, or whose probability changes, leaves the instants of all others as they were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import scenarios
from reports import FaultResult, seconds
from rpolab.laboratory.fault_building import FaultBuilder
from rpolab.laboratory.live_quantities import watched
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import Protection
from rpolab.protections.cdp import Cdp
from scenarios import Span, phase_spans
from sim.fault_plan import Fault, FaultOutcome, FaultPlan
from sim.fault_watch import Watch, watch
from sim.faults import SitePowerCut


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault of the scenario and what became of it; a condition may add outcomes in the run."""

    written: scenarios.AnyFault
    outcomes: list[FaultOutcome]


class Faults:
    """The faults of one run.

    Args:
        laboratory: the world that they strike.
        protections: the protections by name.
    """

    def __init__(self, laboratory: Laboratory, protections: Mapping[str, Protection]) -> None:
        self._laboratory = laboratory
        self._protections = protections
        self._builder = FaultBuilder(laboratory, protections)
        self._phases = phase_spans(laboratory.scenario.phases)
        self._plan = FaultPlan(
            laboratory.kernel, laboratory.streams, laboratory.trace, laboratory.fault_world()
        )
        self.planned = [
            PlannedFault(written, self._inject(written)) for written in laboratory.scenario.faults
        ]

    @property
    def outcomes(self) -> list[FaultOutcome]:
        """What became of each, in the scenario's order."""
        return [outcome for planned in self.planned for outcome in planned.outcomes]

    def is_power_coming_back(self, site: str) -> bool:
        """Return whether the power of a site is out for a time that was planned."""
        return any(
            isinstance(outcome.fault, SitePowerCut)
            and outcome.fault.site == site
            and outcome.fault.duration_ns is not None
            and outcome.fired
            and outcome.lifted_at_ns is None
            for outcome in self.outcomes
        )

    def results(self) -> tuple[FaultResult, ...]:
        """Return what the report tells of them."""
        return tuple(
            _result(number, planned.written, outcome)
            for number, planned in enumerate(self.planned)
            for outcome in planned.outcomes
        )

    def _inject(self, written: scenarios.AnyFault) -> list[FaultOutcome]:
        span = self._span(written)
        if written.when is not None:
            return watch(self._plan, self._watch(written, written.when, span))
        instants = list(self._instants(written, span))
        if not instants:
            never = self._builder.build(written, span.start_ns)
            # Replayed mail may put a window outside of the run: that is no draw against the fault.
            is_outside = not span.length_ns
            why = "its time is outside of the run" if is_outside else "no instant was drawn for it"
            return [FaultOutcome(never, chosen=is_outside, evidence=why)]
        return self._plan.inject(
            self._clipped(written, self._builder.build(written, at_ns)) for at_ns in instants
        )

    def _span(self, written: scenarios.AnyFault) -> Span:
        clock = self._laboratory.clock
        return written.span(clock.start_of_day_ns, clock.duration_ns, self._phases)

    def _instants(self, written: scenarios.AnyFault, span: Span) -> Iterator[int]:
        """Yield the instants at which it is to come, ascending."""
        if written.at is not None:
            yield self._at_ns(written.at, span)
            return
        # Built only to be named: what it strikes is part of the stream's name.
        target = self._builder.build(written, span.start_ns).target
        name = f"fault:{written.kind}:{target}:{written.timing}:instants"
        draws = self._laboratory.streams.stream(name)
        if written.rate is None:
            if span.length_ns:
                yield span.start_ns + draws.below(span.length_ns)
            return
        lasting_ns = _lasting_ns(written) or 0
        mean_ns = float(written.rate.interval_ns)
        at_ns, free_ns, count = span.start_ns, span.start_ns, 0
        while count < written.count_max:
            at_ns += int(draws.exponential(mean_ns))
            if at_ns >= span.end_ns:
                return
            if at_ns >= free_ns:
                yield at_ns
                free_ns = at_ns + lasting_ns + 1
                count += 1

    def _at_ns(self, at: scenarios.Moment, span: Span) -> int:
        """Return the instant of `at`; mail that is replayed may put it outside of the run."""
        if span.length_ns:
            return span.start_ns
        return at.after_start_ns(self._laboratory.clock.start_of_day_ns)

    def _watch(
        self, written: scenarios.AnyFault, condition: scenarios.Condition, span: Span
    ) -> Watch:
        protection = self._protections[condition.protection]
        assert isinstance(protection, Cdp), "checked with the scenario"
        looking = watched(condition, protection)
        return Watch(
            fault=self._builder.build(written, span.start_ns),
            holds=looking.holds,
            told=looking.told,
            until_ns=span.end_ns,
            every_ns=written.look_every_ns,
            again_after_ns=written.again_after_ns,
            count_max=written.count_max,
            placed=lambda fault: self._clipped(written, fault),
        )

    def _clipped(self, written: scenarios.AnyFault, fault: Fault) -> Fault:
        """Return the fault, lifted at the end of its phase at the latest."""
        lasting_ns = _lasting_ns(written)
        if written.phase is None or lasting_ns is None:
            return fault
        left_ns = max(self._phases[written.phase].end_ns - fault.at_ns, 1)
        if lasting_ns <= left_ns or not hasattr(fault, "duration_ns"):
            return fault
        changed: dict[str, Any] = {"duration_ns": left_ns}
        return replace(fault, **changed)


def _lasting_ns(written: scenarios.AnyFault) -> int | None:
    """Return how long it lasts, None for good or at once."""
    if isinstance(written, scenarios.PowerCut):
        return written.back_after_ns
    return getattr(written, "duration_ns", None)


def _result(number: int, written: scenarios.AnyFault, outcome: FaultOutcome) -> FaultResult:
    fired_ns, lifted_ns = outcome.fired_at_ns, outcome.lifted_at_ns
    return FaultResult(
        kind=written.kind,
        at_s=seconds(outcome.fault.at_ns),
        fired=outcome.fired,
        evidence=outcome.evidence,
        target=outcome.fault.target,
        timing=written.timing,
        chosen=outcome.chosen,
        fired_at_s=None if fired_ns is None else seconds(fired_ns),
        lifted_at_s=None if lifted_ns is None else seconds(lifted_ns),
        touched=outcome.touched,
        number=number,
    )
