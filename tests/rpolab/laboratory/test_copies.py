"""Several copies of one capture: each by itself, and the best of them."""

import pytest

import scenarios
from reports import CopyResult
from rpolab.laboratory.running import run_scenario


@pytest.fixture(scope="module")
def burnt():
    [protection] = run_scenario(scenarios.load("near-and-far")).result.protections
    return protection


@pytest.fixture(scope="module")
def behind():
    finished = run_scenario(scenarios.load("far-copy-behind"), keep_trace=True)
    return finished.result.protections[0], finished


def of(protection, name) -> CopyResult:
    return next(copy for copy in protection.copies if copy.name == name)


def test_the_local_copy_is_lost_with_its_site_and_the_far_one_brings_the_mail_back(burnt):
    near, far = of(burnt, "near"), of(burnt, "far")
    assert (near.role, near.state) == ("local", "lost")
    assert (far.role, far.state) == ("remote", "fed")
    assert near.recoveries[-1].outcome == "refused"
    assert "lost with primary" in near.recoveries[-1].refusal
    disaster = burnt.recoveries[-1]
    assert (disaster.cause, disaster.outcome, disaster.copy_name) == (
        "disaster",
        "recovered",
        "far",
    )
    assert disaster.rpo_s == far.recoveries[-1].rpo_s


def test_every_drill_is_made_from_each_copy_and_the_better_one_counts(burnt):
    drills = [item for item in burnt.recoveries if item.cause == "drill"]
    assert drills
    for number, drill in enumerate(drills):
        each = [copy.recoveries[number] for copy in burnt.copies]
        assert drill.rpo_s == min(item.rpo_s for item in each)


def test_what_the_protection_could_give_is_what_outlives_the_mail_servers_site(burnt):
    assert burnt.rpo == of(burnt, "far").rpo
    assert of(burnt, "near").rpo.max_s < of(burnt, "far").rpo.max_s


def test_a_lost_copy_covers_nothing_and_the_gaps_say_why(burnt):
    [nothing] = of(burnt, "near").coverage
    assert nothing.share == 0
    assert "lost with primary" in nothing.gaps[0].why
    covered = of(burnt, "far").coverage[0]
    assert covered.share > 0.99
    assert [gap.why for gap in covered.gaps] == ["before the first write", "not yet durable"]


def test_a_copy_that_fell_behind_keeps_its_points_and_is_brought_level_from_its_sister(behind):
    protection, finished = behind
    far = of(protection, "far")
    [drill] = [item for item in far.recoveries if item.cause == "drill"]
    assert drill.outcome == "recovered", "its older points stay usable while it is detached"
    assert drill.rpo_s > 120
    assert far.state == "fed"
    assert far.recoveries[-1].rpo_s < 5
    told = [notice.text for notice in finished.result.notices if notice.source == "cdp@far"]
    assert [text.split()[0] for text in told] == ["detached,", "level"]


def test_the_copy_is_never_empty_on_its_way_back(behind):
    _, finished = behind
    states = [line for line in finished.trace_lines if "cdp.reseed" in line]
    assert any("'level'" in line for line in states)
    assert not any("'refused'" in line for line in states)


def test_two_copies_of_one_name_are_refused():
    copy = {"site": "recovery", "retention": "1 h"}
    world = {
        "title": "Twins",
        "seed": 1,
        "duration": "1 min",
        "exchange": {
            "version": 2007,
            "storage_groups": [{"name": "SG1", "databases": ["MDB1"], "mailboxes": 1}],
        },
        "sites": {"primary": {}, "recovery": {}},
        "links": [{"between": ["primary", "recovery"], "bandwidth": "1 Mbit/s", "latency": "1 ms"}],
        "protect": {"cdp": {"kind": "cdp", "copies": [copy, copy]}},
    }
    with pytest.raises(scenarios.ScenarioError, match="two copies are called 'recovery'"):
        scenarios.parse(world)


@pytest.mark.parametrize("name", ["broke-off", "power-comes-back"])
def test_after_a_break_one_copy_is_compared_and_the_other_brought_level_from_it(name):
    two = "[{site: recovery, retention: 48 h}, {name: near, site: primary, retention: 48 h}]"
    scenario = scenarios.load(name, settings=[f"protect.cdp.copies={two}"])
    result = run_scenario(scenario).result
    [protection] = result.protections
    for copy in protection.copies:
        assert copy.state == "fed"
        assert copy.recoveries[-1].outcome == "recovered"
        assert copy.recoveries[-1].damaged == copy.recoveries[-1].phantom == 0
        assert copy.recoveries[-1].rpo_s < 5
    assert any("order was lost" in gap.why for gap in protection.coverage[0].gaps)
    assert any("again after" in notice.text for notice in result.notices)
