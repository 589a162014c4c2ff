"""Values from the command line: where a path leads, and what is said when it leads nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import ScenarioError, check, load, parse


def one_problem(*settings, name="clean"):
    [problem] = check(name, settings).problems
    return problem


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("seed=12", lambda scenario: scenario.seed == 12),
        ("title=Two: words", None),
        ('title="Two: words"', lambda scenario: scenario.title == "Two: words"),
        ("link.bandwidth=2 Mbit/s", lambda scenario: scenario.links[0].bandwidth_bit_s == 2e6),
        ("links.0.bandwidth=2 Mbit/s", lambda scenario: scenario.links[0].bandwidth_bit_s == 2e6),
        (
            "exchange.storage_groups.SG1.mailboxes=3",
            lambda scenario: scenario.exchange.storage_groups[0].mailboxes == 3,
        ),
        (
            "exchange.storage_groups.0.mailboxes=3",
            lambda scenario: scenario.exchange.storage_groups[0].mailboxes == 3,
        ),
        (
            "exchange.storage_groups={A: {databases: [D], mailboxes: 1}}",
            lambda scenario: scenario.exchange.storage_groups[0].name == "A",
        ),
        (
            "protect.cdp.copies.recovery.retention=1 h",
            lambda scenario: scenario.protect["cdp"].copies[0].retention_ns == 3600 * 10**9,
        ),
        (
            "thresholds.cdp.rpo=[max < 7 s]",
            lambda scenario: scenario.threshold_list()[0].expression.text == "max < 7 s",
        ),
        (
            "thresholds.cdp.lost_bytes=[max < 1 MiB]",
            lambda scenario: len(scenario.thresholds) == 5,
        ),
        ("sites.primary.disk.latency=1 ms", lambda s: s.sites["primary"].disk.latency_ns == 10**6),
        ("rto.detect=1 s", lambda scenario: scenario.rto.detect_ns == 10**9),
        ("protect.cdp.bookmarks=null", lambda scenario: scenario.protect["cdp"].bookmarks is None),
        ("faults=[{at: 5 min, kind: site_loss, site: primary}]", lambda s: len(s.faults) == 1),
        ("replications=3", lambda scenario: list(scenario.seeds) == [7, 8, 9]),
    ],
)
def test_a_path_leads_to_a_value(setting, read):
    if read is None:
        assert one_problem(setting).line == 0
        return
    scenario = load("clean", [setting])
    assert read(scenario)
    assert scenario.source.options == (setting,)


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        ("seed", "a path, '=' and a value", "link.bandwidth=5 Mbit/s"),
        ("=5", "a path, '=' and a value", "write for example"),
        ("seed=", "the value is missing", "null"),
        ("seed=[1", "not YAML", "quotes"),
        ("seed=x", "a whole number is expected, read 'x'", ""),
        ("sed=5", "unknown key 'sed'", "did you mean 'seed'?"),
        ("seed.=5", "'seed.' is not a path", "links.0.bandwidth"),
        ("link.bandwith=5", "unknown key 'bandwith'", "did you mean 'bandwidth'?"),
        ("link.bandwidth=5 MB/s", "'MB/s' in '5 MB/s'", "80 Mbit/s"),
        ("exchnge.version=2003", "no 'exchnge' in the scenario", "did you mean 'exchange.version'"),
        ("exchange.storage_groups.SG2.mailboxes=1", "no 'SG2' in exchange", "SG1.mailboxes'?"),
        ("links.1.latency=1 s", "no '1' in links", "there are: 0"),
        ("links.\u00b2.latency=1 s", "no '\u00b2' in links", "there are: 0"),
        ("title.text=x", "there is no 'text' in it", "set title as a whole"),
        ("protect.cpd.pool=1 GiB", "no 'cpd' in protect", "did you mean 'protect.cdp.pool'?"),
        ("extends=clean", "decided by its file", "write it there"),
        ("title=*x", "not", "quotes"),
        ("title=\x1b[31m", "not text", "quotes"),
    ],
)
def test_a_wrong_option_is_one_error_that_names_it(setting, message, hint):
    problem = one_problem(setting)
    assert message in problem.message
    assert hint in problem.hint
    assert problem.file.startswith("--set ")
    assert problem.line == 0
    assert str(problem).isprintable()


def test_the_word_link_needs_exactly_one_link():
    link = "{between: [primary, recovery], bandwidth: 1 Mbit/s, latency: 1 ms}"
    problem = one_problem(f"links=[{link}, {link}]", "link.latency=1 s")
    assert "there are 2" in problem.message
    assert "links.0.bandwidth" in problem.hint
    assert "there are 0" in one_problem("links=[]", "link.latency=1 s").message


def test_the_last_of_two_options_for_one_place_holds():
    assert load("clean", ["seed=1", "seed=2"]).seed == 2


def test_options_hold_for_a_scenario_made_of_values_too():
    values = {"extends": "clean", "title": "From Python"}
    assert parse(values, settings=["seed=5"]).seed == 5
    with pytest.raises(ScenarioError, match="--set seed=x: seed: "):
        parse(values, settings=["seed=x"])


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_option_gives_a_scenario_or_problems_on_one_line_each(path, value):
    for problem in check("clean", [f"{path}={value}", f"links.0.{path}={value}"]).problems:
        assert str(problem).isprintable()
        assert problem.hint
