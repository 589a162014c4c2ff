"""Soft recovery after every prefix of a run's operations, and cut after every one of its own."""

import time
from contextlib import suppress

import pytest
from mail_world import (
    DATABASE,
    MAILBOXES,
    Disks,
    World,
    copy_of,
    recover,
    recover_and_check,
    tell,
)
from workloads import SHALLOW, WORKLOADS, world_of

from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.recovery.opened import open_database
from emulators.exchange.store import Store


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_prefix_of_the_operations_recovers_all_that_was_acknowledged_and_no_more(workload):
    world = world_of(workload)
    started = time.perf_counter()
    disks = Disks(world.operations)
    undone = cuts = 0
    for done in range(world.mounted_after, len(world.operations) + 1):
        disks.advance(done)
        recovered = recover_and_check(disks.copy(), world.ledger(done))
        assert recovered.problems == [], f"after {done} operations"
        undone += recovered.report.undone > 0
        cuts += 1
    tell(f"{workload}: {cuts} prefixes, {undone} undid, {time.perf_counter() - started:.1f} s")


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


class CutError(Exception):
    """The power went during recovery."""


class CutFiles:
    """Files of which the power goes after a number of operations.

    With `loses`, writes that no flush follows are then gone, as on a volume: names and lengths
    are durable at once.
    """

    def __init__(self, files, operations_left, *, loses):
        self.seen = files
        self.durable = copy_of(files) if loses else files
        self.loses = loses
        self.left = operations_left
        self.done = 0

    def __getattr__(self, name):
        return getattr(self.seen, name)

    def _both(self, operation, *arguments):
        self._count()
        getattr(self.seen, operation)(*arguments)
        if self.loses:
            getattr(self.durable, operation)(*arguments)

    def _count(self):
        if self.done == self.left:
            raise CutError
        self.done += 1

    def create(self, name, size=0):
        self._both("create", name, size)

    def truncate(self, name, size):
        self._both("truncate", name, size)

    def rename(self, old, new):
        self._both("rename", old, new)

    def delete(self, name):
        self._both("delete", name)

    def write(self, name, offset, data):
        self._count()
        self.seen.write(name, offset, data)

    def flush(self, name):
        self._count()
        if self.loses:
            self.durable.truncate(name, 0)
            self.durable.write(name, 0, self.seen.read(name, 0, self.seen.size(name)))


def mail_in(files):
    store = Store(open_database(files, DATABASE))
    return {m.message_id: (m.mailbox, m.folder, m.message.digest) for m in store.messages()}


def image_with_undo(*, near_the_end_of_the_log):
    """Files as a crash left them: a transaction is open, pages have been split and moved."""
    world = World(parameters=SHALLOW, mailboxes=MAILBOXES[:1])
    world.spawn(world.drip(25, 1100, every_ms=3))
    world.run(1)
    size = 1_200_000 if near_the_end_of_the_log else 1_020_000
    world.send(size)
    world.run(2)
    disks = Disks(world.operations)
    images = []
    for done in range(world.mounted_after, len(world.operations) + 1):
        disks.advance(done)
        files = disks.copy()
        report = recover(copy_of(files))
        if report.undone > 0:
            images.append((len(world.ledger(done).promised), done, files))
    _, done, files = images[0]
    return files, world.ledger(done)


@pytest.mark.parametrize(
    "loses",
    [
        pytest.param(False, id="all writes kept", marks=pytest.mark.nightly),
        pytest.param(True, id="unflushed writes lost"),
    ],
)
def test_recovery_cut_after_any_of_its_operations_ends_the_same_when_begun_again(loses):
    image, ledger = image_with_undo(near_the_end_of_the_log=False)
    whole = copy_of(image)
    counted = CutFiles(whole, -1, loses=False)
    recover(counted)
    expected = mail_in(whole)
    assert counted.done > 20
    started = time.perf_counter()
    for cut in range(counted.done):
        files = CutFiles(copy_of(image), cut, loses=loses)
        with pytest.raises(CutError):
            recover(files)
        recovered = recover_and_check(files.durable, ledger)
        assert recovered.problems == [], f"cut after {cut} operations"
        assert mail_in(files.durable) == expected
    tell(f"{counted.done} cuts of recovery, {time.perf_counter() - started:.1f} s")


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
