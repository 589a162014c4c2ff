import pytest

from reports import Curve

S = 1_000_000_000
POINTS = [(n * 40_000_000 + 50_000_000, n * 40_000_000) for n in range(90_000)]
CURVE = Curve.from_points(0, 3_600 * S + S, POINTS, 0)


@pytest.mark.benchmark(group="an hour of RPO(t) with 90,000 points")
def test_floor_sorting_the_points(benchmark):
    benchmark(lambda: sorted(POINTS, key=lambda point: point[1]))


@pytest.mark.benchmark(group="an hour of RPO(t) with 90,000 points")
def test_building_the_curve(benchmark):
    curve = benchmark(lambda: Curve.from_points(0, 3_600 * S + S, POINTS, 0))
    assert len(curve.stretches) == len(CURVE.stretches)


@pytest.mark.benchmark(group="an hour of RPO(t) with 90,000 points")
def test_exact_statistics(benchmark):
    assert benchmark(CURVE.statistics).max_s > 0


@pytest.mark.benchmark(group="an hour of RPO(t) with 90,000 points")
def test_thinned_vertices(benchmark):
    assert len(benchmark(CURVE.vertices)) <= 4_000
