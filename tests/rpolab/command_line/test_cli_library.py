"""`rpolab list`, `rpolab new` and `rpolab check --json`."""

import json

import pytest

import scenarios
from scenarios.catalogue import by_heading


def test_the_list_shows_title_lesson_and_size_under_headings(rpolab):
    done = rpolab("list")
    assert done.code == 0
    lines = done.out.splitlines()
    for heading, members in by_heading(scenarios.catalogue()):
        assert heading in lines
        for listing in members:
            place = next(n for n, line in enumerate(lines) if line.split()[:1] == [listing.name])
            assert lines[place].endswith(listing.title)
            assert lines[place + 1].strip() == listing.teaches
            assert lines[place + 2].strip().startswith(f"[{listing.length}: ")


def test_the_list_as_json_has_all_of_it(rpolab):
    found = json.loads(rpolab("list", "--json").out)
    assert [item["name"] for item in found] == [item.name for item in scenarios.catalogue()]
    assert set(found[0]) == {"name", "group", "title", "teaches", "simulated_s", "mailboxes",
                             "runs", "length"}  # fmt: skip


def test_the_starter_passes_the_check_runs_and_meets_its_thresholds(rpolab, tmp_path):
    made = rpolab("new", "my plan.yaml")
    assert (made.code, made.out) == (0, "")
    assert made.err.endswith("next: rpolab check 'my plan.yaml', then rpolab run 'my plan.yaml'\n")
    checked = rpolab("check", "my plan.yaml")
    assert (checked.code, checked.out) == (0, "my plan.yaml: no problems\n")
    assert rpolab("run", "my plan.yaml", "--quiet").code == 0
    text = (tmp_path / "my plan.yaml").read_text()
    assert sum("#" in line for line in text.splitlines()) > 30
    assert max(map(len, text.splitlines())) <= 100


def test_what_the_starter_shows_as_a_comment_is_right_too(rpolab, tmp_path):
    rpolab("new", "plan.yaml")
    text = (tmp_path / "plan.yaml").read_text()
    head, tail = text.split("# replications: 20")
    tail = tail.replace("# vary:", "vary:").replace("#   link", "  link")
    (tmp_path / "plan.yaml").write_text(f"{head}replications: 20{tail}")
    scenario = scenarios.load(tmp_path / "plan.yaml")
    assert (len(scenario.variants), len(scenario.seeds)) == (3, 20)


@pytest.mark.parametrize("arguments", [["site-loss", "x.yaml"], ["--from", "site-loss", "x.yaml"]])
def test_a_library_scenario_can_be_copied(rpolab, tmp_path, arguments):
    assert rpolab("new", *arguments).code == 0
    copy, own = scenarios.load(tmp_path / "x.yaml"), scenarios.load("site-loss")
    assert copy.model_dump() == own.model_dump()
    assert rpolab("new", *arguments[:-1], "-").out == (tmp_path / "x.yaml").read_text()
    assert "../../" not in (tmp_path / "x.yaml").read_text()


@pytest.mark.parametrize("name", scenarios.library_names())
def test_each_library_scenario_can_be_copied_elsewhere(rpolab, tmp_path, name):
    assert rpolab("new", name, "x.yaml").code == 0
    assert rpolab("check", "x.yaml").code == 0


def test_nothing_is_overwritten(rpolab, tmp_path):
    (tmp_path / "x.yaml").write_text("mine")
    done = rpolab("new", "x.yaml")
    assert done.code == 2
    assert done.err == "Error: x.yaml is there already: it is not overwritten (name another file)\n"
    assert (tmp_path / "x.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the file to write"),
        (["a", "b", "c"], "one NAME and one FILE"),
        (["--from", "clean", "site-loss", "c.yaml"], "one NAME and one FILE"),
        (["claen", "x.yaml"], "did you mean 'clean'?"),
        (["no/such/folder/x.yaml"], "cannot be written: No such file"),
        (["x\0.yaml"], "cannot be written"),
    ],
)
def test_a_wrong_call_is_one_error_and_writes_nothing(rpolab, tmp_path, listed, arguments, message):
    done = rpolab("new", *arguments)
    assert done.code == 2
    assert message in done.err
    assert listed(tmp_path) == []


def test_a_check_for_editors_is_json_with_every_place(rpolab, quick):
    path = quick(("seed: 7", "seed: -7"), ("20 ms", "20"))
    done = rpolab("check", path, "clean", "--json")
    assert done.code == 2
    document = json.loads(done.out)
    assert (document["version"], document["kind"]) == (1, "check")
    wrong, clean = document["scenarios"]
    assert (clean["name"], clean["valid"], clean["problems"]) == ("clean", True, [])
    assert not wrong["valid"]
    first, second = wrong["problems"]
    assert first == {
        "severity": "error", "file": str(path), "line": 2, "column": 7, "path": "seed",
        "message": "-7 is negative", "hint": "write at least 0",
    }  # fmt: skip
    assert (second["line"], second["path"]) == (13, "links[0].latency")


def test_doubts_are_warnings_in_json(rpolab, quick):
    done = rpolab("check", quick(("at: [10:05]", "every: 2 h")), "--json")
    assert done.code == 0
    found = json.loads(done.out)["scenarios"][0]["problems"]
    assert {item["severity"] for item in found} == {"warning"}
    assert any("no drill will happen" in item["message"] for item in found)
