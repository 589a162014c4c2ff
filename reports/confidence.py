"""How sure a figure over several runs is: intervals for percentiles, means and shares.

The samples of one run are not independent: an outage makes all drills near it bad at once. What a
sample of a run adds to its others is therefore measured, and so many samples are counted as runs
of one sample would be worth (effective samples: Korn and Graubard 1998).
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_DEVIATIONS = 12
_ROUNDING = 1e-9


class Interval(NamedTuple):
    """The values between which the true one lies; None where the samples give no bound."""

    low: float | None
    high: float | None


class Ranks(NamedTuple):
    """The order statistics that bound a quantile, counted from 1; None where none does."""

    low: int | None
    high: int | None


def quantile_ranks(samples: int, share: float) -> Ranks:
    """The ranks of the samples between which a quantile lies, by the binomial distribution.

    Args:
        samples: how many there are, independent of each other.
        share: of the quantile, 0.95 for the 95th percentile.
    """
    low = high = None
    below = 0.0
    for rank, weight in _binomial(samples, share):
        # `below` is the chance that fewer than `rank` samples are at or below the quantile.
        if below <= _TAIL and rank > 0:
            low = rank
        below += weight
        if high is None and below >= 1 - _TAIL - _ROUNDING:
            high = rank + 1
    return Ranks(low, high if high is not None and high <= samples else None)


def _binomial(trials: int, share: float) -> Iterator[tuple[int, float]]:
    """Numbers of successes with their chance, but for those that never happen."""
    reach = _DEVIATIONS * math.sqrt(trials * share * (1 - share)) + _DEVIATIONS
    first = max(0, math.floor(trials * share - reach))
    last = min(trials, math.ceil(trials * share + reach))
    for count in range(first, last + 1):
        chosen = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
        weight = chosen + count * math.log(share) + (trials - count) * math.log1p(-share)
        yield count, math.exp(weight)


def effective_samples(hits: Sequence[int], sizes: Sequence[int]) -> int:
    """How many independent samples the samples of several runs are worth.

    At least one for each run, at most as many as there are. Where all samples are hits, or none
    is, nothing is known of how much they depend on each other: then it is one for each run.

    Args:
        hits: how many samples of each run are on one side.
        sizes: how many samples each run has; at least one.
    """
    runs, samples = len(sizes), sum(sizes)
    if samples == runs:
        return samples
    share = sum(hits) / samples
    if runs < 2 or share in (0.0, 1.0):
        return runs
    spread = sum((hit - share * size) ** 2 for hit, size in zip(hits, sizes, strict=True))
    variance = runs / (runs - 1) * spread / samples**2
    if variance == 0:
        return samples
    independent = share * (1 - share) / variance
    few = (student_quantile(samples - 1) / student_quantile(runs - 1)) ** 2
    return min(samples, max(runs, math.floor(independent * few)))


def quantile_interval(runs: Sequence[Sequence[int]], share: float) -> Interval:
    """The interval of a quantile over the samples of several runs.

    Args:
        runs: the samples of each run; at least one run, none of them empty.
        share: of the quantile.
    """
    ordered = sorted(sample for run in runs for sample in run)
    value = ordered[math.ceil(round(share * len(ordered), 9)) - 1]
    hits = [sum(sample <= value for sample in run) for run in runs]
    worth = effective_samples(hits, [len(run) for run in runs])
    ranks = quantile_ranks(worth, share)
    scale = len(ordered) / worth
    low = None if ranks.low is None else ordered[max(0, math.floor(ranks.low * scale) - 1)]
    high = None if ranks.high is None else ordered[math.ceil(ranks.high * scale) - 1]
    return Interval(low, high)


def mean_interval(runs: Sequence[Sequence[int]]) -> Interval:
    """The interval of the mean over all samples, by Student's t over the runs."""
    samples = sum(len(run) for run in runs)
    mean = sum(map(sum, runs)) / samples
    if len(runs) < 2:
        return Interval(None, None)
    half = student_quantile(len(runs) - 1) * mean_error(runs)
    return Interval(mean - half, mean + half)


def mean_error(runs: Sequence[Sequence[int]]) -> float:
    """The standard error of the mean over all samples; the runs are what is independent."""
    samples = sum(len(run) for run in runs)
    mean = sum(map(sum, runs)) / samples
    spread = sum((sum(run) - mean * len(run)) ** 2 for run in runs)
    return math.sqrt(len(runs) / (len(runs) - 1) * spread) / samples


@cache
def student_quantile(freedom: int) -> float:
    """The value that Student's t stays below with all but half of what confidence leaves.

    Args:
        freedom: degrees of freedom, at least 1.
    """
    assert freedom >= 1, freedom
    low, high = 0.0, 1.0
    while _student_above(high, freedom) > _TAIL:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_above(middle, freedom) > _TAIL else (low, middle)
    return high


def _student_above(value: float, freedom: int) -> float:
    """The chance that t is above a positive value."""
    return _incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _continued_fraction(x, a, b)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """1 + d1 x/(1 + d2 x/(1 + ...)), from its 200th term backwards."""
    value = 1.0
    for term in range(200, 0, -1):
        half, odd = divmod(term, 2)
        if odd:
            factor = -(a + half) * (a + b + half) / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) / ((a + 2 * half - 1) * (a + 2 * half))
        value = 1 + factor * x / value
    return value
