"""Checks the structure of a database by the rules of ese-format.md D and E, page by page.

It shares with the product only the reading of single pages and records. What it finds is a list of
sentences; a sound database gives none. Pages that no tree holds and none has available are not
damage (a crash between taking a page and using it leaves some): they are listed apart.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from emulators.ese.formats import long_value
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.page import (
    FLAG_EMPTY,
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_NON_UNIQUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    Page,
)
from emulators.ese.formats.record import Separated
from emulators.ese.formats.space_header import SpaceHeader
from emulators.ese.recovery.opened import open_database
from emulators.ese.trees.database import (
    CATALOG,
    CATALOG_NAME_INDEX,
    CATALOG_ROOT_OBJECTS,
    CATALOG_SHADOW,
    ROOT,
)

KIND_FLAGS = FLAG_INDEX | FLAG_LONG_VALUE | FLAG_NON_UNIQUE
SYSTEM_TREES = (ROOT, CATALOG, CATALOG_NAME_INDEX, CATALOG_ROOT_OBJECTS, CATALOG_SHADOW)


@dataclass
class Findings:
    """What is wrong, which pages each tree uses, and which pages are lost to all."""

    problems: list[str] = field(default_factory=list)
    used: dict[int, list[int]] = field(default_factory=dict)
    nodes: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    leaked: set[int] = field(default_factory=set)
    empty_leaves: list[int] = field(default_factory=list)

    def must(self, holds, text):
        if not holds:
            self.problems.append(text)


class TreeWalk:
    """One walk through one tree, from its root to all leaves in tree order."""

    def __init__(self, page_of, fdp, findings):
        self.page_of = page_of
        self.findings = findings
        self.root = page_of(fdp)
        self.leaves = []
        self.used = []
        self.visit(fdp, b"", None)
        self.check_chain()

    def visit(self, pgno, low, high):
        """Check a page whose keys must lie from `low` to below `high`; return its height."""
        if pgno in self.used:
            self.findings.problems.append(f"page {pgno} is reached twice")
            return 0
        page = self.page_of(pgno)
        self.used.append(pgno)
        self.check_page(page, low, high)
        if page.flags & FLAG_LEAF:
            self.leaves.append(page)
            return 0
        return self.visit_children(page, low, high)

    def check_page(self, page, low, high):
        must = self.findings.must
        name = f"page {page.pgno}"
        again = Page.from_bytes(page.to_bytes(page.pgno), page.pgno)
        same = ("keys", "datas", "free_bytes", "flags", "prev", "next", "dbtime", "external")
        for attribute in same:
            equal = getattr(again, attribute) == getattr(page, attribute)
            must(equal, f"{name} has another {attribute} after it was written and read")
        must(not page.flags & FLAG_EMPTY, f"{name} is in its tree though it was taken out")
        must(page.objid_fdp == self.root.objid_fdp, f"{name} is of object {page.objid_fdp}")
        must(bool(page.flags & FLAG_ROOT) == (page is self.root), f"{name}: wrong root flag")
        must(
            page.flags & KIND_FLAGS == self.root.flags & KIND_FLAGS,
            f"{name} is of another kind than its root",
        )
        must(not page.flags & FLAG_SPACE, f"{name} has the flag of a space tree")
        must(not any(page.node_flags), f"{name} has flagged nodes")
        is_pair = page.flags & FLAG_NON_UNIQUE
        bookmarks = list(map(bytes.__add__, page.keys, page.datas)) if is_pair else page.keys
        bounded = bookmarks if page.flags & FLAG_LEAF else page.keys[:-1]
        must(all(a < b for a, b in pairwise(bounded)), f"{name}: keys out of order")
        must(all(low <= key for key in bounded), f"{name} has a key below its lower bound")
        if high is not None:
            must(all(key < high for key in bounded), f"{name} has a key above its bound")

    def visit_children(self, page, low, high):
        must = self.findings.must
        name = f"branch page {page.pgno}"
        must(page.prev == page.next == 0, f"{name} has siblings")
        must(len(page.keys) > 0, f"{name} is empty")
        heights = set()
        for index, key in enumerate(page.keys):
            is_last = index == len(page.keys) - 1
            if is_last:
                must(key == (high or b""), f"{name}: its last key is not its own bound")
            bound = high if is_last else key
            heights.add(self.visit(page.child(index), low, bound))
            low = key
        must(len(heights) == 1, f"{name}: children of different heights")
        is_parent_of_leaf = bool(page.flags & FLAG_PARENT_OF_LEAF)
        must(is_parent_of_leaf == (heights == {0}), f"{name}: wrong parent-of-leaf flag")
        return max(heights, default=0) + 1

    def check_chain(self):
        must = self.findings.must
        must(self.leaves[0].prev == 0, "the first leaf has a page before it")
        must(self.leaves[-1].next == 0, "the last leaf has a page after it")
        for left, right in pairwise(self.leaves):
            must(left.next == right.pgno, f"leaf {left.pgno} does not lead to {right.pgno}")
            must(right.prev == left.pgno, f"leaf {right.pgno} does not lead back to {left.pgno}")


def spans(page):
    """Return the pages that a space tree's page lists."""
    pages = []
    for key, data in zip(page.keys, page.datas, strict=True):
        last, count = int.from_bytes(key, "big"), int.from_bytes(data, "little")
        pages += range(last - count + 1, last + 1)
    return pages


def check_trees(page_of, fdps, last_pgno):
    """Check the trees with these roots, which are all trees of a file of `last_pgno` pages."""
    findings = Findings()
    owned, available, parents = {}, {}, {}
    for fdp in fdps:
        walk = TreeWalk(page_of, fdp, findings)
        findings.used[fdp] = [*walk.used, fdp + 1, fdp + 2]
        findings.nodes[fdp] = [
            node for leaf in walk.leaves for node in zip(leaf.keys, leaf.datas, strict=True)
        ]
        findings.empty_leaves += [leaf.pgno for leaf in walk.leaves if not leaf.keys]
        header = SpaceHeader.unpack(walk.root.external)
        parents[fdp] = header.parent_fdp
        findings.must(header.pgno_owned == fdp + 1, f"tree {fdp}: its OE is {header.pgno_owned}")
        owned[fdp] = space_pages(page_of(fdp + 1), walk.root, findings)
        available[fdp] = space_pages(page_of(fdp + 2), walk.root, findings)
    for fdp in fdps:
        children = [child for child in fdps if parents[child] == fdp]
        check_space(fdp, children, owned, available, findings, last_pgno)
    return findings


def space_pages(page, root, findings):
    must = findings.must
    flags = FLAG_ROOT | FLAG_LEAF | FLAG_SPACE
    must(page.flags & flags == flags, f"space tree {page.pgno}: wrong flags")
    must(page.objid_fdp == root.objid_fdp, f"space tree {page.pgno}: wrong object")
    pages = spans(page)
    must(len(frozenset(pages)) == len(pages), f"space tree {page.pgno} lists a page twice")
    return frozenset(pages)


def check_space(fdp, children, owned, available, findings, last_pgno):
    """Every page that a tree owns is used by it, available, a child's, or leaked; never two."""
    must = findings.must
    used = findings.used[fdp]
    must(len(frozenset(used)) == len(used), f"tree {fdp} uses a page twice")
    shares = [("in use", frozenset(used)), ("available", available[fdp])]
    shares += [(f"of tree {child}", owned[child]) for child in children]
    taken = Counter()
    for what, pages in shares:
        strange = sorted(pages - owned[fdp])
        must(not strange, f"tree {fdp} does not own pages {strange[:9]}, which are {what}")
        taken.update(pages)
    twice = sorted(page for page, times in taken.items() if times > 1)
    must(not twice, f"tree {fdp} has given pages {twice[:9]} away twice")
    must(max(owned[fdp]) <= last_pgno, f"tree {fdp} owns page {max(owned[fdp])} of {last_pgno}")
    findings.leaked |= owned[fdp] - taken.keys()


def check_database(files, name="MDB1.edb", file_format=EXCHANGE_2007):
    """Check a clean database: its trees, catalog, pages in use, and long values."""
    database = open_database(files, name, file_format)
    page_bytes = file_format.page_bytes
    last_pgno = files.size(name) // page_bytes - 2
    image = files.read(name, 0, files.size(name))
    pages = {}
    for pgno in range(1, last_pgno + 1):
        block = image[(pgno + 1) * page_bytes : (pgno + 2) * page_bytes]
        if block.strip(b"\0"):
            pages[pgno] = Page.from_bytes(block, pgno, name)
    findings = check_tables(pages.__getitem__, database.tables(), last_pgno)
    in_use = [pgno for used in findings.used.values() for pgno in used]
    emptied = {pgno for pgno, page in pages.items() if page.flags & FLAG_EMPTY}
    strange = sorted(pages.keys() - emptied - frozenset(in_use))
    findings.must(not strange, f"pages {strange[:9]} hold data but are of no tree")
    return findings


def check_tables(page_of, tables, last_pgno):
    """Check all trees of a database, and what its tables' trees say of one another."""
    fdps = [tree.fdp for tree in SYSTEM_TREES]
    fdps += [table.tree.tree.fdp for table in tables]
    fdps += [table.long_values.tree.tree.fdp for table in tables if table.long_values]
    fdps += [index.tree.tree.fdp for table in tables for index in table.indexes.values()]
    findings = check_trees(page_of, fdps, last_pgno)
    catalogs = [findings.nodes[fdp] for fdp in (CATALOG.fdp, CATALOG_SHADOW.fdp)]
    findings.must(catalogs[0] == catalogs[1], "the catalog's shadow is another")
    for table in tables:
        if table.long_values:
            check_long_values(table, findings)
        for index in table.indexes.values():
            check_index(table, index, findings)
    return findings


def check_index(table, index, findings):
    """Every row has its entry, in order, and there are no others."""
    name = f"index {index.definition.name} of {table.definition.name}"
    primary = RowKey(table.definition)
    entries = [(index.key_of(row), primary.of(row)) for row in table.records()]
    wanted = sorted(entry for entry in entries if entry[0] is not None)
    found = findings.nodes[index.tree.tree.fdp]
    findings.must(found == wanted, f"{name}: {len(found)} entries for {len(wanted)} rows")


def check_long_values(table, findings):
    """Sizes, gapless chunks, and reference counts that equal the references in records."""
    must = findings.must
    references = Counter(
        value.lid for row in table.records() for value in row if isinstance(value, Separated)
    )
    sizes, ends = {}, Counter()
    for key, data in findings.nodes[table.long_values.tree.tree.fdp]:
        lid = long_value.lid_of(key)
        if long_value.is_root_key(key):
            root = long_value.decode_root(data)
            sizes[lid] = root.size
            count = root.reference_count
            must(count == references[lid], f"long value {lid}: {count} references stated")
        else:
            offset = int.from_bytes(key[4:], "big")
            must(lid in sizes, f"long value {lid} has a chunk and no root")
            must(offset == ends[lid], f"long value {lid}: chunk at {offset}, not {ends[lid]}")
            ends[lid] += len(data)
    for lid, size in sizes.items():
        must(ends[lid] == size, f"long value {lid}: {ends[lid]} of {size} bytes")
    missing = sorted(references.keys() - sizes.keys())
    must(not missing, f"long values {missing[:9]} are referred to and missing")
