"""A7: the loss table of exchange.md 1.4 in both versions, with one database and with two.

The newest k logs are lost. 2003 recovers nothing then; 2007 recovers with /a as far as the depth,
and the logs made since the last mount, allow. The logs of 2003 are shortened to 1 MB, which
changes no rule, so that the table can be run through.
"""

from dataclasses import replace
from functools import cache

import pytest
from checker import check_database
from group_world import ONE, TWO, GroupWorld, recover, rows_of
from mail_world import LOG_BYTES, copy_of

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, archive_name
from emulators.ese.running.parameters import Parameters

SHORT_2003 = replace(EXCHANGE_2003, log_bytes=LOG_BYTES)
NAMES = {"one database": (ONE,), "two databases": (ONE, TWO)}
ROWS_STEADY, ROWS_AFTER_MOUNT = 100, 26


@cache
def world_of(file_format, names, depth, rows):
    parameters = Parameters(
        file_format=file_format,
        waypoint_depth=depth,
        checkpoint_depth_bytes=(6 + depth) * LOG_BYTES,
    )
    world = GroupWorld(names, parameters=parameters).create()
    world.drip(rows, 130_000, every_ms=20)
    return world


def losing(world, lost):
    files = world.files()
    tip = world.group.log.flushed.generation
    for generation in range(max(tip - lost + 1, 1), tip + 1):
        name = archive_name("E00", generation, world.parameters.file_format)
        files.delete("E00.log" if generation == tip else name)
    return files, tip


def outcome(world, files, **switches):
    try:
        report = recover(files, world.names, file_format=world.parameters.file_format, **switches)
    except EseError as error:
        return error.code
    return report.warning.code if report.warning else 0


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("rows", [ROWS_STEADY, ROWS_AFTER_MOUNT], ids=["steady", "after a mount"])
def test_a7_2003_does_without_no_log_from_the_first_required_one_to_the_newest(names, rows):
    world = world_of(SHORT_2003, names, 1, rows)
    for lost in (0, 1, 2, 4):
        files, tip = losing(world, lost)
        before = copy_of(files)
        # Where the current log is lost that is what is said of it (R2), /a or not.
        assert outcome(world, files) == (-528 if 0 < lost < tip else -543 if lost else 0)
        if lost:
            assert files._files == before._files
            newest = tip - lost
            if newest > 0:
                files.rename(archive_name("E00", newest, SHORT_2003), "E00.log")
                assert outcome(world, files) == -543, "R7: the newest log is always required"
        else:
            assert [world.problems(files, name) for name in names] == [[] for _ in names]


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a7_2003_a_log_in_the_middle_is_fatal_and_one_below_the_checkpoint_is_not(names):
    world = world_of(SHORT_2003, names, 1, ROWS_STEADY)
    header = world.header()
    assert 2 < header.generation_min_required < header.generation_max_required - 1
    files = world.files()
    files.delete(archive_name("E00", header.generation_min_required + 1, SHORT_2003))
    assert outcome(world, files) == -515
    files = world.files()
    files.delete(archive_name("E00", header.generation_min_required - 1, SHORT_2003))
    assert outcome(world, files) == 0
    assert [world.problems(files, name) for name in names] == [[] for _ in names]


def test_2003_has_no_switch_a_and_says_so():
    world = world_of(SHORT_2003, (ONE,), 1, ROWS_AFTER_MOUNT)
    files = world.files()
    with pytest.raises(EseError, match=r"/a: Exchange 2003 .* does not have this switch") as caught:
        recover(files, (ONE,), file_format=SHORT_2003, lossy=True)
    assert caught.value.code == -1003


def test_2003_a_clean_database_survives_without_logs():
    world = GroupWorld((ONE,), parameters=Parameters(file_format=SHORT_2003)).create()
    world.drip(10, 100_000)
    world.do(world.group.stop())
    files = world.files()
    for name in files.names():
        if name != ONE:
            files.delete(name)
    assert outcome(world, files) == 0
    assert world.problems(files, ONE) == []


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("rows", [ROWS_STEADY, ROWS_AFTER_MOUNT], ids=["steady", "after a mount"])
@pytest.mark.parametrize("depth", [1, 10])
def test_a7_2007_does_without_as_many_logs_as_the_depth_and_the_mount_allow(names, rows, depth):
    world = world_of(EXCHANGE_2007, names, depth, rows)
    made = world.group.log.flushed.generation
    tolerated = min(depth, made - 1)  # mounted in generation 1
    for lost in sorted({1, 2, tolerated, tolerated + 1, 12}):
        files, tip = losing(world, lost)
        assert outcome(world, copy_of(files)) == (-528 if lost < tip else -543)
        assert outcome(world, files, lossy=True) == (585 if lost <= tolerated else -543)
        if lost <= tolerated:
            for name in names:
                found = rows_of(files, name)
                assert list(found) == list(range(1, len(found) + 1)), "a prefix of the rows"
                assert all(world.sent[name][number] == data for number, data in found.items())
                assert check_database(files, name).problems == []


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a8_the_codes_of_2007_for_losses_with_a_current_log(names):
    """A8: R7 is -543, R6b -515, R8 -582, or 585 with /a."""
    world = world_of(EXCHANGE_2007, names, 10, ROWS_STEADY)
    header = world.header()
    tip = header.generation_max_committed
    files = world.files()
    files.delete(archive_name("E00", header.generation_min_required + 1))
    assert outcome(world, files) == outcome(world, files, lossy=True) == -515
    files = world.files()
    files.delete(archive_name("E00", tip - 2))
    assert outcome(world, files) == -582
    assert outcome(world, files, lossy=True) == 587
    for newest, plain, lossy in ((tip - 3, -582, 585), (tip - 11, -543, -543)):
        files = world.files()
        for generation in range(newest + 1, tip):
            files.delete(archive_name("E00", generation))
        files.delete("E00.log")
        files.rename(archive_name("E00", newest), "E00.log")
        assert outcome(world, files) == plain
        assert outcome(world, files, lossy=True) == lossy
