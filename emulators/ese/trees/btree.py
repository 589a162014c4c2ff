"""A B+ tree over cached pages: search, ordered scan, insert, replace, delete, and undo of them.

Full pages are split before a node goes in. Every split is one log record that changes all its
pages, so the tree is whole after each record. Nodes that come in key order at the right edge get
a fresh page (an append split moves nothing), which is how long values fill pages.

A leaf that loses its last node is taken out of the tree, and a page that is mostly empty is merged
with the page after it where both fit (one log record likewise); the page becomes available to the
tree again. A page that is its parent's only child stays, empty or not, as the root does: a tree
does not get lower.

In an index with duplicate keys nodes are ordered by key, then data, and branch pages hold both
(ese-format.md D). A node that a transaction deletes is flagged and stays until the transaction has
ended; readers pass it by, and the same key inserted again takes its place.
"""

from bisect import bisect_left
from collections.abc import Iterator

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.format import Format
from emulators.ese.formats.page import FLAG_LEAF, NODE_DELETED, Page
from emulators.ese.trees import structure
from emulators.ese.trees.change import (
    OPERATION_FLAG_DELETE,
    OPERATION_INSERT,
    OPERATION_REPLACE,
    Change,
    Context,
)
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.tree import Tree

SPARSE_SHARE = 4
"""A page of which less than this part is used is merged, if the result leaves as much free."""


def _fits(source: Page, target: Page) -> bool:
    spare = target.page_bytes // SPARSE_SHARE
    return source.used + spare <= target.free_bytes


class BTree:
    """One tree of the database.

    Args:
        tree: its identity.
        cache: the database's pages.
        editor: logs and applies changes; a tree that is only read needs none.
        space: gives new pages; a tree that is only read needs none.

    `data` completes the bookmark of a node where keys are not unique, and is not looked at where
    they are.
    """

    def __init__(
        self,
        tree: Tree,
        cache: PageCache,
        editor: Editor | None = None,
        space: Space | None = None,
    ) -> None:
        self.tree = tree
        self._cache = cache
        self._editor = editor
        self._space = space
        self._is_unique = tree.is_unique

    def get(self, key: bytes) -> bytes | None:
        """Return the data of the node with `key`, or None; for trees with unique keys."""
        leaf = self._path(key)[-1]
        index, exact = leaf.find(key)
        if not exact or leaf.node_flags[index] & NODE_DELETED:
            return None
        return leaf.datas[index]

    def scan(self, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, data) of all nodes with keys from `start` on, in order.

        The tree must not be changed meanwhile.
        """
        leaf = self._path(start)[-1]
        index = bisect_left(leaf.keys, start)
        while True:
            nodes = zip(leaf.keys[index:], leaf.datas[index:], strict=True)
            if any(leaf.node_flags):
                flags = leaf.node_flags[index:]
                for node, flag in zip(nodes, flags, strict=True):
                    if not flag & NODE_DELETED:
                        yield node
            else:
                yield from nodes
            if not leaf.next:
                return
            leaf, index = self._cache.page(leaf.next), 0

    def scan_back(self, end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, data) of all nodes with keys below `end`, the last one first.

        Without `end` all nodes. The tree must not be changed meanwhile.
        """
        leaf = self._rightmost() if end is None else self._path(end)[-1]
        index = len(leaf.keys) if end is None else bisect_left(leaf.keys, end)
        while True:
            for at in range(index - 1, -1, -1):
                if not leaf.node_flags[at] & NODE_DELETED:
                    yield leaf.keys[at], leaf.datas[at]
            if not leaf.prev:
                return
            leaf = self._cache.page(leaf.prev)
            index = len(leaf.keys)

    def last_key(self) -> bytes | None:
        """Return the highest key, or None when the tree is empty.

        A node that is only flagged as deleted counts: a rollback brings it back.
        """
        leaf = self._rightmost()
        while not leaf.keys and leaf.prev:
            leaf = self._cache.page(leaf.prev)
        return leaf.keys[-1] if leaf.keys else None

    def insert(self, context: Context, key: bytes, data: bytes) -> None:
        """Insert a node whose bookmark is not yet there."""
        bound = key if self._is_unique else key + data
        leaf = self._path(bound)[-1]
        index, exact = self._find(leaf, key, data)
        if exact:
            self._insert_again(context, leaf, index, data)
        else:
            size = structure.node_bytes(key, data)
            if size > leaf.free_bytes:
                leaf = self._room_for(bound, size)
                index, _ = self._find(leaf, key, data)
            self._edits.insert(self.tree, context, leaf, index, key, data)
        self._note(context, OPERATION_INSERT, key, data)

    def replace(self, context: Context, key: bytes, data: bytes) -> None:
        """Give the node with `key` new data; for trees with unique keys."""
        leaf = self._path(key)[-1]
        index, exact = leaf.find(key)
        assert exact, f"key {key.hex()} is not in tree {self.tree.fdp}"
        assert not leaf.node_flags[index] & NODE_DELETED, f"key {key.hex()} was deleted"
        before = leaf.datas[index]
        growth = len(data) - len(before)
        if growth > leaf.free_bytes:
            leaf = self._room_for(key, growth)
            index, _ = leaf.find(key)
        self._edits.replace(self.tree, context, leaf, index, data)
        self._note(context, OPERATION_REPLACE, key, data, before)

    def delete(self, context: Context, key: bytes, data: bytes = b"") -> None:
        """Delete a node; a versioned one stays, flagged, until its transaction has ended."""
        leaf, index = self._node(key, data)
        assert index is not None, f"key {key.hex()} is not in tree {self.tree.fdp}"
        assert not leaf.node_flags[index] & NODE_DELETED, f"key {key.hex()} was deleted before"
        if context.versioned:
            self._edits.flag_delete(self.tree, context, leaf, index)
            self._note(context, OPERATION_FLAG_DELETE, key, data)
        else:
            self._remove(context, key, data)

    def take_back(self, context: Context, change: Change) -> bool:
        """Undo one change of a transaction; return whether it was still there.

        A change that is not there any more was taken back by a recovery that was cut short.
        """
        leaf, index = self._node(change.key, change.data)
        if index is None or self._is_undone(leaf, index, change):
            return False
        growth = 0
        if change.operation == OPERATION_REPLACE:
            growth = len(change.before) - len(leaf.datas[index])
        if growth > leaf.free_bytes:
            leaf = self._room_for(change.key, growth)
            index, _ = leaf.find(change.key)
        self._edits.undo(self.tree, context, leaf, index, change)
        return True

    def expunge(self, context: Context, key: bytes, data: bytes) -> bool:
        """Remove a node for good if it is flagged as deleted; return whether it was."""
        leaf, index = self._node(key, data)
        if index is None or not leaf.node_flags[index] & NODE_DELETED:
            return False
        self._remove(context, key, data)
        return True

    @property
    def file_format(self) -> Format:
        """The format of the database."""
        return self._cache.file_format

    @property
    def _edits(self) -> Editor:
        assert self._editor is not None, "this tree was opened for reading only"
        return self._editor

    def _note(
        self, context: Context, operation: int, key: bytes, data: bytes, before: bytes = b""
    ) -> None:
        """Note a change just made, to be taken back or cleaned up after."""
        if context.changes is None:
            return
        bookmark = b"" if self._is_unique else data
        change = Change(self.tree.fdp, operation, key, bookmark, before, self._edits.rceid)
        context.changes.append((self, change))

    def _insert_again(self, context: Context, leaf: Page, index: int, data: bytes) -> None:
        """Insert over a node that was deleted and is still there, flagged."""
        key, before = leaf.keys[index], leaf.datas[index]
        if not leaf.node_flags[index] & NODE_DELETED:
            raise self._duplicate(key)
        if before == data:
            self._edits.flag_insert(self.tree, context, leaf, index)
            return
        growth = len(data) - len(before)
        if growth > leaf.free_bytes:
            leaf = self._room_for(key, growth)
            index, _ = leaf.find(key)
        rceid = self._edits.flag_insert_and_replace(self.tree, context, leaf, index, data)
        if context.changes is not None:
            change = Change(self.tree.fdp, OPERATION_REPLACE, key, b"", before, rceid)
            context.changes.append((self, change))

    def _duplicate(self, key: bytes) -> EseError:
        where = f"tree {self.tree.fdp}, key {key.hex()}"
        return ese_error(-1605, where, "look the key up first, and replace the row if it is there")

    def _find(self, leaf: Page, key: bytes, data: bytes) -> tuple[int, bool]:
        return leaf.find(key) if self._is_unique else leaf.find_pair(key, data)

    def _node(self, key: bytes, data: bytes) -> tuple[Page, int | None]:
        """Return the leaf of a bookmark and the index of its node, None when it is not there."""
        leaf = self._path(key if self._is_unique else key + data)[-1]
        index, exact = self._find(leaf, key, data)
        return leaf, index if exact else None

    @staticmethod
    def _is_undone(leaf: Page, index: int, change: Change) -> bool:
        is_deleted = bool(leaf.node_flags[index] & NODE_DELETED)
        if change.operation == OPERATION_REPLACE:
            return leaf.datas[index] == change.before
        return is_deleted == (change.operation == OPERATION_INSERT)

    def _path(self, key: bytes) -> list[Page]:
        """Return the pages from the root to the leaf for `key`."""
        page = self._cache.page(self.tree.fdp)
        path = [page]
        while not page.flags & FLAG_LEAF:
            page = self._cache.page(page.child(page.child_index(key)))
            path.append(page)
        return path

    def _remove(self, context: Context, key: bytes, data: bytes) -> None:
        """Remove a node for good, with its page when it was the last one there."""
        path = self._path(key if self._is_unique else key + data)
        leaf = path[-1]
        index, _ = self._find(leaf, key, data)
        if len(leaf.keys) == 1 and len(path) > 1 and len(path[-2].keys) > 1:
            self._take_out(context, path, len(path) - 1, None)
            return
        self._edits.delete(self.tree, context, leaf, index)
        self._merge_if_sparse(context, path, len(path) - 1)

    def _take_out(self, context: Context, path: list[Page], level: int, right: Page | None) -> None:
        """Take page `path[level]` out of the tree; its nodes go to `right`, if they count."""
        page, parent = path[level], path[level - 1]
        self._edits.merge(self.tree, context, page, parent, right)
        assert self._space is not None, "this tree was opened for reading only"
        self._space.free(self.tree, page.pgno)
        self._merge_if_sparse(context, path, level - 1)

    def _merge_if_sparse(self, context: Context, path: list[Page], level: int) -> None:
        """Merge page `path[level]` with a neighbour of the same parent when it is mostly empty."""
        page = path[level]
        if level == 0 or page.used * SPARSE_SHARE > page.page_bytes:
            return
        parent = path[level - 1]
        index = parent.datas.index(page.pgno.to_bytes(4, "little"))
        if index + 1 < len(parent.keys):
            right = self._cache.page(parent.child(index + 1))
            if _fits(page, right):
                self._take_out(context, path, level, right)
                return
        if index:
            left = self._cache.page(parent.child(index - 1))
            if _fits(left, page):
                self._take_out(context, [*path[:level], left], level, page)

    def _rightmost(self) -> Page:
        page = self._cache.page(self.tree.fdp)
        while not page.flags & FLAG_LEAF:
            page = self._cache.page(page.child(len(page.keys) - 1))
        return page

    def _room_for(self, bound: bytes, size: int) -> Page:
        """Return the leaf for `bound`, split until `size` bytes are free on it."""
        while True:
            path = self._path(bound)
            leaf = path[-1]
            if size <= leaf.free_bytes:
                return leaf
            self._split(path, len(path) - 1, bound)

    def _split(self, path: list[Page], level: int, bound: bytes) -> None:
        """Split page `path[level]`, after its parent where that has no room for one more entry."""
        if level == 0:
            self._split_root(path[0])
            return
        page, parent = path[level], path[level - 1]
        at, separator = self._division(page, bound)
        if structure.node_bytes(separator, b"\0\0\0\0") > parent.free_bytes:
            self._split(path, level - 1, bound)
            return
        self._edits.split(self.tree, page, parent, self._allocate(), at, separator)

    def _division(self, page: Page, bound: bytes) -> tuple[int, bytes]:
        """Return where to part `page` and the key that parts it; appending moves nothing."""
        count = len(page.keys)
        if page.flags & FLAG_LEAF:
            appends = bound > structure.bound(page, count - 1)
            if appends and (not page.next or count == 1):
                return count, bound
            if count == 1:
                return 0, structure.bound(page, 0)
        at = structure.split_point(page)
        return at, structure.separator(page, at)

    def _split_root(self, root: Page) -> None:
        self._edits.split_root(self.tree, root, self._allocate())

    def _allocate(self) -> int:
        assert self._space is not None, "this tree was opened for reading only"
        return self._space.allocate(self.tree)
