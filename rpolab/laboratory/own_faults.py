"""Faults that other packages bring, as faults of the simulated world."""

from dataclasses import dataclass
from typing import Any

from rpolab.laboratory.own_parts import made
from rpolab.laboratory.world import Laboratory
from scenarios import OwnFault
from sim.fault_plan import Fault, Injection, World


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtFault(Fault):
    """A fault whose striking is a package's: an object with `inject(injection)`."""

    kind = "own"
    device = "package"

    maker: Any

    @property
    def target(self) -> str:
        """What it strikes, where the package says so."""
        return str(getattr(self.maker, "target", self.kind))

    def check(self, world: World) -> None:
        """Nothing of the world is named: the package looks for its devices itself."""

    def strike(self, injection: Injection) -> None:
        """Let the package strike."""
        self.maker.inject(injection)


def own_fault(
    written: OwnFault, laboratory: Laboratory, *, at_ns: int, probability: float
) -> Fault:
    """Return the fault of a package: of a class of its own, as each kind has a name.

    Raises:
        HookFailed: its constructor failed.
    """
    members = {"__slots__": (), "kind": written.kind}
    kind: type[BroughtFault] = type(written.kind, (BroughtFault,), members)
    maker = made("fault", written, OwnFault, laboratory)
    return kind(at_ns=at_ns, probability=probability, maker=maker)
