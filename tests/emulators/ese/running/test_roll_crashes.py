"""A crash between any two steps of a roll: plain, in a circle, and into the reserve logs (R1)."""

from functools import cache

import pytest
from mail_world import DATABASE, LOG_BYTES, MS, Disks, World, recover_and_check
from power_cuts import sweep_power_cuts
from watch import CURRENT, TEMPORARY

from emulators.ese.formats.format import archive_generation
from emulators.ese.running.parameters import Parameters
from sim.volume import Kind

HEADER = (DATABASE, 0)
SHALLOW = Parameters(checkpoint_depth_bytes=LOG_BYTES)
CIRCULAR = Parameters(checkpoint_depth_bytes=LOG_BYTES, circular_logging=True)


def plain():
    world = World(parameters=SHALLOW)
    world.spawn(world.drip(13, 180_000, every_ms=60))
    return world


def circular():
    world = World(parameters=CIRCULAR)
    world.spawn(world.drip(17, 210_000, every_ms=60))
    return world


def into_reserve_logs():
    world = World(log_bytes=int(4.5 * LOG_BYTES), parameters=SHALLOW)
    for _ in range(13):
        world.send(210_000)
    return world


def circular_into_reserve_logs():
    """A circle that is too small for the disk: logs are deleted, but never enough."""
    parameters = Parameters(
        checkpoint_depth_bytes=2 * LOG_BYTES, waypoint_depth=2, circular_logging=True
    )
    world = World(log_bytes=int(5.5 * LOG_BYTES), parameters=parameters)
    world.spawn(world.drip(60, 210_000, every_ms=15))
    return world


def frozen_in_a_circle():
    world = World(parameters=CIRCULAR)
    world.spawn(world.drip(16, 150_000, every_ms=50))

    def freeze():
        for _ in range(3):
            yield world.kernel.sleep(170 * MS)
            yield from world.group.freeze()
            yield world.kernel.sleep(60 * MS)
            world.group.thaw()

    world.spawn(freeze())
    return world


def into_the_last_generation():
    last = Parameters().file_format.generation_max
    world = World(parameters=Parameters(generation_first=last - 1))
    world.spawn(world.drip(9, 180_000, every_ms=40))
    return world


KINDS = {
    made.__name__: made
    for made in (
        plain,
        circular,
        into_reserve_logs,
        circular_into_reserve_logs,
        frozen_in_a_circle,
        into_the_last_generation,
    )
}
STOPPED = {
    "into_reserve_logs": -529,
    "circular_into_reserve_logs": -529,
    "into_the_last_generation": -519,
}


@cache
def world_of(kind):
    world = KINDS[kind]()
    world.run(4)
    error = world.group.error
    assert (error.code if error is not None else None) == STOPPED.get(kind)
    assert world.kernel.unobserved_errors == []
    return world


def steps_of_rolls(world):
    """Return after how many operations each step of a roll, or of a deletion, was done."""
    return [
        number
        for number, operation in enumerate(world.operations, 1)
        if number > world.mounted_after
        and (
            operation.kind in (Kind.CREATE, Kind.RENAME, Kind.DELETE)
            or operation.file == TEMPORARY
            or (operation.kind is Kind.WRITE and (operation.file, operation.offset) == HEADER)
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_after_any_step_of_a_roll_keeps_all_that_was_acknowledged_and_no_more(kind, figure):
    world = world_of(kind)
    disks = Disks(world.operations)
    seen = set()
    steps = steps_of_rolls(world)
    for done in sorted({*steps, *(step - 1 for step in steps), len(world.operations)}):
        disks.advance(done)
        files = disks.copy()
        seen.add((files.exists(CURRENT), files.exists(TEMPORARY)))
        recovered = recover_and_check(files, world.ledger(done))
        assert recovered.problems == [], f"after {done} operations"
        assert files.exists(CURRENT)
    figure(f"{len(steps)} steps")
    assert seen == {(True, False), (True, True), (False, True)}
    assert len(steps) > 5
    deleted = {operation.file for operation in world.operations if operation.kind is Kind.DELETE}
    assert any(archive_generation(name, "E00") for name in deleted) == ("circular" in kind)


def cut_the_last_roll(kind, *, combinations_max):
    """Cut the power around the last roll, which deletes logs or uses up the reserve."""
    world = world_of(kind)
    steps = steps_of_rolls(world)
    rolled = [n for n in steps if world.operations[n - 1].new_name == CURRENT][-1]
    return sweep_power_cuts(
        world, rolled - 10, rolled + 3, every=False, combinations_max=combinations_max
    )


@pytest.mark.parametrize("kind", ["circular", "into_reserve_logs"])
def test_a_power_cut_after_any_step_of_a_roll_keeps_all_that_was_acknowledged(kind, figure):
    counts = cut_the_last_roll(kind, combinations_max=5)
    figure(f"{counts}")
    assert counts["recovered"] > 5


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_more_power_cuts_of_every_kind_of_roll_keep_all_that_was_acknowledged(kind, figure):
    counts = cut_the_last_roll(kind, combinations_max=40)
    figure(f"{counts}")
    assert counts["recovered"] > 5
