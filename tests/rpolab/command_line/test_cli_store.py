"""`rpolab history`, `compare`, `prune`, and what `rpolab run` keeps."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reports import Digests
from reports.store import Origin, Selection, open_store

SAMPLE = Path(__file__).parents[2] / "reports" / "sample.py"


@pytest.fixture(scope="session")
def sample():
    spec = importlib.util.spec_from_file_location("reports_sample", SAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kept(sample, tmp_path, monkeypatch):
    """Keeps results of given RPOs, on 'main' but for the last, in the default store."""
    monkeypatch.delenv("RPOLAB_STORE")

    def keep(*ages_s, branch="night"):
        with open_store(tmp_path / ".rpolab") as store:
            for number, rpo_s in enumerate(ages_s):
                last = number == len(ages_s) - 1
                origin = Origin(
                    "site-loss", "5c", number + 1, f"{number:x}" * 40, branch if last else "main"
                )
                result = sample.result(
                    sample.drill(300, rpo_s=rpo_s),
                    thresholds=(),
                    digests=Digests(effects=str(rpo_s), full="x"),
                )
                store.keep(result, origin, f"{number:x}" * 16)
        return store

    return keep


def test_a_run_is_kept_beside_where_it_runs_and_found_in_the_history(
    rpolab, quick, tmp_path, monkeypatch
):
    monkeypatch.delenv("RPOLAB_STORE")
    quick()
    outcome = rpolab("run", "quick.yaml", "--json", "result.json")
    assert outcome.code == 0
    *_, last = outcome.out.splitlines()
    assert last.startswith("kept     ")
    assert last.endswith(" in .rpolab")
    assert outcome.err == ""
    [entry] = json.loads(rpolab("history", "quick", "--json").out)["entries"]
    assert entry["scenario"] == "quick.yaml"
    assert entry["id"].startswith(last.split()[1])
    with open_store(tmp_path / ".rpolab", create=False) as store:
        assert store.document(entry["id"]).to_json() == (tmp_path / "result.json").read_text()
    assert (tmp_path / ".rpolab" / ".gitignore").read_text() == "*\n"
    compared = rpolab("compare", "result.json", "latest", "--fail-on", "worse")
    assert compared.code == 0
    assert "nothing but real time differs" in compared.out


def test_a_study_is_kept_with_all_its_runs(rpolab, quick, monkeypatch):
    monkeypatch.delenv("RPOLAB_STORE")
    quick(("10 min", "1 min"), ("10:05", "10:00:30"))
    several = ("--set", "replications=2", "--jobs", "1")
    for _ in range(2):
        assert "kept     " in rpolab("run", "quick.yaml", *several).out
    document = json.loads(rpolab("history", "--json", "--metric", "cdp.rpo max").out)
    assert [entry["kind"] for entry in document["entries"]] == ["study", "study"]
    [trend] = document["trends"]
    assert trend["seeds"] == [7, 8]
    assert len(trend["points"]) == 2
    assert trend["steps"] == []
    assert "2 seeds" in rpolab("history", "quick").out
    compared = rpolab("compare", "latest~1", "latest", "--fail-on", "worse", "--all")
    assert compared.code == 0
    assert "same (0 worse, 0 better of 2)" in compared.out


def test_nothing_is_kept_where_nothing_shall_be(rpolab, quick, monkeypatch, listed, tmp_path):
    monkeypatch.delenv("RPOLAB_STORE")
    quick(("10 min", "1 min"), ("10:05", "10:00:30"))
    assert rpolab("run", "quick.yaml", "--no-store", "--quiet").out == ""
    assert listed(tmp_path) == ["quick.yaml"]


def test_a_named_store_that_cannot_be_used_ends_the_command_before_it_runs(rpolab, quick, tmp_path):
    quick()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("", encoding="utf-8")
    outcome = rpolab("run", "quick.yaml", "--store", "letters")
    assert outcome.code == 2
    assert outcome.out == ""
    assert "the folder holds other things, such as one.txt" in outcome.err


def test_a_default_store_that_cannot_be_used_costs_no_verdict(rpolab, quick, tmp_path, monkeypatch):
    monkeypatch.delenv("RPOLAB_STORE")
    (tmp_path / ".rpolab").write_text("", encoding="utf-8")
    quick(("10 min", "1 min"), ("10:05", "10:00:30"))
    outcome = rpolab("run", "quick.yaml", "--quiet")
    assert outcome.code == 0
    assert "nothing is kept" in outcome.err
    assert "--no-store" in outcome.err


def test_the_history_tells_where_a_figure_stepped(rpolab, kept):
    kept(2.0, 2.0, 3.0)
    outcome = rpolab("history", "site-loss", "--metric", "cdp.rpo")
    assert outcome.code == 0
    assert "2 s -> 3 s (worse); first in 22222222 at 2222222" in outcome.out


def test_the_history_has_quantiles_over_all_recoveries(rpolab, kept):
    kept(1.0, 2.0, 3.0)
    outcome = rpolab("history", "--metric", "cdp.rpo", "--quantiles")
    expected = "site-loss: cdp.rpo over 3 recoveries of 3 entries: p(50) 2 s, p(95) 2.9 s"
    assert expected in outcome.out


def test_a_metric_that_is_not_there_is_an_error_with_those_that_are(rpolab, kept):
    kept(2.0)
    outcome = rpolab("history", "--metric", "cdp.rop")
    assert outcome.code == 2
    assert "no figure 'cdp.rop'" in outcome.err
    assert "cdp.rpo max" in outcome.err


def test_a_history_without_a_run_selects_nothing(rpolab, kept):
    kept(2.0)
    assert rpolab("history", "another").code == 5
    assert rpolab("history", "--seed", "8").code == 5


def test_without_a_store_the_history_says_how_to_get_one(rpolab, monkeypatch):
    monkeypatch.delenv("RPOLAB_STORE")
    outcome = rpolab("history")
    assert outcome.code == 2
    assert "there is no store here" in outcome.err
    assert "rpolab run" in outcome.err


def test_a_baseline_is_the_newest_run_of_the_branch(rpolab, kept):
    kept(1.0, 2.0, 3.0)
    outcome = rpolab("compare", "--baseline", "main")
    assert outcome.code == 0
    assert outcome.out.startswith("site-loss 11111111 at 1111111 -> site-loss 22222222 at 2222222")
    assert "+1 s (+50.0%)" in outcome.out
    assert rpolab("compare", "--baseline", "main", "--fail-on", "worse").code == 1
    assert rpolab("compare", "--baseline", "main", "--fail-on", "thresholds").code == 0
    assert rpolab("compare", "--baseline", "0000000", "1111").out.startswith("site-loss 00000000")


def test_a_file_is_not_compared_with_itself_where_it_was_kept_too(rpolab, kept, tmp_path):
    store = kept(1.0, 2.0, branch="main")
    with open_store(store.place, create=False) as opened:
        newest = opened.document("1" * 16)
    (tmp_path / "new.json").write_text(newest.to_json(), encoding="utf-8")
    outcome = rpolab("compare", "new.json", "--baseline", "main")
    assert outcome.out.startswith("site-loss 00000000 at 0000000 -> new.json")


def test_a_baseline_that_was_never_kept_is_an_error_and_no_success(rpolab, kept):
    kept(1.0, 2.0)
    outcome = rpolab("compare", "--baseline", "release", "--fail-on", "worse")
    assert outcome.code == 2
    assert "no other run of 'site-loss' with seed 7 was kept on 'release'" in outcome.err


def test_two_files_are_compared_without_a_store(rpolab, sample, tmp_path, listed):
    for name, rpo_s in (("a.json", 2.0), ("b.json", 1.0)):
        result = sample.result(sample.drill(300, rpo_s=rpo_s))
        (tmp_path / name).write_text(result.to_json(), encoding="utf-8")
    outcome = rpolab("compare", "a.json", "b.json", "--json")
    assert outcome.code == 0
    document = json.loads(outcome.out)
    assert document["is_worse"] is False
    assert listed(tmp_path) == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name two results"),
        (["latest"], "name two results"),
        (["latest", "latest~1", "--baseline", "main"], "only one result is named"),
        (["none.json", "latest"], "cannot be read"),
        (["latest~7", "latest"], "too far back"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_error(rpolab, kept, arguments, message):
    kept(1.0, 2.0)
    outcome = rpolab("compare", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_prune_says_what_would_go_and_then_lets_it_go(rpolab, kept):
    store = kept(1.0, 2.0, 3.0)
    dry = rpolab("prune", "--keep-last", "1", "--dry-run")
    assert dry.code == 0
    assert "2 runs and 0 files without a run would go" in dry.out
    assert "1 runs are kept" in dry.out
    assert len(json.loads(rpolab("history", "--json").out)["entries"]) == 3
    gone = rpolab("prune", "--keep-last", "1", "--older-than", "1h")
    assert "2 runs and 0 files without a run are gone" in gone.out
    [left] = json.loads(rpolab("history", "--json").out)["entries"]
    assert left["id"] == "2" * 16
    assert not list(Path(store.place).glob("parts/00/*"))


def test_prune_without_a_rule_forgets_nothing(rpolab, kept):
    kept(1.0, 2.0)
    assert "0 runs and 0 files" in rpolab("prune").out


def test_prune_tells_damage(rpolab, kept):
    store = kept(1.0, 2.0)
    next(Path(store.place).glob("parts/*/*.zst")).unlink()
    outcome = rpolab("prune", "--dry-run")
    assert outcome.code == 1
    assert "is missing" in outcome.err


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", "1 d 2 h"])
def test_an_age_that_is_none_is_refused(rpolab, kept, age):
    kept(1.0)
    outcome = rpolab("prune", f"--older-than={age}")
    assert outcome.code == 2
    assert "90d" in outcome.err


def test_the_checkout_of_the_scenario_is_noted(rpolab, quick, tmp_path):
    from rpolab.checkouts import checkout_of  # a fixture of this test has the same name

    folder = tmp_path / "plans"
    folder.mkdir()
    git = ["git", "-C", tmp_path, "-c", "user.name=Anna", "-c", "user.email=anna@example.com"]
    if checkout_of(folder) is not None:
        pytest.skip("the tests' own folder is in a checkout")
    try:
        subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    assert checkout_of(folder).commit == ""
    path = quick(("10 min", "1 min"), ("10:05", "10:00:30"), name="plans/quick.yaml")
    subprocess.run([*git, "add", "plans"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "A plan"], check=True, capture_output=True)
    assert rpolab("run", path, "--quiet", "--store", "store").code == 0
    path.write_text(path.read_text() + "# changed\n", encoding="utf-8")
    assert rpolab("run", path, "--quiet", "--store", "store").code == 0
    with open_store(tmp_path / "store", create=False) as store:
        changed, clean = store.entries(Selection())
    assert (clean.branch, clean.is_dirty, changed.is_dirty) == ("trunk", False, True)
    assert clean.scenario == "plans/quick.yaml"
    assert clean.scenario_digest == changed.scenario_digest
    assert clean.commit == changed.commit
    assert len(clean.commit) == 40
    subprocess.run([*git, "checkout", "-q", "--detach"], check=True)
    assert checkout_of(folder, {}).branch == ""
    assert checkout_of(folder, {"CI_COMMIT_REF_NAME": "night"}).branch == "night"


def test_without_git_nothing_is_noted_and_nothing_fails(tmp_path, monkeypatch):
    from rpolab.checkouts import checkout_of

    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout_of(tmp_path) is None


def test_the_store_libraries_are_not_loaded_before_a_store_is_needed(tmp_path):
    script = (
        "import sys; from rpolab.cli import main\n"
        "for words in (['--help'], ['check', 'site-loss'], ['list'], ['history', '--help'],\n"
        "              ['prune', '--help'], ['compare', '--help'], ['run', 'no-such']):\n"
        "    main(words)\n"
        "print('LOADED', *{'sqlalchemy', 'duckdb', 'psycopg', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines()[-1] == "LOADED"
