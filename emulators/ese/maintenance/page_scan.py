"""Every page of a damaged file, looked at once: what is there, of which tree, and how new.

Fault model: anything may be on the disk. A page is believed when its checksum is right for its
number and its nodes keep the rules of the annex. Not seen: a page whose newest write was lost, as
its older version is a sound page.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from emulators.ese.formats.page import (
    FLAG_EMPTY,
    FLAG_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    NODE_DELETED,
    Page,
)
from emulators.ese.integrity.findings import Findings
from emulators.ese.integrity.page_reader import PageReader
from emulators.ese.integrity.tree_walk import TreeWalk


class SeenPage(NamedTuple):
    """What a sound page says of itself."""

    objid: int
    flags: int
    dbtime: int
    prev: int
    next: int

    @property
    def is_leaf_in_use(self) -> bool:
        """Whether its nodes may be records of its tree."""
        others = FLAG_EMPTY | FLAG_SPACE
        return bool(self.flags & FLAG_LEAF) and not self.flags & others


@dataclass(slots=True)
class PageScan:
    """The pages of a file by number, the leaves of each object, and the pages that are lost.

    `freed` tells for pages that a space tree lists as available how new that statement is.
    """

    pages: dict[int, SeenPage] = field(default_factory=dict)
    leaves: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    damaged: list[int] = field(default_factory=list)
    freed: dict[int, int] = field(default_factory=dict)
    dbtime_max: int = 0


def scan_pages(reader: PageReader) -> PageScan:
    """Look at every page of a file; pages that were never written are not damage."""
    scan = PageScan()
    for pgno in range(1, reader.last_pgno + 1):
        if not any(reader.image(pgno)):
            continue
        page = reader.page(pgno)
        if page is None:
            scan.damaged.append(pgno)
            continue
        seen = SeenPage(page.objid_fdp, page.flags, page.dbtime, page.prev, page.next)
        scan.pages[pgno] = seen
        scan.dbtime_max = max(scan.dbtime_max, page.dbtime)
        if seen.is_leaf_in_use:
            scan.leaves[page.objid_fdp].append(pgno)
    for pgno in [pgno for pgno in scan.pages if _lists_available(scan, pgno)]:
        for leaf in TreeWalk(reader.page, pgno, Findings()).leaves():
            _note_freed(scan, leaf, reader.last_pgno)
    return scan


def _lists_available(scan: PageScan, pgno: int) -> bool:
    """Return whether a page is the root of available extents, as those around it show (D)."""
    page = scan.pages[pgno]
    if not page.flags & FLAG_SPACE or not page.flags & FLAG_ROOT:
        return False
    owned, root = scan.pages.get(pgno - 1), scan.pages.get(pgno - 2)
    if owned is not None and owned.flags & FLAG_SPACE and owned.flags & FLAG_ROOT:
        return owned.objid == page.objid
    is_root = root is not None and root.flags & FLAG_ROOT and not root.flags & FLAG_SPACE
    return bool(is_root) and root is not None and root.objid == page.objid


def _note_freed(scan: PageScan, leaf: Page, last_pgno: int) -> None:
    for key, data, flags in zip(leaf.keys, leaf.datas, leaf.node_flags, strict=True):
        last, count = int.from_bytes(key, "big"), int.from_bytes(data, "little")
        if 0 < count <= last <= last_pgno and not flags & NODE_DELETED:
            for pgno in range(last - count + 1, last + 1):
                scan.freed[pgno] = max(scan.freed.get(pgno, 0), leaf.dbtime)
