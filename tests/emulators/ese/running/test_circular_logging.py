"""Circular logging: only the logs that a database requires are kept (exchange.md F15, 4.7)."""

import pytest
from mail_world import DATABASE, LOG_BYTES, MS, S, World, recover_and_check
from recovery_case import archive
from watch import CHECKPOINT, CURRENT, PAGE_BYTES, TEMPORARY, finish, watched

from emulators.ese.errors import EseError
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import archive_generation
from emulators.ese.formats.log_file import FLAG_CIRCULAR_BEFORE, FLAG_CIRCULAR_NOW, LogHeader
from emulators.ese.running.circular_logging import circular_flags, require_all_logs_kept
from emulators.ese.running.parameters import Parameters
from sim.volume import Kind

CIRCULAR = Parameters(checkpoint_depth_bytes=4 * LOG_BYTES, circular_logging=True)
BOTH = FLAG_CIRCULAR_NOW | FLAG_CIRCULAR_BEFORE


def archives_of(world):
    found = (archive_generation(name, "E00") for name in world.logs.names())
    return [generation for generation in found if generation is not None]


def log_header(world, name):
    return LogHeader.unpack(world.logs.peek(name, 0, 4096))


def test_each_roll_deletes_the_oldest_logs_that_neither_header_nor_checkpoint_asks_for():
    world, watch = watched(parameters=CIRCULAR)
    deleted = []

    def note(operation):
        if operation.kind is Kind.DELETE:
            deleted.append(archive_generation(operation.file, "E00"))
            header = DatabaseHeader.unpack(world.data.peek(DATABASE, 0, PAGE_BYTES))
            checkpoint = Checkpoint.unpack(world.logs.peek(CHECKPOINT, 0, PAGE_BYTES))
            first = min(header.generation_min_required, checkpoint.checkpoint.generation)
            assert deleted[-1] < first
            assert min(archives_of(world)) == deleted[-1] + 1, "a hole"
            assert world.logs.exists(CURRENT)

    world.watch.append(note)
    world.spawn(world.drip(150, 130_000, every_ms=40))
    world.run(10)
    assert watch.rolls > 15
    assert deleted == list(range(1, len(deleted) + 1))
    kept = archives_of(world)
    header = DatabaseHeader.unpack(world.data.peek(DATABASE, 0, PAGE_BYTES))
    assert kept == list(range(header.generation_min_required, watch.tip))
    assert len(kept) <= 4 + 2
    finish(world)


def test_without_circular_logging_no_log_is_ever_deleted():
    world = World(parameters=Parameters(checkpoint_depth_bytes=4 * LOG_BYTES))
    world.spawn(world.drip(150, 130_000, every_ms=40))
    world.run(10)
    assert not [operation for operation in world.operations if operation.kind is Kind.DELETE]


def test_headers_and_checkpoint_say_that_circular_logging_is_on_and_was_on():
    world = World(parameters=CIRCULAR)
    assert log_header(world, CURRENT).flags == FLAG_CIRCULAR_NOW
    assert log_header(world, CURRENT).parameters.flags == 1
    assert Checkpoint.unpack(world.logs.peek(CHECKPOINT, 0, PAGE_BYTES)).parameters.flags == 1
    world.spawn(world.drip(10, 130_000, every_ms=40))
    world.run(3)
    assert log_header(world, archive(1)).flags == FLAG_CIRCULAR_NOW
    assert log_header(world, CURRENT).flags == BOTH


def test_a_log_remembers_that_circular_logging_was_on_before():
    world = World(parameters=CIRCULAR)
    first = log_header(world, CURRENT)
    assert circular_flags(is_on=False) == 0
    assert circular_flags(is_on=False, before=first) == FLAG_CIRCULAR_BEFORE
    assert circular_flags(is_on=True, before=first) == BOTH
    assert first.next(first.created).flags == BOTH


def test_circular_logging_lives_on_a_disk_that_would_be_full_without_it():
    room = 14 * LOG_BYTES
    lasting = World(parameters=CIRCULAR, log_bytes=room)
    filling = World(parameters=Parameters(checkpoint_depth_bytes=4 * LOG_BYTES), log_bytes=room)
    for world in (lasting, filling):
        world.spawn(world.drip(200, 130_000, every_ms=40))
        world.run(20)
    assert filling.group.error.code == -529
    assert lasting.group.error is None
    finish(lasting)


def test_a_freeze_holds_log_writes_and_makes_no_new_generation():
    world = World(parameters=CIRCULAR)
    world.spawn(world.drip(100, 50_000, every_ms=20))
    world.run(1.5)
    seen = {}

    def snapshot():
        yield from world.group.freeze()
        seen["files"], seen["ledger"] = world.files(), world.ledger()
        operations, acknowledged = len(world.operations), len(world.acknowledged)
        yield world.kernel.sleep(300 * MS)
        assert len(world.operations) == operations, "written while frozen"
        assert len(world.acknowledged) == acknowledged, "acknowledged while frozen"
        seen["rolls"] = world.group.log.buffer.flushing.generation
        world.group.thaw()

    world.spawn(snapshot())
    world.run(5)
    files = seen["files"]
    assert files.exists(CURRENT)
    assert not files.exists(TEMPORARY), "step 3 of 4.7"
    assert LogHeader.unpack(files.read(CURRENT, 0, 4096)).generation == seen["rolls"]
    assert recover_and_check(files, seen["ledger"]).problems == []
    finish(world)


@pytest.mark.parametrize("wait_ms", range(0, 60, 4))
def test_a_freeze_at_any_instant_of_a_roll_waits_until_the_log_has_its_name(wait_ms):
    """Neither E00tmp.log nor a missing E00.log is ever in the image."""
    world = World(parameters=CIRCULAR, latency_ns=5 * MS)
    world.send(int(1.01 * LOG_BYTES))
    seen = []

    def snapshot():
        yield world.kernel.sleep(wait_ms * MS)
        yield from world.group.freeze()
        seen.append((world.files(), world.ledger()))
        yield world.kernel.sleep(S)
        world.group.thaw()

    world.spawn(snapshot())
    world.run(5)
    ((files, ledger),) = seen
    assert files.exists(CURRENT)
    assert not files.exists(TEMPORARY)
    assert recover_and_check(files, ledger).problems == []
    finish(world)


def test_a_quiet_group_stands_still_at_once_and_goes_on_after_the_thaw():
    world = World(parameters=CIRCULAR)

    def freezes():
        for _ in range(3):
            yield from world.group.freeze()
            yield world.kernel.sleep(100 * MS)
            world.group.thaw()

    world.spawn(freezes())
    world.run(2)
    assert not world.group.is_frozen
    world.send(1000)
    finish(world)
    assert archives_of(world) == []


def test_an_incremental_backup_is_refused_with_circular_logging():
    with pytest.raises(EseError, match=r"-526.*InvalidBackup.*SG1.*full") as caught:
        require_all_logs_kept("SG1", circular_logging=True)
    assert caught.value.hint
    require_all_logs_kept("SG1", circular_logging=False)
