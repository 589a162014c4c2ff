"""Walks all trees of a file and accounts for every page: in use, available, or lost to all (D).

Pages that no tree uses and none has available are not damage: a crash between taking a page and
using it leaves some. They are listed apart, as leaked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from emulators.ese.formats.page import FLAG_NON_UNIQUE, FLAG_SPACE, NODE_DELETED, Page
from emulators.ese.formats.space_header import (
    SPACE_HEADER_BYTES,
    SPACE_MULTIPLE_EXTENT,
    SPACE_NON_UNIQUE,
    SpaceHeader,
)
from emulators.ese.integrity.findings import Findings, Rule
from emulators.ese.integrity.page_reader import PageOf
from emulators.ese.integrity.tree_walk import TreeWalk

LeafVisitor = Callable[[int, Page], None]
"""Is called with the root of a tree and each of its leaves, in tree order."""

_SINGLE_EXTENT_PAGES_MAX = 33
"""A root and one page for each bit of the bitmap."""
_LISTED_MAX = 9


@dataclass(slots=True)
class Territory:
    """The pages of one tree: those of its own, those it may give away, those in use by it.

    `is_known` says that its root could be read, and so what it owns.
    """

    fdp: int
    objid: int | None = None
    parent_fdp: int = 0
    owned: frozenset[int] = frozenset()
    available: frozenset[int] = frozenset()
    used: list[int] = field(default_factory=list)
    is_known: bool = False


class TreesCheck:
    """The check of all trees of a file, one by one and then of their space together.

    Args:
        page_of: gives pages.
        last_pgno: last page of the file.
        findings: where violations are noted.
        has_single_extents: whether small trees may have a bitmap in place of space trees, and
            space trees that were made of one any pages; later engines do so, Exchange here not.
    """

    def __init__(
        self,
        page_of: PageOf,
        last_pgno: int,
        findings: Findings,
        *,
        has_single_extents: bool = False,
    ) -> None:
        self._has_single_extents = has_single_extents
        self._page_of = page_of
        self._last_pgno = last_pgno
        self._findings = findings
        self.territories: dict[int, Territory] = {}
        self.empty_leaves: list[int] = []
        self.leaked: set[int] = set()

    def walk(self, fdp: int, visit: LeafVisitor) -> None:
        """Check one tree and its two space trees; `visit` sees every leaf with records."""
        if fdp in self.territories:
            self._findings.must(False, Rule.CATALOG, fdp, "is the root of two trees")
            return
        walk = TreeWalk(self._page_of, fdp, self._findings)
        for leaf in walk.leaves():
            visit(fdp, leaf)
        self.empty_leaves += walk.empty_leaves
        objid = None if walk.root is None else walk.root.objid_fdp
        territory = Territory(fdp, objid, used=walk.used)
        self.territories[fdp] = territory
        if walk.root is not None:
            self._note_space(territory, walk.root)

    def objid_of(self, fdp: int) -> int | None:
        """Return the object id on the root of a tree that was walked; None if unreadable."""
        return self.territories[fdp].objid

    def _note_space(self, territory: Territory, root: Page) -> None:
        fdp = territory.fdp
        if len(root.external) != SPACE_HEADER_BYTES:
            self._findings.must(False, Rule.SPACE_HEADER, fdp, "a root has no space header")
            return
        header = SpaceHeader.unpack(root.external)
        is_unique = not header.flags & SPACE_NON_UNIQUE
        is_same = is_unique == (not root.flags & FLAG_NON_UNIQUE)
        text = "space header and page differ on whether keys repeat"
        self._findings.must(is_same, Rule.SPACE_HEADER, fdp, text)
        territory.parent_fdp = header.parent_fdp
        territory.is_known = True
        if self._has_single_extents and not header.flags & SPACE_MULTIPLE_EXTENT:
            self._note_single_extent(territory, header)
            return
        first = header.pgno_owned if self._has_single_extents else fdp + 1
        text = f"owned extents at page {header.pgno_owned}, not {first}"
        self._findings.must(header.pgno_owned == first, Rule.SPACE_HEADER, fdp, text)
        territory.owned, territory.available = (
            self._space_tree(territory, pgno, root) for pgno in (first, first + 1)
        )

    def _note_single_extent(self, territory: Territory, header: SpaceHeader) -> None:
        """Note the pages behind a root; bit n of the bitmap says that the nth is available.

        ese-format.md D names the bitmap; its order was seen in databases that Windows wrote.
        """
        fdp, pages = territory.fdp, header.primary_pages
        bitmap = header.pgno_owned
        text = f"an extent of {pages} pages from page {fdp} of {self._last_pgno}"
        is_inside = 0 < pages <= self._last_pgno - fdp + 1
        is_inside = is_inside and pages <= _SINGLE_EXTENT_PAGES_MAX and not bitmap >> pages - 1
        if self._findings.must(is_inside, Rule.SPACE_HEADER, fdp, text):
            territory.owned = frozenset(range(fdp, fdp + pages))
            free = (fdp + 1 + bit for bit in range(pages - 1) if bitmap >> bit & 1)
            territory.available = frozenset(free)

    def _space_tree(self, territory: Territory, pgno: int, root: Page) -> frozenset[int]:
        walk = TreeWalk(self._page_of, pgno, self._findings)
        pages = [page for leaf in walk.leaves() for page in self._extent_pages(leaf)]
        territory.used += walk.used
        must = self._findings.must
        if walk.root is not None:
            objid = walk.root.objid_fdp
            is_own = objid == root.objid_fdp
            must(is_own, Rule.OBJECT, pgno, f"a space tree of {root.objid_fdp} is of {objid}")
            must(walk.root.flags & FLAG_SPACE, Rule.FLAGS, pgno, "a space tree without its flag")
        listed = frozenset(pages)
        must(len(listed) == len(pages), Rule.SPACE, pgno, "a space tree lists a page twice")
        return listed

    def _extent_pages(self, leaf: Page) -> Iterable[int]:
        """Yield the pages of a space tree's leaf; deleted nodes list none (D)."""
        for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
            last, count = int.from_bytes(key, "big"), int.from_bytes(data, "little")
            text = f"an extent of {count} pages up to page {last} of {self._last_pgno}"
            is_inside = 0 < count <= last <= self._last_pgno
            is_whole = len(key) == len(data) == 4  # both are u32
            if not self._findings.must(is_inside and is_whole, Rule.SPACE, leaf.pgno, text):
                continue
            if not flags & NODE_DELETED:
                yield from range(last - count + 1, last + 1)

    def check_space(self) -> None:
        """Check that no page has two owners, and that each is used by its owner; notes leaks."""
        for fdp, territory in self.territories.items():
            if not territory.is_known:
                continue
            children = [t for t in self.territories.values() if t.parent_fdp == fdp]
            self._check_shares(territory, children)
            parent = territory.parent_fdp
            is_known = parent == 0 or parent in self.territories
            text = f"its space is said to be of tree {parent}, which is not one"
            self._findings.must(is_known, Rule.SPACE_HEADER, fdp, text)

    def _check_shares(self, territory: Territory, children: Sequence[Territory]) -> None:
        """Share out what a tree owns: by itself, available, or a child's; never twice."""
        fdp, must = territory.fdp, self._findings.must
        shares = [("in use", frozenset(territory.used)), ("available", territory.available)]
        shares += [(f"of tree {child.fdp}", child.owned) for child in children]
        once: set[int] = set()
        twice: set[int] = set()
        for what, pages in shares:
            text = f"tree {fdp} does not own pages {_some(pages - territory.owned)}, {what}"
            must(pages <= territory.owned, Rule.SPACE, fdp, text)
            twice |= once & pages
            once |= pages
        must(not twice, Rule.SPACE, fdp, f"tree {fdp} has given pages {_some(twice)} away twice")
        self.leaked |= territory.owned - once


def _some(pages: Iterable[int]) -> list[int]:
    return sorted(pages)[:_LISTED_MAX]
