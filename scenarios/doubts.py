"""What `check` doubts, by a word each: a scenario that means it writes the word under `accepts`."""

from enum import StrEnum
from typing import Literal, NamedTuple

from scenarios.findings import Finding, Path


class Doubted(StrEnum):
    """The kinds of doubt that a scenario can accept."""

    LINE_TOO_SLOW = "line_too_slow"
    SPOOL_OVERRUN = "spool_overrun"
    CATCH_UP_TOO_LONG = "catch_up_too_long"
    NEVER_FIRES = "never_fires"
    NEVER_SAMPLED = "never_sampled"
    TOO_FEW_SAMPLES = "too_few_samples"
    CANNOT_BE_MET = "cannot_be_met"


DoubtedWord = Literal[
    "line_too_slow",
    "spool_overrun",
    "catch_up_too_long",
    "never_fires",
    "never_sampled",
    "too_few_samples",
    "cannot_be_met",
]
DESCRIPTIONS = {
    Doubted.LINE_TOO_SLOW: "more is written than the line carries: RPO grows without end",
    Doubted.SPOOL_OVERRUN: "an outage fills pool and spool",
    Doubted.CATCH_UP_TOO_LONG: "the run ends before an outage is caught up with",
    Doubted.NEVER_FIRES: "a fault can never come",
    Doubted.NEVER_SAMPLED: "a threshold has no sample, whatever happens",
    Doubted.TOO_FEW_SAMPLES: "a percentile of too few samples is their maximum",
    Doubted.CANNOT_BE_MET: "a threshold that physics misses",
}


class Doubt(NamedTuple):
    """One doubt at a place of the scenario."""

    kind: Doubted
    path: Path
    message: str
    hint: str

    def finding(self) -> Finding:
        """The doubt as a warning, which says how to accept it."""
        hint = f"{self.hint}; or write 'accepts: [{self.kind}]'"
        return Finding(self.path, self.message, hint, is_warning=True)
