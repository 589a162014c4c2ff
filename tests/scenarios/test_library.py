import pytest

from scenarios import (
    Scenario,
    ScenarioError,
    Threshold,
    catalogue,
    check,
    check_text,
    library_names,
    library_path,
    load,
    parse,
)
from scenarios.catalogue import GROUPS
from scenarios.moments import Moment
from scenarios.quantities import HOUR_NS, MINUTE_NS, SECOND_NS

NAMES = ["clean", "link-outage", "lost-log", "overload", "site-loss"]


def test_the_library_holds_the_scenarios_of_the_product():
    assert set(NAMES) <= set(library_names())


@pytest.mark.parametrize("name", library_names())
def test_each_library_scenario_loads_without_a_problem_or_a_doubt(name):
    checked = check(name)
    assert checked.problems == ()
    assert checked.warnings == ()
    assert checked.scenario.threshold_list()


@pytest.mark.parametrize("name", library_names())
def test_each_library_scenario_names_its_schema_and_explains_itself(name):
    lines = library_path(name).read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../../scenario.schema.json"
    assert sum(line.startswith("# ") for line in lines) >= 3
    assert 20 < len(load(name).teaches) < 110


def test_the_catalogue_has_every_scenario_under_its_heading():
    found = catalogue()
    assert sorted(listing.name for listing in found) == library_names()
    assert {listing.group for listing in found} <= set(GROUPS)
    order = [list(GROUPS).index(listing.group) for listing in found]
    assert order == sorted(order)
    [loss] = [listing for listing in found if listing.name == "site-loss"]
    assert (loss.heading, loss.simulated_s, loss.mailboxes, loss.runs, loss.length) == (
        "Disasters", 3_600, 60, 1, "medium")  # fmt: skip


def test_a_scenario_is_found_by_name_and_by_path():
    assert load("site-loss").title == load(library_path("site-loss")).title


def test_site_loss_says_what_its_file_says():
    scenario = load("site-loss")
    assert scenario.seed == 2
    assert scenario.start_ns == 10 * HOUR_NS
    assert scenario.duration_ns == HOUR_NS
    assert scenario.starts_at.isoformat() == "2007-06-04T10:00:00"
    (group,) = scenario.exchange.storage_groups
    assert (group.name, group.databases, group.mailboxes) == ("SG1", ("MDB1",), 60)
    (link,) = scenario.links
    assert link.bandwidth_bit_s == 10_000_000
    assert link.latency_ns == 20_000_000
    assert link.loss == 0.001
    assert link.connects("recovery", "primary")
    cdp = scenario.protect["cdp"]
    assert cdp.copies[0].retention_ns == 48 * HOUR_NS
    assert cdp.bookmarks.every_ns == 15 * MINUTE_NS
    assert (cdp.heartbeat_ns, cdp.pool_bytes) == (SECOND_NS, 64 * 2**20)
    (fault,) = scenario.faults
    assert fault.kind == "site_loss"
    assert fault.probability == 1.0
    assert scenario.offset_ns(fault.at) == 30 * MINUTE_NS
    assert scenario.offset_ns(fault.at, start_ns=9 * HOUR_NS) == 90 * MINUTE_NS
    assert scenario.drills.every_ns == 5 * MINUTE_NS
    assert scenario.drills.classes == ("any", "app")


def test_each_threshold_knows_its_line():
    scenario = load("site-loss")
    lines = library_path("site-loss").read_text().splitlines()
    thresholds = scenario.threshold_list()
    assert [type(threshold) for threshold in thresholds] == [Threshold] * len(thresholds)
    for threshold in thresholds:
        line = lines[threshold.line - 1]
        assert threshold.name in line
        assert threshold.expression.text in line


@pytest.mark.parametrize(
    ("faulty", "twin"),
    [
        ("link-outage", "clean"),
        ("four-groups-2003", "four-groups-2003-clean"),
        ("groups-2007", "groups-2007-clean"),
    ],
)
def test_the_clean_twin_is_the_same_world_without_the_fault(faulty, twin):
    outage, clean = load(faulty), load(twin)
    for part in ("seed", "start_ns", "duration_ns", "exchange", "sites", "links"):
        assert getattr(outage, part) == getattr(clean, part)
    assert outage.protect == clean.protect
    assert outage.faults
    assert not clean.faults


def values():
    return {
        "title": "From Python",
        "seed": 1,
        "duration": "1 h",
        "exchange": {
            "version": 2007,
            "storage_groups": [{"name": "SG1", "databases": ["MDB1"], "mailboxes": 3}],
        },
        "sites": {"primary": {}, "recovery": None},
        "links": [{"between": ["primary", "recovery"], "bandwidth": "1 Mbit/s", "latency": "0 s"}],
        "protect": {"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "1 h"}]}},
    }


def test_a_scenario_can_be_made_of_plain_values():
    scenario = parse(values())
    assert isinstance(scenario, Scenario)
    assert scenario.start_ns == 0
    assert scenario.sites["recovery"].disk.throughput_bytes_s == 60 * 2**20
    assert scenario.exchange.storage_groups[0].profile == "average"
    assert scenario.drills is None
    assert scenario.rto.detect_ns is None
    assert scenario.protect["cdp"].bookmarks is None
    assert [warning.line for warning in scenario.source.warnings] == [0, 0]


def test_plain_values_are_checked_as_a_file_is_and_name_the_path():
    wrong = values()
    wrong["links"][0]["bandwidth"] = "1 MB/s"
    with pytest.raises(ScenarioError, match=r"scenario: links\[0\]\.bandwidth: .*8 bits"):
        parse(wrong)


def test_a_scenario_does_not_change_once_read():
    scenario = load("clean")
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 8


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("every: 5 min", "every: 2 h", "no drill will happen"),
        ("{every: 15 min}", "{every: 2 h}", "no bookmark will happen"),
        ("site: primary}\n\ndrills", "site: primary, probability: 0 %}\n\ndrills", "never happens"),
        ("    bookmarks: {every: 15 min}", "    #", "no application-consistent points"),
    ],
)
def test_a_doubt_is_a_warning_with_its_line(old, new, message):
    text = library_path("site-loss").read_text()
    assert old in text
    text = text.replace(old, new).replace("cdp.rpo", "cdp.app_rpo")
    checked = check_text(text)
    assert checked.scenario is not None, checked.problems
    found = [warning for warning in checked.warnings if message in warning.message]
    assert len(found) == 1
    assert found[0].line > 0
    assert checked.scenario.source.warnings == checked.warnings


def test_a_scenario_that_judges_or_recovers_nothing_is_doubtful():
    checked = check_text(library_path("clean").read_text().split("drills:")[0], "plan.yaml")
    messages = [warning.message for warning in checked.warnings]
    assert any("nothing is judged" in message for message in messages)
    assert any("nothing is recovered" in message for message in messages)


def test_too_many_drills_are_refused():
    text = library_path("clean").read_text()
    text = text.replace("duration: 1 h", "duration: 2 d").replace("every: 5 min", "every: 1 s")
    (problem,) = check_text(text).problems
    assert "172,800 drills" in problem.message


def test_a_moment_on_the_clock_is_its_first_occurrence_in_a_long_run():
    scenario = load("site-loss")
    assert scenario.offset_ns(Moment(9 * HOUR_NS, on_the_clock=True)) == 23 * HOUR_NS
