"""The loss table of exchange.md 1.4: the newest k logs of a real run are lost, k from 0 to 12.

What must come back is known from another source: the files as they were when the newest log that
is left had just been closed, recovered plainly.
"""

from functools import cache

import pytest
from mail_world import DATABASE, LOG_BYTES, Disks, World, copy_of, recover
from recovery_case import CURRENT, Case, archive, world_of
from checker import check_database

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.exchange.store import Store

LOST_MAX = 12


@cache
def world_after_mount(depth):
    """The same server when only a few logs were made since the mount."""
    parameters = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES, waypoint_depth=depth)
    world = World(parameters=parameters)
    world.spawn(world.drip(24, 130_000, every_ms=50))
    world.run(5)
    return world


WORLDS = {
    "depth 1": (world_of, 1),
    "depth 10": (world_of, 10),
    "depth 1 after a mount": (world_after_mount, 1),
    "depth 10 after a mount": (world_after_mount, 10),
}


def mail_in(files):
    store = Store(open_database(files, DATABASE))
    return {m.message_id: (m.mailbox, m.folder, m.message.digest) for m in store.messages()}


@cache
def mail_up_to(world, generation):
    """The mail whose commit lies in the logs up to a generation, and the ledger of that time."""
    closed = archive(generation)
    done = next(n for n, op in enumerate(world.operations, 1) if op.new_name == closed)
    disks = Disks(world.operations)
    disks.advance(done)
    files = disks.copy()
    recover(files)
    return mail_in(files), world.ledger(done)


def losing(world, lost):
    case = Case(world.files(), world.ledger())
    current = LogSet(case.files, "E00", EXCHANGE_2007).last
    for generation in range(max(current - lost + 1, 1), current + 1):
        case.files.delete(CURRENT if generation == current else archive(generation))
    return case, current


def outcome(files, **switches):
    """Return the code of the error or warning of a recovery, 0 for plain success."""
    try:
        report = recover(files, **switches)
    except EseError as error:
        return error.code
    return report.warning.code if report.warning else 0


@pytest.mark.parametrize("lost", range(LOST_MAX + 1))
@pytest.mark.parametrize("name", WORLDS)
def test_as_many_logs_may_be_lost_as_the_depth_and_the_mount_allow(name, lost):
    make, depth = WORLDS[name]
    world = make(depth)
    case, current = losing(world, lost)
    tolerated = min(depth, current - 1)  # the group was mounted in generation 1
    before = copy_of(case.files)
    plain = copy_of(before)
    # Without a log left there is nothing to be in the middle of: R5 rather than R2.
    none_left = lost >= current
    assert outcome(plain) == (0 if lost == 0 else -543 if none_left else -528)
    if lost:
        assert plain._files == before._files, "a refusal changed a file"
    if lost > tolerated:
        assert outcome(case.files, lossy=True) == -543
        assert case.files._files == before._files, "a refusal changed a file"
        return
    assert outcome(case.files, lossy=True) == (585 if lost else 0)
    assert check_database(case.files).problems == []
    assert outcome(case.files) == 0, "it is clean now"
    if lost:
        mail, ledger = mail_up_to(world, current - lost)
        assert mail_in(case.files) == mail
        assert ledger.compare(case.files) == []
        assert len(mail) < len(world.acknowledged)


@pytest.mark.parametrize("lost", range(1, LOST_MAX))
@pytest.mark.parametrize("name", WORLDS)
def test_renaming_the_newest_log_that_is_left_changes_the_plain_refusal_only(name, lost):
    make, depth = WORLDS[name]
    world = make(depth)
    case = Case(world.files(), world.ledger())
    if lost >= case.committed:
        pytest.skip("no log would be left")
    case.make_current(case.committed - lost)
    if lost > min(depth, case.committed - 1):
        assert case.refuses(-543).event_id == 453
        assert case.refuses(-543, lossy=True).event_id == 453
        return
    assert case.refuses(-582).event_id == 523
    mail, ledger = mail_up_to(world, case.committed - lost)
    assert outcome(case.files, lossy=True) == 585
    assert check_database(case.files).problems == []
    assert mail_in(case.files) == mail
    assert ledger.compare(case.files) == []


def test_the_runs_are_what_the_table_assumes():
    """Enough logs for every k in steady state, and fewer than the depth after a mount."""
    assert Case(world_of(10).files(), None).committed > LOST_MAX
    case = Case(world_after_mount(10).files(), None)
    assert (case.last, 3 < case.committed < 10) == (1, True)
