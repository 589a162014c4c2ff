"""A copy becomes the primary after a disaster, under an epoch that a witness gives."""

import pytest

import scenarios
from rpolab.laboratory.experiment import Experiment


def run(witness):
    experiment = Experiment(
        scenarios.load("promoted-by-witness", settings=[f"protect.cdp.failover.witness={witness}"])
    )
    experiment.run()
    result = experiment.result()
    experiment.kernel.close()
    return experiment.protections["cdp"], result


@pytest.fixture(scope="module")
def granted():
    return run("third")


@pytest.fixture(scope="module")
def alone():
    return run("primary")


def test_the_copy_is_promoted_at_its_newest_point_and_recovered_there(granted):
    cdp, result = granted
    figures = cdp.promoting.figures
    disaster = result.protections[0].recoveries[-1]
    assert figures.epoch == 2
    assert disaster.outcome == "recovered"
    assert disaster.point.sequence == figures.base_sequence


def test_the_step_is_measured_and_takes_the_round_trips_to_the_witness_at_least(granted):
    _, result = granted
    disaster = result.protections[0].recoveries[-1]
    [fence] = [step for step in disaster.rto_steps if step.step.startswith("fence")]
    assert fence.basis == "measured"
    assert 2 * 0.08 <= fence.seconds < 1, "two questions of 80 ms each"


def test_a_drill_promotes_nobody(granted):
    _, result = granted
    drill = result.protections[0].recoveries[0]
    assert [step.basis for step in drill.rto_steps if step.step.startswith("fence")] == [
        "assumption"
    ]


def test_without_its_witness_the_copy_stays_on_standby_and_says_so(alone):
    cdp, result = alone
    assert cdp.promoting.figures is None
    [notice] = [notice for notice in result.notices if notice.text.startswith("not promoted")]
    assert "authority" in notice.text
    disaster = result.protections[0].recoveries[-1]
    assert disaster.outcome == "recovered", "the mail can be recovered by hand all the same"
    assert {step.basis for step in disaster.rto_steps if step.step.startswith("fence")} == {
        "assumption"
    }


def test_a_witness_at_a_site_that_is_not_there_is_refused():
    with pytest.raises(scenarios.ScenarioError, match="no site 'nowhere'"):
        scenarios.load("promoted-by-witness", settings=["protect.cdp.failover.witness=nowhere"])
