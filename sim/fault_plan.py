"""Faults are data: a list of typed records, injected at their times.

Each fault has a random stream of its own and draws before it branches, so that a fault's
probability changes nothing but whether that fault comes. A fault that does not come leaves no
mark: not in the kernel's queue, not in any stream, not in the trace; with every probability 0 a
run is the fault-free run to the byte. A fault that comes is an intervention (`Kernel.call_at`),
so up to its instant the run is the fault-free run too.

A fault counts as fired only with evidence: the device's state really changed. How much it
touched (bytes held, requests delayed, operations refused, hosts cut) is counted beside it: an
outage in which nobody wanted to send has fired, and touched nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.link import Link
from sim.site import Site
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

__all__ = [
    "Fault",
    "FaultOutcome",
    "FaultPlan",
    "FaultTargetMissing",
    "Injection",
    "World",
]


class FaultTargetMissing(LookupError):  # noqa: N818 - named for what happened
    """A fault names a device that the world does not have."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"There is no {kind} named {name}. Hint: the world has: {names}.")


@dataclass(frozen=True, slots=True)
class World:
    """The devices that faults can name.

    Attributes:
        sites: The sites by name; and so on.
        hosts: The hosts.
        disks: The disks.
        volumes: The volumes.
        links: The links.
    """

    sites: Mapping[str, Site] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)


@dataclass(slots=True)
class FaultOutcome:
    """What became of a fault.

    Attributes:
        fault: The fault.
        chosen: Whether the draw was for it.
        fired: Whether the device's state really changed.
        fired_at_ns: When; None if it did not.
        lifted_at_ns: When it was over; None if it is not, or lasts for ever.
        touched: How much it touched, in the unit the evidence names.
        evidence: What was seen, in words.
    """

    fault: "Fault"
    chosen: bool
    fired: bool = False
    fired_at_ns: int | None = None
    lifted_at_ns: int | None = None
    touched: int = 0
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(ABC):
    """A fault.

    Attributes:
        at_ns: When it comes.
        probability: How likely it comes at all.
    """

    kind: ClassVar[str]
    #: What it strikes, and its field with the name: 'site', 'host', 'disk', 'volume' or 'link'.
    device: ClassVar[str]

    at_ns: int
    probability: float = 1.0

    @property
    def target(self) -> str:
        """The name of the device it strikes."""
        name: str = getattr(self, self.device)
        return name

    @property
    def prepares_ns(self) -> int:
        """When its work begins: earlier than it comes, where something is needed for it."""
        return self.at_ns

    def find(self, world: World) -> Any:
        """Return the device; raises FaultTargetMissing if the world has none of that name."""
        devices: Mapping[str, Any] = getattr(world, f"{self.device}s")
        found = devices.get(self.target)
        if found is None:
            raise FaultTargetMissing(self.device, self.target, devices)
        return found

    def check(self, world: World) -> None:
        """Raise FaultTargetMissing if the world has no such device."""
        self.find(world)

    @abstractmethod
    def strike(self, injection: "Injection") -> None:
        """Strike."""


@dataclass(slots=True)
class Injection:
    """The hand that carries a fault out and notes what happened."""

    kernel: Kernel
    trace: Trace | None
    world: World
    outcome: FaultOutcome

    def fired(self, evidence: str, touched: int = 0) -> None:
        """Note that the device's state changed."""
        outcome = self.outcome
        outcome.fired = True
        outcome.fired_at_ns = self.kernel.now_ns
        self.learned(evidence, touched)
        self._record("fault.fired")

    def learned(self, evidence: str, touched: int) -> None:
        """Replace the evidence by what is known now."""
        self.outcome.evidence = evidence
        self.outcome.touched = touched

    def missed(self, evidence: str) -> None:
        """Note that there was nothing to change."""
        self.outcome.evidence = evidence
        self._record("fault.missed")

    def lift_after(self, duration_ns: int, lift: Callable[[], None]) -> None:
        """End the fault later, before everything else of that instant."""

        def end() -> None:
            lift()
            self.outcome.lifted_at_ns = self.kernel.now_ns
            self._record("fault.lifted")

        self.kernel.call_at(self.kernel.now_ns + duration_ns, end)

    def _record(self, kind: str) -> None:
        """Write a trace line."""
        if self.trace is not None:
            fault = self.outcome.fault
            self.trace.record(
                kind, fault=fault.kind, target=fault.target, evidence=self.outcome.evidence
            )


class FaultPlan:
    """The faults of a run.

    Args:
        kernel: The kernel.
        streams: The run's streams.
        trace: Where fired faults are recorded, if anywhere.
        world: The devices.

    Attributes:
        outcomes: What became of each fault, in the order of `inject`.
    """

    __slots__ = ("_kernel", "_streams", "_trace", "_world", "outcomes")

    def __init__(self, kernel: Kernel, streams: Streams, trace: Trace | None, world: World) -> None:
        self._kernel = kernel
        self._streams = streams
        self._trace = trace
        self._world = world
        self.outcomes: list[FaultOutcome] = []

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return self._kernel

    def inject(self, faults: Iterable[Fault]) -> list[FaultOutcome]:
        """Draw which faults come, and schedule those; returns their outcomes, to be filled in.

        Raises:
            FaultTargetMissing: A fault names a device that is not there; none is scheduled.
        """
        planned = list(faults)
        for fault in planned:
            fault.check(self._world)
        outcomes = [self.draw(fault) for fault in planned]
        for outcome in outcomes:
            if outcome.chosen:
                self._kernel.call_at(outcome.fault.prepares_ns, self.strike, outcome)
        self.outcomes += outcomes
        return outcomes

    def draw(self, fault: Fault) -> FaultOutcome:
        """Draw whether a fault comes, and schedule nothing.

        Raises:
            FaultTargetMissing: It names a device that is not there.
        """
        fault.check(self._world)
        # Named by what it is, not by its place in the list: removing one fault from a plan
        # (shrinking) leaves the draws of the others as they were.
        name = f"fault:{fault.kind}:{fault.target}:{fault.at_ns}"
        outcome = FaultOutcome(fault, chosen=self._streams.stream(name).chance(fault.probability))
        if not outcome.chosen:
            outcome.evidence = "not drawn"
        return outcome

    def strike(self, outcome: FaultOutcome) -> None:
        """Carry a fault out now."""
        outcome.fault.strike(Injection(self._kernel, self._trace, self._world, outcome))
