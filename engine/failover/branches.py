"""Branches: how one begins at a promotion, and where two histories parted.

A branch is a journal of its own. Its first record is EPOCH, written with the first change; until
then the promotion has changed nothing (DRBD 9's rule, protection.md 3.7). What the parent's journal
holds beyond the base is its orphan tail: it stays, and is read as an image of the parent.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.basics.cursor import Cursor
from engine.basics.errors import ResyncRequired
from engine.basics.settings import CaptureSettings, JournalSettings
from engine.capture.capture import Capture
from engine.contract.actions import FileAction
from engine.contract.storage import Storage
from engine.formats.manifest import MANIFEST_NAME, Pin
from engine.history.filetable import FileTableState
from engine.journal.journal import Journal
from engine.journal.opening import OpenedJournal, open_journal


def open_branch(
    storage: Storage, parent: Journal, base: Cursor, settings: JournalSettings | None = None
) -> OpenedJournal:
    """Open the journal of a branch of `parent`, or begin it where there is none yet.

    Args:
        storage: A place of its own, not the parent's.
        parent: The journal that the branch begins in.
        base: The cursor in it that was written down at the promotion.
        settings: Bounds.
    """
    if storage.exists(MANIFEST_NAME):
        # The parent may have let the base go by now; the branch's manifest has what it was.
        opened = open_journal(storage, group=parent.group, settings=settings)
        assert opened.journal.manifest.base.cursor == base, "one place, one branch"
        return opened
    standing = parent.standing_at(base.sequence)
    assert standing.cursor == base, "the parent holds the base"
    return open_journal(storage, group=parent.group, settings=settings, base=standing)


def begin_capture(
    branch: Journal,
    *,
    epoch: int,
    incarnation: int,
    settings: CaptureSettings | None = None,
    storage: Storage | None = None,
) -> Capture:
    """Return the capture at the new primary; its live files must be those of the branch's base."""
    standing = branch.manifest.base
    assert branch.received.sequence == standing.cursor.sequence, "nothing was written yet"
    return Capture.branch(
        group=branch.group,
        epoch=epoch,
        incarnation=incarnation,
        base=standing.cursor,
        files=FileTableState(standing.files, standing.id_newest),
        source_time_ns=standing.source_time_ns,
        settings=settings,
        storage=storage,
    )


def succeed(
    capture: Capture, *, epoch: int, incarnation: int, storage: Storage | None = None
) -> Capture:
    """Return the capture with which an old source goes on in a new epoch, given back to it.

    All that it captured in its old epoch must have arrived (`SourceSession(is_orphan=True)` brings
    it), and no writer may run: the new branch begins at its last record.

    Raises:
        ResyncRequired: It broke off, lost order or was abandoned: both ends must be compared.
    """
    if capture.is_abandoned or capture.is_in_gap or not capture.is_based:
        raise ResyncRequired("The capture does not know all that was written in its old epoch")
    assert capture.acknowledged == capture.newest, "the orphan tail was brought first"
    assert not capture.held_count, "no writer waits"
    return Capture.branch(
        group=capture.group,
        epoch=epoch,
        incarnation=incarnation,
        base=capture.newest,
        files=capture.live_files(),
        source_time_ns=capture.source_time_ns,
        settings=capture.settings,
        storage=storage,
    )


def pin_base(parent: Journal, base: Cursor, epoch: int) -> list[FileAction]:
    """Pin the point at which the branch of an epoch begins: its images are read through it.

    Carry the actions out before the branch can begin. Where nothing was written in the parent
    itself, its base is the point, and pinned where the parent began.
    """
    if base.sequence == parent.manifest.base.cursor.sequence:
        return []
    pin = Pin(base.sequence, _pin_name(epoch), "a branch begins here")
    return parent.replace_pins([pin, *_other_pins(parent, epoch)])


def unpin_base(parent: Journal, epoch: int) -> list[FileAction]:
    """Take the pin of a branch away that will never begin."""
    others = _other_pins(parent, epoch)
    return [] if len(others) == len(parent.manifest.pins) else parent.replace_pins(others)


def _pin_name(epoch: int) -> str:
    return f"base of epoch {epoch}"


def _other_pins(parent: Journal, epoch: int) -> list[Pin]:
    return [pin for pin in parent.manifest.pins if pin.name != _pin_name(epoch)]


class OrphanTail(NamedTuple):
    """What a journal holds beyond the base of the branch that went on from it.

    Every sequence of it is read as an image of that journal.
    """

    epoch: int
    first: int
    last: int
    last_time_ns: int


def orphan_tail(parent: Journal, base: Cursor) -> OrphanTail | None:
    """Return the orphan tail of a journal whose branch began at `base`, None where it has none."""
    last = parent.durable
    if last.sequence <= base.sequence:
        return None
    time_ns = parent.durable_time_ns or 0
    return OrphanTail(last.epoch, base.sequence + 1, last.sequence, time_ns)


class Lineage(NamedTuple):
    """The way from the beginning of a history to its newest record, branch by branch.

    `ends` holds, oldest first, the cursor in each branch up to which it counts: the base of the
    next one, and of the last its newest record.
    """

    ends: tuple[Cursor, ...]


def lineage_of(journals: Sequence[Journal]) -> Lineage:
    """Return the lineage of the last of these journals, each of which began in the one before."""
    bases = [journal.manifest.base.cursor for journal in journals]
    for (parent, _), (_, base) in pairwise(zip(journals, bases, strict=True)):
        assert base.epoch == parent.durable.epoch, "each began in the one before"
    return Lineage((*bases[1:], journals[-1].durable))


def common_ancestor(one: Lineage, other: Lineage) -> Cursor | None:
    """Return the newest cursor that both histories share; None where they share nothing.

    In the newest branch of both it is the earlier of the two ends: up to there records are the
    same, for one branch has one writer (I6).
    """
    ends = {end.epoch: end for end in other.ends}
    shared = [end for end in one.ends if end.epoch in ends]
    if not shared:
        return None
    mine = shared[-1]
    return min(mine, ends[mine.epoch], key=lambda end: end.sequence)
