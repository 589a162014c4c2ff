"""The README is true: its commands work and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import shown

import scenarios

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_shown_run_prints_what_the_readme_shows(tmp_path):
    [block] = shown.blocks(README, "console")
    for command in shown.commands(block):
        assert shown.problems(command, tmp_path) == []


def test_the_shown_scenario_is_valid():
    [block] = shown.blocks(README, "yaml")
    checked = scenarios.check_text(block.text, "README.md", ROOT)
    assert checked.scenario is not None
    assert not checked.warnings


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z]+)", README)) - {"sure"}
    for target in named:
        assert f"\n{target}:" in makefile, f"make {target}"


def test_every_row_is_a_scenario_of_the_library():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", README, re.MULTILINE)
    assert len(rows) > 5
    assert set(rows) <= set(scenarios.library_names())


def test_the_commands_of_the_readme_exist():
    program = Path(sys.executable).with_name("rpolab")
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    for command in set(re.findall(r"`rpolab ([a-z]+)", README)):
        assert command in help_text.stdout
