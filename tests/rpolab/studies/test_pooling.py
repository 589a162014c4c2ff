"""Thresholds over many runs: what is exact, what has an interval, and how many runs it takes."""

import random

import pytest

from reports import Amount, Digests, Loss, Point, ProtectionResult, Recovery, Result, Verdict
from reports import ScenarioReference as Reference
from rpolab.studies.pooling import judge_pooled, runs_needed
from scenarios import Threshold, parse_expression

S = 1_000_000_000


def recovery(rpo_s, lost=0):
    values = {"at_s": 100.0, "cause": "drill"}
    if rpo_s is None:
        return Recovery(**values, outcome="refused", refusal="a gap")
    return Recovery(
        **values,
        outcome="recovered",
        point=Point(consistency="any", time_s=1.0, sequence=1),
        rpo_s=rpo_s,
        lost=Loss(messages=lost, bytes=lost * 100),
    )


def run(seed, *recoveries):
    protection = ProtectionResult(
        name="cdp", kind="cdp", acknowledged=Amount(messages=9, bytes=9), recoveries=recoveries
    )
    return Result(
        scenario=Reference(title="A"),
        seed=seed,
        digests=Digests(effects="", full=""),
        simulated_s=1.0,
        wall_s=0.0,
        events=1,
        events_per_s=0.0,
        verdict=Verdict.MET,
        protections=(protection,),
    )


def judged(expression, *runs, metric="rpo"):
    threshold = Threshold("cdp", metric, parse_expression(expression), 9, "base.yaml")
    return judge_pooled(threshold, [run(seed, *found) for seed, found in enumerate(runs)])


def of(*values):
    return [recovery(value) for value in values]


def test_a_maximum_is_exact_and_that_of_the_worst_run():
    found = judged("max < 60 s", of(1, 2), of(59.5), of(3))
    assert (found.verdict, found.observed, found.n) == ("met", 59.5, 4)
    assert (found.low, found.high, found.runs_needed) == (None, None, None)
    assert (found.line, found.file, found.limit) == (9, "base.yaml", 60)
    missed = judged("max < 60 s", of(1, 2), of(60), of(3))
    assert (missed.verdict, missed.observed, missed.note) == ("missed", 60, "1 of 3 runs miss it")


def test_a_minimum_below_a_limit_must_be_reached_in_every_run():
    assert judged("min < 10 s", of(1, 50), of(2, 50)).verdict == "met"
    missed = judged("min < 10 s", of(1, 50), of(20, 50))
    assert (missed.verdict, missed.observed) == ("missed", 20)


def test_a_sum_is_about_one_run_and_not_about_all_of_them():
    lost = [[recovery(1, lost=2), recovery(1, lost=1)], [recovery(1, lost=3)]]
    assert judged("sum == 3", *lost, metric="lost_messages").verdict == "met"
    assert judged("sum <= 5", *lost, metric="lost_messages").observed == 3
    missed = judged("sum == 2", *lost, metric="lost_messages")
    assert (missed.verdict, missed.note) == ("missed", "2 of 2 runs miss it")


def test_a_run_without_a_sample_is_told_and_does_not_pass_by_itself():
    some = judged("max < 60 s", of(1), of(), of(3))
    assert (some.verdict, some.note) == ("met", "1 of 3 runs gave no sample")
    assert judged("max < 60 s", of(), of()).verdict == "not_exercised"
    assert judged("p(95) < 60 s", of(), of()).verdict == "not_exercised"


def test_a_recovery_without_a_sample_leaves_it_open_unless_it_is_missed():
    for expression in ("max < 60 s", "mean < 60 s", "p(50) < 60 s"):
        many = [of(1 + number / 100, None) for number in range(40)]
        found = judged(expression, *many)
        assert (found.verdict, found.note) == ("inconclusive", "40 recoveries gave no sample")
        assert judged(expression, *[of(61, None)] * 40).verdict == "missed"


def test_a_percentile_of_too_few_runs_is_inconclusive_and_says_how_many_more():
    found = judged("p(95) < 60 s", *[of(10 + number / 100) for number in range(20)])
    assert (found.verdict, found.n, found.observed) == ("inconclusive", 20, 10.18)
    assert found.high is None
    assert found.runs_needed == 52  # 0.95 ** 72 is less than 2.5 %
    assert found.note == "too few runs to tell; about 52 more runs like these would settle it"
    enough = judged("p(95) < 60 s", *[of(10 + number / 100) for number in range(72)])
    assert (enough.verdict, enough.high, enough.runs_needed) == ("met", 10.71, None)


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("p(50) < 60 s", "met"),
        ("p(50) >= 60 s", "missed"),
        ("p(50) > 5 s", "met"),
        ("p(50) <= 5 s", "missed"),
        ("p(50) < 10.25 s", "inconclusive"),
        ("p(50) > 10.25 s", "inconclusive"),
        ("mean < 60 s", "met"),
        ("mean > 60 s", "missed"),
        ("mean >= 10.2 s", "inconclusive"),
        ("mean == 10.2 s", "inconclusive"),
        ("mean == 60 s", "missed"),
    ],
)
def test_a_limit_is_settled_only_where_the_whole_interval_agrees(expression, verdict):
    found = judged(expression, *[of(10 + number / 100) for number in range(40)])
    assert found.verdict == verdict
    assert found.low < found.observed < found.high
    assert (found.runs_needed is None) == (verdict != "inconclusive" or "==" in expression)


def test_values_that_never_differ_have_no_width():
    found = judged("mean == 10 s", *[of(10)] * 5)
    assert (found.verdict, found.low, found.high) == ("met", 10, 10)
    assert judged("p(50) == 10 s", *[of(10)] * 20).verdict == "met"


@pytest.mark.parametrize(
    ("text", "draw"),
    [
        ("mean < 1.1 s", lambda source: source.gauss(1, 0.5)),
        ("mean > 1.1 s", lambda source: source.gauss(1, 0.5)),
        ("p(90) < 3 s", lambda source: source.expovariate(1)),
        ("p(80) >= 1.2 s", lambda source: source.expovariate(1)),
    ],
)
def test_twice_the_runs_that_are_asked_for_settle_it_if_they_are_alike(figure, text, draw):
    source, asked, settled = random.Random(3), [], 0
    for _ in range(60):
        runs = [of(max(0.0, draw(source))) for _ in range(30)]
        found = judged(text, *runs)
        if found.runs_needed is not None and found.runs_needed <= 500:
            asked.append(found.runs_needed)
            alike = [source.choice(runs) for _ in range(2 * found.runs_needed)]
            settled += judged(text, *runs, *alike).verdict != "inconclusive"
    figure(f"{text}: {settled} of {len(asked)} settled, median {sorted(asked)[len(asked) // 2]}")
    assert len(asked) >= 20
    assert settled >= 0.7 * len(asked)


def test_a_limit_at_the_value_itself_takes_more_runs_than_are_promised():
    runs = [[number * S] for number in range(1, 20)]
    assert runs_needed(parse_expression("mean < 10 s"), runs, 19) is None
    assert runs_needed(parse_expression("mean == 11 s"), runs, 19) is None
