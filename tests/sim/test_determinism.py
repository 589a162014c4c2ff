import os
import subprocess
import sys
from pathlib import Path

from sim.trace import first_difference

SCRIPT = Path(__file__).with_name("small_world.py")
ROOT = Path(__file__).parents[2]


def run_in_child(seed, hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    child = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    return child.stdout.splitlines()


def test_one_seed_gives_one_trace_in_two_processes_with_other_hash_seeds():
    one, other = run_in_child(7, 1), run_in_child(7, 2)
    difference = first_difference(one, other)
    assert difference is None, str(difference)
    kinds = {line.split()[1] for line in one[:-1]}
    assert {"committed", "stored", "seen", "silence", "refused", "recovered"} <= kinds
    assert one[-1].startswith("{'effects': ")
    assert len(one) > 500


def test_another_seed_gives_another_trace():
    assert run_in_child(7, 1)[-1] != run_in_child(8, 1)[-1]
