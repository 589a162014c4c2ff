from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import Curve
from reports.chart import column_maxima

S = 1_000_000_000


@st.composite
def small_curves(draw):
    """Curves over a few dozen ticks, short enough to visit every instant."""
    end = draw(st.integers(1, 40))
    first = draw(st.integers(-10, 0))
    points = []
    for _ in range(draw(st.integers(0, 8))):
        available = draw(st.integers(0, 45))
        points.append((available, draw(st.integers(-10, available))))
    return end, first, points


def brute_force(end, first, points, parts):
    """RPO in the middle of each of `parts` equal pieces of every tick."""
    values = []
    for piece in range(end * parts):
        time = Fraction(2 * piece + 1, 2 * parts)
        newest = max([first, *(source for available, source in points if available <= time)])
        values.append(time - newest)
    return values


@settings(deadline=None)
@given(small_curves())
def test_mean_and_time_above_agree_with_every_instant_looked_at(case):
    end, first, points = case
    curve = Curve.from_points(0, end, points, first)
    # between two ticks the curve is straight, so the middle of each tick gives exact areas
    values = brute_force(end, first, points, 1)
    assert curve.mean_ns() == sum(values) / len(values)
    for limit in range(0, 60, 7):
        assert curve.above_ns(limit) == sum(value > limit for value in values)
    assert curve.max_ns() == max(values) + Fraction(1, 2)


@settings(deadline=None)
@given(small_curves(), st.integers(1, 100))
def test_a_quantile_splits_the_time_at_its_share(case, percent):
    end, first, points = case
    curve = Curve.from_points(0, end, points, first)
    share = Fraction(percent, 100)
    (quantile,) = curve.quantiles_ns([share])
    below = sum(
        min(max(Fraction(0), quantile - stretch.low_ns), Fraction(stretch.length_ns))
        for stretch in curve.stretches
    )
    assert below == share * end
    parts = 50
    values = sorted(brute_force(end, first, points, parts))
    # the sample at that rank lies within one piece of the exact quantile, or the quantile lies
    # at the lower edge of values that begin there
    rank = min(len(values) - 1, int(share * len(values)))
    assert (
        values[max(0, rank - 1)] - Fraction(1, parts)
        <= quantile
        <= values[rank] + Fraction(1, parts)
    )


@settings(deadline=None)
@given(small_curves())
def test_the_value_at_an_instant_is_the_age_of_the_newest_point_there(case):
    end, first, points = case
    curve = Curve.from_points(0, end, points, first)
    for time in range(end):
        newest = max([first, *(source for available, source in points if available <= time)])
        assert curve.at(time) == time - newest


@settings(deadline=None)
@given(small_curves())
def test_stretches_follow_each_other_without_gap_and_drop_only_downwards(case):
    end, first, points = case
    stretches = Curve.from_points(0, end, points, first).stretches
    assert stretches[0].start_ns == 0
    assert stretches[-1].end_ns == end
    for earlier, later in pairwise(stretches):
        assert earlier.end_ns == later.start_ns
        assert later.low_ns < earlier.high_ns
        assert later.low_ns >= 0


@pytest.mark.parametrize("interval_s", [15, 300, 900])
@pytest.mark.parametrize("delay_s", [0, 2, 30])
def test_points_at_an_interval_with_a_delay_give_the_closed_form(interval_s, delay_s):
    """protection.md 5: uniform on [d, d + D], so the mean is d + D/2."""
    interval, delay, periods = interval_s * S, delay_s * S, 50
    points = [(n * interval + delay, n * interval) for n in range(periods)]
    start = delay
    curve = Curve.from_points(start, start + periods * interval, points, 0)
    assert curve.mean_ns() == delay + Fraction(interval, 2)
    assert curve.max_ns() == delay + interval
    assert curve.quantiles_ns([Fraction(99, 100), Fraction(1, 2)]) == [
        delay + interval * Fraction(99, 100),
        delay + Fraction(interval, 2),
    ]
    assert curve.above_ns(delay + interval // 2) == periods * (interval - interval // 2)
    statistics = curve.statistics()
    assert statistics.mean_s == delay_s + interval_s / 2
    assert statistics.max_s == delay_s + interval_s


def test_without_a_point_the_exposure_is_the_whole_run():
    curve = Curve.from_points(0, 100, [], 0)
    assert curve.max_ns() == 100
    assert curve.mean_ns() == 50
    assert curve.quantiles_ns([Fraction(1)]) == [100]


def test_a_point_that_arrives_late_and_old_changes_nothing():
    plain = Curve.from_points(0, 100, [(50, 49)], 0)
    assert Curve.from_points(0, 100, [(50, 49), (60, 20)], 0).stretches == plain.stretches


def test_a_point_from_the_future_is_a_programmers_error():
    with pytest.raises(AssertionError, match="after its source time"):
        Curve.from_points(0, 100, [(10, 11)], 0)


def test_thinning_keeps_the_highest_peak_and_the_order_of_time():
    points = [(n * 10 + 3, n * 10) for n in range(10_000) if not 7_000 < n < 7_050]
    curve = Curve.from_points(0, 100_000, points, 0)
    vertices = curve.vertices(200)
    assert len(vertices) <= 400
    assert max(value for _, value in vertices) == curve.max_ns() / S
    assert [time for time, _ in vertices] == sorted(time for time, _ in vertices)
    assert vertices[0][0] == 0
    assert len(curve.vertices(10**6)) == 2 * len(curve.stretches)


@settings(deadline=None)
@given(small_curves(), st.integers(1, 12))
def test_the_chart_shows_the_highest_value_of_each_part(case, columns):
    end, first, points = case
    curve = Curve.from_points(0, end, points, first)
    line = [(round(time * S), round(value * S)) for time, value in curve.vertices()]
    maxima = column_maxima(line, columns)
    assert len(maxima) == columns
    assert max(maxima) == pytest.approx(curve.max_ns())
    for column, highest in enumerate(maxima):
        left, right = Fraction(column * end, columns), Fraction((column + 1) * end, columns)
        expected = max(
            stretch.low_ns + min(right, stretch.end_ns) - stretch.start_ns
            for stretch in curve.stretches
            if stretch.start_ns < right and stretch.end_ns > left
        )
        assert highest == pytest.approx(float(expected))
