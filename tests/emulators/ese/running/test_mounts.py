"""Databases of one group, each mounted and dismounted for itself, in a log that goes on."""

from dataclasses import replace
from itertools import pairwise

import pytest
from checker import check_database
from group_world import FORMATS, ONE, TWO, GroupWorld, recover, refusal_of, rows_of, steady
from mail_world import LOG_BYTES

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.database_header import DatabaseState
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.formats.page import Page
from emulators.ese.running.parameters import Parameters
from sim.payload import to_bytes
from sim.volume import Kind

BOTH = pytest.mark.parametrize("file_format", FORMATS.values(), ids=FORMATS)


def records_of(world, name="E00.log"):
    content = world.logs.peek(name, 0, world.logs.size(name))
    scan = scan_log(content, int.from_bytes(content[4:8], "little"))
    return [log_records.decode(scan.buffer, offset)[0] for _, offset in scan.records()]


@BOTH
def test_two_databases_share_a_log_and_each_gets_its_own_back(file_format):
    world = GroupWorld(parameters=Parameters(file_format=file_format)).create()
    world.drip(30, 40_000)
    headers = [world.header(name) for name in (ONE, TWO)]
    assert [header.dbid for header in headers] == [1, 2]
    assert headers[0].signature != headers[1].signature
    assert headers[0].log_signature == headers[1].log_signature
    files = world.files()
    report = recover(files, file_format=file_format)
    assert report.applied > 0
    for name in (ONE, TWO):
        assert len(rows_of(files, name, file_format)) == 15
        assert world.problems(files, name) == []


def test_the_header_of_every_mounted_database_is_rewritten_before_each_roll_completes():
    world = steady()
    tip = world.group.log.flushed.generation
    assert tip > 6
    for name in (ONE, TWO):
        header = world.header(name)
        assert header.generation_max_committed == tip
        assert header.generation_max_required == tip - 1
    rolls = [
        index for index, op in enumerate(world.operations) if (op.new_name or "").startswith("E000")
    ]
    for last, roll in pairwise(rolls):
        written = {op.file for op in world.operations[last:roll] if op.offset == 0 and op.size}
        assert {ONE, TWO} <= written


def test_the_checkpoint_is_that_of_the_database_that_is_furthest_behind():
    world = steady()
    world.drip(60, 130_000, names=[TWO])
    group = world.group
    checkpoint = group.checkpoint
    oldest = [group.mounted(name).file.cache.oldest_dirty() for name in (ONE, TWO)]
    assert checkpoint <= min(oldest)
    required = [world.header(name).generation_min_required for name in (ONE, TWO)]
    assert max(required) <= checkpoint.generation
    tip = group.log.flushed.generation
    assert tip - checkpoint.generation <= 4, "A3: both databases are flushed in time"


@BOTH
def test_a5_no_page_of_any_database_is_written_before_its_log_nor_beyond_what_is_required(
    file_format,
):
    """A5: every page write has a position in the flushed log, and a generation that is required."""
    file_format = replace(file_format, log_bytes=LOG_BYTES)
    parameters = Parameters(file_format=file_format, checkpoint_depth_bytes=3 * LOG_BYTES)
    world = GroupWorld(parameters=parameters).create()
    places = {ONE: {}, TWO: {}}
    checked = dict.fromkeys(places, 0)

    def follow(name):
        editor = world.group.mounted(name).editor
        log = editor.log

        def note(record):
            lgpos = log(record)
            decoded = log_records.decode(record)[0]
            if hasattr(decoded, "dbtime"):
                places[name][decoded.dbtime] = lgpos
            return lgpos

        editor.log = note

    def check(operation):
        size, name = file_format.page_bytes, operation.file
        if operation.kind is not Kind.WRITE or operation.offset < 2 * size or name not in places:
            return
        image = to_bytes(operation.payload)
        for start in range(0, len(image), size):
            pgno = (operation.offset + start) // size - 1
            dbtime = Page.from_bytes(image[start : start + size], pgno).dbtime
            place = places[name].get(dbtime)
            if place is not None:
                assert place < world.group.log.flushed
                assert place.generation <= world.header(name).generation_max_required
                checked[name] += 1

    for name in places:
        follow(name)
    world.data.attach(check)
    world.drip(60, 130_000)
    world.do(world.group.dismount(ONE))
    assert min(checked.values()) > 100


@BOTH
def test_a_dismounted_database_is_clean_and_needs_no_log(file_format):
    parameters = Parameters(file_format=file_format)
    world = GroupWorld(parameters=parameters).create()
    world.drip(12, 300_000)
    world.do(world.group.dismount(ONE))
    header = world.header(ONE)
    assert header.state is DatabaseState.CLEAN_SHUTDOWN
    assert (header.generation_min_required, header.generation_max_required) == (0, 0)
    assert header.consistent == header.detach
    assert world.header(TWO).state is DatabaseState.DIRTY_SHUTDOWN
    files = world.files()
    for name in files.names():
        if name not in (ONE, TWO):
            files.delete(name)
    assert world.problems(files, ONE) == []
    if file_format is EXCHANGE_2007:
        assert check_database(files, ONE).problems == []


def test_the_others_go_on_while_one_is_dismounted_and_mounted_again():
    world = steady()
    group = world.group
    world.do(group.dismount(ONE))
    assert not group.is_mounted(ONE)
    world.drip(20, 130_000, names=[TWO])
    world.do(group.mount(ONE))
    world.drip(20, 130_000)
    assert world.header(ONE).dbid == 1
    files = world.files()
    recover(files)
    for name in (ONE, TWO):
        assert world.problems(files, name) == []
        assert check_database(files, name).problems == []


def test_required_logs_start_at_the_tip_after_a_mount_and_the_window_opens_gradually():
    """A4: MaxRequired is max(generation at the mount, tip - depth); 1.2, right after a mount."""
    depth = 4
    world = GroupWorld(
        parameters=Parameters(waypoint_depth=depth, checkpoint_depth_bytes=9 * LOG_BYTES)
    ).create()
    world.drip(60, 130_000)
    world.do(world.group.dismount(ONE))
    mounted_at = world.group.log.flushed.generation
    world.do(world.group.mount(ONE))
    assert world.header(ONE).generation_min_required == mounted_at
    seen = set()
    for _ in range(60):
        world.drip(1, 200_000, names=[TWO])
        tip, header = world.group.log.flushed.generation, world.header(ONE)
        assert header.generation_max_required == max(mounted_at, tip - depth)
        assert header.generation_max_committed == tip
        seen.add(tip - header.generation_max_required)
        assert world.header(TWO).generation_max_required == tip - depth
    assert seen == set(range(depth + 1))


@BOTH
def test_a_stopped_group_ends_its_log_with_a_term_record_and_all_is_clean(file_format):
    world = GroupWorld(parameters=Parameters(file_format=file_format)).create()
    world.drip(10, 100_000)
    world.do(world.group.stop())
    assert world.group.mounted_names() == []
    assert {world.header(name).state for name in (ONE, TWO)} == {DatabaseState.CLEAN_SHUTDOWN}
    *_, first, second, last = records_of(world)
    assert [type(record).__name__ for record in (first, second, last)] == [
        "DetachDb",
        "DetachDb",
        "Term2",
    ]
    done = len(world.operations)
    world.run(7200)
    assert len(world.operations) == done, "nothing runs any more"
    assert world.kernel.unobserved_errors == []


@BOTH
def test_a_new_start_goes_on_with_the_log_stream(file_format):
    """The signature and the chain of creation times are kept (F14)."""
    world = GroupWorld(parameters=Parameters(file_format=file_format)).create()
    world.drip(10, 300_000)
    world.do(world.group.stop())
    before = LogHeader.unpack(world.logs.peek("E00.log", 0, 4096), file_format)
    world.restart()
    world.do(world.group.start())
    for name in (TWO, ONE):
        world.do(world.group.mount(name))
    world.drip(40, 300_000)
    header = LogHeader.unpack(world.logs.peek("E00.log", 0, 4096), file_format)
    assert header.generation > before.generation
    assert header.signature == before.signature == world.header(ONE).log_signature
    files = world.files()
    for name in files.names():
        if name.endswith(".chk"):
            files.delete(name)  # so that the whole chain is followed
    recover(files, file_format=file_format)
    for name in (ONE, TWO):
        assert world.problems(files, name) == []


def test_a_start_on_clean_databases_without_logs_begins_a_new_stream():
    """R3: the database is attached to generation 1 of another stream."""
    world = steady()
    world.do(world.group.stop())
    old = world.header(ONE).log_signature
    for name in world.logs.names():
        world.logs.delete(name)
    world.run(1)
    world.restart()
    world.do(world.group.start())
    world.do(world.group.mount(ONE))
    assert world.header(ONE).generation_max_required == 1
    assert world.header(ONE).log_signature not in (old, world.header(TWO).log_signature)
    world.drip(10, 50_000, names=[ONE])
    files = world.files()
    recover(files, [ONE])
    assert world.problems(files, ONE) == []


def test_the_header_of_each_log_lists_what_was_attached_when_it_began():
    world = steady()
    world.do(world.group.dismount(ONE))
    world.drip(20, 130_000, names=[TWO])
    listed = {}
    for name in world.logs.names():
        if name.endswith(".log"):
            header = LogHeader.unpack(world.logs.peek(name, 0, 4096))
            listed[header.generation] = [info.path for info in header.attachments]
    generations = sorted(listed)
    assert listed[generations[0]] == []
    assert listed[generations[1]] == [ONE, TWO]
    assert listed[generations[-1]] == [TWO]


# What a mount refuses.


def test_a_dirty_database_is_not_mounted():
    world = steady()
    world.power_cycle()
    world.restart()
    world.do(world.group.start())
    assert refusal_of(world, world.group.mount(ONE)) == -550
    assert refusal_of(world, world.group.mount("MDB9.edb")) == -1811


@pytest.mark.parametrize(
    ("written", "opened"),
    [(EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)],
    ids=["2003 as 2007", "2007 as 2003"],
)
def test_a19_a_database_of_the_other_page_size_is_refused(written, opened):
    """And so is the log, by its size."""
    world = GroupWorld(parameters=Parameters(file_format=written)).create()
    world.drip(4, 1000)
    dirty = world.files()
    with pytest.raises(EseError) as caught:
        recover(dirty, file_format=opened)
    assert caught.value.code == -1213
    world.do(world.group.stop())
    world.restart(replace(world.parameters, file_format=opened))
    assert refusal_of(world, world.group.start()) == -541
    for name in world.logs.names():
        world.logs.delete(name)
    world.run(1)
    world.restart(replace(world.parameters, file_format=opened))
    world.do(world.group.start())
    assert refusal_of(world, world.group.mount(ONE)) == -1213


@pytest.mark.parametrize("log_bytes", [1 << 20, 5 << 20])
def test_a_log_of_another_size_with_clean_databases_is_told_apart(log_bytes):
    other = replace(EXCHANGE_2007, log_bytes=6 << 20 if log_bytes == 1 << 20 else 1 << 20)
    written = replace(EXCHANGE_2007, log_bytes=log_bytes)
    world = GroupWorld(parameters=Parameters(file_format=written)).create()
    world.drip(4, 1000)
    dirty = world.files()
    with pytest.raises(EseError) as caught:
        recover(dirty, file_format=other)
    assert caught.value.code == -541
    world.do(world.group.stop())
    with pytest.raises(EseError) as caught:
        recover(world.files(), file_format=other)
    assert caught.value.code == -545
