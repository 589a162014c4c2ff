"""Bringing a storage group up after a crash, in simulated time, as the store does."""

import pytest
from checker import check_database
from group_world import FORMATS, ONE, TWO, GroupWorld, recover
from mail_world import LOG_BYTES

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseState
from emulators.ese.running.parameters import Parameters
from emulators.exchange.mount import mount_group

DEEP = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES)


def crashed(parameters=DEEP, *, after_s=0.0, **settings):
    """A world whose host has lost power in the middle of its work."""
    world = GroupWorld(parameters=parameters, **settings).create()
    world.drip(30, 130_000)
    for _ in range(8):
        world.put(ONE, 60_000)
        world.put(TWO, 60_000)
    world.run(after_s)
    world.power_cycle()
    world.restart()
    return world


@pytest.mark.parametrize("file_format", FORMATS.values(), ids=FORMATS)
def test_after_a_power_cut_the_store_recovers_and_mounts_by_itself(file_format):
    world = crashed(Parameters(file_format=file_format), after_s=0.004)
    assert world.header(ONE).state is DatabaseState.DIRTY_SHUTDOWN
    started = world.kernel.now_ns
    done = world.do(mount_group(world.group))
    assert done.refused == {}
    assert done.recovery.applied > 0
    assert world.kernel.now_ns > started, "recovery takes time"
    assert world.group.mounted_names() == [ONE, TWO]
    world.drip(10, 50_000)
    world.do(world.group.stop())
    files = world.files()
    for name in (ONE, TWO):
        assert world.problems(files, name) == []
        assert check_database(files, name, file_format).problems == []


def test_the_recovery_of_the_store_leaves_the_files_that_eseutil_would_leave():
    world = crashed()
    expected = world.files()
    done = world.do(mount_group(world.group, names=[]))
    assert world.group.mounted_names() == []
    assert recover(expected).generations == done.recovery.generations
    for name in (ONE, TWO):
        mine = world.data.peek(name, 2 * 8192, world.data.size(name))
        assert mine == expected.read(name, 2 * 8192, expected.size(name)), "the same pages"


def test_a_group_that_was_stopped_has_nothing_to_recover():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(10, 50_000)
    world.do(world.group.stop())
    world.restart()
    done = world.do(mount_group(world.group))
    assert done.recovery.was_clean
    assert world.group.mounted_names() == [ONE, TWO]


def test_required_logs_start_at_the_tip_after_recovery_too():
    world = crashed(Parameters(waypoint_depth=3, checkpoint_depth_bytes=6 * LOG_BYTES))
    world.do(mount_group(world.group))
    tip = world.group.log.flushed.generation
    for name in (ONE, TWO):
        assert world.header(name).generation_max_required == tip


@pytest.mark.parametrize("cut_ms", [1, 20, 45, 70, 95, 120, 150, 200, 260])
def test_a_power_cut_during_recovery_is_made_good_by_the_next_attempt(cut_ms):
    world = crashed(after_s=0.003)
    world.kernel.spawn(mount_group(world.group), name="mount", host=world.host)
    world.run(cut_ms / 1000)
    world.power_cycle()
    world.restart()
    done = world.do(mount_group(world.group))
    assert done.refused == {}
    world.drip(4, 20_000)
    files = world.files()
    recover(files)
    for name in (ONE, TWO):
        assert world.problems(files, name) == []
        assert check_database(files, name).problems == []


def test_many_crashes_in_a_row_lose_nothing(figure):
    world = GroupWorld(parameters=Parameters(checkpoint_depth_bytes=2 * LOG_BYTES)).create()
    crashes = 6
    for number in range(crashes):
        world.drip(6, 120_000)
        if number % 2:
            world.do(world.group.dismount(ONE))
        world.put(TWO, 50_000)
        world.run(0.002 * number)
        world.power_cycle()
        world.restart()
        world.do(mount_group(world.group))
    world.do(world.group.stop())
    files = world.files()
    for name in (ONE, TWO):
        assert world.problems(files, name) == []
        assert check_database(files, name).problems == []
    figure(f"{crashes} crashes, {sum(len(world.sent[name]) for name in (ONE, TWO))} rows")


def test_a_refusal_starts_nothing_and_changes_nothing():
    world = crashed()
    world.logs.delete("E00.log")
    world.run(1)
    before = world.files()
    with pytest.raises(EseError) as caught:
        world.do(mount_group(world.group))
    assert caught.value.code == -528
    assert world.files()._files == before._files
    assert world.group.mounted_names() == []


def test_r17_a_log_disk_without_room_stops_recovery_and_room_is_the_cure():
    world = crashed()
    world.logs.delete("E00.chk")  # recovery must make it anew
    world.run(1)
    image = world.files()
    report = recover(image)
    assert report.generations
    world.logs.reserve(world.logs.free_bytes)
    with pytest.raises(EseError) as caught:
        world.do(mount_group(world.group))
    assert caught.value.code == -529
    world.logs.reserve(0)
    world.restart()
    assert world.do(mount_group(world.group)).refused == {}
    world.do(world.group.stop())
    for name in (ONE, TWO):
        assert world.problems(world.files(), name) == []


def test_a_database_that_cannot_be_mounted_does_not_keep_the_others_from_it():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(6, 5000)
    world.do(world.group.stop())
    world.data.delete(ONE)
    world.run(1)
    world.restart()
    done = world.do(mount_group(world.group))
    assert {name: error.code for name, error in done.refused.items()} == {ONE: -1811}
    assert world.group.mounted_names() == [TWO]
