"""The example repository, and the recipes for CI: what they show, and that their commands exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rpolab.cli import COMMANDS, cli

xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "ci"
RECIPES = {
    "github.yml": "vendor.github-workflows",
    "gitlab.yml": "vendor.gitlab-ci",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What pytest printed in a copy of the example, and its JUnit file."""
    folder = tmp_path_factory.mktemp("ci") / "example"
    shutil.copytree(EXAMPLE, folder)
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **alone, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-P", "-m", "pytest", "-p", "rpolab.pytest_plugin"]
    done = subprocess.run(
        [*command, "-v", "--junit-xml", "junit.xml"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done, folder / "junit.xml"


def test_pytest_in_the_example_shows_the_missed_threshold_with_its_line(shown):
    done, _ = shown
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 6 passed" in done.stdout
    source = (EXAMPLE / "recovery" / "narrow-line.rpolab.yaml").read_text(encoding="utf-8")
    line = source.splitlines().index('  cdp.rpo: ["max < 60 s"]') + 1
    assert f"recovery/narrow-line.rpolab.yaml:{line}: cdp.rpo: max < 60 s: missed" in done.stdout
    assert f'>   {line} |   cdp.rpo: ["max < 60 s"]' in done.stdout
    assert "replay    rpolab run recovery/narrow-line.rpolab.yaml --seed 7" in done.stdout
    assert "Traceback" not in done.stdout


def test_its_junit_file_is_what_jenkins_takes_and_has_the_figures(shown):
    _, path = shown
    schema = xmlschema.XMLSchema(ROOT / "tests" / "reports" / "junit-10.xsd")
    schema.validate(path)
    root = ET.parse(path).getroot()  # noqa: S314 - pytest wrote it
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failed = cases["cdp.rpo: max < 60 s"].find("failure")
    assert "observed" in failed.text
    noted = {item.get("name"): item.get("value") for item in root.iter("property")}
    place = "recovery.narrow-line.rpolab.yaml::cdp.rpo: max < 60 s"
    assert noted[f"{place}: limit"] == "max < 60 s"
    assert noted[f"{place}: seed"] == "7"
    assert noted[f"{place}: value"].endswith(" s")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_keeps_to_the_schema_of_its_system(name):
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    recipe = ROOT / "docs" / "ci" / name
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", RECIPES[name]]
    done = subprocess.run([*command, str(recipe)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def commands_in(text):
    for line in text.splitlines():
        found = re.search(r"(?:^|do |- |run: )(rpolab .*?)(?:; done)?$", line.strip())
        if found is not None and not line.lstrip().startswith("#"):
            yield shlex.split(found[1])


@pytest.mark.parametrize("name", RECIPES)
def test_every_command_of_a_recipe_exists_with_its_options(name):
    found = list(commands_in((ROOT / "docs" / "ci" / name).read_text(encoding="utf-8")))
    assert {arguments[1] for arguments in found} == {"check", "run", "compare"}
    for _, subcommand, *arguments in found:
        assert subcommand in COMMANDS
        with cli.make_context("rpolab", [subcommand]) as parent:
            command = cli.get_command(parent, subcommand)
            command.make_context(subcommand, list(arguments), parent=parent).close()


def test_a_command_that_does_not_exist_would_be_found():
    [arguments] = commands_in("      - run: rpolab run x.rpolab.yaml --no-such-option")
    with cli.make_context("rpolab", ["run"]) as parent, pytest.raises(Exception, match="No such"):
        cli.get_command(parent, "run").make_context("run", arguments[2:], parent=parent)
