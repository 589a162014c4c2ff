"""Undo: taking back what transactions did that never committed.

Each change is found by its key, as a split may have moved it since, and is taken back by an
operation that is logged like any other. A change that is no longer there was taken back by an
earlier recovery that was cut short; so undo may be begun again at any point. A Rollback record
closes each transaction.
"""

from emulators.ese.formats import log_records
from emulators.ese.formats.space_header import SpaceHeader
from emulators.ese.recovery.open_transactions import Change, OpenTransactions
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.editor import SYSTEM, Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.tree import Tree


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
        """Undo all open transactions; return how many changes were taken back."""
        undone = 0
        for transaction in open_transactions.newest_first():
            for change in reversed(transaction.changes):
                undone += self._take_back(change)
            record = log_records.Rollback(transaction.procid, 1)
            self._editor.log(log_records.encode(record))
        return undone

    def _take_back(self, change: Change) -> bool:
        tree = BTree(self._tree(change.pgno_fdp), self._cache, self._editor, self._space)
        now = tree.get(change.key)
        if now is None or now == change.before:
            return False
        if change.before is None:
            tree.delete(SYSTEM, change.key)
        else:
            tree.replace(SYSTEM, change.key, change.before)
        return True

    def _tree(self, fdp: int) -> Tree:
        """Return what identifies the tree with that root, and the trees that give it space."""
        root = self._cache.page(fdp)
        parent_fdp = SpaceHeader.unpack(root.external).parent_fdp
        parent = self._tree(parent_fdp) if parent_fdp else None
        return Tree(fdp, root.objid_fdp, 0, parent)
