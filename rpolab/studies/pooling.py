"""Thresholds over the runs of one cell: the same experiment, each time with another seed.

A percentile or a mean is about all runs that there could be, so it has an interval: a limit inside
it is not settled, however the observed value stands. All other functions are about one run (no
message lost, the highest RPO), so each run must hold them; their verdict is that of the worst run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from reports import Result, ThresholdResult
from reports.confidence import (
    Interval,
    effective_samples,
    mean_error,
    mean_interval,
    quantile_interval,
    quantile_ranks,
    student_quantile,
)
from rpolab.laboratory.measures import in_unit, samples_of, threshold_result
from scenarios import Evaluation, Expression, Scenario, Threshold, Verdict, combine, evaluate

RUNS_NEEDED_MAX = 10_000
"""Beyond so many more runs, nothing is promised: the limit is as good as the value itself."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """The samples of a threshold, run by run, and how many could not be taken."""

    runs: tuple[tuple[int, ...], ...]
    unmeasured: int

    @property
    def samples(self) -> int:
        return sum(map(len, self.runs))

    @property
    def filled(self) -> list[tuple[int, ...]]:
        """The runs that gave a sample at all."""
        return [run for run in self.runs if run]


def judge_together(scenario: Scenario, runs: Sequence[Result]) -> tuple[ThresholdResult, ...]:
    """Return the verdict of every threshold over all runs of a cell.

    Args:
        scenario: the cell's scenario.
        runs: at least one, of that scenario with different seeds.
    """
    if len(runs) == 1:
        return runs[0].thresholds
    return tuple(judge_pooled(threshold, runs) for threshold in scenario.threshold_list())


def judge_pooled(threshold: Threshold, runs: Sequence[Result]) -> ThresholdResult:
    """Return the verdict of one threshold over several runs."""
    found = [samples_of(threshold, run.protections) for run in runs]
    pool = _Pool(
        tuple(tuple(samples) for samples, _ in found), sum(missing for _, missing in found)
    )
    expression = threshold.expression
    if expression.percentile is None and expression.function != "mean":
        return threshold_result(threshold, _worst_run(threshold, found))
    if pool.samples == 0 or len(pool.filled) == 1:
        samples = [sample for run in pool.runs for sample in run]
        return threshold_result(threshold, evaluate(threshold, samples, unmeasured=pool.unmeasured))
    return _inferred(threshold, pool)


def _worst_run(threshold: Threshold, found: Sequence[tuple[list[int], int]]) -> Evaluation:
    each = [evaluate(threshold, samples, unmeasured=missing) for samples, missing in found]
    with_samples = [item for item in each if item.observed is not None]
    if not with_samples:
        return replace(each[0], verdict=combine(item.verdict for item in each))
    worst = max(with_samples, key=lambda item: _badness(threshold.expression, item.observed))
    verdict = combine(item.verdict for item in each if item.verdict is not Verdict.NOT_EXERCISED)
    missed = sum(item.verdict is Verdict.MISSED for item in each)
    notes = [f"{missed} of {len(each)} runs miss it"] if missed else []
    unmeasured = sum(missing for _, missing in found)
    notes += [f"{unmeasured} recoveries gave no sample"] if unmeasured else []
    empty = len(each) - len(with_samples)
    notes += [f"{empty} of {len(each)} runs gave no sample"] if empty else []
    samples = sum(item.samples for item in each)
    return Evaluation(verdict, worst.observed, samples, "; ".join(notes))


def _badness(expression: Expression, observed: Fraction | None) -> Fraction:
    """How far a run's value lies to the wrong side of the limit."""
    assert observed is not None, "only runs with samples are compared"
    beyond = observed - expression.limit
    if expression.operator == "==":
        return abs(beyond)
    return beyond if expression.operator in ("<", "<=") else -beyond


def _inferred(threshold: Threshold, pool: _Pool) -> ThresholdResult:
    expression = threshold.expression
    share = expression.percentile
    interval = (
        mean_interval(pool.filled)
        if share is None
        else quantile_interval(pool.filled, float(share))
    )
    samples = [sample for run in pool.runs for sample in run]
    observed = evaluate(threshold, samples).observed
    assert observed is not None, "there are samples"
    verdict = settled(expression, interval)
    needed, note = None, ""
    if verdict is Verdict.INCONCLUSIVE:
        needed = runs_needed(expression, pool.filled, len(pool.runs))
        note = _inconclusive_note(needed)
    elif verdict is Verdict.MET and pool.unmeasured:
        verdict, note = Verdict.INCONCLUSIVE, f"{pool.unmeasured} recoveries gave no sample"
    result = threshold_result(threshold, Evaluation(verdict, observed, len(samples), note))
    low, high = (None if end is None else in_unit(threshold, end) for end in interval)
    return result.model_copy(update={"low": low, "high": high, "runs_needed": needed})


def _inconclusive_note(needed: int | None) -> str:
    if needed is None:
        return "the limit is too near the value itself for any number of runs to tell"
    runs = "run" if needed == 1 else "runs"
    return f"too few runs to tell; about {needed:,} more {runs} like these would settle it"


def settled(expression: Expression, interval: Interval) -> Verdict:
    """Return met or missed where the whole interval agrees, and inconclusive where it does not."""
    if expression.operator == "==":
        if interval.low == interval.high == expression.limit:
            return Verdict.MET
        outside = (interval.low is not None and interval.low > expression.limit) or (
            interval.high is not None and interval.high < expression.limit
        )
        return Verdict.MISSED if outside else Verdict.INCONCLUSIVE
    good, bad = interval.high, interval.low
    if expression.operator in (">", ">="):
        good, bad = interval.low, interval.high
    if good is not None and expression.holds(Fraction(good)):
        return Verdict.MET
    if bad is not None and not expression.holds(Fraction(bad)):
        return Verdict.MISSED
    return Verdict.INCONCLUSIVE


def runs_needed(expression: Expression, runs: Sequence[Sequence[int]], tried: int) -> int | None:
    """Return how many more runs settle a threshold if they are like those there are.

    Args:
        expression: the threshold's.
        runs: the samples of the runs that have some; at least two.
        tried: how many runs that took, those without a sample too.
    """
    if expression.operator == "==":
        return None
    settles = _settling_mean(expression, runs)
    if expression.percentile is not None:
        settles = _settling_quantile(expression, float(expression.percentile), runs)
    first, last = len(runs), len(runs)
    while not settles(last):
        first, last = last, last * 2
        if last > RUNS_NEEDED_MAX:
            return None
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (first, middle) if settles(middle) else (middle, last)
    more = last - len(runs)
    return max(1, -(-more * tried // len(runs)))


def _settling_mean(expression: Expression, runs: Sequence[Sequence[int]]) -> Callable[[int], bool]:
    mean = sum(map(sum, runs)) / sum(map(len, runs))
    distance = abs(mean - expression.limit)
    error = mean_error(runs) * math.sqrt(len(runs))

    def settles(number: int) -> bool:
        return student_quantile(number - 1) * error < distance * math.sqrt(number)

    return settles


def _settling_quantile(
    expression: Expression, share: float, runs: Sequence[Sequence[int]]
) -> Callable[[int], bool]:
    """Whether so many runs settle a percentile, if the share of samples that hold stays as it is.

    A percentile is below its limit where more than its share of the samples is.
    """
    hits = [sum(expression.holds(sample) for sample in run) for run in runs]
    worth = effective_samples(hits, [len(run) for run in runs])
    holding = sum(hits) / sum(map(len, runs))
    below = holding if expression.operator in ("<", "<=") else 1 - holding

    def settles(number: int) -> bool:
        samples = max(1, worth * number // len(runs))
        ranks = quantile_ranks(samples, share)
        count = below * samples
        is_below = ranks.high is not None and count >= ranks.high
        return is_below or (ranks.low is not None and count < ranks.low)

    return settles
