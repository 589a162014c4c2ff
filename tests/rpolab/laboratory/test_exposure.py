"""Backlog, bookmarks and exceeded limits, as a run tells them."""

import pytest

import scenarios
from reports import Curve
from rpolab.laboratory.exposure import LADDER_NS, exceedances
from rpolab.laboratory.running import run_scenario

S = 1_000_000_000
SCENARIO = """
title: A line that is down for two minutes
seed: 7
start: 10:00
duration: 8 min
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 20, profile: very_heavy}
sites: {primary: {}, recovery: {}}
links: [{between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}]
protect:
  cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}], bookmarks: {every: 2 min}}
faults: [{at: 10:03, kind: link_outage, between: [primary, recovery], duration: 2 min}]
drills: {at: [10:01]}
thresholds:
  cdp.rpo: ["max < 100 s"]
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    checked = scenarios.check_text(SCENARIO, "outage.yaml", tmp_path_factory.mktemp("outage"))
    assert not checked.problems
    return run_scenario(checked.scenario).result


def test_the_backlog_grows_while_the_line_is_down(result):
    [cdp] = result.protections
    during = [size for at_s, size in cdp.backlog if 200 < at_s < 300]
    assert during == sorted(during)
    assert during[-1] > 100 * max(1, cdp.backlog[30][1])
    assert cdp.backlog[-1][1] < during[-1]


def test_a_bookmark_of_the_outage_is_durable_only_after_it(result):
    [cdp] = result.protections
    assert [bookmark.taken for bookmark in cdp.bookmarks] == [True] * len(cdp.bookmarks)
    [late] = [item for item in cdp.bookmarks if 180 < item.at_s < 300]
    assert late.durable_s > 300
    assert all(item.at_s < item.durable_s for item in cdp.bookmarks)


def test_the_scenarios_own_limit_stands_among_the_usual_ones(result):
    [cdp] = result.protections
    told = [item for item in cdp.exceedances if item.consistency == "any"]
    assert [item.limit_s for item in told] == [1, 15, 60, 100, 300]
    own = told[3]
    assert own.count == 1
    assert own.longest_s == own.total_s == pytest.approx(cdp.rpo.max_s - 100)
    assert told[4].count == 0


def test_a_fault_tells_when_it_came_and_when_it_was_over(result):
    [fault] = result.faults
    assert (fault.fired_at_s, fault.lifted_at_s) == (180, 300)


def test_rises_that_follow_each_other_above_a_limit_are_one_excess():
    # Points at 1 and 2 s come late: RPO stays above 5 s from 5 s on until the point at 20 s.
    curve = Curve.from_points(0, 30 * S, [(9 * S, 1 * S), (12 * S, 2 * S), (20 * S, 20 * S)], 0)
    found = curve.exceedance("any", 5 * S)
    assert (found.count, found.total_s, found.longest_s) == (2, 20, 15)
    assert curve.exceedance("any", 18 * S).count == 0
    assert found.total_s * S == curve.above_ns(5 * S)


def test_nothing_is_told_of_a_curve_that_is_not_there():
    assert exceedances("app", None, [5 * S]) == []
    held = exceedances("any", Curve.from_points(0, S, [], 0), [])
    assert [item.limit_s for item in held] == [LADDER_NS[0] / S]
