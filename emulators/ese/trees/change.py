"""What a transaction did to nodes: enough to take it back, and to clean up after it.

A node that is deleted is only flagged (FlagDelete) while its transaction is open, so that taking
the deletion back never needs room; a node whose insertion is taken back is flagged likewise. When
the transaction has ended, flagged nodes are removed for good (version cleanup). ESE does that some
time later; here it follows at once, as no other transaction can see the node.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.page_cache import LGPOS_MAX

OPERATION_INSERT = 1
OPERATION_REPLACE = 2
OPERATION_FLAG_DELETE = 3
"""Values of `operation` in Undo and UndoInfo records (OPER of ESE's source, inc/ver.hxx)."""


class Change(NamedTuple):
    """One change of a transaction to one node.

    Args:
        fdp: root page of the tree.
        operation: OPERATION_INSERT, OPERATION_REPLACE or OPERATION_FLAG_DELETE.
        key: the node's key.
        data: the node's data in a tree with duplicate keys, where it is part of the bookmark.
        before: what the node held before it was replaced.
        rceid: identifies the change within its transaction.
    """

    fdp: int
    operation: int
    key: bytes
    data: bytes
    before: bytes
    rceid: int


class Undoable(Protocol):
    """A tree whose changes can be taken back."""

    def take_back(self, context: "Context", change: Change) -> bool:
        """Undo one change; return whether it was still there."""

    def expunge(self, context: "Context", key: bytes, data: bytes) -> bool:
        """Remove a node for good if it is flagged as deleted; return whether it was."""


class Context(NamedTuple):
    """On whose behalf a change is made.

    Changes that are not `versioned` are never undone.

    Args:
        procid: the session.
        trx: the transaction's trxBegin0.
        versioned: whether the change belongs to a transaction that may be rolled back.
        changes: where versioned changes are noted, with their trees; None to note nothing.
        begin: where the transaction's log begins: what undoes it, or cleans up after it, needs the
            log from there.
    """

    procid: int
    trx: int
    versioned: bool
    changes: list[tuple[Undoable, Change]] | None = None
    begin: Lgpos = LGPOS_MAX


SYSTEM = Context(procid=0, trx=0, versioned=False)
"""Space and structure changes stay, whatever becomes of the transaction that needed them."""


def roll_back(context: Context, changes: Sequence[tuple[Undoable, Change]]) -> int:
    """Take all changes back, the newest first; return how many were still there."""
    return sum(tree.take_back(context, change) for tree, change in reversed(changes))


def clean_up(changes: Sequence[tuple[Undoable, Change]], begin: Lgpos = LGPOS_MAX) -> None:
    """Remove the nodes that an ended transaction, begun at `begin`, has left flagged as deleted."""
    context = SYSTEM._replace(begin=begin)
    for tree, change in changes:
        if change.operation != OPERATION_REPLACE:
            tree.expunge(context, change.key, change.data)
