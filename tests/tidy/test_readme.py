"""The README is true: its commands work and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import scenarios

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COLUMNS = "80"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_shown_run_prints_what_the_readme_shows():
    [shown] = blocks("console")
    command, *lines = shown.splitlines()
    arguments = command.removeprefix("$ rpolab ").split()
    program = Path(sys.executable).with_name("rpolab")
    done = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={
            "RPOLAB_STORE": "off",
            "COLUMNS": COLUMNS,
            "LANG": "C.UTF-8",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    printed = iter(done.stdout.splitlines())
    for line in lines:
        if line != "...":
            assert any(line == found.rstrip() for found in printed), f"not printed: {line}"


def test_the_shown_scenario_is_valid():
    [text] = blocks("yaml")
    checked = scenarios.check_text(text, "README.md", ROOT)
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
