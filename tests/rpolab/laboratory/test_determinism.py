"""Same seed, same run, to the byte; and faults that never come leave no mark."""

import os
import subprocess
import sys

import pytest

import scenarios
from rpolab.laboratory.experiment import Experiment

DIGESTS = """
import sys
import scenarios
from rpolab.laboratory.experiment import Experiment
scenario = scenarios.load(sys.argv[1])
experiment = Experiment(scenario.model_copy(update={"seed": int(sys.argv[2])}))
experiment.run()
digests = experiment.result().digests
print(digests.effects, digests.full)
"""


def digests_of(name: str, seed: int, hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", DIGESTS, name, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("name", ["four-groups-2003", "lost-log", "site-loss"])
def test_the_same_seed_gives_the_same_digests_under_two_hash_seeds(name):
    assert digests_of(name, 7, "1") == digests_of(name, 7, "2")


def test_another_seed_gives_other_digests():
    name = "four-groups-2003"
    first, second = digests_of(name, 7, "1"), digests_of(name, 8, "1")
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_faults_of_probability_zero_leave_the_digests_of_the_clean_run(run):
    clean = run(seed=21).result().digests
    places = {"site": "primary"}
    faults = [
        {"at": "10:03", "kind": "site_loss", **places},
        {"at": "10:03", "kind": "power_cut", **places},
        {"at": "10:04", "kind": "disk_stall", **places, "volume": "logs", "duration": "9 s"},
        {"at": "10:05", "kind": "disk_full", **places, "volume": "database"},
        {"at": "10:06", "kind": "link_outage", "between": ["primary", "recovery"],
         "duration": "2 min"},
        {"at": "10:07", "kind": "link_slow", "between": ["primary", "recovery"],
         "duration": "2 min", "bandwidth": "1 Mbit/s"},
        {"at": "10:08", "kind": "lost_log", "protection": "cdp", "which": "required"},
    ]  # fmt: skip
    faulty = run(seed=21, faults=[fault | {"probability": "0 %"} for fault in faults]).result()
    assert faulty.digests == clean
    assert not any(fault.fired for fault in faulty.faults)


def test_up_to_a_fault_the_run_is_the_clean_run(scenario):
    fault = {"at": "10:06", "kind": "site_loss", "site": "primary"}
    clean = Experiment(scenario(), keep_trace=True)
    faulty = Experiment(scenario(faults=[fault]), keep_trace=True)
    clean.run()
    faulty.run()
    lines = faulty.laboratory.trace.lines
    until = next(i for i, line in enumerate(lines) if "fault.fired" in line)
    assert until > 100
    assert lines[:until] == clean.laboratory.trace.lines[:until]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("faulty", "clean"),
    [
        ("link-outage", "clean"),
        ("overload", "clean"),
        ("four-groups-2003", "four-groups-2003-clean"),
        ("groups-2007", "groups-2007-clean"),
    ],
)
def test_a_shipped_scenario_at_probability_zero_is_its_clean_twin(faulty, clean):
    outage = scenarios.load(faulty)
    never = tuple(fault.model_copy(update={"probability": 0.0}) for fault in outage.faults)
    drills = outage.drills
    digests = []
    twin = scenarios.load(clean).model_copy(update={"drills": drills})
    for scenario in (twin, outage.model_copy(update={"faults": never})):
        experiment = Experiment(scenario)
        experiment.run()
        digests.append(experiment.result().digests)
    assert digests[0] == digests[1]
