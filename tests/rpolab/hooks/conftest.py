"""Packages that are installed for one test: a module, and the entry points of its classes."""

import sys

import pytest

from scenarios.hooks import load_hook

STALL = """
from typing import Literal
from pydantic import Field
from rpolab.hooks import OwnFault, PositiveDuration

class Settings(OwnFault):
    '''The disk of the logs answers nothing for a while.'''
    kind: Literal["tape_jam"]
    duration_ns: PositiveDuration = Field(alias="duration")

class TapeJam:
    settings = Settings

    def __init__(self, settings, laboratory):
        self.disk = laboratory.group.log_volume.disk
        self.target = self.disk.name
        self.duration_ns = settings.duration_ns

    def inject(self, injection):
        self.disk.stall(injection.kernel.now_ns + self.duration_ns)
        injection.fired(f"stalled for {self.duration_ns} ns", 1)
"""


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    load_hook.cache_clear()
    yield
    load_hook.cache_clear()


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """Installs a package: its module's text, and its entry points by group."""
    before = set(sys.modules)

    def install(name, text, **groups):
        folder = tmp_path / f"site-{name}"
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [
            f"[rpolab.{group}]\n" + "".join(f"{kind} = {value}\n" for kind, value in kinds.items())
            for group, kinds in groups.items()
        ]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    yield install
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[module]


@pytest.fixture
def tape_jam_text():
    return STALL


@pytest.fixture
def tape_jam(bring):
    """A package that brings a fault."""
    return bring("jams", STALL, faults={"tape_jam": "jams:TapeJam"})


@pytest.fixture
def world():
    """The plain values of a small scenario, to be changed."""
    return {
        "title": "Five minutes",
        "seed": 7,
        "start": "10:00",
        "duration": "5 min",
        "exchange": {
            "version": 2007,
            "storage_groups": [
                {"name": "SG1", "databases": ["MDB1"], "mailboxes": 20, "profile": "heavy"}
            ],
        },
        "sites": {"primary": {}, "recovery": {}},
        "links": [
            {"between": ["primary", "recovery"], "bandwidth": "10 Mbit/s", "latency": "20 ms"}
        ],
        "protect": {"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "48 h"}]}},
        "drills": {"at": ["10:01"]},
        "thresholds": {"cdp.rpo": ["max < 60 s"]},
    }
