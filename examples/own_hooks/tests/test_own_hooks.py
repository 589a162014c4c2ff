"""What the package brings, in runs that take a second."""

from pathlib import Path

import pytest

import rpolab

SCENARIO = Path(__file__).parents[1] / "scenarios" / "snapshots.rpolab.yaml"


@pytest.fixture(scope="module")
def scenario():
    return rpolab.Scenario.load(SCENARIO)


@pytest.fixture(scope="module")
def result(scenario):
    return rpolab.run(scenario)


def test_the_program_really_read_the_disk(result):
    hog, _ = result.faults
    assert hog.fired
    assert "reads of 4 MiB" in hog.evidence


def test_everybody_got_the_newsletter(result):
    # One every ten seconds for seven minutes, less what came in the instant of the disaster.
    assert result.protection("cdp").acknowledged.messages in (41 * 8, 42 * 8)


def test_snapshots_lose_what_came_after_the_last_that_arrived(result):
    snapshots = result.protection("snapshots")
    drill, disaster = snapshots.recoveries
    assert drill.outcome == disaster.outcome == "recovered"
    assert disaster.rpo_s == 60
    assert disaster.lost.messages >= 6 * 8
    assert result.protection("cdp").recoveries[-1].rpo_s < disaster.rpo_s


def test_what_a_checker_misses_makes_a_recovery_a_failure(scenario):
    strict = scenario.with_(checkers={"folders": {"kind": "folders", "names": ["Plans"]}})
    [drill, _] = rpolab.run(strict).protection("snapshots").recoveries
    assert drill.outcome == "failed"
    assert "has no folder Plans" in drill.refusal


def test_a_checker_may_only_count(scenario):
    keys = {"kind": "folders", "names": ["Plans"], "refuses": False}
    counted = scenario.with_(
        checkers={"folders": keys}, thresholds={"snapshots.findings": ["max == 8"]}
    )
    result = rpolab.run(counted)
    assert {recovery.outcome for recovery in result.protection("snapshots").recoveries} == {
        "recovered"
    }
    assert result.verdict == "met"


def test_the_same_seed_gives_the_same_run(scenario, result):
    assert rpolab.run(scenario).digests == result.digests


def test_a_wrong_key_is_told_with_its_place(scenario):
    with pytest.raises(rpolab.ScenarioError, match="unknown key 'evry'"):
        scenario.with_(workload={"kind": "newsletter", "evry": "10 s"})
