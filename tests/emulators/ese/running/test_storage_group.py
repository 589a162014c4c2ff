"""A storage group in simulated time, watched at every completed operation of its volumes."""

import pytest
from mail_world import (
    DATABASE,
    LOG_BYTES,
    MAILBOXES,
    MS,
    Disks,
    Ledger,
    S,
    World,
    recover_and_check,
)
from watch import CHECKPOINT, CURRENT, PAGE_BYTES, TEMPORARY, finish, watched

from emulators.ese.errors import EseError
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import archive_generation
from emulators.ese.running.parameters import Parameters
from sim.volume import Kind

SHALLOW = Parameters(checkpoint_depth_bytes=2 * LOG_BYTES)


@pytest.mark.parametrize("depth", [1, 3])
def test_every_rule_holds_at_every_instant_of_a_busy_hour(depth):
    parameters = Parameters(checkpoint_depth_bytes=4 * LOG_BYTES, waypoint_depth=depth)
    world, watch = watched(parameters=parameters)
    world.spawn(world.drip(60, 120_000, every_ms=40))
    world.spawn(world.drip(600, 1500, every_ms=4))
    world.run(6)
    finish(world)
    assert watch.pages_checked > 300
    assert watch.rolls > 7
    assert watch.headers_checked >= watch.rolls


def test_messages_that_come_while_the_log_is_written_are_in_it_before_it_is_closed():
    world, watch = watched(latency_ns=20 * MS, parameters=SHALLOW)
    world.spawn(world.drip(200, 30_000, every_ms=3))
    world.run(20)
    finish(world)
    assert watch.rolls >= 6


@pytest.mark.parametrize("depth", [1, 10])
def test_the_checkpoint_trails_the_tip_by_its_depth_and_one_log_at_most(depth):
    world = World(parameters=Parameters(waypoint_depth=depth))
    tips, lags = [1], []

    def note(operation):
        if operation.kind is Kind.RENAME and operation.file == TEMPORARY:
            tips.append(tips[-1] + 1)
        elif operation.kind is Kind.FLUSH and tips[-1] > 30:
            image = world.logs.peek(CHECKPOINT, 0, PAGE_BYTES)
            lags.append(tips[-1] - Checkpoint.unpack(image).checkpoint.generation)

    world.watch.append(note)
    world.spawn(world.drip(200, 300_000, every_ms=60))
    world.run(20)
    assert tips[-1] > 50
    assert max(lags) <= 20 + 1
    assert min(lags) >= depth
    finish(world)


@pytest.mark.parametrize(("depth", "logs_a_day"), [(1, 96), (7, 672), (10, 960)])
def test_a_part_filled_log_is_closed_at_the_end_of_each_period(depth, logs_a_day):
    world = World(parameters=Parameters(waypoint_depth=depth))

    def trickle():
        while True:
            world.send(200)
            yield world.kernel.sleep(40 * S)

    world.spawn(trickle())
    world.run(24 * 3600)
    rolls = sum(op.kind is Kind.RENAME and op.file == TEMPORARY for op in world.operations)
    assert logs_a_day - 1 <= rolls <= logs_a_day


def test_a_quiet_group_makes_no_logs():
    world = World()
    world.run(3600)
    before = len(world.operations)
    world.run(48 * 3600)
    assert len(world.operations) == before


def test_what_a_message_leaves_in_the_next_log_is_rolled_too_and_then_no_more():
    world = World()
    world.send(int(1.3 * LOG_BYTES))
    world.run(10)
    assert world.group.log.buffer.generation == 2
    world.run(16 * 60)
    assert world.group.log.buffer.generation == 3
    world.run(3600)
    assert world.group.log.buffer.generation == 3
    finish(world)


def test_the_log_rolls_in_the_order_of_the_sheet():
    world = World()
    start = len(world.operations)
    world.send(int(1.05 * LOG_BYTES))
    world.run(10)
    steps = [
        (op.kind.value, op.file, op.new_name)
        for op in world.operations[start:]
        if op.kind is not Kind.TRUNCATE and (op.file != CURRENT or op.kind is Kind.RENAME)
    ]
    assert steps == [
        ("create", TEMPORARY, ""),
        ("write", TEMPORARY, ""),
        ("flush", TEMPORARY, ""),
        ("write", DATABASE, ""),
        ("flush", DATABASE, ""),
        ("rename", CURRENT, "E0000000001.log"),
        ("rename", TEMPORARY, CURRENT),
    ]
    header = DatabaseHeader.unpack(world.data.peek(DATABASE, 0, PAGE_BYTES))
    assert (header.generation_max_required, header.generation_max_committed) == (1, 2)


def test_between_the_two_renames_there_is_no_current_log_and_recovery_completes_the_roll():
    world = World()
    world.send(int(1.2 * LOG_BYTES))
    world.run(10)
    (at,) = [
        number
        for number, operation in enumerate(world.operations, 1)
        if operation.kind is Kind.RENAME and operation.file == CURRENT
    ]
    disks = Disks(world.operations)
    disks.advance(at)
    files = disks.copy()
    assert not files.exists(CURRENT)
    assert files.exists(TEMPORARY)
    recovered = recover_and_check(files, world.ledger(at))
    assert recovered.problems == []
    assert files.exists(CURRENT)
    assert not files.exists(TEMPORARY)


def test_an_image_taken_while_frozen_holds_every_commit_in_its_archives():
    world, watch = watched(parameters=SHALLOW)
    world.spawn(world.drip(100, 50_000, every_ms=20))
    world.run(1.5)
    seen = {}

    def snapshot():
        sent = list(world.submitted)
        yield from world.group.freeze()
        seen["files"], seen["sent"] = world.files(), sent
        seen["operations"] = len(world.operations)
        seen["acknowledged"] = len(world.acknowledged)
        yield world.kernel.sleep(300 * MS)
        assert len(world.operations) == seen["operations"], "written while frozen"
        assert len(world.acknowledged) == seen["acknowledged"], "acknowledged while frozen"
        world.group.thaw()

    world.spawn(snapshot())
    world.run(5)
    files = seen["files"]
    names = files.names()
    assert CURRENT not in names, "A15"
    assert TEMPORARY in names
    header = DatabaseHeader.unpack(files.read(DATABASE, 0, PAGE_BYTES))
    assert header.state is DatabaseState.DIRTY_SHUTDOWN
    found = (archive_generation(name, "E00") for name in names)
    archives = [generation for generation in found if generation is not None]
    needed = range(header.generation_min_required, header.generation_max_required + 1)
    assert frozenset(needed) <= frozenset(archives)
    assert header.generation_max_committed == max(archives) + 1
    image = Ledger(world.histories, seen["sent"])
    assert recover_and_check(files, image).problems == []
    assert watch.rolls > 3
    finish(world)


def test_a_quiet_group_can_be_frozen_again_and_again_without_breaking_its_header():
    """Without mail the checkpoint reaches the tip, but never what the waypoint asks for."""
    world, watch = watched(parameters=Parameters(waypoint_depth=10))
    world.send(5000)

    def freezes():
        for _ in range(45):
            yield from world.group.freeze()
            yield world.kernel.sleep(100 * MS)
            world.group.thaw()
            yield world.kernel.sleep(900 * MS)

    world.spawn(freezes())
    world.run(60)
    assert watch.rolls == 45
    assert watch.checkpoints_ahead > 0
    finish(world)


def test_messages_wait_during_a_freeze_and_are_acknowledged_after_it():
    world = World()

    def freeze():
        yield from world.group.freeze()

    world.spawn(freeze())
    world.run(1)
    assert world.group.is_frozen
    world.send(2000)
    world.send(int(1.5 * LOG_BYTES))
    world.run(10)
    assert world.acknowledged == {}
    world.group.thaw()
    finish(world)


def test_a_thaw_that_overtakes_its_freeze_ends_it_with_an_error():
    world = World(latency_ns=100 * MS)
    outcome = []

    def freeze():
        try:
            yield from world.group.freeze()
        except EseError as error:
            outcome.append(error.code)

    world.spawn(freeze())
    world.run(0.15)
    world.group.thaw()
    world.send(1000)
    world.run(10)
    assert outcome == [-2402]
    finish(world)


def test_senders_wait_while_the_log_buffers_are_full():
    parameters = Parameters(log_backlog_bytes_max=2 * LOG_BYTES)
    world = World(throughput_bytes_s=2 << 20, parameters=parameters)
    backlogs = []

    def sender():
        for _ in range(40):
            yield from world.group.admit()
            world.send(300_000)
            backlogs.append(world.group.log.backlog_bytes)

    world.spawn(sender())
    world.run(120)
    assert LOG_BYTES < max(backlogs) <= 2 * LOG_BYTES + 400_000
    assert backlogs[-1] > 0
    finish(world)


def test_a_power_cut_of_the_host_ends_all_work_and_the_disks_hold_what_was_promised():
    world = World(parameters=SHALLOW)
    world.spawn(world.drip(100, 60_000, every_ms=10))
    world.run(0.7)
    world.host.power_cut()
    acknowledged = len(world.acknowledged)
    assert 10 < acknowledged < 100
    world.run(10)
    assert len(world.acknowledged) == acknowledged
    world.kernel.close()


def test_the_same_seed_gives_the_same_operations():
    def run(seed):
        world = World(seed)
        world.spawn(world.drip(20, 60_000, every_ms=30))
        world.run(3)
        return world.operations, world.trace.digests()

    assert run(3) == run(3)
    assert run(3)[0] != run(4)[0]


def test_a_mail_server_without_mailboxes_starts():
    world = World(mailboxes=())
    assert world.group.error is None
    assert MAILBOXES[0] not in world.mailboxes
