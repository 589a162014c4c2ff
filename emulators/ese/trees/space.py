"""Who owns which page: the space trees of every table and of the database (ese-format.md D).

Each tree owns extents (its OE tree, page FDP+1) and has some of their pages available (its AE
tree, page FDP+2). A tree that runs out asks its parent, and the database's root tree asks the
file to grow. An extent is an eighth of what the asker owns already, so even a tree of terabytes
has a few hundred extents, and both space trees stay on one page.
"""

from collections.abc import Callable

from emulators.ese.formats.page import FLAG_LEAF, FLAG_ROOT, FLAG_SPACE, Page
from emulators.ese.formats.space_header import (
    SPACE_TREE_HEADER,
    encode_extent,
    multiple_extent_header,
)
from emulators.ese.trees.change import SYSTEM
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.tree import Tree

EXTENT_PAGES_MIN = 16
FILE_EXTENT_PAGES_MIN = 256
GROWTH_SHARE = 8
TREE_ROOT_PAGES = 3
"""The root of a tree and of its two space trees."""


def extents(page: Page) -> list[tuple[int, int]]:
    """Return the extents listed on a space tree's page as (first page, number of pages)."""
    spans = []
    for key, data in zip(page.keys, page.datas, strict=True):
        count = int.from_bytes(data, "little")
        spans.append((int.from_bytes(key, "big") - count + 1, count))
    return spans


class Space:
    """Gives pages to trees and logs each step.

    Args:
        cache: the database's pages.
        editor: logs and applies changes.
        grow: makes the file `pages` longer and returns its new last page.
    """

    def __init__(self, cache: PageCache, editor: Editor, grow: Callable[[int], int]) -> None:
        self._cache = cache
        self._editor = editor
        self._grow = grow

    def make_tree(self, tree: Tree, *, first: int, pages: int) -> None:
        """Make the root and the two space trees of a tree that owns `pages` pages from `first`."""
        parent = 0 if tree.parent is None else tree.parent.fdp
        header = multiple_extent_header(tree.fdp, pages, parent, unique=tree.is_unique)
        self._adopt_root(tree, tree.fdp, tree.leaf_flags, header)
        for pgno in (tree.fdp + 1, tree.fdp + 2):
            self._adopt_root(tree, pgno, FLAG_SPACE, SPACE_TREE_HEADER)
        self._give(tree, first, pages)
        self.carve(tree, first, TREE_ROOT_PAGES)

    def _adopt_root(self, tree: Tree, pgno: int, flags: int, external: bytes) -> None:
        file_format = self._cache.file_format
        root = Page(
            pgno,
            tree.objid,
            FLAG_ROOT | FLAG_LEAF | flags,
            external=external,
            page_bytes=file_format.page_bytes,
            has_ecc=file_format.has_ecc,
        )
        self._cache.adopt(root)

    def carve(self, tree: Tree, first: int, pages: int) -> None:
        """Take `pages` pages from `first` on, which must be the next available ones."""
        taken = self.take_exactly(tree, pages)
        assert taken == first, f"page {taken} is the next available one, not {first}"

    def take_exactly(self, tree: Tree, pages: int) -> int:
        """Take `pages` pages in a row from the first available extent; return the first."""
        first, taken = self._take(tree, pages)
        assert taken == pages, f"the first available extent has {taken} pages, not {pages}"
        return first

    def allocate(self, tree: Tree) -> int:
        """Take one available page for `tree` and return its number."""
        available = self._cache.page(tree.fdp + 2)
        if not available.keys:
            self._obtain(tree)
        first, _ = self._take(tree, 1)
        return first

    def _take(self, tree: Tree, pages: int) -> tuple[int, int]:
        """Take up to `pages` pages from the first available extent: (first page, number)."""
        available = self._cache.page(tree.fdp + 2)
        first, count = extents(available)[0]
        taken = min(pages, count)
        if taken == count:
            self._editor.delete(tree, SYSTEM, available, 0)
        else:
            left = (count - taken).to_bytes(4, "little")
            self._editor.replace(tree, SYSTEM, available, 0, left)
        return first, taken

    def _obtain(self, tree: Tree) -> None:
        """Let `tree` own one more extent, taken from its parent or from a longer file."""
        wanted = max(EXTENT_PAGES_MIN, self._owned(tree) // GROWTH_SHARE)
        if tree.parent is None:
            pages = max(FILE_EXTENT_PAGES_MIN, wanted)
            last = self._grow(pages)
            self._editor.extend(last)
            self._give(tree, last - pages + 1, pages)
            return
        if not self._cache.page(tree.parent.fdp + 2).keys:
            self._obtain(tree.parent)
        first, pages = self._take(tree.parent, wanted)
        self._give(tree, first, pages)

    def _give(self, tree: Tree, first: int, pages: int) -> None:
        key, data = encode_extent(first + pages - 1, pages)
        for pgno in (tree.fdp + 1, tree.fdp + 2):
            page = self._cache.page(pgno)
            index, exact = page.find(key)
            assert not exact, f"extent ending at page {first + pages - 1} is listed twice"
            self._editor.insert(tree, SYSTEM, page, index, key, data)

    def _owned(self, tree: Tree) -> int:
        return sum(count for _, count in extents(self._cache.page(tree.fdp + 1)))
