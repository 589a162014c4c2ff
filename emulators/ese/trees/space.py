"""Who owns which page: the space trees of every table and of the database (ese-format.md D).

Each tree owns extents (its OE tree, page FDP+1) and has some of their pages available (its AE
tree, page FDP+2). A tree that runs out asks its parent, and the database's root tree asks the
file to grow. Pages that are emptied become available to their own tree again.

Both lists stay on one page. An owned extent is an eighth of what the asker owns already, and only
the last piece of an extent of its parent's is smaller, so a tree of terabytes has a few hundred;
one that has more is refused (-1012). Available pages beside one another are joined. When so many
are apart that three quarters of the page are full, further ones are not listed until there is room
again; those that a crash finds unlisted are lost to the tree until eseutil /d. So are at most
`JOIN_PAGES_MAX` when the log ends between the two records by which extents are joined.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable

from emulators.ese.errors import ese_error
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
JOIN_PAGES_MAX = 64
LOOKED_AT_MAX = 32
SPARE_SHARE = 4
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
        self._last: dict[int, bytes] = {}
        self._unlisted: dict[int, deque[int]] = {}

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
        self._retry(tree)
        line = self._settled_line(tree)
        if line is None:
            self._obtain(tree)
            line = self._settled_line(tree)
            assert line is not None, f"tree {tree.fdp} has nothing of what it just obtained"
        first, _ = self._take(tree, 1, line)
        return first

    def free(self, tree: Tree, pgno: int) -> None:
        """Make a page available that was taken out of `tree`."""
        self._retry(tree)
        if not self._list(tree, pgno):
            self._unlisted.setdefault(tree.fdp, deque()).append(pgno)

    def _retry(self, tree: Tree) -> None:
        """List pages that there was no room for, as far as there is room now."""
        unlisted = self._unlisted.get(tree.fdp)
        while unlisted and self._list(tree, unlisted[0]):
            unlisted.popleft()

    def _list(self, tree: Tree, pgno: int) -> bool:
        """Add a page to the available extents, joined with its neighbours; False without room."""
        available = self._cache.page(tree.fdp + 2)
        line, exact = available.find(_page_key(pgno))
        assert not exact, f"page {pgno} is available already"
        count, left_pages, right_pages = 1, 0, 0
        if line < len(available) and _first(available, line) == pgno + 1:
            right_pages = _count(available, line)
        if line and available.keys[line - 1] == _page_key(pgno - 1):
            left_pages = _count(available, line - 1)
        if 0 < left_pages <= JOIN_PAGES_MAX:
            line -= 1
            self._editor.delete(tree, SYSTEM, available, line)
            count += left_pages
        if right_pages:
            joined = (right_pages + count).to_bytes(4, "little")
            self._editor.replace(tree, SYSTEM, available, line, joined)
        elif count > 1 or available.free_bytes * SPARE_SHARE >= available.page_bytes:
            key, data = encode_extent(pgno, count)
            self._editor.insert(tree, SYSTEM, available, line, key, data)
        else:
            return False
        return True

    def _settled_line(self, tree: Tree) -> int | None:
        """Return which available extent to take a page from; None when none will do.

        A page that was emptied must be on disk as such before it gets another place in the tree
        (page_cache.py). Few extents are looked at, the one taken from last before all others.
        """
        available = self._cache.page(tree.fdp + 2)
        lines = len(available)
        start = bisect_left(available.keys, self._last.get(tree.fdp, b""))
        for line in range(start, start + min(lines, LOOKED_AT_MAX)):
            if self._cache.is_settled(_first(available, line % lines)):
                self._last[tree.fdp] = available.keys[line % lines]
                return line % lines
        return None

    def _large_line(self, tree: Tree) -> int | None:
        """Return an available extent that is worth giving to a child."""
        available = self._cache.page(tree.fdp + 2)
        for line in range(len(available)):
            is_large = _count(available, line) >= EXTENT_PAGES_MIN
            if is_large and self._cache.is_settled(_first(available, line)):
                return line
        return None

    def _take(self, tree: Tree, pages: int, line: int = 0) -> tuple[int, int]:
        """Take up to `pages` pages from one available extent: (first page, number)."""
        available = self._cache.page(tree.fdp + 2)
        first, count = _first(available, line), _count(available, line)
        taken = min(pages, count)
        if taken == count:
            self._editor.delete(tree, SYSTEM, available, line)
        else:
            left = (count - taken).to_bytes(4, "little")
            self._editor.replace(tree, SYSTEM, available, line, left)
        return first, taken

    def _obtain(self, tree: Tree) -> None:
        """Let `tree` own one more extent, taken from its parent or from a longer file.

        Raises:
            EseError: -1012 when it has too many extents already; nothing was taken then.
        """
        self._require_room(tree)
        wanted = max(EXTENT_PAGES_MIN, self._owned(tree) // GROWTH_SHARE)
        parent = tree.parent
        if parent is None:
            pages = max(FILE_EXTENT_PAGES_MIN, wanted)
            last = self._grow(pages)
            self._editor.extend(last)
            self._give(tree, last - pages + 1, pages)
            return
        line = self._large_line(parent)
        if line is None:
            self._obtain(parent)
            line = self._large_line(parent)
            assert line is not None, f"tree {parent.fdp} has nothing of what it just obtained"
        first, pages = self._take(parent, wanted, line)
        self._give(tree, first, pages)

    def _give(self, tree: Tree, first: int, pages: int) -> None:
        key, data = encode_extent(first + pages - 1, pages)
        for pgno in (tree.fdp + 1, tree.fdp + 2):
            page = self._cache.page(pgno)
            index, exact = page.find(key)
            assert not exact, f"extent ending at page {first + pages - 1} is listed twice"
            self._editor.insert(tree, SYSTEM, page, index, key, data)
        self._last[tree.fdp] = key

    def _require_room(self, tree: Tree) -> None:
        entry = encode_extent(tree.fdp, 1)
        for pgno in (tree.fdp + 1, tree.fdp + 2):
            if not self._cache.page(pgno).room_for(*entry):
                where = f"tree {tree.fdp}: the list of its extents, page {pgno}, is full"
                raise ese_error(-1012, where, "defragment the database: eseutil /d")

    def _owned(self, tree: Tree) -> int:
        return sum(count for _, count in extents(self._cache.page(tree.fdp + 1)))


def _page_key(pgno: int) -> bytes:
    return pgno.to_bytes(4, "big")


def _count(page: Page, line: int) -> int:
    return int.from_bytes(page.datas[line], "little")


def _first(page: Page, line: int) -> int:
    return int.from_bytes(page.keys[line], "big") - _count(page, line) + 1
