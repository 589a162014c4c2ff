"""The power of the mail server's site fails and comes back: no disaster, and nothing is lost."""

import itertools

import pytest

import scenarios
from rpolab.laboratory.comeback import ResumableArrivals
from rpolab.laboratory.experiment import Experiment

BACK_S = 330


@pytest.fixture(scope="module")
def ran():
    experiment = Experiment(scenarios.load("power-comes-back"))
    experiment.run()
    yield experiment, experiment.result()
    experiment.kernel.close()


def test_the_run_goes_on_and_nothing_that_was_acknowledged_is_missing(ran):
    experiment, result = ran
    [protection] = result.protections
    assert result.simulated_s == 720
    assert [item.outcome for item in protection.recoveries] == ["recovered"] * 3
    after = [item for item in protection.recoveries if item.at_s > BACK_S]
    assert all(item.phantom == item.damaged == 0 for item in after)
    assert all(item.rpo_s < 5 for item in after)
    acknowledged = [
        entry.acknowledged_ns for entry in experiment.ledger.acknowledged_by(720 * 10**9)
    ]
    assert any(time_ns > (BACK_S + 60) * 10**9 for time_ns in acknowledged), "people work again"


def test_the_report_says_how_long_the_server_was_away(ran):
    [notice] = [notice for notice in ran[1].notices if notice.source == "mail server"]
    assert notice.text.startswith("the power was out for 1 min 30 s")
    assert notice.at_s > BACK_S


def test_the_comparison_of_both_ends_is_a_short_gap_in_what_can_be_recovered(ran):
    [protection] = ran[1].protections
    [gap] = [gap for gap in protection.coverage[0].gaps if gap.why == "order was lost"]
    assert BACK_S <= gap.from_s < gap.to_s < BACK_S + 10


def test_bookmarks_are_made_again(ran):
    [protection] = ran[1].protections
    taken = [bookmark.at_s for bookmark in protection.bookmarks if bookmark.taken]
    assert [at_s for at_s in taken if at_s > BACK_S]


def test_what_was_looked_at_and_not_sent_is_given_again_if_its_time_is_still_to_come():
    arrivals = ResumableArrivals(iter([(time, None) for time in range(10)]))
    assert [time for time, _ in itertools.islice(arrivals, 6)] == [0, 1, 2, 3, 4, 5]
    arrivals.passed(2)
    arrivals.resume(4)
    assert [time for time, _ in arrivals] == [4, 5, 6, 7, 8, 9]
