"""The example package: installed into a folder, its own tests pass, and `check` knows its keys."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_hooks"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What an installer makes of the package: its modules, and its entry points as metadata."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE / "own_hooks", folder / "own_hooks")
    metadata = folder / f"own_hooks-{project['version']}.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(head, encoding="utf-8")
    groups = project["entry-points"].items()
    lines = [
        line for group, kinds in groups for line in (f"[{group}]", *map(" = ".join, kinds.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def child(installed, tmp_path):
    """Runs a module in a child that has the package, in a copy of the example."""
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("own_hooks"))

    def run(*arguments):
        path = os.pathsep.join([str(installed), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        environment.pop("PYTEST_ADDOPTS", None)
        return subprocess.run(
            [sys.executable, "-P", "-m", *arguments],
            cwd=tmp_path / "example",
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_the_tests_of_the_example_pass(child):
    done = child("pytest", "tests", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_check_knows_the_keys_and_names_the_nearest(child, tmp_path):
    scenario = tmp_path / "example" / "scenarios" / "snapshots.rpolab.yaml"
    text = scenario.read_text(encoding="utf-8")
    assert child("rpolab", "check", str(scenario)).returncode == 0
    scenario.write_text(text.replace("every: 2 min", "evry: 2 min"), encoding="utf-8")
    done = child("rpolab", "check", str(scenario))
    assert done.returncode == 2
    assert "error: unknown key 'evry' (did you mean 'every'?)" in done.stdout
