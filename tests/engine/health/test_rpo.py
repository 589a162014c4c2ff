"""RPO(t) in figures: against the exact curve of the reports, and against plain arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.health.ages import AgeHistogram, _bucket_of, _low_of
from engine.health.rpo import RECENT_MAX, RpoCurve
from reports.curve import Curve

SECOND = 1_000_000_000


@given(st.integers(0, 1 << 62))
def test_every_age_lies_in_its_bucket_and_a_bucket_is_narrow(age_ns):
    bucket = _bucket_of(age_ns)
    low_ns, end_ns = _low_of(bucket), _low_of(bucket + 1)
    assert low_ns <= age_ns < end_ns
    assert end_ns - low_ns <= max(1 << 20, low_ns // 128)


@st.composite
def histories(draw):
    """Points that become recoverable one after the other: (instant, source time)."""
    now_ns, newest_ns, points = 0, 0, []
    for _ in range(draw(st.integers(1, 30))):
        now_ns += draw(st.integers(1, 1_000)) * SECOND // 10
        newest_ns = draw(st.integers(newest_ns, now_ns))
        points.append((now_ns, newest_ns))
    return points, now_ns + draw(st.integers(1, 1_000)) * SECOND // 10


@settings(deadline=None)
@given(histories(), st.integers(0, 60))
def test_all_figures_are_those_of_the_exact_curve(history, target_s):
    points, end_ns = history
    curve = RpoCurve(0, target_ns=target_s * SECOND)
    for now_ns, time_ns in points:
        curve.point(time_ns, now_ns)
    figures = curve.figures(end_ns)
    exact = Curve.from_points(0, end_ns, points, 0)
    assert figures.mean_ns == exact.mean_ns()
    assert figures.max_ns == exact.max_ns()
    assert figures.age_ns == exact.at(end_ns)
    assert figures.not_met_ns == exact.above_ns(target_s * SECOND)
    assert figures.watched_ns == end_ns
    shares = [Fraction(50, 100), Fraction(95, 100), Fraction(99, 100)]
    found = (figures.p50_ns, figures.p95_ns, figures.p99_ns)
    for quantile_ns, wanted_ns in zip(found, exact.quantiles_ns(shares), strict=True):
        assert (
            wanted_ns <= quantile_ns <= max(wanted_ns * Fraction(101, 100), wanted_ns + (1 << 20))
        )


@settings(deadline=None)
@given(histories(), st.lists(st.integers(0, 1 << 40), max_size=20))
def test_asking_for_figures_changes_none(history, asked):
    points, end_ns = history
    quiet, asked_often = RpoCurve(0, target_ns=SECOND), RpoCurve(0, target_ns=SECOND)
    asked = sorted(asked)
    for now_ns, time_ns in points:
        while asked and asked[0] <= now_ns:
            asked_often.figures(asked.pop(0))
        quiet.point(time_ns, now_ns)
        asked_often.point(time_ns, now_ns)
    assert quiet.figures(end_ns) == asked_often.figures(end_ns)


def test_before_the_first_point_the_age_is_that_of_the_protection():
    curve = RpoCurve(100, offset_ns=5_000)
    assert curve.age_ns(350) == 250
    assert curve.figures(350).newest_ns is None


def test_a_step_of_the_clock_moves_the_age_but_makes_no_time():
    curve = RpoCurve(0, target_ns=15 * SECOND)
    curve.point(0, 0)
    curve.clock(60 * SECOND, 10 * SECOND)
    assert curve.age_ns(10 * SECOND) == 70 * SECOND
    curve.clock(0, 20 * SECOND)
    figures = curve.figures(20 * SECOND)
    assert figures.age_ns == 20 * SECOND
    assert figures.max_ns == 80 * SECOND
    assert figures.watched_ns == 20 * SECOND
    assert figures.not_met_ns == 10 * SECOND
    assert figures.mean_ns == (5 + 75) * SECOND // 2


def test_a_step_before_the_first_point_does_not_age_the_protection():
    curve = RpoCurve(0)
    curve.clock(3_600 * SECOND, 10)
    assert curve.age_ns(20) == 20


def test_a_point_from_the_future_counts_as_new_until_its_time_has_come():
    curve = RpoCurve(0)
    curve.point(10 * SECOND, 0)
    figures = curve.figures(20 * SECOND)
    assert figures.age_ns == 10 * SECOND
    assert figures.mean_ns == Fraction(10 * 5 * SECOND, 20)
    assert figures.p50_ns <= 1 << 20


def test_a_point_that_is_withdrawn_lets_the_age_jump_up():
    curve = RpoCurve(0)
    curve.point(5 * SECOND, 6 * SECOND)
    curve.point(2 * SECOND, 7 * SECOND)
    assert curve.age_ns(7 * SECOND) == 5 * SECOND
    assert [(drop.before_ns, drop.after_ns) for drop in curve.recent] == [
        (6 * SECOND, SECOND),
        (2 * SECOND, 5 * SECOND),
    ]


def test_memory_is_bounded_however_many_points_there_are(figure):
    curve, count = RpoCurve(0, target_ns=SECOND), 20_000
    for number in range(count):
        curve.point(number * SECOND, (number + 3) * SECOND)
    assert len(curve.recent) == RECENT_MAX
    buckets = len(curve._ages._partial_ns)
    assert buckets < 5_000
    figure(f"{count} points in {buckets} buckets")


def test_a_histogram_without_time_has_no_percentile():
    assert AgeHistogram().quantile_ns(500) is None
    with pytest.raises(AssertionError):
        AgeHistogram().quantile_ns(0)
