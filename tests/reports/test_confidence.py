"""Intervals hold what they promise: against tables, and against thousands of drawn studies."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.confidence import (
    Interval,
    Ranks,
    effective_samples,
    mean_interval,
    quantile_interval,
    quantile_ranks,
    student_quantile,
)

TABLE = [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980),
         (1_000, 1.962), (10_000, 1.960)]  # fmt: skip


@pytest.mark.parametrize(("freedom", "value"), TABLE)
def test_students_t_is_that_of_the_tables(freedom, value):
    assert student_quantile(freedom) == pytest.approx(value, abs=0.0006)


def exact_ranks(samples, share):
    """The definition, by sums of exact binomial terms."""
    terms = [math.comb(samples, k) * share**k * (1 - share) ** (samples - k)
             for k in range(samples + 1)]  # fmt: skip
    lows = [rank for rank in range(1, samples + 1) if sum(terms[:rank]) <= 0.025]
    highs = [rank for rank in range(1, samples + 1) if sum(terms[rank:]) <= 0.025 + 1e-12]
    return Ranks(max(lows, default=None), min(highs, default=None))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_the_ranks_of_a_quantile_are_those_of_the_binomial_distribution(share):
    for samples in (1, 2, 10, 20, 71, 72, 73, 120, 300):
        assert quantile_ranks(samples, share) == exact_ranks(samples, share), samples


def test_a_95th_percentile_has_an_upper_bound_from_72_samples_on():
    assert quantile_ranks(71, 0.95).high is None
    assert quantile_ranks(72, 0.95).high == 72
    assert quantile_ranks(1_000_000, 0.5) == Ranks(499_020, 500_981)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30))
def test_samples_are_worth_at_least_one_a_run_and_at_most_what_they_are(runs):
    sizes = [size for _, size in runs]
    hits = [min(hit, size) for hit, size in runs]
    assert len(runs) <= effective_samples(hits, sizes) <= sum(sizes)


def test_samples_that_all_agree_within_their_run_are_worth_one_a_run():
    hits = [12] * 19 + [0]
    assert effective_samples(hits, [12] * 20) == 20
    assert effective_samples([12] * 20, [12] * 20) == 20
    assert effective_samples([1] * 19 + [0], [1] * 20) == 20


def drawn_runs(source, runs, drills, dependence):
    """Runs whose drills share a part of their value; the whole is normal with deviation 1."""
    found = []
    for _ in range(runs):
        common = source.gauss(0, math.sqrt(dependence))
        own = math.sqrt(1 - dependence)
        found.append([round(1e6 * (common + source.gauss(0, own))) for _ in range(drills)])
    return found


def covers(interval: Interval, value):
    below = interval.low is None or interval.low <= value
    return below and (interval.high is None or value <= interval.high)


@pytest.mark.parametrize(
    ("runs", "drills", "dependence"), [(100, 1, 0.0), (30, 6, 0.0), (30, 6, 0.5), (80, 4, 1.0)]
)
def test_an_interval_holds_the_truth_in_95_of_100_studies(figure, runs, drills, dependence):
    source, studies = random.Random(5), 300
    hits = {"p(90)": 0, "mean": 0}
    for _ in range(studies):
        found = drawn_runs(source, runs, drills, dependence)
        hits["p(90)"] += covers(quantile_interval(found, 0.9), 1_281_552)
        hits["mean"] += covers(mean_interval(found), 0)
    shares = {name: count / studies for name, count in hits.items()}
    figure(f"{runs} runs of {drills} drills, dependence {dependence}: {shares}")
    assert min(shares.values()) >= 0.92


def test_one_run_gives_a_mean_no_interval():
    assert mean_interval([[1, 2, 3]]) == Interval(None, None)
