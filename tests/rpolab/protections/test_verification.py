"""A copy's points are opened in the background, by the emulated ESE."""

import pytest

import scenarios
from rpolab.laboratory.running import run_scenario


@pytest.fixture(scope="module")
def health():
    [protection] = run_scenario(scenarios.load("opened-all-day")).result.protections
    return protection.health


def test_verified_is_what_was_opened_and_no_more(health):
    assert 359 < health.verified_until_s < 361, "the bookmark before the log was deleted"
    verified, received = health.rpo_stages["verified"]["app"], health.rpo_stages["received"]["app"]
    assert verified.max_s > received.max_s
    assert health.reported_app_rpo == received


def test_a_log_that_is_missing_from_the_copy_is_told_and_a_good_point_is_named(health):
    [alarm] = [alarm for alarm in health.alarms if alarm.name == "verification"]
    assert alarm.severity == "critical"
    assert "-543" in alarm.message
    assert "good is sequence" in alarm.message


def test_nothing_is_called_bad_before_the_log_was_deleted(health):
    bad = [event for event in health.events if event.name == "verification"]
    assert bad
    assert all(event.at_s > 420 for event in bad)
