"""Thresholds are judged over the right samples, and recovery time is the sum of its steps."""

import pytest

from reports import Amount, Loss, Point, ProtectionResult, Recovery, Verdict
from rpolab.laboratory.metric_samples import metric_samples
from rpolab.laboratory.rto import FIGURES, assumptions
from scenarios import parse_metric_name


def recovery(cause="drill", consistency="any", **changes):
    values = {
        "at_s": 100.0,
        "cause": cause,
        "outcome": "recovered",
        "class": consistency,
        "point": Point.model_validate({"class": consistency, "time_s": 98.0, "sequence": 7}),
        "rpo_s": 2.0,
        "reported_rpo_s": 2.5,
        "lost": Loss(messages=3, bytes=300),
    }
    return Recovery.model_validate(values | changes)


REFUSED = {
    "outcome": "refused", "point": None, "rpo_s": None, "lost": None, "refusal": "a log is missing",
}  # fmt: skip


def samples_of(metric, recoveries):
    told = ProtectionResult(
        name="cdp", kind="cdp", acknowledged=Amount(messages=9, bytes=9), recoveries=recoveries
    )
    return metric_samples(parse_metric_name(f"cdp.{metric}"), None, [told])


@pytest.mark.parametrize(
    ("metric", "samples"),
    [
        ("rpo", [2 * 10**9]),
        ("app_rpo", [2 * 10**9]),
        ("lost_messages", [3]),
        ("lost_bytes", [300]),
        ("reported_rpo_error", [5 * 10**8]),
        ("phantom", [0, 0]),
        ("damaged", [0, 0]),
        ("refused", [0, 0, 1]),
        ("recovered", [1, 1, 0]),
    ],
)
def test_each_metric_has_its_samples(metric, samples):
    recoveries = [recovery(), recovery(consistency="app"), recovery(**REFUSED)]
    found, unmeasured = samples_of(metric, recoveries)
    assert found == samples
    counted = metric in ("phantom", "damaged", "refused", "recovered", "app_rpo")
    assert unmeasured == (0 if counted else 1)


def test_a_disaster_recovered_to_a_bookmark_counts_for_rpo_and_losses():
    recoveries = [recovery(cause="disaster", consistency="app")]
    for metric in ("rpo", "app_rpo", "lost_messages"):
        assert len(samples_of(metric, recoveries)[0]) == 1


def test_refusals_cannot_meet_a_threshold(run):
    experiment = run(
        thresholds={"cdp.rpo": ["max < 60 s"]},
        faults=[{"at": "10:01", "kind": "site_loss", "site": "recovery"}],
    )
    result = experiment.result()
    assert result.thresholds[0].verdict is Verdict.INCONCLUSIVE
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_fault_that_was_to_come_and_did_not_fire_leaves_the_run_not_exercised(run):
    twice = {"at": "10:03", "kind": "site_loss", "site": "recovery"}
    experiment = run(
        thresholds={"cdp.damaged": ["sum == 0"]},
        faults=[twice, twice | {"at": "10:04"}],
        drills={"at": ["10:02"]},
    )
    result = experiment.result()
    assert [fault.fired for fault in result.faults] == [True, False]
    assert result.verdict is Verdict.NOT_EXERCISED


def test_the_operators_own_figures_take_the_place_of_the_assumed_ones(run):
    own = {"detect": "10 s", "decide": "0 s", "dns": "1 h"}
    experiment = run(rto=own, faults=[{"at": "10:03", "kind": "site_loss", "site": "primary"}])
    result = experiment.result()
    [disaster] = result.protections[0].recoveries
    steps = {step.step: step for step in disaster.rto_steps}
    assert steps["detect the disaster"].seconds == 10
    assert steps["decide to fail over"].seconds == 0
    assert steps["DNS expires"].seconds == 3600
    assert steps["DNS expires"].source == "stated in the scenario"
    assert disaster.rto_s == pytest.approx(sum(step.seconds for step in disaster.rto_steps))


def test_every_figure_that_no_run_measures_is_in_the_table_of_assumptions(scenario):
    named = {row.name for row in assumptions(scenario().rto)}
    assert {figure.name for figure in FIGURES} <= named
    assert {"replay", "mount", "point mailboxes at it"} <= named
