"""Streaming backups of a storage group that goes on: what is in them, what they leave behind."""

from dataclasses import replace

import pytest
from backup_world import BackupKind, BackupWorld, mail_in, mail_of
from mail_world import DATABASE, LOG_BYTES, S, recover
from recovery_case import archive
from workloads import SHALLOW

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import BACKUP_OS_SNAPSHOT, DatabaseHeader
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.formats.values import BACKUP_INFO_ZERO, BackupInfo
from emulators.ese.running.parameters import Parameters

PAGE_BYTES = 8192


def busy_world(seed=1, *, seconds=2.0, parameters=SHALLOW):
    world = BackupWorld(seed, parameters=parameters)
    world.spawn(world.drip(60, 60_000, every_ms=30))
    world.spawn(world.drip(300, 1500, every_ms=6))
    world.run(seconds)
    return world


def header_of(files):
    return DatabaseHeader.unpack(files.read(DATABASE, 0, PAGE_BYTES))


def ids(events):
    return [event_id for event_id, _ in events]


def names_on(world):
    return [name for name in world.logs.names() if len(name) > len("E00.log")]


def refused(code, world, kind=BackupKind.FULL, **options):
    """A backup gives this error and deletes nothing; returns the error."""
    before = names_on(world)
    with pytest.raises(EseError) as caught:
        world.back_up(kind, **options)
    assert caught.value.code == code, caught.value
    gone = set(before) - set(names_on(world))
    assert gone <= {"E00tmp.log"}, "a roll that was under way may have ended meanwhile"
    assert ids(caught.value.events)[-1] == 214
    assert world.group.backup_source.needs_from is None
    return caught.value


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_backup_of_a_busy_group_holds_exactly_the_mail_up_to_its_last_log(seed, figure):
    world = busy_world(seed, seconds=0.5)
    before = len(world.acknowledged)
    backup = world.back_up(throughput_bytes_s=3 << 20)
    during = len(world.acknowledged) - before
    mail = mail_of([backup])
    assert mail == world.mail_up_to(backup.info.generation_high)
    assert len(mail) > before
    figure(f"{during} messages came while {backup.files.size(DATABASE) >> 20} MB were copied")


def test_a_full_backup_leaves_its_traces_in_header_checkpoint_and_log():
    world = busy_world()
    backup = world.back_up()
    info = backup.info
    files = world.files()
    header = header_of(files)
    assert header.full_backup_previous == info
    assert header.full_backup_current == BACKUP_INFO_ZERO, "only the image bears the mark"
    assert header_of(backup.files).full_backup_current == info
    checkpoint = Checkpoint.unpack(files.read("E00.chk", 0, PAGE_BYTES))
    assert (checkpoint.full_backup, checkpoint.full_backup_time) == (info.mark, info.time)
    name = archive(info.mark.generation)
    scan = scan_log(backup.files.read(name, 0, LOG_BYTES), info.mark.generation)
    at = dict(scan.records())[info.mark]
    assert isinstance(log_records.decode(scan.buffer, at)[0], log_records.Backup2)
    assert ids(backup.events) == [210, 220, 221, 223, 224, 213]


def test_a_full_backup_deletes_the_logs_below_the_checkpoint_and_no_other():
    world = busy_world()
    before = names_on(world)
    backup = world.back_up()
    header = header_of(world.files())
    deleted = set(before) - set(names_on(world))
    assert deleted == {archive(generation) for generation in backup.truncated}
    assert max(backup.truncated) == header.generation_min_required - 1
    assert max(backup.truncated) <= backup.info.generation_high
    assert backup.warning is None


@pytest.mark.parametrize("kind", [BackupKind.COPY, BackupKind.DIFFERENTIAL])
def test_a_copy_or_a_differential_backup_deletes_nothing(kind):
    world = busy_world(seconds=0.8)
    full = world.back_up()
    world.run(1.5)
    before = names_on(world)
    backup = world.back_up(kind)
    assert backup.truncated == ()
    assert set(before) <= set(names_on(world))
    assert 225 in ids(backup.events)
    header = header_of(world.files())
    assert header.full_backup_previous == full.info
    field = f"{kind.name.lower()}_backup_previous"
    assert getattr(header, field) == backup.info


def test_incremental_backups_go_on_from_each_other_and_differential_ones_from_the_full():
    world = busy_world(seconds=0.5)
    full = world.back_up()
    world.run(0.5)
    first = world.back_up(BackupKind.INCREMENTAL)
    assert first.info.generation_low == full.info.generation_high + 1
    world.run(0.5)
    second = world.back_up(BackupKind.INCREMENTAL)
    assert second.info.generation_low == first.info.generation_high + 1
    assert ids(second.events)[0] == 211
    mail = mail_of([full, first, second])
    assert mail == world.mail_up_to(second.info.generation_high)
    assert mail_of([full, first]) == world.mail_up_to(first.info.generation_high)
    new_full = world.back_up()
    header = header_of(world.files())
    assert header.incremental_backup_previous == BACKUP_INFO_ZERO, "a full backup begins anew"
    differential = world.back_up(BackupKind.DIFFERENTIAL)
    world.run(0.5)
    later = world.back_up(BackupKind.DIFFERENTIAL)
    for each in (differential, later):
        assert each.info.generation_low == new_full.info.generation_high + 1
    assert mail_of([new_full, later]) == world.mail_up_to(later.info.generation_high)


def test_a_second_backup_is_refused_while_one_runs():
    world = busy_world(seconds=0.5)
    first = world.begin_backup(throughput_bytes_s=1 << 20)
    world.run(0.1)
    second = world.begin_backup()
    world.run(0.1)
    assert second.error.code == -505
    assert first.is_running
    while first.is_running:
        world.run(0.1)
    assert mail_of([first.backup])
    world.back_up()


def test_a_backup_of_logs_needs_a_streaming_full_backup_before():
    world = busy_world(seconds=0.5)
    for kind in (BackupKind.INCREMENTAL, BackupKind.DIFFERENTIAL):
        error = refused(-560, world, kind)
        assert ids(error.events) == [206, 214]
    world.back_up(BackupKind.COPY)
    refused(-560, world, BackupKind.INCREMENTAL)
    world.group.backup_source.files[0].header.full_backup_previous = BackupInfo(
        world.group.log.flushed, world.group.backup_source.files[0].header.attach_time, 1, 1
    )
    world.group.backup_source.files[0].header.full_backup_kind = BACKUP_OS_SNAPSHOT
    assert "shadow copy" in refused(-560, world, BackupKind.INCREMENTAL).where


def test_a_backup_of_logs_is_refused_with_circular_logging_and_a_full_one_is_not():
    world = busy_world(seconds=0.5, parameters=replace(SHALLOW, circular_logging=True))
    full = world.back_up(throughput_bytes_s=2 << 20)
    assert full.truncated == ()
    assert len(full.generations) > 3, "no log was deleted while it was needed"
    assert mail_of([full]) == world.mail_up_to(full.info.generation_high)
    world.run(1)
    for kind in (BackupKind.INCREMENTAL, BackupKind.DIFFERENTIAL):
        refused(-526, world, kind)


def test_a_differential_backup_is_refused_when_an_incremental_one_has_taken_its_logs():
    world = busy_world(seconds=0.5)
    world.back_up()
    world.run(1)
    assert world.back_up(BackupKind.INCREMENTAL).truncated
    error = refused(-569, world, BackupKind.DIFFERENTIAL)
    assert 227 in ids(error.events)
    assert "full backup" in error.hint


def test_a_page_with_a_wrong_checksum_ends_the_backup_and_keeps_the_logs():
    world = busy_world()
    place = 2 * PAGE_BYTES + 3 * PAGE_BYTES + 100
    world.data.write(DATABASE, place, (b"\x55",))
    world.run(0.1)
    error = refused(-1018, world)
    assert "page 4" in error.where
    assert 221 not in ids(error.events)
    assert header_of(world.files()).full_backup_previous == BACKUP_INFO_ZERO


def test_an_unfinished_image_has_no_header():
    world = busy_world(seconds=0.5)
    outcome = world.begin_backup(throughput_bytes_s=1 << 20)
    world.run(0.2)
    world.host.power_cut()
    world.run(1)
    assert outcome.is_running
    assert header_of(world.files()).full_backup_previous == BACKUP_INFO_ZERO


def test_a_lost_volume_ends_the_backup_as_an_operating_error():
    world = busy_world(seconds=4)
    outcome = world.begin_backup(throughput_bytes_s=1 << 20)
    world.run(0.1)
    world.data.destroy()
    world.run(5)
    assert outcome.error.code == -1022
    assert ids(outcome.error.events)[-1] == 214


def test_a_database_that_is_not_mounted_cannot_be_named():
    world = busy_world(seconds=0.5)
    assert "MDB9.edb" in refused(-1003, world, databases=("MDB9.edb",)).where
    assert mail_of([world.back_up(databases=(DATABASE,))])


def test_logs_that_a_copy_of_the_group_has_not_received_are_kept():
    world = busy_world()
    backup = world.back_up(copies_need_from=lambda: 2)
    assert backup.truncated == (1,)
    assert backup.warning.code == -616
    assert "generations 2-" in backup.warning.where
    later = world.back_up(copies_need_from=lambda: 10_000)
    assert later.truncated[0] == 2
    assert later.warning is None


def test_the_speed_of_the_medium_decides_how_long_a_backup_takes():
    world = busy_world()
    world.run(60)
    times = []
    for rate in (4 << 20, 1 << 20):
        started = world.kernel.now_ns
        backup = world.back_up(BackupKind.COPY, throughput_bytes_s=rate)
        size = sum(backup.files.size(name) for name in backup.files.names())
        times.append((world.kernel.now_ns - started) / S)
        assert times[-1] == pytest.approx(size / rate, rel=0.3)
    assert times[1] > 3 * times[0]


def test_the_same_seed_makes_the_same_backup_to_the_byte():
    images = []
    for _ in range(2):
        backup = busy_world(7, seconds=0.5).back_up(throughput_bytes_s=8 << 20)
        files = backup.files
        images.append({name: files.read(name, 0, files.size(name)) for name in files.names()})
    assert images[0] == images[1]


def test_a_group_that_was_backed_up_recovers_like_any_other():
    world = busy_world(parameters=Parameters(checkpoint_depth_bytes=2 * LOG_BYTES))
    world.back_up()
    world.run(2)
    files = world.files()
    recover(files)
    assert len(mail_in(files)) == len(world.acknowledged)
