"""Verdicts: what a threshold, a run, or a study came to."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePath
from typing import Literal, Self

from pydantic import Field, model_validator

from reports.records import Record, Seconds


class Verdict(StrEnum):
    """What a threshold, or the whole run, came to."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"
    NOT_EXERCISED = "not_exercised"


_SEVERITY = (Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several together: the most severe; without any, nothing was exercised."""
    found = list(verdicts)
    if not found:
        return Verdict.NOT_EXERCISED
    return next((verdict for verdict in _SEVERITY if verdict in found), Verdict.MET)


class ThresholdResult(Record):
    """One threshold: limit, observed value, number of samples, verdict.

    `observed` and `limit` are in `unit`; `observed` is None without a sample. `line` is the line of
    `file`, 0 if unknown; `file` is empty where that is the scenario's own.

    Over replications, `low` and `high` bound what the observed value stands for (95 % confidence);
    both are None where it is exact. With a `low` and no `high` (or the other way round) the samples
    are too few for that bound. `runs_needed` is how many more runs would settle the verdict.
    """

    metric: str
    expr: str
    observed: Seconds | None
    unit: Literal["s", "bytes", "count", "share"]
    n: int = Field(ge=0)
    verdict: Verdict
    line: int = Field(0, ge=0)
    file: str = ""
    note: str = ""
    low: Seconds | None = None
    high: Seconds | None = None
    runs_needed: int | None = Field(None, ge=1)
    limit: Seconds | None = None

    @property
    def is_strict(self) -> bool:
        """Whether the limit itself misses the threshold."""
        return any(sign in self.expr for sign in "<>") and "=" not in self.expr

    @property
    def place(self) -> str:
        """Where it is written: '45', 'clean.yaml:38' in another file, empty if unknown."""
        if not self.line:
            return ""
        return f"{PurePath(self.file).name}:{self.line}" if self.file else str(self.line)

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")
        return self
