"""Small worlds for the experiment's tests."""

from collections.abc import Callable
from typing import Any

import pytest

import scenarios
from rpolab.experiment import Experiment
from scenarios import Scenario

MakeScenario = Callable[..., Scenario]


def small_world(**changes: Any) -> dict[str, Any]:
    """A server with a little mail, protected over a slow line.

    `changes` go over it; a key that is changed to None is left out.
    """
    world: dict[str, Any] = {
        "title": "A small world",
        "seed": 5,
        "start": "10:00",
        "duration": "12 min",
        "exchange": {
            "version": 2007,
            "storage_groups": [
                {"name": "SG1", "databases": ["MDB1"], "mailboxes": 40, "profile": "heavy"}
            ],
        },
        "sites": {"primary": {}, "recovery": {}},
        "links": [
            {"between": ["primary", "recovery"], "bandwidth": "4 Mbit/s", "latency": "20 ms"}
        ],
        "protect": {
            "cdp": {
                "kind": "cdp",
                "copies": [{"site": "recovery", "retention": "1 d"}],
                "bookmarks": {"every": "5 min"},
            }
        },
        "drills": {"at_end": True},
    }
    changed = world | changes
    return {key: value for key, value in changed.items() if value is not None}


@pytest.fixture(scope="session")
def make_small() -> MakeScenario:
    return lambda **changes: scenarios.parse(small_world(**changes))


@pytest.fixture
def scenario(make_small: MakeScenario) -> MakeScenario:
    return make_small


@pytest.fixture
def run(scenario: MakeScenario) -> Callable[..., Experiment]:
    def run_small(**changes: Any) -> Experiment:
        experiment = Experiment(scenario(**changes))
        experiment.run()
        return experiment

    return run_small


@pytest.fixture
def protect() -> dict[str, Any]:
    """The protections of the small world, to be changed."""
    found: dict[str, Any] = small_world()["protect"]
    return found
