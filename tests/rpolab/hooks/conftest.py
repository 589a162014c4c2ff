"""A package that brings a fault, and a small scenario to try it in."""

import pytest

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
