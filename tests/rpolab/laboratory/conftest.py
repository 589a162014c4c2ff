"""Small worlds for the experiment's tests, in which every recovered database is checked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import scenarios
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import Format
from emulators.ese.integrity.check import check_database
from emulators.ese.recovery.report import RecoveryReport
from emulators.ese.recovery.soft_recovery import soft_recover
from rpolab.laboratory import opening
from rpolab.laboratory.experiment import Experiment
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


def recover_and_check(
    files: FileSet, prefix: str, names: Sequence[str], *, log_format: Format, **switches: Any
) -> RecoveryReport:
    report = soft_recover(files, prefix, names, log_format=log_format, **switches)
    for name in names:
        assert list(check_database(files, name, log_format).findings) == []
    return report


@pytest.fixture(scope="module", autouse=True)
def structure_is_checked() -> Iterator[None]:
    """Check the structure of each database that any experiment here recovers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "soft_recover", recover_and_check)
        yield


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
