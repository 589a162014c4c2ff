"""The command, called in this process and in a child; and a scenario that runs in no time."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from rpolab.cli import main

QUICK = """\
title: Ten minutes
seed: 7
start: 10:00
duration: 10 min
exchange:
  version: 2007
  storage_groups:
    - {name: SG1, databases: [MDB1], mailboxes: 20, profile: heavy}
sites:
  primary: {}
  recovery: {}
links:
  - {between: [primary, recovery], bandwidth: 10 Mbit/s, latency: 20 ms}
protect:
  cdp:
    kind: cdp
    copies: [{site: recovery, retention: 48 h}]
drills: {at: [10:05]}
thresholds:
  cdp.rpo: ["max < 60 s"]
"""


@pytest.fixture
def listed():
    """The sorted names in a folder."""
    return lambda folder: sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="session")
def quick_text():
    return QUICK


class Outcome(NamedTuple):
    """What a command returned and printed."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    monkeypatch.delenv("RPOLAB_TRACEBACK", raising=False)
    monkeypatch.setenv("RPOLAB_STORE", "off")


@pytest.fixture
def rpolab(capsys, monkeypatch, tmp_path):
    """The command in this process; it stands in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture
def child(tmp_path):
    """The installed command in a child process; it stands in `tmp_path`."""

    def call(*arguments, **options):
        command = [command_path(), *map(str, arguments)]
        options = {"cwd": tmp_path, "env": environment(), "timeout": 60, **options}
        done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def start_child(tmp_path):
    """Starts the installed command and returns the process; none outlives the test."""
    started = []
    # A job in the background ignores interrupts, and so would its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments, **options):
        command = [command_path(), *map(str, arguments)]
        options = {"cwd": tmp_path, "env": environment(), **options}
        process = subprocess.Popen(command, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def quick(tmp_path):
    """Writes the quick scenario, with changes, and returns its path."""

    def write(*changes, name="quick.yaml"):
        text = QUICK
        for old, new in changes:
            assert old in text, f"{old!r} is not in the scenario"
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def command_path() -> str:
    path = Path(sys.executable).with_name("rpolab")
    assert path.exists(), "the package is not installed in this environment"
    return str(path)


def environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "RPOLAB_STORE": "off"}
