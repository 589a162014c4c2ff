"""A crash after every single action of several small workloads, of every kind, with every fate.

Nearly all known crash bugs need three or fewer operations and a crash right after a sync
(simulation.md, finding 12): so short workloads, exhaustively.
"""

import pytest
from engine_harness import Pair
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    app_tag,
    check_images,
    create,
    delete,
    flush,
    parts_of,
    rename,
    truncate,
    write,
)

from engine import Capture, CaptureSettings, JournalSettings, RecordType, Refused
from engine.basics.errors import JournalRegressed

WORKLOADS = {
    "one log file in place": [
        create("logs/E00.log"),
        write("logs/E00.log", 0, b"header" * 100),
        write("logs/E00.log", 512, b"record" * 30, 400),
    ],
    "a log generation change": [
        create("logs/E00tmp.log"),
        write("logs/E00tmp.log", 0, 1_024),
        rename("logs/E00tmp.log", "logs/E00.log"),
        write("logs/E00.log", 0, b"x" * 600),
        flush("logs/E00.log"),
        rename("logs/E00.log", "logs/E0000000001.log"),
        delete("logs/E0000000001.log"),
    ],
    "a bookmark between dependent writes": [
        create("logs/E00.log"),
        create("db/MDB1.edb"),
        write("logs/E00.log", 0, b"A" * 300),
        app_tag("bookmark 1"),
        write("db/MDB1.edb", 4_096, b"B" * 300),
        truncate("db/MDB1.edb", 4_200),
    ],
}
#: (pool, segment) sizes: everything in one piece; a record per segment; a pool that pushes back;
#: and everything in one piece again, but each change durable before the next one is shown.
SHAPES = {
    "roomy": (100_000, 100_000),
    "record per segment": (100_000, 1),
    "tight": (800, 900),
    "one by one": (100_000, 100_000),
}
FATES = ("kept", "torn", "lost", "cut")


def alternating_fates():
    turn = [0]

    def fate():
        turn[0] += 1
        return ("lost", "kept")[turn[0] % 2]

    return fate


DISTURBANCES = {
    "source crash": lambda pair: pair.crash_source(),
    "disconnect": lambda pair: pair.disconnect(),
    "target process crash": lambda pair: pair.crash_target(),
    **{
        f"target crash, unsynced writes {fate}": lambda pair, fate=fate: pair.crash_target(
            lambda: fate
        )
        for fate in FATES
    },
    "target crash, a hole before kept writes": lambda pair: pair.crash_target(alternating_fates()),
}


def run(workload, shape, disturbances) -> Pair:
    """Run a workload to convergence; `disturbances` maps a step's number to what happens there."""
    pool_bytes, segment_bytes = SHAPES[shape]
    pair = Pair(
        Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=CaptureSettings(pool_bytes_max=pool_bytes, time_interval_ns=30_000),
        ),
        journal_settings=JournalSettings(segment_bytes_max=segment_bytes),
        at_step=lambda pair: disturbances.get(pair.steps, lambda _: None)(pair),
    )
    for change in WORKLOADS[workload]:
        while isinstance(pair.show(change), Refused):
            pair.converge()
        if shape == "one by one":
            pair.converge()
        for _ in range(4):
            pair.step()
    pair.converge()
    return pair


def assert_survived(pair: Pair) -> None:
    journal = pair.journal
    kinds = [journal.index.row(n).kind for n in range(1, journal.durable.sequence + 1)]
    assert [kind for kind in kinds if kind != RecordType.TIME] == [c.kind for c in pair.shown]
    check_images(journal, pair.shown)


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_after_any_action_nothing_acknowledged_is_lost_and_both_ends_meet_again(
    workload, shape, disturbance
):
    steps = run(workload, shape, {}).steps
    assert steps >= 10
    for step in range(1, steps + 1):
        assert_survived(run(workload, shape, {step: DISTURBANCES[disturbance]}))


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
