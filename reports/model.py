"""The result of a run: the published JSON document and its Python form.

Units are in the names; seconds are rounded to the nanosecond. Everything but `wall_s` and
`events_per_s` is the same for the same seed.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from reports.copies import CopyResult, KeptHistory
from reports.records import Amount, OutsideText, Record, Seconds
from reports.rows import Row, recovery_rows
from reports.verdicts import ThresholdResult, Verdict

RESULT_VERSION: Literal[1] = 1


class ScenarioReference(Record):
    """Which scenario was run; `starts_at` is the simulated date and time of its start."""

    title: str
    file: str = ""
    starts_at: str = Field("", description="ISO 8601 date and time without a zone, or empty.")


class Digests(Record):
    """Two fingerprints of the run: order and content, and the same with all times."""

    effects: str
    full: str


class FaultResult(Record):
    """One coming of a fault of the scenario: whether it fired, and how that is known.

    A fault that is drawn or waits for something has one for each time that it came; `at_s` is then
    the drawn instant. `chosen` is false where its probability was against it.
    """

    kind: str
    at_s: Seconds
    fired: bool
    evidence: OutsideText = ""
    target: str = Field("", description="The site, link, volume or protection that it struck.")
    timing: str = Field("", description="When it was to come, as written; empty for an instant.")
    chosen: bool = True
    fired_at_s: Seconds | None = None
    lifted_at_s: Seconds | None = Field(None, description="When it was over; None: never.")
    touched: int = Field(0, ge=0, description="How much it touched, in the evidence's unit.")
    number: int | None = Field(None, description="Its place among the scenario's faults, from 0.")

    @property
    def told(self) -> str:
        """What became of it, in words."""
        if self.fired:
            return "fired"
        return "did not fire" if self.chosen else "was not drawn"


def unfired(faults: Iterable[FaultResult]) -> list[FaultResult]:
    """Those that should have come and never did: of one that may come often, once is enough."""
    kept = [fault for fault in faults if fault.chosen]
    came = {fault.number for fault in kept if fault.fired and fault.number is not None}
    return [fault for fault in kept if not fault.fired and fault.number not in came]


class Notice(Record):
    """Something that an operator would have been told during the run."""

    at_s: Seconds
    source: str
    text: OutsideText


class ProtectionName(Record):
    """Which protection it is, and how much mail it was to keep."""

    name: str
    kind: str
    acknowledged: Amount


class ProtectionResult(KeptHistory, ProtectionName):
    """What one protection did.

    With several copies it is what the best of them gave, and `copies` has each of them.
    """

    copies: tuple[CopyResult, ...] = ()

    @property
    def columns(self) -> "tuple[ProtectionResult | CopyResult, ...]":
        """Each copy where there are several, else the protection itself."""
        return self.copies or (self,)


class Assumption(Record):
    """A figure that the run did not measure, and where it comes from."""

    name: str
    value: str
    basis: Literal["measured", "sourced", "assumption"]
    source: str = ""


class Result(Record):
    """Everything that one run found."""

    version: Literal[1] = RESULT_VERSION
    program: str = Field("", description="The program and its version, such as 'rpolab 0.1.0'.")
    scenario: ScenarioReference
    seed: int = Field(ge=0)
    digests: Digests
    simulated_s: Seconds = Field(ge=0)
    wall_s: Seconds = Field(ge=0)
    events: int = Field(ge=0)
    events_per_s: Seconds = Field(ge=0)
    verdict: Verdict
    thresholds: tuple[ThresholdResult, ...] = ()
    faults: tuple[FaultResult, ...] = ()
    notices: tuple[Notice, ...] = ()
    protections: tuple[ProtectionResult, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    replay: str = Field("", description="The command that repeats the run.")

    def protection(self, name: str) -> ProtectionResult:
        """What the protection of that name did; raises KeyError naming those there are."""
        for found in self.protections:
            if found.name == name:
                return found
        known = ", ".join(found.name for found in self.protections)
        raise KeyError(f"there is no protection {name!r} in this result, but: {known}")

    def rows(self) -> list[Row]:
        """A row for each recovery, as plain values by name."""
        return [
            {"seed": self.seed, **row}
            for found in self.protections
            for row in recovery_rows(found.name, found.recoveries)
        ]

    @property
    def speed(self) -> float:
        """Simulated seconds in one real second; 0 when no real time was noted."""
        return self.simulated_s / self.wall_s if self.wall_s else 0.0

    def without_wall_clock(self) -> "Result":
        """The same result with real times set to 0: equal bytes for equal seeds."""
        return self.model_copy(update={"wall_s": 0.0, "events_per_s": 0.0})

    def to_json(self) -> str:
        """The published document as text, indented, with a final newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
