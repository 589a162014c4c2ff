"""Thresholds: `max < 60 s` over the samples of a metric, and the verdict.

A threshold is never met by default: no sample at all is 'not exercised', and a sample that could
not be taken (a recovery that was refused has no RPO) leaves it inconclusive unless it is missed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from scenarios.expressions import Expression
from scenarios.metrics import METRICS, Measure, MetricName
from scenarios.phases import Span
from scenarios.quantities import spell_duration


class Verdict(StrEnum):
    """What a threshold, or a whole run, came to."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"
    NOT_EXERCISED = "not_exercised"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expression over one metric of one protection.

    `line` is the line of `file`, 0 when it does not come from a file; `file` is empty where that
    is the scenario's own. `copy` is one of several copies, `limit_ns` what the metric has in
    parentheses, `phase` the phase that it is restricted to, and `span` where that lies.
    """

    protection: str
    metric: str
    expression: Expression
    line: int = 0
    file: str = ""
    copy: str = ""
    limit_ns: int | None = None
    phase: str = ""
    span: Span | None = None

    @property
    def name(self) -> str:
        """The metric as written: `cdp.rpo`, `cdp@recovery.rpo_not_met(1 min)@quiet`."""
        copy = f"@{self.copy}" if self.copy else ""
        limit = "" if self.limit_ns is None else f"({spell_duration(self.limit_ns)})"
        phase = f"@{self.phase}" if self.phase else ""
        return f"{self.protection}{copy}.{self.metric}{limit}{phase}"

    @property
    def target(self) -> MetricName:
        """What it is about."""
        metric = METRICS[self.metric]
        return MetricName(self.protection, self.copy, metric, self.limit_ns, self.phase)

    @property
    def measure(self) -> Measure:
        """The unit of `observed`."""
        return (
            Measure.COUNT if self.expression.function == "count" else METRICS[self.metric].measure
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A threshold's outcome; `observed` is exact, in base units, None without a sample."""

    verdict: Verdict
    observed: Fraction | None
    samples: int
    note: str = ""


def evaluate(threshold: Threshold, samples: Sequence[int], *, unmeasured: int = 0) -> Evaluation:
    """Judges a threshold over the samples of a run.

    `count` is the number of samples of a duration or size, and the total of a counted metric
    (`lost_messages: count == 0` asks for no lost message, not for no recovery). A percentile is
    by nearest rank.

    Args:
        threshold: what to judge.
        samples: one value per recovery, in base units.
        unmeasured: recoveries that should have given a sample and could not.
    """
    expression, number = threshold.expression, len(samples)
    if number == 0:
        note = f"{unmeasured} recoveries gave no sample" if unmeasured else "no sample was taken"
        verdict = Verdict.INCONCLUSIVE if unmeasured else Verdict.NOT_EXERCISED
        return Evaluation(verdict, None, 0, note)
    observed = _observed(threshold, samples)
    if not expression.holds(observed):
        return _miss(expression, samples, observed)
    if unmeasured:
        note = f"{unmeasured} recoveries gave no sample"
        return Evaluation(Verdict.INCONCLUSIVE, observed, number, note)
    return Evaluation(Verdict.MET, observed, number)


def _miss(expression: Expression, samples: Sequence[int], observed: Fraction) -> Evaluation:
    """A percentile missed by one sample of too few is not yet a miss: p(95) is 1 of 20."""
    number = len(samples)
    if expression.percentile is not None and expression.operator in ("<", "<="):
        needed = math.ceil(1 / (1 - expression.percentile))
        beyond = sum(not expression.holds(sample) for sample in samples)
        if number < needed and beyond == 1 and number > 1:
            note = f"1 of {number} samples is beyond the limit: {needed - number} more settle it"
            return Evaluation(Verdict.INCONCLUSIVE, observed, number, note)
    return Evaluation(Verdict.MISSED, observed, number)


def _observed(threshold: Threshold, samples: Sequence[int]) -> Fraction:
    expression = threshold.expression
    if expression.percentile is not None:
        rank = math.ceil(expression.percentile * len(samples))
        return Fraction(sorted(samples)[rank - 1])
    counted = METRICS[threshold.metric].measure is Measure.COUNT
    values = {
        "max": Fraction(max(samples)),
        "min": Fraction(min(samples)),
        "mean": Fraction(sum(samples), len(samples)),
        "sum": Fraction(sum(samples)),
        "count": Fraction(sum(samples) if counted else len(samples)),
    }
    return values[expression.function]


_SEVERITY = (Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a run from those of its thresholds; without any, nothing was exercised."""
    found = list(verdicts)
    for verdict in _SEVERITY:
        if verdict in found:
            return verdict
    return Verdict.MET if found else Verdict.NOT_EXERCISED
