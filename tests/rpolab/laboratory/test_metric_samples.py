"""Every metric of the table has its samples in a real run: the figures of its result."""

import pytest

from reports import Curve
from reports.curve import Stretch
from rpolab.laboratory.measures import samples_of
from scenarios import METRICS, Sampling, Threshold, parse_expression
from scenarios.phases import Span

SECOND = 1_000_000_000
CHAOS = [{"name": "chaos", "duration": "4 min"}, {"name": "quiet", "duration": "2 min"}]
QUIET = Span(240 * SECOND, 360 * SECOND)


@pytest.fixture(scope="module")
def result(make_small):
    from rpolab.laboratory.experiment import Experiment

    experiment = Experiment(
        make_small(
            duration="6 min",
            phases=CHAOS,
            faults=[
                {"at": "10:02", "kind": "link_outage", "between": ["primary", "recovery"],
                 "duration": "1 min"},
            ],
            drills={"at": ["10:01", "10:02:30"], "at_end": True, "classes": ["any", "app"]},
            thresholds={"cdp.rpo_not_met(20 s)": ["max < 5 min"], "cdp.rpo@quiet": ["max < 10 s"]},
        )
    )  # fmt: skip
    experiment.run()
    return experiment.result()


def samples(result, metric, *, copy="", limit_ns=None, span=None):
    threshold = Threshold(
        "cdp", metric, parse_expression("max < 1"), copy=copy, limit_ns=limit_ns, span=span
    )
    return samples_of(threshold, result.protections)


def test_every_metric_has_samples_or_says_that_they_could_not_be_taken(result):
    for metric in METRICS.values():
        limit_ns = 20 * SECOND if metric.has_limit else None
        found, unmeasured = samples(result, metric.name, limit_ns=limit_ns)
        assert found or unmeasured, metric.name
        assert all(type(sample) is int for sample in found), metric.name
        if metric.sampling is Sampling.RUN:
            assert len(found) + unmeasured == 1, metric.name


def test_the_steps_of_an_rto_are_the_whole_of_it(result):
    total, _ = samples(result, "rto")
    steps = [samples(result, name)[0] for name in METRICS if name.startswith("rto.")]
    assert [sum(parts) for parts in zip(*steps, strict=True)] == pytest.approx(total)


def test_a_phase_takes_the_drills_in_it_alone(result):
    everywhere, _ = samples(result, "rpo")
    quiet, _ = samples(result, "rpo", span=QUIET)
    chaos, _ = samples(result, "rpo", span=Span(0, 240 * SECOND))
    assert (len(everywhere), len(quiet), len(chaos)) == (3, 0, 2), "the last drill is at the end"


def test_exposure_is_that_of_the_outage_in_chaos_and_none_of_it_in_the_quiet(result):
    [protection] = result.protections
    [whole] = samples(result, "exposure_max")[0]
    [chaos] = samples(result, "exposure_max", span=Span(0, 240 * SECOND))[0]
    [quiet] = samples(result, "exposure_max", span=QUIET)[0]
    assert whole == chaos == round(protection.rpo.max_s * SECOND)
    assert 60 * SECOND <= chaos < 75 * SECOND
    assert quiet < 10 * SECOND


def test_rpo_is_not_met_for_as_long_as_the_outage_lasted_less_the_promise(result):
    [above] = samples(result, "rpo_not_met", limit_ns=20 * SECOND)[0]
    assert 40 * SECOND <= above < 55 * SECOND
    assert samples(result, "rpo_not_met", limit_ns=20 * SECOND, span=QUIET) == ([0], 0)


def test_catching_up_begins_when_the_line_is_back(result):
    [length] = samples(result, "catch_up")[0]
    assert 0 < length < 60 * SECOND
    [told] = result.protections[0].catch_ups
    assert (told.kind, told.from_s) == ("link_outage", 180.0)


def test_a_single_copy_is_asked_for_by_its_site(result):
    assert samples(result, "rpo", copy="recovery") == samples(result, "rpo")


def test_the_verdicts_are_told_with_the_metric_as_written(result):
    told = {item.metric: (item.verdict.value, item.n) for item in result.thresholds}
    assert told == {"cdp.rpo_not_met(20 s)": ("met", 1), "cdp.rpo@quiet": ("not_exercised", 0)}


def test_a_part_of_a_curve_begins_where_the_whole_stood():
    curve = Curve([Stretch(0, 10, 0), Stretch(10, 30, 4), Stretch(30, 40, 1)])
    part = curve.between(5, 35)
    assert [(item.start_ns, item.end_ns, item.low_ns) for item in part.stretches] == [
        (5, 10, 5),
        (10, 30, 4),
        (30, 35, 1),
    ]
    assert curve.between(40, 50) is None
    assert curve.falls_to(5, 0) == 0
    assert curve.falls_to(3, 12) == 30
    assert curve.falls_to(0, 12) is None
