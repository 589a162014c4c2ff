"""The documentation is true: it builds without a warning, and what it shows is so."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import shown

import scenarios

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [page.relative_to(DOCS) for page in sorted(DOCS.rglob("*.md"))]
TOLD = {str(page): (DOCS / page).read_text(encoding="utf-8") for page in PAGES}
WITH_COMMANDS = [page for page, text in TOLD.items() if shown.blocks(text, "console", "python")]


@pytest.mark.skipif(
    importlib.util.find_spec("sphinx") is None, reason="Sphinx is not installed (group docs)"
)
def test_the_site_builds_without_a_warning_and_each_link_leads_somewhere(tmp_path):
    build = ["sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
    done = subprocess.run(
        [sys.executable, "-m", *build, DOCS, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reference/scenario.html").exists()


@pytest.mark.parametrize("page", TOLD)
def test_every_scenario_of_a_page_is_valid(page, tmp_path):
    files = [block for block in shown.blocks(TOLD[page], "yaml") if "title:" in block.text]
    for block in files:
        (tmp_path / (block.name or f"line-{block.line}.yaml")).write_text(block.text)
    for block in files:
        place = f"{page}:{block.line}"
        checked = scenarios.check_text(block.text, place, tmp_path)
        assert checked.problems == (), place
        assert checked.warnings == (), place


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_the_commands_of_a_page_print_what_it_shows(page, tmp_path):
    for block in shown.blocks(TOLD[page]):
        place = f"docs/{page}:{block.line}"
        if block.name:
            (tmp_path / block.name).write_text(block.text)
        elif block.language == "console":
            for command in shown.commands(block):
                assert shown.problems(command, tmp_path) == [], place
        elif block.language == "python":
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", block.text],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                env={**shown.ENVIRONMENT, "PYTHONPATH": str(ROOT)},
            )
            assert done.returncode == 0, f"{place}: {done.stderr}"
