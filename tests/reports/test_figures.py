"""The named figures of a result, and which way each is better."""

from hypothesis import given
from hypothesis import strategies as st

from reports import ThresholdResult, Verdict
from reports.figures import Better, figures_of, metric_of, name_of
from reports.sparkline import sparkline


def threshold(metric, expr, observed=1.0):
    return ThresholdResult(
        metric=metric, expr=expr, observed=observed, unit="count", n=1, verdict=Verdict.MET
    )


def by_name(result):
    return {figure.name: figure for figure in figures_of(result)}


def test_each_figure_has_its_name_once(sample):
    names = [figure.name for figure in figures_of(sample.result())]
    assert len(names) == len(set(names))
    assert {"cdp.rpo max", "cdp.rto max", "cdp.lost_messages max", "wall_s"} <= set(names)


def test_what_a_threshold_observed_is_the_figure_that_it_limits(sample):
    assert by_name(sample.result())["cdp.rpo max"].value == 60.0
    assert by_name(sample.result(thresholds=()))["cdp.rpo max"].value == 2.4


def test_a_threshold_without_a_sample_gives_no_figure(sample):
    assert by_name(sample.result())["cdp.lost_messages max"].value == 3


def test_the_sign_of_a_threshold_says_which_way_an_unknown_figure_is_better(sample):
    result = sample.result(
        thresholds=(
            threshold("cdp.mine", "min >= 3"),
            threshold("cdp.other", "p( 95 ) < 3"),
            threshold("cdp.third", "sum == 3"),
            threshold("cdp.recovered", "sum == 3"),
        )
    )
    better = {name: figure.better for name, figure in by_name(result).items()}
    assert better["cdp.mine min"] is Better.HIGHER
    assert better["cdp.other p(95)"] is Better.LOWER
    assert better["cdp.third sum"] is Better.NEITHER
    assert better["cdp.recovered sum"] is Better.HIGHER


def test_a_figure_is_named_by_metric_and_function():
    assert name_of(threshold("cdp.rpo", "p( 99.5 ) <= 3 s")) == "cdp.rpo p(99.5)"
    assert metric_of("cdp.rpo p(99.5)") == "cdp.rpo"
    assert metric_of("wall_s") == "wall_s"


def test_real_time_is_the_only_figure_that_is_not_exact(sample):
    assert [item.name for item in figures_of(sample.result()) if not item.is_exact] == ["wall_s"]


@given(st.lists(st.floats(-1e9, 1e9) | st.none(), max_size=50), st.booleans())
def test_a_sparkline_has_one_character_for_each_value_and_rises_with_them(values, ascii_only):
    drawn = sparkline(values, ascii_only=ascii_only)
    assert len(drawn) == len(values)
    steps = "_.-=+*%#" if ascii_only else "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
    known = [(v, steps.index(c)) for v, c in zip(values, drawn, strict=True) if v is not None]
    heights = [height for _, height in sorted(known)]
    assert heights == sorted(heights)
    assert all(c == " " for v, c in zip(values, drawn, strict=True) if v is None)


def test_values_that_are_the_same_are_drawn_half_high():
    assert sparkline([3, 3, None, 3]) == "\u2584\u2584 \u2584"
    assert sparkline([]) == ""
    assert sparkline([1, 2], ascii_only=True) == "_#"
