"""Hard recovery of restored streaming backups: what comes back, and what is refused."""

from collections import Counter
from functools import cache

import pytest
from backup_world import RESTORED_NS, BackupKind, BackupWorld, mail_of, recover_hard, restored
from mail_world import DATABASE, copy_of, recover
from recovery_case import archive, mail_in
from workloads import SHALLOW

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats import log_records
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame
from emulators.ese.formats.page import HEADER_PAGES, page_offset
from emulators.ese.formats.restore_env import RESTORE_ENV_NAME, RecoverStatus
from emulators.ese.formats.values import BACKUP_INFO_ZERO, LGPOS_ZERO
from emulators.ese.recovery.hard_recovery import hard_recover, read_restore_env
from emulators.ese.recovery.restore import restore_backup
from emulators.ese.tools.checksum_mode import check_database

PAGE_BYTES = 8192
CURRENT = "E00.log"


def busy_server(seed):
    world = BackupWorld(seed, parameters=SHALLOW)
    world.spawn(world.drip(60, 30_000, every_ms=30))
    world.spawn(world.drip(300, 1500, every_ms=6))
    world.run(0.5)
    full = world.back_up(throughput_bytes_s=8 << 20)
    world.run(0.3)
    incremental = world.back_up(BackupKind.INCREMENTAL)
    world.spawn(world.drip(40, 30_000, every_ms=10))
    world.run(2)
    return world, full, incremental


@cache
def server(seed=1):
    """A busy server, its full and incremental backups, and mail after these; left as it is."""
    return busy_server(seed)


@pytest.fixture
def case():
    _, full, _ = server()
    return restored([full], server()[0].files())


def header_of(files):
    return DatabaseHeader.unpack(files.read(DATABASE, 0, PAGE_BYTES))


def ids(events):
    return [event_id for event_id, _ in events]


def refuses(code, target, folder, *named, **switches):
    """Hard recovery gives this error and changes nothing; returns the error."""
    before = copy_of(target)._files, copy_of(folder)._files
    with pytest.raises(EseError) as caught:
        hard_recover(target, folder, now_ns=RESTORED_NS, **switches)
    error = caught.value
    assert error.code == code, error
    for name in named:
        assert name in error.where, error
    assert error.hint
    assert before == (target._files, folder._files), "a refusal changed a file"
    assert ids(error.events)[-1] == 205
    return error


def flip(files, name, offset):
    byte = files.read(name, offset, 1)[0]
    files.write(name, offset, bytes([byte ^ 0x10]))


def change_log(files, name, **fields):
    header = LogHeader.unpack(files.read(name, 0, 4096))
    values = {field: getattr(header, field) for field in LogHeader.__dataclass_fields__}
    files.write(name, 0, LogHeader(**values | fields).pack())


def change_database(files, **fields):
    header = header_of(files)
    for name, value in fields.items():
        setattr(header, name, value)
    files.write(DATABASE, 0, header.pack() * 2)


def test_without_the_groups_logs_the_mail_of_the_backup_comes_back():
    world, full, incremental = server()
    assert mail_of([full]) == world.mail_up_to(full.info.generation_high)
    assert mail_of([full, incremental]) == world.mail_up_to(incremental.info.generation_high)


def test_with_the_groups_logs_all_mail_comes_back_up_to_the_tip():
    world, full, incremental = server()
    for backups in ([full], [full, incremental]):
        target, folder = restored(backups, world.files())
        report = recover_hard(target, folder)
        assert len(mail_in(target)) == len(world.acknowledged)
        assert world.ledger().compare(target) == []
        assert report.played_forward > 0
        assert ids(report.events)[0] == 300
        assert ids(report.events)[-1] == 302


def test_the_current_log_is_not_needed():
    """KB812592: hard recovery goes as far as the logs reach."""
    world, full, _ = server()
    files = world.files()
    files.delete(CURRENT)
    target, folder = restored([full], files)
    report = recover_hard(target, folder)
    assert mail_in(target) == world.mail_up_to(report.last_generation)


def test_the_groups_own_files_are_only_read_and_the_restore_folder_is_emptied(case):
    target, folder = case
    before = copy_of(target)
    report = recover_hard(target, folder)
    for name in before.names():
        if name != DATABASE:
            assert target._files[name] == before._files[name], name
    assert target.names() == before.names()
    assert folder.names() == []
    assert RESTORE_ENV_NAME in report.removed


def test_logs_and_restore_env_stay_when_asked_and_a_second_run_has_nothing_to_do(case):
    target, folder = case
    names = folder.names()
    report = recover_hard(target, folder, keep=True)
    assert report.removed == ()
    assert set(names) <= set(folder.names())
    assert read_restore_env(folder).status is RecoverStatus.ENDED
    before = copy_of(target)
    again = recover_hard(target, folder)
    assert again.generations == ()
    assert target._files == before._files
    assert folder.names() == []


def test_the_database_is_clean_and_no_backup_image_any_more(case):
    target, folder = case
    image = header_of(target)
    assert image.full_backup_current != BACKUP_INFO_ZERO
    with pytest.raises(EseError, match="-544"):
        recover(copy_of(target))
    recover_hard(target, folder)
    header = header_of(target)
    assert header.state is DatabaseState.CLEAN_SHUTDOWN
    assert header.full_backup_current == BACKUP_INFO_ZERO
    assert header.full_backup_previous == BACKUP_INFO_ZERO, "the next backup must be a full one"
    assert header.generation_max_required == 0
    assert header.signature == image.signature
    assert recover(target).was_clean


def test_the_switch_t_stops_at_the_end_of_the_backup(case):
    world, full, _ = server()
    target, folder = case
    report = recover_hard(target, folder, play_forward=False)
    assert report.played_forward == 0
    assert report.last_generation == full.info.generation_high
    assert mail_in(target) == world.mail_up_to(full.info.generation_high)


def test_a_log_of_the_backup_that_is_missing_is_named(case):
    target, folder = case
    for generation in server()[1].generations:
        less = copy_of(folder)
        less.delete(archive(generation))
        refuses(-557, copy_of(target), less, archive(generation))


def test_an_incremental_backup_that_was_left_out_is_missed():
    world, full, incremental = busy_server(3)
    later = world.back_up(BackupKind.INCREMENTAL)
    assert later.info.generation_low > incremental.info.generation_high
    target, folder = restored([full, later])
    refuses(-557, target, folder, archive(incremental.info.generation_low))


def test_logs_of_another_range_than_the_image_needs_are_refused(case):
    target, folder = case
    info = header_of(target).full_backup_current
    change_database(target, full_backup_current=info._replace(generation_low=0))
    refuses(-554, target, folder, DATABASE)
    change_database(target, full_backup_current=info._replace(generation_high=1000))
    refuses(-553, target, folder, DATABASE, "1000")


def test_a_damaged_log_is_told_from_a_torn_one_and_the_backups_from_the_groups(case):
    target, folder = case
    low, high = archive(server()[1].info.generation_low), archive(server()[1].info.generation_high)
    own = archive(server()[1].info.generation_high + 2)  # the one before is a single flush
    for code, where, name, offset in (
        (-573, "folder", low, 6_000),
        (-573, "folder", high, 100),
        (-574, "target", own, 6_000),
        (-574, "target", own, 100),
    ):
        damaged = {"folder": copy_of(folder), "target": copy_of(target)}
        flip(damaged[where], name, offset)
        refuses(code, damaged["target"], damaged["folder"], name)
    for code, where, name in ((-570, "folder", high), (-571, "target", own)):
        torn = {"folder": copy_of(folder), "target": copy_of(target)}
        torn[where].write(name, 600 * 512, bytes(1448 * 512))
        error = refuses(code, torn["target"], torn["folder"], name)
        assert 463 in ids(error.events)


def test_a_log_of_another_stream_or_out_of_sequence_is_refused(case):
    target, folder = case
    other = header_of(target).signature
    time = header_of(target).attach_time
    info = server()[1].info
    high, own = archive(info.generation_high), archive(info.generation_high + 1)
    for code, where, name, fields in (
        (-555, "folder", high, {"signature": other}),
        (-556, "folder", high, {"previous_created": time}),
        (-556, "folder", high, {"generation": 77}),
        (-610, "target", own, {"signature": other}),
        (-611, "target", own, {"previous_created": time}),
    ):
        strange = {"folder": copy_of(folder), "target": copy_of(target)}
        change_log(strange[where], name, **fields)
        refuses(code, strange["target"], strange["folder"], name)


def test_a_group_whose_logs_began_anew_is_not_taken_for_one_without_newer_logs(case):
    """Its generations begin at 1 again, so that none of them is above those of the backup."""
    target, folder = case
    young = BackupWorld(9)
    young.send(100)
    young.run(1)
    files = MemoryFiles({DATABASE: target.read(DATABASE, 0, target.size(DATABASE))})
    for name in young.logs.names():
        files.create(name)
        files.write(name, 0, young.logs.peek(name, 0, young.logs.size(name)))
    refuses(-610, files, folder, "another stream")
    recover_hard(files, folder, play_forward=False)


def test_a_hole_in_the_groups_logs_is_refused_and_the_backup_alone_still_comes_back(case):
    world, full, _ = server()
    target, folder = case
    first = full.info.generation_high + 1
    for code, generation in ((-565, first), (-611, first + 1)):
        files = copy_of(target)
        files.delete(archive(generation))
        refuses(code, files, folder, archive(generation))
        copied = copy_of(folder)
        recover_hard(files, copied, play_forward=False)
        assert mail_in(files) == world.mail_up_to(full.info.generation_high)


def test_a_current_log_that_cannot_be_read_is_not_passed_over(case):
    target, folder = case
    flip(target, CURRENT, 100)
    refuses(-574, target, folder, CURRENT)


def test_a_torn_tail_of_the_current_log_is_what_a_crash_leaves(case):
    world, _, _ = server()
    target, folder = case
    frame = LogFrame.resume(target.read(CURRENT, 0, target.size(CURRENT)))
    nop = log_records.encode(log_records.RecoveryUndo2(header_of(target).attach_time))
    for _ in range(300):
        frame.append(nop)
    offset, data = frame.flush()
    target.write(CURRENT, offset, data[:512])
    report = recover_hard(target, folder)
    assert 462 in ids(report.events)
    assert world.ledger().compare(target) == []


def test_a_database_that_is_no_backup_image_is_refused(case):
    world, _, _ = server()
    target, folder = case
    live = world.files()
    refuses(-615, live, folder, DATABASE)
    recover(live)
    refuses(-615, live, folder, DATABASE)
    change_database(target, signature=header_of(target).log_signature)
    refuses(-531, target, folder, DATABASE)


def error_of(target, folder):
    try:
        hard_recover(target, folder, now_ns=RESTORED_NS)
    except EseError as error:
        return error
    return None


@pytest.mark.parametrize("step", [31, pytest.param(4, marks=pytest.mark.nightly)])
def test_a_bad_page_that_redo_comes_to_stops_it_before_anything_is_written(case, step, figure):
    """A page that no log speaks of is not read here, and its checksum goes on to tell of it."""
    target, folder = case
    pages = target.size(DATABASE) // PAGE_BYTES - HEADER_PAGES
    counts = Counter()
    for pgno in range(1, pages + 1, step):
        damaged, logs = copy_of(target), copy_of(folder)
        flip(damaged, DATABASE, page_offset(pgno, PAGE_BYTES) + 200)
        before = copy_of(damaged)._files
        error = error_of(damaged, logs)
        if error is None:
            summary = check_database(damaged, DATABASE)
            assert (summary.damaged, summary.first_bad_pgno) == (1, pgno)
            counts["told by its checksum"] += 1
        else:
            assert (error.code, error.where) == (-1018, f"{DATABASE}, page {pgno}")
            assert (damaged._files, logs._files) == (before, folder._files)
            counts["refused"] += 1
    figure(f"{pages} pages, each {step}th flipped in turn: {dict(counts)}")
    assert min(counts["refused"], counts["told by its checksum"]) > 3


def test_a_missing_or_damaged_restore_env_is_refused(case):
    target, folder = case
    flip(folder, RESTORE_ENV_NAME, 50)
    with pytest.raises(EseError, match="-1003"):
        hard_recover(target, folder, now_ns=RESTORED_NS)
    with pytest.raises(EseError, match=r"-1811.*restore\.env"):
        hard_recover(target, MemoryFiles(), now_ns=RESTORED_NS)


def test_a_database_that_was_recovered_elsewhere_in_between_is_refused(case):
    """The log says that it was attached twice, and not that it was detached before the second."""
    target, folder = case
    assert server()[1].info.generation_low == 1, "the attach record is in the backup"
    change_database(target, attach=LGPOS_ZERO)
    refuses(-551, target, folder, DATABASE)


def test_restores_that_make_no_sense_are_refused():
    world, full, incremental = server()
    other = server(2)[2]
    for backups, text in (
        ([incremental], "holds no databases"),
        ([full, full], "has databases"),
        ([full, other], "different log streams"),
        ([], "holds no databases"),
    ):
        with pytest.raises(EseError, match=f"-521.*{text}"):
            restored(backups)
    _, folder = restored([full])
    with pytest.raises(EseError, match="-506"):
        restore_backup([full], folder, world.files(), now_ns=RESTORED_NS)
    with pytest.raises(EseError, match=r"-1003.*MDB1\.edb"):
        restore_backup(
            [full], MemoryFiles(), MemoryFiles(), now_ns=RESTORED_NS, databases=["MDB7.edb"]
        )
