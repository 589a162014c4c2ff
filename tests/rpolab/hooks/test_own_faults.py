"""A fault that another package brings: read, checked, injected, and blamed when it fails."""

import pytest

import rpolab
import scenarios
from rpolab.cli import main
from rpolab.laboratory.own_parts import HookFailed
from scenarios import ScenarioError

JAM = {"kind": "tape_jam", "at": "10:03", "duration": "20 s"}


def problem_of(values):
    with pytest.raises(ScenarioError) as caught:
        scenarios.parse(values)
    [problem] = caught.value.problems
    return problem


def test_it_is_read_with_its_own_keys_and_fires(tape_jam, world):
    scenario = scenarios.parse({**world, "faults": [JAM]})
    [fault] = scenario.faults
    assert fault.duration_ns == 20_000_000_000
    assert scenario.model_dump()["faults"][0]["duration_ns"] == fault.duration_ns
    result = rpolab.run(scenario)
    [told] = result.faults
    assert (told.kind, told.fired, told.evidence) == (
        "tape_jam",
        True,
        "stalled for 20000000000 ns",
    )
    assert result.digests != rpolab.run(scenarios.parse(world)).digests


def test_the_same_seed_gives_the_same_run(tape_jam, world):
    scenario = scenarios.parse({**world, "faults": [JAM]})
    assert rpolab.run(scenario).digests == rpolab.run(scenario).digests


def test_a_fault_that_is_not_drawn_leaves_the_run_as_it_was(tape_jam, world):
    never = scenarios.parse({**world, "faults": [{**JAM, "probability": "0 %"}]})
    assert rpolab.run(never).digests == rpolab.run(scenarios.parse(world)).digests


@pytest.mark.parametrize(
    ("change", "path", "message", "hint"),
    [
        ({"durations": "1 s"}, "faults[0].durations", "unknown key 'durations'", "'duration'"),
        ({"duration": "20"}, "faults[0].duration", "'20' has no unit", "write '20 min'"),
        ({"at": "12:00"}, "faults[0].at", "the fault is outside the run", "5 min"),
        ({"kind": "tape_jamm"}, "faults[0].kind", "not a kind of fault", "'tape_jam'"),
        ({"kind": 7}, "faults[0].kind", "not a kind of fault", ""),
    ],
)
def test_a_wrong_key_is_told_like_that_of_any_fault(tape_jam, world, change, path, message, hint):
    problem = problem_of({**world, "faults": [{**JAM, **change}]})
    assert problem.path == path
    assert message in problem.message
    assert hint in problem.hint


def test_a_missing_key_is_told(tape_jam, world):
    problem = problem_of({**world, "faults": [{"kind": "tape_jam", "at": "10:03"}]})
    assert "'duration' is missing" in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise KeyError('x')", "cannot be loaded: KeyError: 'x'"),
        ("import nothing_of_that_name", "cannot be loaded: ModuleNotFoundError"),
        ("def TapeJam(: pass", "cannot be loaded: SyntaxError"),
        ("x = 1", "cannot be loaded: AttributeError"),
        ("class TapeJam: pass", "is not one: jams:TapeJam has no 'settings' made from OwnFault"),
        ("class TapeJam: settings = int", "is not one: jams:TapeJam has no 'settings'"),
    ],
)
def test_a_broken_package_is_named_with_a_hint(bring, world, text, message):
    bring("jams", text, faults={"tape_jam": "jams:TapeJam"})
    problem = problem_of({**world, "faults": [JAM]})
    assert f"the fault 'tape_jam' of the package jams 1.0 {message}" in problem.message
    assert problem.path == "faults[0].kind"
    assert problem.hint == "repair that package, or uninstall it"


def test_two_packages_that_bring_the_same_kind_are_both_named(tape_jam, bring, world):
    bring("jammers", "", faults={"tape_jam": "jammers:TapeJam"})
    problem = problem_of({**world, "faults": [JAM]})
    assert problem.message == "the fault 'tape_jam' is brought by jammers 1.0 and jams 1.0"
    assert problem.hint == "uninstall all of them but one"


def test_a_kind_of_our_own_is_never_a_packages(bring, world):
    bring("jams", "raise KeyError", faults={"power_cut": "jams:X"})
    cut = {"kind": "power_cut", "site": "primary", "at": "10:03"}
    assert isinstance(scenarios.parse({**world, "faults": [cut]}).faults[0], scenarios.PowerCut)


def test_nothing_is_loaded_for_a_scenario_that_needs_nothing(bring, world):
    bring("jams", "raise SystemExit('loaded')", faults={"tape_jam": "jams:TapeJam"})
    assert scenarios.parse(world).faults == ()


def test_check_tells_file_line_and_column_and_no_traceback(bring, tmp_path, capsys, world):
    bring("jams", "raise KeyError('x')", faults={"tape_jam": "jams:TapeJam"})
    library = scenarios.library_path("clean")
    text = library.read_text(encoding="utf-8") + "faults: [{kind: tape_jam, at: 5 min}]\n"
    (tmp_path / "jam.yaml").write_text(text, encoding="utf-8")
    assert main(["check", str(tmp_path / "jam.yaml")]) == 2
    printed = capsys.readouterr().out
    assert f"jam.yaml:{text.count(chr(10))}:17: error: the fault 'tape_jam'" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.disk = laboratory", "raise KeyError('x'); self.disk = laboratory"),
        ("injection.fired", "self.disk.no_such_thing()"),
    ],
)
def test_a_package_that_fails_in_the_run_is_blamed_by_name(bring, world, tape_jam_text, old, new):
    text = tape_jam_text.replace(old, new)
    bring("jams", text, faults={"tape_jam": "jams:TapeJam"})
    scenario = scenarios.parse({**world, "faults": [JAM]})
    with pytest.raises(HookFailed, match=r"the fault 'tape_jam' of the package jams 1\.0 failed"):
        rpolab.run(scenario)


def test_a_lost_log_needs_a_journal(bring, world):
    bring("keep", KEEPER, protections={"keeper": "keep:Keeper"})
    protect = {**world["protect"], "own": {"kind": "keeper"}}
    lost = {"kind": "lost_log", "at": "10:03", "protection": "own", "which": "current"}
    problem = problem_of({**world, "protect": protect, "faults": [lost]})
    assert problem.message == "'own' has no journal that could lose a log"


KEEPER = """
from rpolab.hooks import OwnProtection

class Keeper:
    settings = OwnProtection
"""
