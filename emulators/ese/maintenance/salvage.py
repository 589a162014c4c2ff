"""The nodes of one tree of a damaged file: from leaves within reach of its root, and from others.

A leaf out of reach may be one that the tree gave up long ago, and its records deleted since. It is
therefore not taken

* when it is marked empty, or a space tree that is newer lists it as available;
* when a leaf that it names as its neighbour is newer, and does not name it;
* when no neighbour names it and a leaf within reach, which has the range of its keys, is newer;
* when no neighbour names it and it holds long values, as their identities are given again.

Where a node is found twice, the one within reach counts, and else that of the newer page.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from emulators.ese.formats.page import FLAG_LONG_VALUE, FLAG_ROOT, NODE_DELETED, Page
from emulators.ese.integrity.findings import Findings
from emulators.ese.integrity.page_reader import PageReader
from emulators.ese.integrity.tree_walk import TreeWalk
from emulators.ese.maintenance.page_scan import PageScan, SeenPage

Node = tuple[bytes, bytes]
_REACHED = 1 << 63
"""Ranks above the dbtime of any page."""


@dataclass(frozen=True, slots=True, order=True)
class _Leaf:
    """The range of keys of a leaf, and what its nodes weigh against those of another."""

    first: bytes
    last: bytes
    rank: int
    pgno: int


class _Range(NamedTuple):
    """The keys that a leaf within reach is there for, and how new it is; no `high` at the end."""

    low: bytes
    high: bytes | None
    dbtime: int

    def overlaps(self, leaf: _Leaf) -> bool:
        """Return whether a leaf has keys in the range."""
        return self.low <= leaf.last and (self.high is None or leaf.first < self.high)


@dataclass(slots=True)
class SalvagedTree:
    """What is left of a tree: its leaves in order, and the pages that it is known to have lost.

    `ranges` are the keys within reach, in order. `is_whole` says that nothing is missing, and
    `refused` counts the leaves out of reach that were not taken.
    """

    leaves: list[_Leaf] = field(default_factory=list)
    ranges: list[_Range] = field(default_factory=list)
    lost_pages: list[int] = field(default_factory=list)
    refused: int = 0
    is_whole: bool = True


class Salvage:
    """Finds the leaves and nodes of trees.

    Args:
        reader: gives pages.
        scan: what all pages say of themselves.
        is_up_to_date: whether the file was shut down cleanly; else leaves may be out of reach in a
            tree that looks whole.
    """

    def __init__(self, reader: PageReader, scan: PageScan, *, is_up_to_date: bool) -> None:
        self._reader = reader
        self._scan = scan
        self._is_up_to_date = is_up_to_date

    def tree(self, fdp: int, objid: int) -> SalvagedTree:
        """Return what is left of the tree of that object."""
        salvaged = SalvagedTree()
        used = self._walk(salvaged, fdp, objid)
        if salvaged.is_whole and self._is_up_to_date:
            return salvaged
        for pgno in self._scan.leaves.get(objid, ()):
            if pgno in used:
                continue
            page = self._page(pgno)
            if not page.keys:
                continue
            leaf = _leaf(page, page.dbtime)
            if self._is_wanted(leaf, salvaged.ranges):
                salvaged.leaves.append(leaf)
            else:
                salvaged.refused += 1
        return salvaged

    def nodes(self, tree: SalvagedTree) -> Iterator[Node]:
        """Yield the nodes of a tree in order of their keys, each once, without deleted ones."""
        for group in _overlapping(tree.leaves):
            if len(group) == 1:
                page = self._page(group[0].pgno)
                found = zip(page.keys, page.datas, page.node_flags, strict=True)
                yield from ((key, data) for key, data, flags in found if not flags & NODE_DELETED)
            else:
                yield from self._merged(group)

    def _walk(self, salvaged: SalvagedTree, fdp: int, objid: int) -> set[int]:
        """Take the leaves that the root reaches; return all pages within reach."""
        root = self._scan.pages.get(fdp)
        if root is None or root.objid != objid:
            salvaged.is_whole = False
            salvaged.lost_pages.append(fdp)
            return set()
        findings = Findings()
        walk = TreeWalk(self._reader.page, fdp, findings)
        for leaf in walk.leaves():
            salvaged.ranges.append(_Range(*walk.bounds, leaf.dbtime))
            if leaf.keys:
                salvaged.leaves.append(_leaf(leaf, _REACHED))
        salvaged.is_whole = not findings and not walk.unusable
        salvaged.lost_pages += walk.unusable
        return set(walk.used) - set(walk.unusable)

    def _is_wanted(self, leaf: _Leaf, ranges: list[_Range]) -> bool:
        """Return whether a leaf out of reach is one that the tree has not given up."""
        page = self._scan.pages[leaf.pgno]
        if self._scan.freed.get(leaf.pgno, -1) >= page.dbtime:
            return False
        says = [self._word_of(other, leaf.pgno, page) for other in (page.prev, page.next)]
        if False in says or True in says:
            return False not in says
        if page.flags & FLAG_LONG_VALUE and not page.flags & FLAG_ROOT:
            return False
        place = max(bisect_right(ranges, leaf.first, key=lambda each: each.low) - 1, 0)
        rivals = takewhile(lambda each: each.low <= leaf.last, ranges[place:])
        return not any(each.overlaps(leaf) and each.dbtime > page.dbtime for each in rivals)

    def _word_of(self, neighbour: int, pgno: int, page: SeenPage) -> bool | None:
        """Return whether a neighbour names the page, None where it has nothing to say."""
        other = self._scan.pages.get(neighbour)
        if other is None:
            return None
        is_own = other.is_leaf_in_use and other.objid == page.objid
        if is_own and pgno in (other.prev, other.next):
            return True
        return False if other.dbtime > page.dbtime else None

    def _merged(self, group: list[_Leaf]) -> Iterator[Node]:
        """Yield the nodes of leaves whose ranges overlap; the leaf that ranks higher decides."""
        chosen: dict[bytes, tuple[bytes, int]] = {}
        for leaf in sorted(group, key=lambda leaf: (leaf.rank, leaf.pgno)):
            page = self._page(leaf.pgno)
            found = zip(page.keys, page.datas, page.node_flags, strict=True)
            chosen.update((key, (data, flags)) for key, data, flags in found)
        for key in sorted(chosen):
            data, flags = chosen[key]
            if not flags & NODE_DELETED:
                yield key, data

    def _page(self, pgno: int) -> Page:
        page = self._reader.page(pgno)
        assert page is not None, f"page {pgno} was read a moment ago"
        return page


def _leaf(page: Page, rank: int) -> _Leaf:
    return _Leaf(min(page.keys), max(page.keys), rank, page.pgno)


def _overlapping(leaves: list[_Leaf]) -> Iterator[list[_Leaf]]:
    """Yield leaves, which are in order, in groups whose ranges of keys overlap."""
    group: list[_Leaf] = []
    end = b""
    for leaf in sorted(leaves):
        if group and leaf.first > end:
            yield group
            group = []
        group.append(leaf)
        end = max(end, leaf.last) if len(group) > 1 else leaf.last
    if group:
        yield group
