"""Two copies read their journals, and repair each other."""

import pytest

import scenarios
from rpolab.laboratory.experiment import Experiment


@pytest.fixture(scope="module")
def ran():
    experiment = Experiment(scenarios.load("rotten-segment"), keep_trace=True)
    experiment.run()
    yield experiment, experiment.result()
    experiment.kernel.close()


def test_a_rotten_bit_is_found_and_repaired_from_the_sister_and_the_time_is_told(ran):
    [notice] = [notice for notice in ran[1].notices if notice.source == "cdp@near"]
    assert "was damaged; repaired from cdp@far in" in notice.text


def test_nothing_is_left_of_the_damage(ran):
    experiment, _ = ran
    damaged = [line for line in experiment.laboratory.trace.lines if "cdp.damage" in line]
    assert len(damaged) == 1, "it is found once, and not in the passes after"


def test_the_repaired_copy_recovers_like_its_sister(ran):
    [protection] = ran[1].protections
    near, far = protection.copies
    assert near.recoveries[-1].outcome == far.recoveries[-1].outcome == "recovered"
    assert near.recoveries[-1].lost.messages == far.recoveries[-1].lost.messages
