"""A scenario that is run several times: a test for each threshold in each cell."""

import pytest

pytest_plugins = ["pytester"]

STUDY = """\
title: Two lines, two seeds
seed: 7
start: 10:00
duration: 2 min
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 6, profile: heavy}
sites: {primary: {}, recovery: {}}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp: {kind: cdp, copies: [{site: recovery, retention: 48 h}]}
drills: {at: [1 min]}
vary: {link.bandwidth: [2 Mbit/s, 10 Mbit/s]}
replications: 2
thresholds:
  cdp.damaged: ["sum == 0"]
"""


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.path / "study.rpolab.yaml").write_text(STUDY, encoding="utf-8")

    def call(*arguments):
        options = ("-p", "rpolab.pytest_plugin", "-p", "no:cacheprovider", "-W", "error")
        return pytester.runpytest_subprocess(*options, *arguments, timeout=300)

    return call


@pytest.mark.nightly
def test_each_cell_has_its_test_and_all_seeds_are_in_it(run):
    done = run("-v", "--junit-xml", "j.xml", "--rpolab-jobs", "2")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(
        [
            "study.rpolab.yaml::cdp.damaged: sum == 0[[]link.bandwidth=2 Mbit/s[]] PASSED*",
            "study.rpolab.yaml::cdp.damaged: sum == 0[[]link.bandwidth=10 Mbit/s[]] PASSED*",
            "study.rpolab.yaml::no error PASSED*",
        ]
    )


def test_a_cell_is_chosen_by_its_values(run):
    done = run("--collect-only", "-q", "-k", "2 and bandwidth and not 10")
    done.stdout.fnmatch_lines(["1/3 tests collected*"])
