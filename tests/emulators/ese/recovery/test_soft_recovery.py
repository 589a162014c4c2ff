"""Soft recovery after every prefix of a run's operations, and cut after every one of its own."""

from contextlib import suppress

import pytest
from cut_files import CutError, CutFiles, FullFiles, image_with_undo
from mail_world import (
    DATABASE,
    Disks,
    copy_of,
    recover,
    recover_and_check,
)
from recovery_case import mail_in
from workloads import WORKLOADS, world_of

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_prefix_of_the_operations_recovers_all_that_was_acknowledged_and_no_more(
    workload, figure
):
    world = world_of(workload)
    disks = Disks(world.operations)
    undone = cuts = 0
    for done in range(world.mounted_after, len(world.operations) + 1):
        disks.advance(done)
        recovered = recover_and_check(disks.copy(), world.ledger(done))
        assert recovered.problems == [], f"after {done} operations"
        undone += recovered.report.undone > 0
        cuts += 1
    figure(f"{cuts} prefixes, {undone} undid")


def test_some_cuts_leave_a_transaction_in_the_middle():
    """The sweep would prove little if no prefix had anything to undo."""
    world = world_of("a roll within a message")
    disks = Disks(world.operations)
    undone = 0
    for done in range(world.mounted_after, len(world.operations) + 1):
        disks.advance(done)
        undone += recover(disks.copy()).undone > 0
    assert undone > 0


def test_a_recovered_database_is_clean_and_recovering_it_again_changes_nothing():
    world = world_of("a roll within a message")
    files = world.files()
    report = recover(files)
    assert report.generations
    assert report.applied > 0
    header = DatabaseHeader.unpack(files.read(DATABASE, 0, 8192))
    assert header.state is DatabaseState.CLEAN_SHUTDOWN
    assert (header.generation_min_required, header.generation_max_required) == (0, 0)
    before = {name: files.read(name, 0, files.size(name)) for name in files.names()}
    assert recover(files).was_clean
    assert {name: files.read(name, 0, files.size(name)) for name in files.names()} == before


def test_a_clean_database_needs_no_logs():
    world = world_of("few messages")
    files = world.files()
    recover(files)
    for name in files.names():
        if name != DATABASE:
            files.delete(name)
    assert recover(files).was_clean
    assert world.ledger().compare(files) == []


def test_recovery_is_the_same_to_the_byte_each_time():
    world = world_of("pages are written")
    images = []
    for _ in range(2):
        files = world.files()
        recover(files)
        images.append({name: files.read(name, 0, files.size(name)) for name in files.names()})
    assert images[0] == images[1]


# Recovery itself is cut, and begun again.


def some_of(total, step):
    """Return every `step`-th of so many operations, and each of the first and last four."""
    return [at for at in range(total) if at % step == 0 or at < 4 or at >= total - 4]


@pytest.mark.parametrize(
    ("loses", "step"),
    [
        pytest.param(False, 1, id="all writes kept", marks=pytest.mark.nightly),
        pytest.param(True, 1, id="unflushed writes lost", marks=pytest.mark.nightly),
        pytest.param(True, 4, id="unflushed writes lost, at some operations"),
    ],
)
def test_recovery_cut_after_any_of_its_operations_ends_the_same_when_begun_again(
    loses, step, figure
):
    image, ledger = image_with_undo(near_the_end_of_the_log=False)
    whole = copy_of(image)
    counted = CutFiles(whole, -1, loses=False)
    recover(counted)
    expected = mail_in(whole)
    assert counted.done > 20
    for cut in some_of(counted.done, step):
        files = CutFiles(copy_of(image), cut, loses=loses)
        with pytest.raises(CutError):
            recover(files)
        recovered = recover_and_check(files.durable, ledger)
        assert recovered.problems == [], f"cut after {cut} operations"
        assert mail_in(files.durable) == expected
    figure(f"{len(some_of(counted.done, step))} cuts of {counted.done} operations of recovery")


def test_recovery_that_must_roll_the_log_to_undo_can_be_cut_anywhere_too():
    image, ledger = image_with_undo(near_the_end_of_the_log=True)
    whole = copy_of(image)
    counted = CutFiles(whole, -1, loses=False)
    recover(counted)
    expected = mail_in(whole)
    for cut in range(0, counted.done, 9):
        first = CutFiles(copy_of(image), cut, loses=True)
        with pytest.raises(CutError):
            recover(first)
        second = CutFiles(first.durable, cut // 2, loses=True)
        with suppress(CutError):  # where the first had come to its end, there is nothing to cut
            recover(second)
        recovered = recover_and_check(second.durable, ledger)
        assert recovered.problems == [], f"cut after {cut} operations, then {cut // 2}"
        assert mail_in(second.durable) == expected


# R17 of exchange.md 1.4: the disk becomes full while recovery writes.


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("rolls", [False, True], ids=["in one log", "with a roll"])
def test_a_disk_that_becomes_full_is_an_error_and_room_is_the_cure(rolls, step, figure):
    image, ledger = image_with_undo(near_the_end_of_the_log=rolls)
    whole = copy_of(image)
    counted = FullFiles(whole, -1)
    recover(counted)
    expected = mail_in(whole)
    seen = {}
    for room in some_of(counted.done, step):
        files = copy_of(image)
        with pytest.raises(EseError) as caught:
            recover(FullFiles(files, room))
        error = caught.value
        seen[error.code] = [event_id for event_id, _ in error.events]
        assert error.hint
        recovered = recover_and_check(files, ledger)
        assert recovered.problems == [], f"room for {room} operations"
        assert mail_in(files) == expected
    figure(f"{len(some_of(counted.done, step))} times full")
    assert set(seen) == {-529, -1808}
    assert seen[-529][-2:] == [429, 454]
    assert seen[-1808][-1] == 454
