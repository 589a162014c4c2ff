"""What the command does not import, so that it answers at once."""

import os
import resource
import statistics
import subprocess
import sys

import pytest

import rpolab

SIMULATION = {"faker", "numpy", "simpy"}
HEAVY = SIMULATION | {"emulators", "engine", "pydantic", "reports", "rich", "ruamel", "scenarios"}
SCRIPT = """
import sys
from rpolab.cli import main
code = main(sys.argv[1:])
print(code, *sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)
"""


def imported(arguments, folder) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    code, *names = done.stderr.splitlines()[-1].split()
    return int(code), set(names)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["rn"]])
def test_help_imports_neither_models_nor_simulation(tmp_path, arguments):
    code, names = imported(arguments, tmp_path)
    assert code == (2 if arguments == ["rn"] else 0)
    assert "click" in names
    assert not names & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "site-loss"],
        ["check", "--json", "site-loss", "--set", "vary={link.latency: [1 ms, 2 ms]}"],
        ["list"],
        ["list", "--json"],
        ["new", "plan.yaml"],
        ["new", "site-loss", "plan.yaml"],
        ["run", "site-los"],
        ["schema", "scenario"],
        ["report", "no"],
    ],
)
def test_reading_a_scenario_imports_no_simulation(tmp_path, arguments):
    code, names = imported(arguments, tmp_path)
    assert code == (2 if arguments[0] in ("run", "report") else 0)
    assert "scenarios" in names
    assert not names & SIMULATION


def test_a_check_reads_no_mail_and_draws_nothing(tmp_path):
    code, names = imported(["check", "site-loss"], tmp_path)
    assert code == 0
    assert not names & {"emulators", "engine", "jinja2", "multiprocessing", "rich", "sim"}


@pytest.mark.parametrize("arguments", [["--help"], ["check", "clean"]])
def test_how_long_it_takes_to_answer(tmp_path, figure, arguments):
    spent_s = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        imported(arguments, tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    figure(f"{' '.join(arguments)}: {statistics.median(spent_s):.2f} s of processor time")


def test_importing_the_package_costs_nothing(tmp_path):
    script = "import sys, rpolab; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert not set(done.stdout.split()) & (HEAVY | {"click"})


@pytest.mark.parametrize("name", rpolab.__all__)
def test_each_public_name_is_there(name):
    assert name in dir(rpolab)
    assert getattr(rpolab, name) is getattr(rpolab, name)


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="'runn'"):
        rpolab.runn  # noqa: B018 - the look-up is what is tested
