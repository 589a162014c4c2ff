"""Backups and hard recovery of groups with several databases, and life after it in the group."""

import pytest
from backup_world import RESTORED_NS, BackupKind, restored
from checker import check_database
from cut_files import CutError, CutFiles
from group_world import FORMATS, ONE, TWO, GroupWorld, recover, rows_of
from mail_world import LOG_BYTES, S, copy_of

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import FileType, read_header
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.streaming_file import check_files, streaming_bytes
from emulators.ese.formats.values import BACKUP_INFO_ZERO
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
        volume = world.data if name.endswith((".edb", ".stm")) else world.logs
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


# The streaming files of 2003 (F8).

STREAMING = ("MDB1.stm", "MDB2.stm")


def small_world_of_2003():
    world = GroupWorld(parameters=Parameters(file_format=EXCHANGE_2003)).create()
    world.drip(4, 3000)
    return world


def paired(files, name):
    """Return whether a database is clean and goes with its streaming file."""
    header = read_header(files, name, EXCHANGE_2003)
    check_files(files, name, header)
    return header.is_clean


def test_a_group_of_2003_comes_back_with_its_streaming_files_and_lives_on():
    world = world_of(EXCHANGE_2003)
    backup = back_up(world, BackupKind.COPY)
    medium = backup.files
    assert set(STREAMING) < set(medium.names())
    copied = [event.text for event in backup.events if event.event_id in (220, 221)]
    assert [sum(name in text for text in copied) for name in STREAMING] == [2, 2]
    for name in STREAMING:
        image = read_header(medium, name, EXCHANGE_2003, FileType.STREAMING)
        assert image.full_backup_current == backup.info
    world.drip(12, 1_000_000, every_ms=20)
    world.power_cycle()
    files = world.files()
    for name in (ONE, TWO, *STREAMING):
        files.delete(name)
    target, folder = restored([backup], files)
    recover_hard(target, folder, file_format=EXCHANGE_2003)
    for name, companion in zip((ONE, TWO), STREAMING, strict=True):
        assert paired(target, name)
        header = read_header(target, companion, EXCHANGE_2003, FileType.STREAMING)
        assert header.full_backup_current == BACKUP_INFO_ZERO
        last_pgno = target.size(name) // 4096 - 2
        assert target.size(companion) >= streaming_bytes(last_pgno, EXCHANGE_2003)
        assert world.problems(target, name) == []
    put_back(world, target)
    remount(world)
    world.drip(12, 150_000, every_ms=20)
    crashed = world.files()
    recover(crashed, file_format=EXCHANGE_2003)
    for name in (ONE, TWO):
        assert paired(crashed, name)
        assert world.problems(crashed, name) == []


def test_what_was_behind_the_header_of_a_streaming_file_comes_back():
    world = small_world_of_2003()
    content = bytes(range(256)) * 8
    world.data.write("MDB1.stm", 3 * 4096, (content,))
    world.run(1)
    target, folder = restored([back_up(world)])
    recover_hard(target, folder, file_format=EXCHANGE_2003)
    assert target.read("MDB1.stm", 3 * 4096, len(content)) == content
    assert target.size("MDB1.stm") == world.data.size("MDB1.stm")


def test_hard_recovery_refuses_a_database_of_2003_without_its_own_streaming_file():
    target, folder = restored([back_up(small_world_of_2003())])
    for code, change in (
        (-1811, lambda files: files.delete("MDB1.stm")),
        (-540, lambda files: files.write("MDB1.stm", 0, files.read("MDB2.stm", 0, 8192))),
        (-540, lambda files: files.write("MDB1.stm", 0, bytes(8192))),
    ):
        files, kept = copy_of(target), copy_of(folder)
        change(files)
        before = copy_of(files)._files
        with pytest.raises(EseError) as caught:
            hard_recover(files, kept, now_ns=RESTORED_NS)
        assert caught.value.code == code
        assert "MDB1.stm" in caught.value.where
        assert (files._files, kept._files) == (before, folder._files), "a refusal changed a file"


def test_a_backup_whose_streaming_file_is_missing_is_not_restored():
    world = small_world_of_2003()
    backup = back_up(world)
    backup.files.delete("MDB2.stm")
    target, folder = world.files(), MemoryFiles()
    before = copy_of(target)._files
    with pytest.raises(EseError, match=r"-1811.*MDB2\.stm"):
        restore_backup([backup], folder, target, now_ns=RESTORED_NS)
    assert target._files == before
    assert folder.names() == []


@pytest.mark.parametrize("loses", [False, True])
def test_hard_recovery_of_2003_cut_after_any_operation_ends_with_a_matching_pair(loses, figure):
    world = small_world_of_2003()
    target, folder = restored([back_up(world)])
    whole = CutFiles(copy_of(target), 10_000, loses=False)
    hard_recover(whole, copy_of(folder), now_ns=RESTORED_NS)
    for left in range(whole.done):
        kept = copy_of(folder)
        cut = CutFiles(copy_of(target), left, loses=loses)
        with pytest.raises(CutError):
            hard_recover(cut, kept, now_ns=RESTORED_NS)
        recover_hard(cut.durable, kept, file_format=EXCHANGE_2003)
        for name in (ONE, TWO):
            assert paired(cut.durable, name), f"cut after {left} operations"
            assert world.problems(cut.durable, name) == []
    assert whole.done > 8, "two headers of each of two pairs, each flushed"
    figure(f"cut after each of {whole.done} operations on the databases")
