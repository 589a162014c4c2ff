"""The pytest plugin, in a pytest of its own: what it collects, shows, shares and keeps apart."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import rpolab

pytest_plugins = ["pytester"]

SCENARIO = """\
title: Three minutes
seed: 7
start: 10:00
duration: 3 min
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 8, profile: heavy}
sites: {primary: {}, recovery: {}}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}]}
drills: {at: [30 s, 2 min]}
thresholds:
  cdp.rpo: ["max < 60 s", "max < 1 ms"]
  cdp.rto: ["max < 2 h"]
"""
MISSED_LINE = SCENARIO.splitlines().index('  cdp.rpo: ["max < 60 s", "max < 1 ms"]') + 1
OUTAGE = "faults: [{kind: link_outage, between: [primary, recovery], at: 1 min, duration: 5 s}]\n"


@pytest.fixture
def suite(pytester, monkeypatch):
    """A folder of scenarios; `run` is pytest in a child that stands in it."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    class Suite:
        path = pytester.path

        def write(self, name="plan.rpolab.yaml", *changes, more=""):
            text = SCENARIO
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            (self.path / name).write_text(text + more, encoding="utf-8")

        def run(self, *arguments):
            options = ("-p", "rpolab.pytest_plugin", "-p", "no:cacheprovider", "-W", "error")
            return pytester.runpytest_subprocess(*options, *arguments, timeout=300)

    return Suite()


def test_each_threshold_is_a_test_and_the_missed_one_shows_its_line(suite):
    suite.write(more=OUTAGE)
    done = suite.run("-v")
    done.assert_outcomes(passed=4, failed=1)
    done.stdout.fnmatch_lines(
        [
            "plan.rpolab.yaml::cdp.rpo: max < 60 s PASSED*",
            "plan.rpolab.yaml::cdp.rpo: max < 1 ms FAILED*",
            "plan.rpolab.yaml::cdp.rto: max < 2 h PASSED*",
            "plan.rpolab.yaml::every fault fired PASSED*",
            "plan.rpolab.yaml::no error PASSED*",
            f"plan.rpolab.yaml:{MISSED_LINE}: cdp.rpo: max < 1 ms: missed",
            f"> *{MISSED_LINE} |   cdp.rpo: *max < 60 s*max < 1 ms*",
            "limit     max < 1 ms (the limit itself misses it)",
            "observed  * s",
            "samples   n = 2",
            "verdict   missed",
            "seed      7",
            "replay    rpolab run plan.rpolab.yaml --seed 7",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_the_seed_of_the_session_the_results_and_junit(suite):
    suite.write()
    done = suite.run("--rpolab-seed", "11", "--junit-xml", "j.xml", "--rpolab-results", "out")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["rpolab: seed 11 in place of each scenario's own"])
    [case] = [
        case
        for case in ET.parse(suite.path / "j.xml").iter("testcase")  # noqa: S314 - it is ours
        if case.get("name") == "cdp.rpo: max < 1 ms"
    ]
    noted = {item.get("name"): item.get("value") for item in case.iter("property")}
    assert noted["limit"] == "max < 1 ms"
    assert noted["verdict"] == "missed"
    assert (noted["n"], noted["seed"]) == ("2", "11")
    assert noted["value"].endswith(" s")
    assert noted["replay"] == "rpolab run plan.rpolab.yaml --seed 11"
    kept = json.loads((suite.path / "out" / "plan.json").read_text(encoding="utf-8"))
    assert kept["seed"] == 11


def test_tests_are_chosen_by_name_and_by_the_markers_in_the_file(suite):
    (suite.path / "pytest.ini").write_text("[pytest]\nmarkers = slow: long\n")
    suite.write(more="markers: [slow]\n")
    suite.write("quick.rpolab.yaml")
    slow = suite.run(
        "--collect-only", "-q", "-m", "slow and rpolab", "-k", "rto", "--strict-markers"
    )
    slow.stdout.fnmatch_lines(["plan.rpolab.yaml::cdp.rto: max < 2 h", "1/8 tests collected*"])


def test_a_marker_that_is_not_registered_is_pytests_own_error(suite):
    suite.write(more="markers: [slow]\n")
    done = suite.run("--strict-markers")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*'slow' not found in `markers` configuration option*"])


def test_an_invalid_scenario_is_an_error_of_collection_with_line_and_column(suite):
    suite.write("plan.rpolab.yaml", ("seed: 7", "seed: -7"), ("20 ms", "20"))
    done = suite.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["plan.rpolab.yaml:2:7: error: *", "plan.rpolab.yaml:11:67: error: *has no unit*"]
    )
    assert "Traceback" not in done.stdout.str()


@pytest.mark.nightly
def test_what_never_fired_was_not_sampled_or_is_not_there_is_a_failure(suite):
    suite.write("bare.rpolab.yaml", (SCENARIO[SCENARIO.index("thresholds") :], ""))
    suite.write(
        "plan.rpolab.yaml",
        ("drills: {at: [30 s, 2 min]}\n", ""),
        more="faults: [{kind: lost_log, at: 1 ms, protection: cdp, which: required}]\n",
    )
    done = suite.run()
    done.assert_outcomes(passed=1, failed=5)
    done.stdout.fnmatch_lines(["nothing was judged: the scenario has no thresholds"])
    done.stdout.fnmatch_lines(
        ["*: cdp.rpo: max < 60 s: not exercised", "not every fault fired", "lost_log at 0.001 s*"]
    )


@pytest.mark.nightly
def test_a_run_that_takes_too_long_is_an_error_of_each_test(suite):
    (suite.path / "pytest.ini").write_text("[pytest]\nrpolab_timeout = 1\n")
    suite.write("plan.rpolab.yaml", ("duration: 3 min", "duration: 8 h"))
    done = suite.run("-k", "rto")
    done.assert_outcomes(errors=1, deselected=3)
    done.stdout.fnmatch_lines(["plan.rpolab.yaml: the run took too long and was ended*"])


BROKEN = """
from rpolab.hooks import OwnFault

class Breaks:
    settings = OwnFault

    def __init__(self, settings, laboratory): pass

    def inject(self, injection):
        {what}
"""


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("raise KeyError('it')", "*the fault 'breaks' of the package breaking 1.0 failed: KeyErr*"),
        (
            "import os; os._exit(77)",
            "plan.rpolab.yaml: the run ended with code 77, without a verd*",
        ),
    ],
)
def test_a_run_that_breaks_is_an_error_with_its_output(suite, bring, monkeypatch, what, shown):
    folder = bring("breaking", BROKEN.format(what=what), faults={"breaks": "breaking:Breaks"})
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{':'.join(filter(None, sys.path))}")
    suite.write(more="faults: [{kind: breaks, at: 1 min}]\n")
    done = suite.run("-k", "rto")
    done.assert_outcomes(errors=1, deselected=4)
    done.stdout.fnmatch_lines([shown])


@pytest.mark.parametrize("dist", ["load", pytest.param("loadfile", marks=pytest.mark.nightly)])
def test_workers_of_xdist_share_the_runs(suite, monkeypatch, dist):
    calls = suite.path / "calls"
    calls.mkdir()
    (suite.path / "conftest.py").write_text(COUNTING, encoding="utf-8")
    monkeypatch.setenv("RPOLAB_TEST_CALLS", str(calls))
    suite.write()
    suite.write("other.rpolab.yaml", ("seed: 7", "seed: 8"))
    done = suite.run("-p", "xdist", "-n", "2", "--dist", dist)
    done.assert_outcomes(passed=6, failed=2)
    assert len(list(calls.iterdir())) == 2


COUNTING = """
import os, tempfile
from rpolab.pytest_plugin import children as pytest_children

made = pytest_children._ended

def counted(*arguments):
    descriptor, _ = tempfile.mkstemp(dir=os.environ["RPOLAB_TEST_CALLS"])
    os.close(descriptor)
    return made(*arguments)

pytest_children._ended = counted
"""

THIN = """
import sys

def pytest_sessionfinish():
    ours = {"engine", "emulators", "reports", "scenarios", "sim"}
    libraries = {"numpy", "pydantic", "ruamel", "simpy", "rich", "faker", "duckdb", "sqlalchemy"}
    found = {name.partition(".")[0] for name in sys.modules} & (ours | libraries)
    modules = sorted(name for name in sys.modules if name.startswith("rpolab"))
    print("FOUND", sorted(found), modules)
"""


def test_only_thin_modules_enter_the_interpreter_and_folders_like_ours_do_no_harm(
    suite, monkeypatch
):
    for name in ("engine", "reports", "scenarios"):
        (suite.path / name).mkdir()
        (suite.path / name / "__init__.py").write_text("raise SystemExit('theirs')")
    # Only the test's own pytest has this folder on its path, not that of a user.
    leave = "import os\nos.environ['PYTHONPATH'] = os.environ['RPOLAB_TEST_PATH']\n"
    (suite.path / "conftest.py").write_text(leave + THIN)
    monkeypatch.setenv("RPOLAB_TEST_PATH", str(Path(rpolab.__file__).parents[1]))
    suite.write()
    done = suite.run("-s", "-k", "rto")
    done.assert_outcomes(passed=1, deselected=3)
    done.stdout.fnmatch_lines(["*FOUND [[][]] *"])


def test_wrong_settings_are_told_before_anything_is_collected(suite):
    (suite.path / "pytest.ini").write_text("[pytest]\nrpolab_inconclusive = perhaps\n")
    done = suite.run()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*rpolab_inconclusive is 'perhaps': write one of fail, xfail, skip"])


@pytest.mark.parametrize("chosen", ["xfail", pytest.param("skip", marks=pytest.mark.nightly)])
def test_an_inconclusive_threshold_may_be_expected_or_skipped(suite, chosen):
    (suite.path / "pytest.ini").write_text(f"[pytest]\nrpolab_inconclusive = {chosen}\n")
    # At one millisecond there is no point yet: the drill is refused, and has no RPO.
    suite.write(
        "plan.rpolab.yaml", ("at: [30 s, 2 min]", "at: [1 ms]"), ("duration: 3", "duration: 1")
    )
    done = suite.run("-k", "60")
    done.assert_outcomes(deselected=3, **{"xfailed" if chosen == "xfail" else "skipped": 1})


def test_other_yaml_files_are_not_collected(suite):
    suite.write("plan.yaml")
    assert suite.run().ret == pytest.ExitCode.NO_TESTS_COLLECTED
