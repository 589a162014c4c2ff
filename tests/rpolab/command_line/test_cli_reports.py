"""Reports beside the terminal's: HTML, JUnit, Markdown, annotations, and what a CI system shows."""

import json

import pytest

from reports import load_result

MISSED = ('"max < 60 s"', '"max < 1 ms"')


@pytest.fixture(autouse=True)
def _no_ci_from_outside(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITLAB_CI", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def stored(tmp_path_factory, quick_text):
    """The folder of a scenario that misses its threshold, and of its result."""
    from rpolab.cli import main

    folder = tmp_path_factory.mktemp("stored")
    scenario = folder / "quick.yaml"
    scenario.write_text(quick_text.replace(*MISSED), encoding="utf-8")
    assert main(["run", str(scenario), "--json", str(folder / "quick.json"), "--quiet"]) == 1
    return folder


def test_a_run_writes_every_report_in_one_go(rpolab, quick, tmp_path):
    quick(MISSED)
    files = ["--html", "a.html", "--junit", "a.xml", "--markdown", "a.md"]
    outcome = rpolab("run", "quick.yaml", *files, "--annotations", "github")
    assert outcome.code == 1
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
    assert 'failures="1"' in (tmp_path / "a.xml").read_text()
    assert "MISSED: Ten minutes" in (tmp_path / "a.md").read_text()
    [line] = [line for line in outcome.out.splitlines() if line.startswith("::error")]
    assert line.startswith("::error file=quick.yaml,line=20,title=rpolab::cdp.rpo: missed: max < ")


def test_a_stored_result_gives_the_same_reports_as_its_run(rpolab, stored, tmp_path):
    forms = ["--html", "--junit", "--markdown"]
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        files = [word for form in forms for word in (form, f"{folder}/report{form}")]
        outcome = rpolab("report", stored / "quick.json", *files)
        assert outcome.code == 1
        assert outcome.out.startswith("MISSED  Ten minutes")
    for form in forms:
        first = (tmp_path / "first" / f"report{form}").read_bytes()
        assert first == (tmp_path / "second" / f"report{form}").read_bytes()


def test_several_results_share_one_junit_file_and_have_a_page_each(rpolab, stored, tmp_path):
    (tmp_path / "again.json").write_bytes((stored / "quick.json").read_bytes())
    (tmp_path / "pages").mkdir()
    results = [stored / "quick.json", "again.json"]
    outcome = rpolab("report", *results, "--html", "pages", "--junit", "all.xml", "--quiet")
    assert outcome.code == 1
    assert outcome.out == ""
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == [
        "again.html",
        "quick.html",
    ]
    assert (tmp_path / "all.xml").read_text().startswith('<?xml version="1.0"')
    assert 'tests="2" failures="2"' in (tmp_path / "all.xml").read_text()


def test_what_is_no_result_is_refused_with_a_hint(rpolab, tmp_path):
    (tmp_path / "odd.json").write_text("{}")
    outcome = rpolab("report", "odd.json", "missing.json", "--html", "a.html")
    assert outcome.code == 2
    assert "Error: odd.json: this is no result of version 1" in outcome.err
    assert "Error: missing.json: the file cannot be read" in outcome.err
    assert not (tmp_path / "a.html").exists()
    assert rpolab("report").code == 5


@pytest.mark.parametrize("option", ["--html", "--junit", "--markdown", "--annotations"])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(rpolab, quick, option):
    quick()
    value = "gitlab=nowhere/out" if option == "--annotations" else "nowhere/out"
    outcome = rpolab("run", "quick.yaml", option, value)
    assert outcome.code == 2
    assert outcome.err.startswith(f"Error: {option} nowhere/out: the folder ")


@pytest.mark.parametrize("form", ["jenkins", "github=", "", "gitlab2"])
def test_another_form_of_annotations_is_refused(rpolab, quick, form):
    quick()
    outcome = rpolab("run", "quick.yaml", "--annotations", form)
    assert outcome.code == 2
    assert "is no form of annotations (write github" in outcome.err


def test_a_github_workflow_gets_its_summary_and_annotations(rpolab, stored, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("what the step before wrote\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(stored))
    outcome = rpolab("report", stored / "quick.json", "--ci", "--quiet")
    assert outcome.code == 1
    assert outcome.out.startswith("::error file=quick.yaml,line=20,")
    assert summary.read_text().startswith("what the step before wrote\n## ")


def test_a_summary_that_is_nearly_full_is_not_made_too_large(rpolab, stored, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("x" * ((1 << 20) - 4_500))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    rpolab("report", stored / "quick.json", "--ci", "--quiet")
    assert "Cut here" in summary.read_text()
    assert summary.stat().st_size < 1 << 20


def test_a_gitlab_job_gets_its_code_quality_file(rpolab, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(stored))
    rpolab("report", stored / "quick.json", "--ci", "--quiet")
    [finding] = json.loads((tmp_path / "gl-code-quality-report.json").read_text())
    assert finding["location"] == {"path": "quick.yaml", "lines": {"begin": 20}}


def test_without_a_ci_system_that_is_said(rpolab, stored):
    outcome = rpolab("report", stored / "quick.json", "--ci", "--quiet")
    assert "neither GITHUB_ACTIONS nor GITLAB_CI is 'true'" in outcome.err


def test_a_document_on_standard_output_is_alone_there(rpolab, stored):
    outcome = rpolab("report", stored / "quick.json", "--markdown", "-")
    assert outcome.out.startswith("## ")
    assert outcome.err.startswith("MISSED  Ten minutes")
    assert load_result(stored / "quick.json").scenario.title in outcome.out


def test_a_scenario_that_breaks_is_an_error_in_junit(rpolab, quick, tmp_path, monkeypatch):
    quick()

    def fail(*arguments, **options):
        raise RuntimeError("the laboratory burnt down")

    monkeypatch.setattr("rpolab.commands.simulating.run_timed", fail)
    outcome = rpolab("run", "quick.yaml", "--junit", "a.xml")
    assert outcome.code == 3
    assert 'message="RuntimeError: the laboratory burnt down"' in (tmp_path / "a.xml").read_text()
