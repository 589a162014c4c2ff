"""Backups while pages are split, merged, given back and used again: no node may be lost."""

from contextlib import suppress

import pytest
from backup_world import BackupKind, recover_hard, restored
from checker import check_database
from cut_files import CutError, CutFiles
from group_world import ITEMS, ONE, GroupWorld, recover, rows_of
from mail_world import LOG_BYTES, MS, Disks
from recovery_case import archive

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.running.database_file import DatabaseFile
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.streaming_backup import BackupOptions, streaming_backup

SHALLOW = Parameters(checkpoint_depth_bytes=LOG_BYTES)


def change_rows(world, count, *, pause_ms=1):
    """Insert rows at random keys, and delete runs of neighbours, for a while; a process."""
    draw = world.streams.stream("changes")
    table = world.group.database(ONE).table(ITEMS.name)
    keys = set()
    for number in range(count):
        transaction = world.group.begin(ONE)
        if number % 400 > 250 and keys:
            start = draw.below(2000)
            for key in [key for key in sorted(keys) if start <= key < start + 25]:
                table.delete(transaction, key)
                keys.discard(key)
        else:
            key = draw.below(2000)
            if key not in keys:
                keys.add(key)
                table.insert(transaction, (key, (draw.bytes(700 + draw.below(900)),)))
        world.group.commit(transaction)
        yield world.kernel.sleep(pause_ms * MS)


def rows_up_to(world, generation):
    closed = archive(generation)
    done = next(n for n, op in enumerate(world.operations, 1) if op.new_name == closed)
    disks = Disks(world.operations)
    disks.advance(done)
    files = disks.copy()
    recover(files, [ONE])
    return rows_of(files, ONE)


def world_and_backup(seed):
    """A tree that shrinks and grows, a slow backup of it, and some life after that."""
    world = GroupWorld([ONE], parameters=SHALLOW, seed=seed).create()
    world.kernel.spawn(change_rows(world, 6000), name="changes", host=world.host)
    world.run(2)
    options = BackupOptions(throughput_bytes_s=1 << 20)
    source = world.group.backup_source
    backup = world.do(
        streaming_backup(world.kernel, source, BackupKind.FULL, MemoryFiles(), options)
    )
    world.run(1)
    return world, backup


def soft_rows(world):
    files = world.files()
    recover(files, [ONE])
    assert check_database(files, ONE).problems == []
    return rows_of(files, ONE)


NIGHTLY = [pytest.param(seed, marks=pytest.mark.nightly) for seed in range(3, 20)]


@pytest.mark.parametrize("seed", [1, 2, *NIGHTLY])
def test_a_slow_backup_of_a_tree_that_shrinks_and_grows(seed, figure, monkeypatch):
    held = []
    waits = DatabaseFile._waits_for_backup

    def counting(file, pgno, others):
        if is_held := waits(file, pgno, others):
            held.append(pgno)
        return is_held

    monkeypatch.setattr(DatabaseFile, "_waits_for_backup", counting)
    world, backup = world_and_backup(seed)
    target, folder = restored([backup])
    recover_hard(target, folder)
    assert rows_of(target, ONE) == rows_up_to(world, backup.info.generation_high)
    target, folder = restored([backup], world.files())
    recover_hard(target, folder)
    assert rows_of(target, ONE) == soft_rows(world)
    assert len(held) > 20
    figure(f"{len(held)} page writes waited, generations {backup.info[2:]}")


def test_without_pages_that_wait_the_image_cannot_be_recovered_and_that_is_said(monkeypatch):
    monkeypatch.setattr(DatabaseFile, "_waits_for_backup", lambda *_: False)
    _, backup = world_and_backup(1)
    target, folder = restored([backup])
    with pytest.raises(EseError, match="-567"):
        recover_hard(target, folder)


@pytest.mark.parametrize("step", [97, pytest.param(7, marks=pytest.mark.nightly)])
def test_recovery_of_such_a_tree_may_be_cut_while_pages_are_written(step, figure):
    world, backup = world_and_backup(1)
    rows = soft_rows(world)
    left = cuts = 0
    while True:
        target, folder = restored([backup], world.files())
        cut = CutFiles(target, left, loses=False)
        with suppress(CutError):
            recover_hard(cut, folder)
            break
        recover_hard(cut.seen, folder)
        assert rows_of(cut.seen, ONE) == rows, f"cut after {left} operations"
        left += step
        cuts += 1
    assert cuts > 2
    figure(f"{cuts} cuts")
