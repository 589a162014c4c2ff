"""Backups and hard recovery of groups with several databases, and life after it in the group."""

import pytest
from backup_world import RESTORED_NS, BackupKind, restored
from checker import check_database
from group_world import FORMATS, ONE, TWO, GroupWorld, recover, rows_of
from mail_world import LOG_BYTES, S

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.recovery.hard_recovery import hard_recover
from emulators.ese.recovery.restore import restore_backup
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.streaming_backup import BackupOptions, streaming_backup

SHALLOW = Parameters(checkpoint_depth_bytes=2 * LOG_BYTES)
BOTH = pytest.mark.parametrize("file_format", FORMATS.values(), ids=FORMATS)


def world_of(file_format=EXCHANGE_2007):
    depth = 2 * file_format.log_bytes
    parameters = Parameters(file_format=file_format, checkpoint_depth_bytes=depth)
    world = GroupWorld(parameters=parameters).create()
    world.drip(30, file_format.log_bytes // 5, every_ms=20)
    return world


def back_up(world, kind=BackupKind.FULL, **options):
    backup = streaming_backup(
        world.kernel, world.group.backup_source, kind, MemoryFiles(), BackupOptions(**options)
    )
    return world.do(backup)


def recover_hard(target, folder, names=(ONE, TWO), file_format=EXCHANGE_2007, **switches):
    report = hard_recover(target, folder, now_ns=RESTORED_NS + 60 * S, **switches)
    for name in names:
        assert check_database(target, name, file_format).problems == []
    return report


def put_back(world, files):
    """Make the volumes hold these files, and no others."""
    for volume in (world.logs, world.data):
        for name in volume.names():
            volume.delete(name)
    for name in files.names():
        volume = world.data if name.endswith(".edb") else world.logs
        volume.create(name)
        volume.write(name, 0, (files.read(name, 0, files.size(name)),))
        volume.flush(name)
    world.run(5)


def remount(world):
    world.restart()
    world.do(world.group.start())
    for name in world.names:
        world.do(world.group.mount(name))


@BOTH
def test_all_databases_of_a_group_come_back_from_one_backup(file_format):
    world = world_of(file_format)
    backup = back_up(world, throughput_bytes_s=40 << 20)
    assert [database.name for database in backup.databases] == [ONE, TWO]
    assert backup.truncated
    world.drip(10, file_format.log_bytes // 5, every_ms=20)
    target, folder = restored([backup], world.files())
    report = recover_hard(target, folder, file_format=file_format)
    assert report.played_forward > 0
    for name in (ONE, TWO):
        assert world.problems(target, name) == []


def test_one_database_is_restored_and_the_other_is_left_as_it_is():
    world = world_of()
    backup = back_up(world)
    world.drip(10, 200_000, every_ms=20)
    target, folder = world.files(), MemoryFiles()
    restore_backup([backup], folder, target, now_ns=RESTORED_NS, databases=[ONE])
    before = target.read(TWO, 0, target.size(TWO))
    recover_hard(target, folder, [ONE])
    assert target.read(TWO, 0, target.size(TWO)) == before
    recover(target)
    for name in (ONE, TWO):
        assert world.problems(target, name) == []


def test_a_backup_of_one_of_two_databases_deletes_no_log():
    world = world_of()
    backup = back_up(world, databases=(TWO,))
    assert backup.truncated == ()
    assert [database.name for database in backup.databases] == [TWO]
    world.do(world.group.dismount(ONE))
    assert back_up(world).truncated == (), "a dismounted database may need them"


def test_a_dismount_ends_the_backup_of_that_database():
    world = world_of()
    outcome = []

    def process():
        try:
            yield from streaming_backup(
                world.kernel,
                world.group.backup_source,
                BackupKind.FULL,
                MemoryFiles(),
                BackupOptions(throughput_bytes_s=1 << 20),
            )
        except EseError as error:
            outcome.append(error)

    world.kernel.spawn(process(), name="backup", host=world.host)
    world.run(0.2)
    world.do(world.group.dismount(ONE))
    world.run(5)
    assert outcome[0].code == -1003
    assert world.header(ONE).is_clean
    assert back_up(world, databases=(TWO,))


@pytest.mark.parametrize("play_forward", [True, False])
@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_a_recovered_database_lives_on_in_its_group_and_survives_a_crash(
    play_forward, has_checkpoint
):
    """Its log has an older life of it, which soft recovery must not replay on the new one."""
    world = world_of()
    backup = back_up(world, BackupKind.COPY)
    world.drip(20, 150_000, every_ms=20)
    world.put(ONE, 700_000)
    world.run(0.004)
    world.power_cycle()
    files = world.files()
    files.delete(ONE)
    recover(files, ignore_missing=True)
    folder = MemoryFiles()
    restore_backup([backup], folder, files, now_ns=RESTORED_NS, databases=[ONE])
    recover_hard(files, folder, [ONE], play_forward=play_forward)
    kept = rows_of(files, ONE)
    if play_forward:
        assert world.promised(ONE) <= set(kept)
    put_back(world, files)
    remount(world)
    world.acknowledged_after[ONE] = [(0, number) for number in kept]
    world.drip(12, 150_000, every_ms=20)
    crashed = world.files()
    if not has_checkpoint:
        crashed.delete("E00.chk")
    recover(crashed)
    for name in (ONE, TWO):
        assert world.problems(crashed, name) == []
        assert check_database(crashed, name).problems == []
    new = world.promised(ONE) - set(kept)
    assert len(new) == 6
    assert set(rows_of(crashed, ONE)) == set(kept) | new


def test_backups_go_on_after_a_remount_and_play_over_it():
    world = world_of()
    full = back_up(world)
    world.drip(6, 200_000, every_ms=20)
    world.do(world.group.dismount(ONE))
    world.do(world.group.dismount(TWO))
    for name in (TWO, ONE):
        world.do(world.group.mount(name))
    world.drip(6, 200_000, every_ms=20)
    incremental = back_up(world, BackupKind.INCREMENTAL)
    world.drip(6, 200_000, every_ms=20)
    for backups in ([full], [full, incremental]):
        target, folder = restored(backups, world.files())
        if len(backups) == 1:
            with pytest.raises(EseError, match="-565"):
                hard_recover(target, folder, now_ns=RESTORED_NS)
            continue
        recover_hard(target, folder)
        for name in (ONE, TWO):
            assert world.problems(target, name) == []


def test_after_hard_recovery_the_next_backup_of_logs_needs_a_new_full_one():
    world = world_of()
    backup = back_up(world)
    target, folder = restored([backup], world.files())
    recover_hard(target, folder)
    world.power_cycle()
    put_back(world, target)
    remount(world)
    with pytest.raises(EseError, match="-560"):
        back_up(world, BackupKind.INCREMENTAL)
    full = back_up(world)
    world.drip(4, 200_000)
    later = back_up(world, BackupKind.INCREMENTAL)
    target, folder = restored([full, later])
    recover_hard(target, folder)
    for name in (ONE, TWO):
        assert world.problems(target, name) == []
