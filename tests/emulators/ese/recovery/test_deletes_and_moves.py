"""Deletes, moves, merges and rollbacks in a mounted group: a crash after every operation."""

from collections import Counter
from functools import cache

import pytest
from mail_world import LOG_BYTES
from table_world import TableWorld

from emulators.ese.formats import log_records
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.running.parameters import Parameters

SHALLOW = Parameters(checkpoint_depth_bytes=LOG_BYTES)


def small_work():
    yield from ([("put", 1, item, 900)] for item in range(12))
    yield [("move", 1, 3, 2), ("delete", 1, 4), ("put", 1, 4, 5000)]
    yield [("delete", 1, 5), ("delete", 1, 6), ("roll_back",)]
    yield [("put", 2, 50, 20_000)]
    yield [("delete", 2, 50), ("move", 1, 7, 2)]
    yield [("put", 3, 60, 9000), ("move", 3, 60, 4), ("delete", 4, 60)]


def large_work():
    """Many pages come and go while logs roll, pages are written and the checkpoint moves."""
    for wave in range(3):
        for start in range(0, 60, 5):
            items = range(start + 100 * wave, start + 100 * wave + 5)
            yield [("put", 1, item, 9000 if item % 4 else 700) for item in items]
        for start in range(0, 60, 4):
            items = range(start + 100 * wave, start + 100 * wave + 4)
            yield [("delete", 1, item) if item % 3 else ("move", 1, item, 2) for item in items]
        yield [("put", 1, 100 * wave + 90, 300_000)]
        yield [("delete", 1, 100 * wave + 90)]
        yield [("put", 9, item, 3000) for item in range(900, 930)] + [("roll_back",)]


@cache
def world_of(work):
    world = TableWorld(parameters=SHALLOW)
    world.play(list(work()))
    assert world.group.error is None
    assert len(world.acknowledged) == len(world.states) - 1
    return world


def sweep(world, step):
    disks = world.disks()
    undone = instants = 0
    for done in range(world.mounted_after, len(world.operations) + 1, step):
        disks.advance(done)
        undone += world.check(disks.copy(), done).undone > 0
        instants += 1
    return instants, undone


def test_a_crash_after_any_operation_leaves_the_rows_of_the_acknowledged_transactions(figure):
    instants, _ = sweep(world_of(small_work), 1)
    figure(f"{instants} instants")
    assert instants > 20


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_crash_while_pages_come_and_go_leaves_the_rows_of_the_acknowledged(step, figure):
    world = world_of(large_work)
    instants, undone = sweep(world, step)
    figure(f"{instants} instants, {undone} with something to undo")
    assert instants > 20


def test_the_work_of_the_sweep_writes_every_record_of_deletes_merges_and_rollbacks(figure):
    files = world_of(large_work).files()
    kinds = Counter()
    for name in files.names():
        if name.endswith(".log") and "tmp" not in name:
            image = files.read(name, 0, files.size(name))
            scan = scan_log(image, LogHeader.unpack(image[:4096]).generation)
            for _, offset in scan.records():
                kinds[type(log_records.decode(scan.buffer, offset)[0]).__name__] += 1
    figure(f"{dict(kinds)}")
    for kind in ("FlagDelete", "Delete", "Merge", "Undo", "Rollback", "Split", "UndoInfo"):
        assert kinds[kind] > 0, kind
