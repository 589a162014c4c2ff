import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import (
    METRICS,
    Measure,
    QuantityError,
    Threshold,
    Verdict,
    combine,
    evaluate,
    parse_expression,
)

S = 1_000_000_000
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def threshold(text, metric="rpo"):
    return Threshold("cdp", metric, parse_expression(text))


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("observed_s", [4, 5, 6])
def test_each_operator_agrees_with_arithmetic_below_at_and_above_the_limit(sign, observed_s):
    evaluation = evaluate(threshold(f"max {sign} 5 s"), [observed_s * S])
    expected = OPERATORS[sign](observed_s, 5)
    assert evaluation.verdict is (Verdict.MET if expected else Verdict.MISSED)
    assert evaluation.observed == observed_s * S


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=40),
    st.sampled_from(["max", "min", "mean", "sum"]),
)
def test_each_function_is_the_exact_one(samples, function):
    exact = {
        "max": max(samples),
        "min": min(samples),
        "mean": Fraction(sum(samples), len(samples)),
        "sum": sum(samples),
    }
    evaluation = evaluate(threshold(f"{function} >= 0 ns"), samples)
    assert evaluation.observed == exact[function]
    assert evaluation.verdict is Verdict.MET


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60), st.integers(1, 99))
def test_a_percentile_is_the_smallest_sample_that_covers_its_share(samples, percent):
    observed = evaluate(threshold(f"p({percent}) >= 0 ns"), samples).observed
    assert observed in samples
    at_or_below = sum(sample <= observed for sample in samples)
    below = sum(sample < observed for sample in samples)
    assert at_or_below * 100 >= percent * len(samples)
    assert below * 100 < percent * len(samples)


@pytest.mark.parametrize("text", ["max < 60 s", "p(95) <= 5 min", "mean < 2 s", "count == 0"])
def test_no_sample_is_never_a_pass(text):
    assert evaluate(threshold(text), []).verdict is Verdict.NOT_EXERCISED
    assert evaluate(threshold(text), [], unmeasured=2).verdict is Verdict.INCONCLUSIVE


def test_a_recovery_without_a_figure_leaves_a_met_threshold_open_and_a_missed_one_missed():
    assert evaluate(threshold("max < 5 s"), [S], unmeasured=1).verdict is Verdict.INCONCLUSIVE
    assert evaluate(threshold("max < 5 s"), [6 * S], unmeasured=1).verdict is Verdict.MISSED


def test_count_is_the_total_of_a_counted_metric_and_the_number_of_samples_of_a_duration():
    lost = threshold("count == 0", "lost_messages")
    assert evaluate(lost, [0, 0, 0]).verdict is Verdict.MET
    assert evaluate(lost, [0, 3, 0]).observed == 3
    assert evaluate(threshold("count >= 3"), [S, S, S]).verdict is Verdict.MET


def test_one_bad_sample_of_too_few_does_not_settle_a_percentile():
    few = evaluate(threshold("p(95) < 5 s"), [S] * 9 + [9 * S])
    assert few.verdict is Verdict.INCONCLUSIVE
    assert "10 more" in few.note
    assert evaluate(threshold("p(95) < 5 s"), [S] * 8 + [9 * S] * 2).verdict is Verdict.MISSED
    assert evaluate(threshold("p(95) < 5 s"), [S] * 19 + [9 * S]).verdict is Verdict.MET
    assert evaluate(threshold("p(95) < 5 s"), [9 * S]).verdict is Verdict.MISSED


@pytest.mark.parametrize(
    ("read", "message", "hint"),
    [
        ("max 60 s", "is not a threshold", "max < 60 s"),
        ("< 60 s", "is not a threshold", "max < 60 s"),
        ("", "is not a threshold", "max < 60 s"),
        (60, "is expected", "max < 60 s"),
        (None, "read nothing", "max < 60 s"),
        ("maxx < 60 s", "'maxx'", "did you mean 'max'?"),
        ("avg < 60 s", "'avg'", "write 'mean'"),
        ("median < 60 s", "'median'", "write 'p(50)'"),
        ("p95 < 60 s", "'p95'", "write 'p(95)'"),
        ("p < 60 s", "needs a percentile", "p(95)"),
        ("p(0) < 60 s", "no percentile", "more than 0"),
        ("p(100) < 60 s", "no percentile", "'max'"),
        ("p(x) < 60 s", "needs a percentile", "p(95)"),
        ("max(3) < 60 s", "no argument", "max"),
        ("max = 60 s", "not an operator", "write '=='"),
        ("max => 60 s", "not an operator", "write '>='"),
        ("max \u2264 60 s", "not an operator", "write '<='"),
        ("max <> 60 s", "not an operator", "operators:"),
        ("max < 60 m", "could be a minute", "write '60 min'"),
        ("max < 1.5", "has no unit", "1.5 min"),
        ("max < -1 s", "is negative", "such as"),
        ("max < soon", "is not a duration", "15 min"),
        ("max < " + "9" * 300, "is not a threshold", "max < 60 s"),
    ],
)
def test_a_wrong_expression_says_what_to_write(read, message, hint):
    with pytest.raises(QuantityError) as caught:
        parse_expression(read)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_strictness_is_known():
    assert parse_expression("max < 1 s").is_strict
    assert parse_expression("max > 1 s").is_strict
    for sign in ("<=", "==", ">="):
        assert not parse_expression(f"max {sign} 1 s").is_strict


@pytest.mark.parametrize(
    ("limit", "measure"), [("5 s", "d"), ("5 MiB", "b"), ("5", "c"), ("5 %", "s")]
)
def test_a_limit_has_the_unit_of_its_metric(limit, measure):
    allowed = {
        Measure.DURATION_NS: "d", Measure.SIZE_BYTES: "bc", Measure.COUNT: "c", Measure.SHARE: "s",
    }  # fmt: skip
    expression = parse_expression(f"max < {limit}")
    for metric in METRICS.values():
        if measure in allowed[metric.measure]:
            expression.check_metric(metric)
            continue
        with pytest.raises(QuantityError) as caught:
            expression.check_metric(metric)
        assert metric.name in caught.value.hint


def test_a_share_finer_than_it_is_counted_is_refused():
    assert parse_expression("min > 99.9999999 %").limit == 999_999_999
    with pytest.raises(QuantityError, match="is finer than"):
        parse_expression("min > 99.99999999 %")


def test_the_worst_verdict_of_the_thresholds_is_the_runs():
    order = [Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED, Verdict.MET]
    for worse_index, worse in enumerate(order):
        for better in order[worse_index:]:
            assert combine([better, worse]) is worse
            assert combine([worse, better]) is worse
    assert combine([]) is Verdict.NOT_EXERCISED
