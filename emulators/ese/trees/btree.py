"""A B+ tree over cached pages: search, ordered scan, insert, replace, delete.

Full pages are split before a node goes in. Every split is one log record that changes all its
pages, so the tree is whole after each record. Nodes that come in key order at the right edge get
a fresh page (an append split moves nothing), which is how long values fill pages.
"""

from collections.abc import Iterator

from emulators.ese.formats.format import Format
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.trees import structure
from emulators.ese.trees.editor import Context, Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.tree import Tree


class BTree:
    """One tree of the database.

    Args:
        tree: its identity.
        cache: the database's pages.
        editor: logs and applies changes; a tree that is only read needs none.
        space: gives new pages; a tree that is only read needs none.
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

    def get(self, key: bytes) -> bytes | None:
        """Return the data of the node with `key`, or None."""
        leaf = self._path(key)[-1]
        index, exact = leaf.find(key)
        return leaf.datas[index] if exact else None

    def scan(self, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, data) of all nodes from `start` on, in key order."""
        leaf = self._path(start)[-1]
        index, _ = leaf.find(start)
        while True:
            yield from zip(leaf.keys[index:], leaf.datas[index:], strict=True)
            if not leaf.next:
                return
            leaf, index = self._cache.page(leaf.next), 0

    def last_key(self) -> bytes | None:
        """Return the highest key, or None when the tree is empty.

        The rightmost leaf may be empty after an undone insert; then all leaves are looked at.
        """
        page = self._cache.page(self.tree.fdp)
        while not page.flags & FLAG_LEAF:
            page = self._cache.page(page.child(len(page.keys) - 1))
        while not page.keys and page.prev:
            page = self._cache.page(page.prev)
        return page.keys[-1] if page.keys else None

    def insert(self, context: Context, key: bytes, data: bytes) -> None:
        """Insert a node whose key is not yet there."""
        leaf = self._room_for(key, structure.node_bytes(key, data))
        index, exact = leaf.find(key)
        assert not exact, f"key {key.hex()} is in tree {self.tree.fdp} already"
        self._edits.insert(self.tree, context, leaf, index, key, data)

    def replace(self, context: Context, key: bytes, data: bytes) -> None:
        """Give the node with `key` new data."""
        leaf = self._path(key)[-1]
        index, exact = leaf.find(key)
        assert exact, f"key {key.hex()} is not in tree {self.tree.fdp}"
        growth = len(data) - len(leaf.datas[index])
        if growth > leaf.free_bytes:
            leaf = self._room_for(key, growth)
            index, _ = leaf.find(key)
        self._edits.replace(self.tree, context, leaf, index, data)

    def delete(self, context: Context, key: bytes) -> None:
        """Remove the node with `key`."""
        leaf = self._path(key)[-1]
        index, exact = leaf.find(key)
        assert exact, f"key {key.hex()} is not in tree {self.tree.fdp}"
        self._edits.delete(self.tree, context, leaf, index)

    def leaf_of(self, key: bytes) -> Page:
        """Return the leaf page on which `key` is or would be."""
        return self._path(key)[-1]

    @property
    def file_format(self) -> Format:
        """The format of the database."""
        return self._cache.file_format

    @property
    def _edits(self) -> Editor:
        assert self._editor is not None, "this tree was opened for reading only"
        return self._editor

    def _path(self, key: bytes) -> list[Page]:
        """Return the pages from the root to the leaf for `key`."""
        page = self._cache.page(self.tree.fdp)
        path = [page]
        while not page.flags & FLAG_LEAF:
            page = self._cache.page(page.child(page.child_index(key)))
            path.append(page)
        return path

    def _room_for(self, key: bytes, size: int) -> Page:
        """Return the leaf for `key`, split until `size` bytes are free on it."""
        while True:
            path = self._path(key)
            leaf = path[-1]
            if size <= leaf.free_bytes:
                return leaf
            self._split(path, len(path) - 1, key)

    def _split(self, path: list[Page], level: int, key: bytes) -> None:
        """Split page `path[level]`, after its parent where that has no room for one more entry."""
        if level == 0:
            self._split_root(path[0])
            return
        page, parent = path[level], path[level - 1]
        at, bound = self._division(page, key)
        if structure.node_bytes(bound, b"\0\0\0\0") > parent.free_bytes:
            self._split(path, level - 1, key)
            return
        self._edits.split(self.tree, page, parent, self._allocate(), at, bound)

    def _division(self, page: Page, key: bytes) -> tuple[int, bytes]:
        """Return where to part `page` and the key that parts it; appending moves nothing."""
        is_leaf = page.flags & FLAG_LEAF
        if is_leaf and key > page.keys[-1] and (not page.next or len(page.keys) == 1):
            return len(page.keys), key
        if is_leaf and len(page.keys) == 1:
            return 0, page.keys[0]
        at = structure.split_point(page)
        return at, structure.separator(page, at)

    def _split_root(self, root: Page) -> None:
        self._edits.split_root(self.tree, root, self._allocate())

    def _allocate(self) -> int:
        assert self._space is not None, "this tree was opened for reading only"
        return self._space.allocate(self.tree)
