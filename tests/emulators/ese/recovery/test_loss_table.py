"""The loss table of exchange.md 1.4: the newest k logs of a real run are lost, k from 0 to 12.

What must come back is known from another source: the files as they were when the newest log that
is left had just been closed, recovered plainly.
"""

import pytest
from checker import check_database
from mail_world import copy_of, recover
from recovery_case import (
    CURRENT,
    Case,
    archive,
    mail_in,
    mail_up_to,
    world_after_mount,
    world_of,
)

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.recovery.log_set import LogSet

LOST_MAX = 12


WORLDS = {
    "depth 1": (world_of, 1),
    "depth 10": (world_of, 10),
    "depth 1 after a mount": (world_after_mount, 1),
    "depth 10 after a mount": (world_after_mount, 10),
}


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
    if 0 < lost < current:
        hint = case.refuses(-528, ranged=False).hint
        assert ("/a" in hint) == (lost <= tolerated), "/a is named where it helps"
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
@pytest.mark.parametrize("name", list(WORLDS)[:2])
def test_renaming_the_newest_log_that_is_left_changes_the_plain_refusal_only(name, lost):
    make, depth = WORLDS[name]
    world = make(depth)
    case = Case(world.files(), world.ledger())
    newest = case.committed - lost
    case.make_current(newest)
    if lost > depth:
        event_id = 453 if newest >= case.first else 452
        assert case.refuses(-543).event_id == event_id
        assert case.refuses(-543, lossy=True).event_id == event_id
        return
    assert case.refuses(-582).event_id == 523
    mail, ledger = mail_up_to(world, newest)
    assert outcome(case.files, lossy=True) == 585
    assert check_database(case.files).problems == []
    assert mail_in(case.files) == mail
    assert ledger.compare(case.files) == []


def test_the_runs_are_what_the_table_assumes():
    """Enough logs for every k in steady state, and fewer than the depth after a mount."""
    assert Case(world_of(10).files(), None).committed > LOST_MAX
    case = Case(world_after_mount(10).files(), None)
    assert (case.last, 3 < case.committed < 10) == (1, True)
