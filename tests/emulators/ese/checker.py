"""The product's structural checker as tests use it: findings as sentences, pages from memory.

`check_trees` also writes each page of a running database to bytes and reads it back.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.page import Page
from emulators.ese.integrity import check
from emulators.ese.integrity.findings import Findings as ProductFindings
from emulators.ese.integrity.page_rules import page_problems
from emulators.ese.integrity.trees_check import TreesCheck

SAME = ("keys", "datas", "free_bytes", "flags", "prev", "next", "dbtime", "external")


@dataclass
class Findings:
    """What is wrong, which pages each tree uses, and which pages are lost to all."""

    problems: list[str] = field(default_factory=list)
    used: dict[int, list[int]] = field(default_factory=dict)
    nodes: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    leaked: set[int] = field(default_factory=set)
    empty_leaves: list[int] = field(default_factory=list)


def check_trees(page_of, fdps, last_pgno):
    """Check the trees with these roots, which are all trees of a file of `last_pgno` pages."""
    findings = ProductFindings()
    written = Written(page_of)
    trees = TreesCheck(written.page, last_pgno, findings)
    nodes = defaultdict(list)
    for fdp in fdps:
        nodes[fdp] = []
        trees.walk(fdp, lambda at, leaf: nodes[at].extend(zip(leaf.keys, leaf.datas, strict=True)))
    trees.check_space()
    return Findings(
        [*written.problems, *map(str, findings)],
        {fdp: territory.used for fdp, territory in trees.territories.items()},
        dict(nodes),
        trees.leaked,
        trees.empty_leaves,
    )


class Written:
    """Pages in memory that are written to bytes and read back whenever one is asked for."""

    def __init__(self, page_of):
        self.page_of = page_of
        self.problems = []

    def page(self, pgno):
        page = self.page_of(pgno)
        image = page.to_bytes(pgno)
        broken = [f"page {pgno}: {text}" for _, text in page_problems(image)]
        self.problems += broken or self.read_back(page, image)
        if any(page.node_flags):
            self.problems.append(f"page {pgno} has flagged nodes")
        return page

    def read_back(self, page, image):
        again = Page.from_bytes(image, page.pgno)
        return [
            f"page {page.pgno} has another {attribute} after it was written and read"
            for attribute in SAME
            if getattr(again, attribute) != getattr(page, attribute)
        ]


def check_tables(page_of, _tables, last_pgno, file_format=EXCHANGE_2007):
    """Check all trees of a database in memory, as its catalog describes them."""
    findings = ProductFindings()
    written = Written(page_of)
    report = check.check_pages(written.page, last_pgno, file_format, findings)
    problems = [*written.problems, *map(str, findings)]
    return Findings(problems, report.used, {}, report.leaked, report.empty_leaves)


def check_database(files, name="MDB1.edb", file_format=EXCHANGE_2007):
    """Check a clean database: its trees, catalog, pages in use, and long values."""
    report = check.check_database(files, name, file_format)
    return Findings(
        list(map(str, report.findings)),
        used=report.used,
        leaked=report.leaked,
        empty_leaves=report.empty_leaves,
    )


def check_recovered(files, names):
    """Assert that each database which a recovery has left clean is sound."""
    for name in names:
        if files.exists(name) and files.size(name) > 2 * EXCHANGE_2007.page_bytes:
            file_format = detect_database(files, name)
            if read_header(files, name, file_format).is_clean:
                problems = check_database(files, name, file_format).problems
                assert problems == [], f"{name} after its recovery: {problems}"
