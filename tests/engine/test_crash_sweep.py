"""A crash after every single action of several small workloads, of every kind, with every fate."""

import pytest
from engine_harness import Pair
from engine_model import parts_of
from engine_sweep import DISTURBANCES, FATES, SHAPES, WORKLOADS, assert_survived, run

from engine.basics.errors import JournalRegressed


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_after_any_action_nothing_acknowledged_is_lost_and_both_ends_meet_again(
    workload, shape, disturbance, crashes
):
    steps = run(workload, shape, {}).steps
    assert steps >= 10
    points = sum(
        assert_survived(run(workload, shape, {step: DISTURBANCES[disturbance]}))
        for step in range(1, steps + 1)
    )
    crashes("seal" if shape == "record per segment" else "ship", steps, points)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_sweeps_reach_marks_which_must_never_refuse_what_a_crash_left(workload):
    (content,) = run(workload, "one by one", {}).storage.files.values()
    kinds = [part.kind for part in parts_of(bytes(content))]
    assert kinds.count("mark") >= len(WORKLOADS[workload]) - 1


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("shape", ["record per segment", "one by one"])
def test_a_second_crash_while_recovering_from_the_first_changes_nothing(shape, fate):
    workload = "one log file in place"
    steps = run(workload, shape, {}).steps

    def crash(pair):
        pair.crash_target(lambda: fate)

    for step in range(1, steps + 1):
        for later in range(step + 1, step + 8):
            assert_survived(run(workload, shape, {step: crash, later: crash}))


def test_what_a_crashed_process_left_in_memory_is_not_durable_until_the_next_one_synced_it():
    workload, shape = "one log file in place", "roomy"
    steps = run(workload, shape, {}).steps
    for step in range(1, steps + 1):
        for later in range(step + 1, step + 15):
            crashes = {
                step: Pair.crash_target,
                later: lambda pair: pair.crash_target(lambda: "cut"),
            }
            assert_survived(run(workload, shape, crashes))


@pytest.mark.nightly
@pytest.mark.parametrize("second", DISTURBANCES)
@pytest.mark.parametrize("first", DISTURBANCES)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_any_two_disturbances_anywhere_change_nothing(workload, first, second):
    steps = run(workload, "tight", {}).steps
    for step in range(1, steps + 1):
        for later in range(step + 1, step + 25, 3):
            both = {step: DISTURBANCES[first], later: DISTURBANCES[second]}
            assert_survived(run(workload, "tight", both))


def test_a_log_that_was_acknowledged_and_then_cut_at_a_record_boundary_is_noticed():
    """Every checksum passes; only the source's cursor tells (protection.md, finding 5)."""
    pair = run("one log file in place", "roomy", {})
    journal, storage = pair.journal, pair.storage
    (name,) = storage.files
    boundaries = [journal.index.row(n).position for n in range(1, journal.durable.sequence + 1)]
    pair.crash_target(lambda: "kept")
    full = bytes(storage.files[name])
    for position in boundaries:
        again = run("one log file in place", "roomy", {})
        again.disk_lies = True
        again.storage.files[name] = bytearray(full[:position])
        again.disconnect()
        again.start_target()
        assert again.tail_cuts == 0, "nothing looked wrong"
        again.run(lambda pair: pair.source.fatal_error is not None)
        assert isinstance(again.source.fatal_error, JournalRegressed)
        assert "resync" in again.source.fatal_error.hint
