"""Undo: taking back what transactions did that never committed.

Each change is found by its bookmark, as a split may have moved it since, and is taken back by an
Undo record that is redone like any other operation. A change that is no longer there was taken
back by an earlier recovery that was cut short; so undo may be begun again at any point. A Rollback
record closes each transaction. Then the nodes are removed that ended transactions had left flagged
as deleted; where that had been done, nothing is found.
"""

from collections.abc import Sequence

from emulators.ese.formats import log_records
from emulators.ese.formats.page import FLAG_INDEX, FLAG_LONG_VALUE, FLAG_NON_UNIQUE
from emulators.ese.formats.space_header import SpaceHeader
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import Change, Context, Undoable, clean_up, roll_back
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.tree import Tree

TREE_FLAGS = FLAG_INDEX | FLAG_LONG_VALUE | FLAG_NON_UNIQUE


class Undo:
    """The undo phase of one recovery.

    Args:
        cache: the database's pages.
        editor: logs and applies the operations.
        space: gives pages, where giving a node back its former data splits a page.
    """

    def __init__(self, cache: PageCache, editor: Editor, space: Space) -> None:
        self._cache = cache
        self._editor = editor
        self._space = space

    def run(self, open_transactions: OpenTransactions) -> int:
        """Undo all open transactions; return how many changes were taken back.

        One without changes here may be another database's, which alone may close it.
        """
        undone = 0
        clean_up(self._with_trees(open_transactions.unfinished))
        for transaction in open_transactions.newest_first():
            if not transaction.has_work:
                continue
            context = Context(transaction.procid, transaction.trx, versioned=True)
            changes = self._with_trees(transaction.changes)
            undone += roll_back(context, changes)
            record = log_records.Rollback(transaction.procid, 1)
            self._editor.log(log_records.encode(record))
            clean_up([*changes, *self._with_trees(transaction.flagged)])
        return undone

    def _with_trees(self, changes: Sequence[Change]) -> list[tuple[Undoable, Change]]:
        trees: dict[int, BTree] = {}
        for change in changes:
            if change.fdp not in trees:
                identity = self._tree(change.fdp)
                trees[change.fdp] = BTree(identity, self._cache, self._editor, self._space)
        return [(trees[change.fdp], change) for change in changes]

    def _tree(self, fdp: int) -> Tree:
        """Return what identifies the tree with that root, and the trees that give it space."""
        root = self._cache.page(fdp)
        parent_fdp = SpaceHeader.unpack(root.external).parent_fdp
        parent = self._tree(parent_fdp) if parent_fdp else None
        return Tree(fdp, root.objid_fdp, root.flags & TREE_FLAGS, parent)
