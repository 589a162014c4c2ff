"""The power goes at every volume operation of a backup, and after it: nothing is ever lost."""

from functools import cache

import pytest
from backup_world import BackupKind, BackupWorld, mail_in, recover_hard, restored
from mail_world import Disks, copy_of, recover, recover_and_check
from power_cuts import sweep_power_cuts
from workloads import SHALLOW

from sim.volume import Kind


@cache
def world_with_backups():
    """Send, back up in full, send, back up incrementally, send."""
    world = BackupWorld(parameters=SHALLOW, mailboxes=("ann@example.com",))
    world.spawn(world.drip(24, 170_000, every_ms=25))
    world.spawn(world.drip(40, 1300, every_ms=16))
    world.run(0.5)
    marks = [len(world.operations)]
    backups = [world.back_up(throughput_bytes_s=48 << 20)]
    marks.append(len(world.operations))
    world.spawn(world.drip(12, 170_000, every_ms=25))
    world.run(0.5)
    marks.append(len(world.operations))
    backups.append(world.back_up(BackupKind.INCREMENTAL))
    marks.append(len(world.operations))
    world.spawn(world.drip(6, 200_000, every_ms=20))
    world.run(1)
    assert len(world.acknowledged) == len(world.submitted)
    assert all(backup.truncated for backup in backups)
    return world, backups, marks


def instants(world, first, last, *, every):
    """Return after how many operations to cut: all, or those of the name space and some others."""
    names = (Kind.DELETE, Kind.RENAME)
    return [
        done
        for done in range(first, last + 1)
        if every or done % 25 == 0 or world.operations[done - 1].kind in names
    ]


EVERY = [False, pytest.param(True, marks=pytest.mark.nightly)]


@pytest.mark.parametrize("every", EVERY)
def test_a_crash_at_any_operation_of_a_backup_loses_nothing_that_was_acknowledged(every, figure):
    world, _, (began, *_, ended) = world_with_backups()
    disks = Disks(world.operations)
    deletions = 0
    chosen = instants(world, began, ended + 1, every=every)
    for done in chosen:
        disks.advance(done)
        recovered = recover_and_check(disks.copy(), world.ledger(done))
        assert recovered.problems == [], f"after {done} operations"
        deletions += world.operations[done - 1].kind is Kind.DELETE
    assert deletions >= 4
    figure(f"{len(chosen)} instants, {deletions} deletions")


@pytest.mark.nightly
def test_a_power_cut_at_any_operation_of_a_backup_loses_nothing_either(figure):
    """Each write that no flush follows is kept, torn or lost; a torn page is named."""
    world, _, (began, *_, ended) = world_with_backups()
    counts = sweep_power_cuts(world, began, ended, every=False, combinations_max=16)
    assert counts["recovered"] > 0
    figure(f"{counts}")


@pytest.mark.parametrize("every", EVERY)
def test_a_backup_plays_forward_to_what_soft_recovery_gives_at_every_later_instant(every, figure):
    world, (full, incremental), (_, ended, _, later) = world_with_backups()
    disks = Disks(world.operations)
    counts = {"to the tip": 0, "of the current log": 0}
    for done in instants(world, ended, len(world.operations), every=every):
        disks.advance(done)
        files = disks.copy()
        backups = [full] if done < later else [full, incremental]
        target, folder = restored(backups, files)
        report = recover_hard(target, folder)
        soft = copy_of(files)
        recover(soft)
        assert mail_in(target) == mail_in(soft), f"after {done} operations"
        assert world.ledger(done).compare(target) == []
        counts["to the tip"] += 1
        counts["of the current log"] += files.exists("E00.log") and report.played_forward > 0
    assert 0 < counts["of the current log"] < counts["to the tip"]
    figure(f"{counts}")


def test_no_log_that_a_backup_or_the_checkpoint_needs_is_ever_deleted():
    world, (full, incremental), _ = world_with_backups()
    kept = {*range(1, 100)} - {*full.truncated, *incremental.truncated}
    assert {*incremental.generations} <= kept | {*incremental.truncated}
    assert incremental.info.generation_low == full.info.generation_high + 1
    assert not {*full.truncated} & {*incremental.generations}
    header = world.group.backup_source.files[0].header
    assert max(incremental.truncated) < header.generation_min_required
