"""The Python API: the public face, scenarios built and changed in Python, results as objects."""

import subprocess
import sys
from pathlib import Path

import pytest

import rpolab
from rpolab import Scenario, ScenarioError, hooks

PUBLIC = {
    "Comparison",
    "HookFailed",
    "Result",
    "ResultError",
    "Scenario",
    "ScenarioError",
    "Study",
    "compare",
    "library_names",
    "load_document",
    "load_result",
    "run",
    "run_study",
}
KEYS = {
    "title": "Three minutes",
    "seed": 7,
    "start": "10:00",
    "duration": "3 min",
    "exchange": {
        "version": 2007,
        "storage_groups": [
            {"name": "SG1", "databases": ["MDB1"], "mailboxes": 8, "profile": "heavy"}
        ],
    },
    "sites": {"primary": {}, "recovery": {}},
    "links": [{"between": ["primary", "recovery"], "bandwidth": "10 Mbit/s", "latency": "20 ms"}],
    "protect": {"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "48 h"}]}},
    "drills": {"at": ["1 min", "2 min"]},
    "thresholds": {"cdp.rpo": ["max < 60 s"]},
}


@pytest.fixture(scope="module")
def scenario():
    return Scenario.build(**KEYS)


@pytest.fixture(scope="module")
def result(scenario, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "new"
    times = []
    found = rpolab.run(scenario, progress=times.append, keep=folder)
    assert times == sorted(times)
    assert times[-1] == 180 * 10**9
    assert (folder / "cdp").is_dir()
    return found


def test_the_public_face_is_this_and_no_more():
    assert set(rpolab.__all__) == PUBLIC
    assert list(rpolab.__all__) == sorted(rpolab.__all__)
    assert set(dir(rpolab)) >= PUBLIC
    for name in rpolab.__all__:
        assert getattr(rpolab, name).__doc__, f"{name} says nothing of itself"
    with pytest.raises(AttributeError, match="has no attribute 'runs_everything'"):
        rpolab.runs_everything  # noqa: B018 - it is the looking up that is tried


def test_what_packages_are_made_from_is_there():
    assert list(hooks.__all__) == sorted(hooks.__all__)
    for name in hooks.__all__:
        assert getattr(hooks, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'everything'"):
        hooks.everything  # noqa: B018 - it is the looking up that is tried


def test_importing_rpolab_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import rpolab, rpolab.hooks; "
        "found = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(found - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['rpolab']"


def test_a_built_scenario_is_the_one_of_the_file(tmp_path, scenario, result):
    path = tmp_path / "same.yaml"
    path.write_text("\n".join(f"{key}: {_flow(value)}" for key, value in KEYS.items()))
    loaded = Scenario.load(path)
    assert loaded.model_dump() == scenario.model_dump()
    assert rpolab.run(loaded).digests == result.digests


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def test_a_change_of_one_place_leaves_the_rest(scenario):
    narrow = scenario.set("link.bandwidth", "2 Mbit/s").set(
        "exchange.storage_groups.SG1.mailboxes", 9
    )
    assert narrow.links[0].bandwidth_bit_s == 2_000_000
    assert narrow.exchange.storage_groups[0].mailboxes == 9
    assert scenario.links[0].bandwidth_bit_s == 10_000_000
    assert (
        narrow.set("link.bandwidth", "10 Mbit/s").set("exchange.storage_groups.SG1.mailboxes", 8)
        == scenario
    )


def test_whole_keys_are_replaced_or_removed(scenario):
    other = scenario.with_(
        title="Others",
        drills=None,
        faults=[{"kind": "site_loss", "at": "2 min", "site": "primary"}],
    )
    assert (other.title, other.drills, len(other.faults)) == ("Others", None, 1)
    assert other.thresholds == scenario.thresholds


def test_a_changed_file_keeps_its_lines():
    clean = Scenario.load("clean", {"link.bandwidth": "2 Mbit/s"})
    lines = [threshold.line for threshold in clean.with_(seed=8).threshold_list()]
    assert lines == [threshold.line for threshold in Scenario.load("clean").threshold_list()]
    assert min(lines) > 1


def test_values_that_are_valid_only_together_are_set_together():
    short = {"duration": "10 min", "drills.at": ["10:05"]}
    late = Scenario.load("clean", {"drills.at": ["10:50"]})
    with pytest.raises(ScenarioError, match="outside the run"):
        late.set("duration", short["duration"])
    for values in (short, dict(reversed(short.items()))):
        assert Scenario.load("clean", values).duration_ns == 600 * 10**9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.set("link.bandwith", "1 Mbit/s"), r"bandwith'.*did you mean 'bandwidth'"),
        (lambda it: it.set("link.bandwidth", 2), "has no unit"),
        (lambda it: it.set("link.bandwidth.x", 2), "there is no 'x' in it"),
        (lambda it: it.set("", 2), "is not a path"),
        (lambda it: it.with_(sead=8), "did you mean 'seed'"),
        (lambda it: it.with_(drills={"at": ["1 h"]}), r"with_\(drills=\.\.\.\): drills\.at\[0\]"),
        (lambda it: it.with_(protect=None), "the key 'protect' is missing"),
        (lambda _: Scenario.build(title="None"), "the key 'seed' is missing"),
        (lambda _: Scenario.load("claen"), "did you mean 'clean'"),
    ],
)
def test_an_error_names_the_place_and_what_would_be_right(scenario, change, message):
    with pytest.raises(ScenarioError, match=message):
        change(scenario)


def test_a_result_is_objects_and_rows(result):
    assert result.protection("cdp").rpo.max_s > 0
    with pytest.raises(KeyError, match="there is no protection 'cpd' in this result, but: cdp"):
        result.protection("cpd")
    first, second = result.rows()
    assert (first["at_s"], second["at_s"]) == (60.0, 120.0)
    assert first["outcome"] == "recovered"
    assert first["rpo_s"] == result.protection("cdp").recoveries[0].rpo_s
    assert all(value is None or isinstance(value, str | int | float) for value in first.values())


def test_every_package_says_that_it_is_typed():
    import emulators
    import engine
    import reports
    import scenarios
    import sim

    for package in (rpolab, emulators, engine, reports, scenarios, sim):
        [folder] = package.__path__
        assert (Path(folder) / "py.typed").exists()
