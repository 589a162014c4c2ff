"""Soft recovery of a group of databases: one pass over the logs, and the worst one decides."""

from functools import cache

import pytest
from checker import check_database
from cut_files import CutError, CutFiles
from group_world import ONE, TWO, GroupWorld, recover, rows_of
from mail_world import LOG_BYTES, Disks, copy_of

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import archive_name
from emulators.ese.formats.values import BackupInfo, Lgpos, LogTime
from emulators.ese.running.parameters import Parameters

DEEP = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES, waypoint_depth=3)
PAGE_BYTES = 8192
NOW = LogTime.from_ns(10**18)
BACKUP = BackupInfo(Lgpos(2, 8, 22), NOW, 2, 3)
OTHER_BACKUP = BackupInfo(Lgpos(4, 8, 22), NOW, 4, 5)


@cache
def world_of_two():
    """Two databases in steady state; the window of the second one has just begun to open."""
    world = GroupWorld(parameters=DEEP).create()
    world.drip(80, 130_000)
    world.do(world.group.dismount(TWO))
    world.do(world.group.mount(TWO))
    world.drip(16, 130_000)
    return world


@cache
def changing_world():
    """A short run with everything in it: mounts, dismounts, rolls and page writes."""
    world = GroupWorld(parameters=Parameters(checkpoint_depth_bytes=LOG_BYTES)).create()
    world.drip(16, 170_000)
    world.do(world.group.dismount(ONE))
    world.drip(6, 170_000, names=[TWO])
    world.do(world.group.mount(ONE))
    world.drip(8, 170_000)
    world.do(world.group.dismount(TWO))
    world.drip(2, 3000, names=[ONE])
    return world


def header_of(files, name):
    return DatabaseHeader.unpack(files.read(name, 0, PAGE_BYTES))


def change(files, name, **fields):
    header = header_of(files, name)
    for field, value in fields.items():
        setattr(header, field, value)
    files.write(name, 0, header.pack() * 2)


def refuses(files, code, *named, names=(ONE, TWO), **switches):
    before = copy_of(files)
    with pytest.raises(EseError) as caught:
        recover(files, names, **switches)
    assert caught.value.code == code, caught.value
    for name in named:
        assert name in caught.value.where
    assert caught.value.hint
    assert files._files == before._files, "a refusal changed a file"
    return caught.value


def sound(world, files, done=None):
    problems = []
    for name in (ONE, TWO):
        problems += world.problems(files, name, done) + check_database(files, name).problems
    return problems


def test_one_pass_over_the_logs_brings_all_databases_back():
    world = world_of_two()
    files = world.files()
    report = recover(files)
    replayed = [event_id for event_id, _ in report.events]
    assert replayed == [300, *[301] * len(report.generations), 302]
    assert ONE in report.events[0].text
    assert TWO in report.events[0].text
    assert sound(world, files) == []
    assert recover(files).was_clean


@pytest.mark.parametrize("lost", range(8))
def test_the_database_with_the_narrowest_window_decides_for_all(lost):
    """1.4: -543 beats -582 beats success; the database that was just mounted requires more."""
    world = world_of_two()
    files = world.files()
    last = {name: header_of(files, name).generation_max_required for name in (ONE, TWO)}
    tip = header_of(files, ONE).generation_max_committed
    assert (tip - last[ONE], tip - last[TWO]) == (3, 2)
    newest = tip - lost
    if lost:
        for generation in range(newest + 1, tip):
            files.delete(archive_name("E00", generation))
        files.delete("E00.log")
        files.rename(archive_name("E00", newest), "E00.log")
    if not lost:
        assert recover(files).warning is None
        return
    if lost > 2:
        assert TWO in refuses(files, -543).where
        refuses(files, -543, lossy=True)
        return
    refuses(files, -582)
    assert recover(files, lossy=True).warning.code == 585
    for name in (ONE, TWO):
        assert set(rows_of(files, name)) < set(world.sent[name])
        assert check_database(files, name).problems == []


def test_alone_the_database_with_the_wider_window_would_have_come_back():
    world = world_of_two()
    files = world.files()
    tip = header_of(files, ONE).generation_max_committed
    for generation in (tip - 1, tip - 2):
        files.delete(archive_name("E00", generation))
    files.delete("E00.log")
    files.rename(archive_name("E00", tip - 3), "E00.log")
    files.delete(TWO)
    report = recover(files, lossy=True, ignore_missing=True)
    assert report.warning.code == 585
    assert 495 in [event_id for event_id, _ in report.events]


# R10 with several databases.


def test_r10_a_database_that_is_attached_and_missing_stops_all_unless_it_may_be_left_out():
    world = world_of_two()
    for names in ((ONE, TWO), (ONE,)):
        files = world.files()
        files.delete(TWO)
        error = refuses(files, -1216, TWO, names=names)
        assert error.event_id == 494
        report = recover(files, names, ignore_missing=True)
        assert [event_id for event_id, _ in report.events].count(495) == 1
        assert world.problems(files, ONE) == []


def test_r10_a_database_attached_before_the_checkpoint_is_known_from_the_logs_header():
    """Its attach record lies in a log that nobody reads any more."""
    world = GroupWorld(parameters=DEEP).create()
    world.drip(90, 130_000)
    files = world.files()
    assert header_of(files, ONE).generation_min_required > 1
    files.delete(TWO)
    refuses(files, -1216, TWO)


def test_r10_a_database_that_was_dismounted_is_not_missed():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(20, 130_000)
    world.do(world.group.dismount(TWO))
    files = world.files()
    files.delete(TWO)
    recover(files)
    assert world.problems(files, ONE) == []


def test_a_clean_database_beside_dirty_ones_is_left_alone():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(20, 130_000)
    world.do(world.group.dismount(TWO))
    world.drip(6, 130_000, names=[ONE])
    files = world.files()
    before = files.read(TWO, 0, files.size(TWO))
    recover(files)
    assert files.read(TWO, 0, files.size(TWO)) == before
    assert sound(world, files) == []


def test_an_older_clean_copy_beside_newer_logs_is_not_called_recovered():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(10, 50_000)
    world.do(world.group.dismount(TWO))
    copy = world.data.peek(TWO, 0, world.data.size(TWO))
    world.do(world.group.mount(TWO))
    world.drip(10, 50_000)
    files = world.files()
    files.truncate(TWO, 0)
    files.write(TWO, 0, copy)
    error = refuses(files, -1216, TWO)
    assert "older copy" in error.where


def test_r10_two_databases_cannot_have_one_number():
    world = world_of_two()
    files = world.files()
    change(files, TWO, dbid=1)
    refuses(files, -1216, ONE, TWO)


def test_r11_databases_of_two_log_streams_are_not_one_group():
    world = world_of_two()
    files = world.files()
    stranger = header_of(files, ONE).log_signature._replace(random=7)
    change(files, TWO, log_signature=stranger)
    refuses(files, -530, ONE, TWO)


def test_r11_two_databases_that_have_changed_places():
    world = world_of_two()
    files = world.files()
    files.rename(ONE, "away")
    files.rename(TWO, ONE)
    files.rename("away", TWO)
    report = recover(files)
    assert report.undone == 0, "each is known by its signature, whatever its name"
    assert set(rows_of(files, ONE)) == set(world.sent[TWO])


def test_r13_an_image_of_a_streaming_backup_among_others():
    files = world_of_two().files()
    change(files, TWO, full_backup_current=BACKUP)
    refuses(files, -544, TWO)


@pytest.mark.parametrize(("mark", "code"), [(OTHER_BACKUP, -580), (None, -581)])
def test_r14_databases_of_two_shadow_copies(mark, code):
    files = world_of_two().files()
    change(files, ONE, snapshot_current=BACKUP)
    if mark is not None:
        change(files, TWO, snapshot_current=mark)
    refuses(files, code, ONE)


def test_r14_databases_of_one_shadow_copy_recover():
    world = world_of_two()
    files = world.files()
    for name in (ONE, TWO):
        change(files, name, snapshot_current=BACKUP)
    recover(files)
    assert sound(world, files) == []


def test_a_file_that_was_never_finished_does_not_stop_the_others():
    world = GroupWorld(parameters=DEEP).create()
    world.drip(10, 50_000)
    files = world.files()
    files.create("MDB3.edb")
    header = header_of(files, ONE)
    header.state = DatabaseState.JUST_CREATED
    header.signature = header.signature._replace(random=3)
    files.write("MDB3.edb", 0, header.pack() * 2)
    recover(files, (ONE, TWO, "MDB3.edb"))
    assert sound(world, files) == []


# Crashes.


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.nightly)])
def test_prefixes_of_a_run_with_mounts_and_dismounts_recover_all_that_was_acknowledged(
    figure, step
):
    world = changing_world()
    disks = Disks(world.operations)
    first = next(
        number
        for number, op in enumerate(world.operations, 1)
        if op.file == "E00.chk" and op.kind.value == "flush"
    )
    counts = {"clean": 0, "recovered": 0}
    for done in range(first, len(world.operations) + 1, step):
        disks.advance(done)
        files = disks.copy()
        names = [name for name in (ONE, TWO) if is_made(files, name)]
        if not names:
            continue
        report = recover(files, names)
        counts["clean" if report.was_clean else "recovered"] += 1
        for name in names:
            assert world.problems(files, name, done) == [], f"after {done} operations"
            assert check_database(files, name).problems == [], f"after {done} operations"
    figure(f"{counts['recovered']} prefixes recovered, {counts['clean']} clean")
    assert counts["recovered"] > 20


def is_made(files, name):
    if not files.exists(name) or files.size(name) < 2 * PAGE_BYTES:
        return False
    return header_of(files, name).state is not DatabaseState.JUST_CREATED


@pytest.mark.parametrize("cuts", [8, pytest.param(1000, marks=pytest.mark.nightly)])
def test_the_recovery_of_two_databases_cut_after_any_operation_ends_the_same(figure, cuts):
    world = changing_world()
    disks = Disks(world.operations)
    image, undone = None, 0
    for done in range(len(world.operations) * 2 // 3, len(world.operations)):
        disks.advance(done)
        files = disks.copy()
        undone = recover(copy_of(files)).undone
        dirty = [not header_of(files, name).is_clean for name in (ONE, TWO)]
        if undone and all(dirty):
            image = files
            break
    assert image is not None, "no crash of this run leaves a transaction in the middle"
    whole = copy_of(image)
    counted = CutFiles(whole, -1, loses=False)
    recover(counted)
    expected = [rows_of(whole, name) for name in (ONE, TWO)]
    step = max(counted.done // cuts, 1)
    for cut in range(0, counted.done, step):
        files = CutFiles(copy_of(image), cut, loses=True)
        with pytest.raises(CutError):
            recover(files)
        recover(files.durable)
        assert [rows_of(files.durable, name) for name in (ONE, TWO)] == expected, cut
        for name in (ONE, TWO):
            assert check_database(files.durable, name).problems == [], cut
    figure(f"{counted.done} operations of recovery, cut at every {step}.")
