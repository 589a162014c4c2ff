"""Exchange 2003 at run time: no waypoint, no idle roll, five-megabyte logs, four-kilobyte pages."""

import pytest
from group_world import ONE, TWO, GroupWorld, recover
from mail_world import Disks

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import (
    EXCHANGE_2003,
    EXCHANGE_2003_RTM,
    EXCHANGE_2007,
    archive_name,
)
from emulators.ese.formats.streaming_file import check_files, streaming_bytes
from emulators.ese.running.parameters import MountDial, Parameters, waypoint_depth_of

DAY_S = 86_400


def world_2003(names=(ONE,), **settings):
    return GroupWorld(names, parameters=Parameters(file_format=EXCHANGE_2003, **settings)).create()


def test_a1_a_log_of_2003_has_5_mib_and_one_of_2007_1_mib():
    for file_format, size in ((EXCHANGE_2003, 5_242_880), (EXCHANGE_2007, 1_048_576)):
        world = GroupWorld((ONE,), parameters=Parameters(file_format=file_format)).create()
        world.drip(12, 500_000, every_ms=200)
        logs = [name for name in world.logs.names() if name.endswith(".log")]
        assert archive_name("E00", 1, file_format) in logs
        assert {world.logs.size(name) for name in logs} == {size}


def test_a2_generation_47_has_five_digits_in_2003_and_eight_in_2007():
    assert archive_name("E00", 47, EXCHANGE_2003) == "E000002F.log"
    assert archive_name("E00", 47, EXCHANGE_2007) == "E000000002F.log"


@pytest.mark.parametrize("file_format", [EXCHANGE_2003_RTM, EXCHANGE_2003])
def test_a4_the_newest_required_log_of_2003_is_the_current_one(file_format):
    world = GroupWorld((ONE, TWO), parameters=Parameters(file_format=file_format)).create()
    seen = set()
    for _ in range(30):
        world.drip(1, 600_000)
        tip = world.group.log.flushed.generation
        for name in (ONE, TWO):
            header = world.header(name)
            assert header.generation_max_required == tip
            assert header.generation_max_committed == 0, "2003's header has no Log Committed"
        seen.add(tip)
    assert len(seen) > 3
    files = world.files()
    recover(files, file_format=file_format)
    for name in (ONE, TWO):
        assert world.problems(files, name) == []


def test_a3_the_checkpoint_of_2003_trails_by_20_mb_that_are_four_logs():
    world = world_2003()
    assert world.parameters.checkpoint_depth_generations == 4
    lags = []
    for _ in range(80):
        world.drip(1, 600_000, every_ms=100)
        tip = world.group.log.flushed.generation
        lags.append(tip - world.group.checkpoint.generation)
    assert max(lags[40:]) == 4


def test_a6_2003_closes_no_log_that_is_part_filled():
    assert Parameters(file_format=EXCHANGE_2003).idle_roll_ns is None
    world = world_2003()
    world.put(ONE, 1000)
    world.run(DAY_S)
    assert world.group.log.flushed.generation == 1


@pytest.mark.parametrize(("depth", "rolls"), [(1, 96), (7, 672), (10, 960)])
def test_a6_a_day_of_2007_has_as_many_rolls_as_the_depth_says(depth, rolls):
    parameters = Parameters(waypoint_depth=depth)
    assert DAY_S * 10**9 // parameters.idle_roll_ns == rolls


@pytest.mark.parametrize(
    ("dial", "service_pack", "depth"),
    [
        (None, 0, 1),
        (None, 1, 1),
        (MountDial.LOSSLESS, 0, 1),
        (MountDial.GOOD_AVAILABILITY, 0, 4),
        (MountDial.BEST_AVAILABILITY, 0, 7),
        (MountDial.LOSSLESS, 1, 10),
        (MountDial.BEST_AVAILABILITY, 2, 10),
    ],
)
def test_the_depth_of_lost_log_resilience_follows_configuration_and_service_pack(
    dial, service_pack, depth
):
    assert waypoint_depth_of(EXCHANGE_2007, dial=dial, service_pack=service_pack) == depth
    assert waypoint_depth_of(EXCHANGE_2003, dial=dial, service_pack=service_pack) == 0


def test_the_depth_takes_its_share_of_the_checkpoint_depth():
    """1.2: 20 MB less depth x log size, at least a fifth."""
    assert Parameters().checkpoint_depth_generations == 19
    assert Parameters(waypoint_depth=10).checkpoint_depth_generations == 10
    assert Parameters(waypoint_depth=18).checkpoint_depth_generations == 4


# The streaming file (F8).


def refusal_of(call, *arguments, **switches):
    with pytest.raises(EseError) as caught:
        call(*arguments, **switches)
    assert caught.value.hint
    return caught.value.code


def test_a19_a_database_of_2003_has_a_streaming_file_that_goes_along_with_it():
    world = world_2003((ONE, TWO))
    world.drip(20, 300_000)
    size = world.data.size("MDB1.stm")
    assert size == streaming_bytes(world.data.size(ONE) // 4096 - 2, EXCHANGE_2003)
    files = world.files()
    recover(files, file_format=EXCHANGE_2003)
    for name in (ONE, TWO):
        check_files(files, name, read_header(files, name, EXCHANGE_2003))
    world.do(world.group.stop())
    files = world.files()
    for name in (ONE, TWO):
        check_files(files, name, read_header(files, name, EXCHANGE_2003))
    assert "MDB1.stm" not in GroupWorld((ONE,)).create().data.names()


def test_without_its_streaming_file_a_database_is_neither_recovered_nor_mounted():
    world = world_2003()
    world.drip(4, 10_000)
    files = world.files()
    files.delete("MDB1.stm")
    assert refusal_of(recover, files, (ONE,), file_format=EXCHANGE_2003) == -1811
    world.do(world.group.stop())
    world.data.delete("MDB1.stm")
    world.run(1)
    world.restart()
    world.do(world.group.start())
    assert refusal_of(world.do, world.group.mount(ONE)) == -1811


def test_the_streaming_file_of_another_database_is_a_mismatch():
    world = world_2003((ONE, TWO))
    world.drip(4, 10_000)
    files = world.files()
    files.write("MDB1.stm", 0, files.read("MDB2.stm", 0, files.size("MDB2.stm")))
    assert refusal_of(recover, files, file_format=EXCHANGE_2003) == -540


def test_the_streaming_file_of_another_moment_of_a_clean_database_is_a_mismatch():
    world = world_2003()
    world.drip(4, 10_000)
    world.do(world.group.dismount(ONE))
    older = world.data.peek("MDB1.stm", 0, world.data.size("MDB1.stm"))
    world.do(world.group.mount(ONE))
    world.drip(4, 10_000)
    world.do(world.group.dismount(ONE))
    world.data.write("MDB1.stm", 0, (older,))
    world.run(1)
    assert refusal_of(world.do, world.group.mount(ONE)) == -540


def test_a_crash_at_any_operation_of_2003_leaves_a_pair_that_recovers(figure):
    world = world_2003()
    first = len(world.operations)
    world.drip(3, 10_000)
    world.do(world.group.dismount(ONE))
    world.do(world.group.mount(ONE))
    world.drip(2, 400_000)
    disks = Disks(world.operations)
    for done in range(first, len(world.operations) + 1):
        disks.advance(done)
        files = disks.copy()
        recover(files, (ONE,), file_format=EXCHANGE_2003)
        assert world.problems(files, ONE, done) == []
        check_files(files, ONE, read_header(files, ONE, EXCHANGE_2003))
    figure(f"{len(world.operations) - first + 1} prefixes")
