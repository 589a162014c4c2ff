"""Space: every page has one owner, whatever trees ask for."""

from checker import check_trees
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats import log_records
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import SYSTEM
from emulators.ese.trees.database import ROOT
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import EXTENT_PAGES_MIN, FILE_EXTENT_PAGES_MIN, Space, extents
from emulators.ese.trees.tree import Tree


class Land:
    """A database's root tree, tables in it, and a long-value tree in each table."""

    def __init__(self, tables=3, pages=200):
        self.last_pgno = pages
        self.records = []
        self.cache = PageCache(self.never)
        self.editor = Editor(self.cache, self.log, dbtime=1)
        self.space = Space(self.cache, self.editor, self.grow)
        self.space.make_tree(ROOT, first=1, pages=pages)
        self.trees = []
        for _ in range(tables):
            table = self.make(ROOT, 10)
            self.trees += [table, self.make(table, 4)]
        self.taken = []

    def make(self, parent, pages):
        first = self.space.take_exactly(parent, pages)
        tree = Tree(first, 6 + len(self.trees), 0, parent)
        self.space.make_tree(tree, first=first, pages=pages)
        return tree

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def log(self, record):
        self.records.append(log_records.decode(record)[0])
        return Lgpos(1, 8, len(self.records))

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def check(self):
        fdps = [ROOT.fdp, *(tree.fdp for tree in self.trees)]
        findings = check_trees(self.cache.page, fdps, self.last_pgno)
        assert findings.problems == []
        assert findings.leaked == {page for page, _ in self.taken}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 5), max_size=400))
def test_no_page_is_given_out_twice_and_each_belongs_to_who_asked(asked):
    land = Land()
    for number in asked:
        land.taken.append((land.space.allocate(land.trees[number]), number))
    pages = [page for page, _ in land.taken]
    assert len(frozenset(pages)) == len(pages)
    assert all(1 <= page <= land.last_pgno for page in pages)
    land.check()
    for page, number in land.taken:
        owned = extents(land.cache.page(land.trees[number].fdp + 1))
        assert any(first <= page < first + count for first, count in owned)


def test_a_tree_asks_for_ever_larger_extents_so_that_a_large_one_stays_on_one_page():
    land = Land(tables=1)
    for _ in range(40_000):
        land.space.allocate(land.trees[0])
    owned = extents(land.cache.page(land.trees[0].fdp + 1))
    counts = [count for _, count in owned]
    assert counts[1] <= EXTENT_PAGES_MIN
    assert max(counts) > 1000
    assert len(counts) < 150
    fdps = [ROOT.fdp, *(tree.fdp for tree in land.trees)]
    assert check_trees(land.cache.page, fdps, land.last_pgno).problems == []


def test_the_file_grows_when_the_root_has_nothing_left_and_the_log_says_so():
    land = Land(tables=1, pages=64)
    before = land.last_pgno
    while land.last_pgno == before:
        land.space.allocate(land.trees[0])
    assert land.last_pgno == before + FILE_EXTENT_PAGES_MIN
    grown = [item for item in land.records if isinstance(item, log_records.ExtendDb)]
    assert [item.pgno_last for item in grown] == [land.last_pgno]


def test_pages_that_trees_split_into_come_from_their_own_space():
    land = Land()
    trees = [BTree(tree, land.cache, land.editor, land.space) for tree in land.trees]
    for number in range(300):
        for tree in trees:
            tree.insert(SYSTEM, b"%06d" % number, b"x" * 700)
    land.check()
