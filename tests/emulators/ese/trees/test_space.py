"""Space: every page has one owner, whatever trees ask for."""

import pytest
from checker import check_trees
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, FORMATS
from emulators.ese.formats.space_header import encode_extent
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

    def __init__(self, tables=3, pages=200, file_format=EXCHANGE_2007):
        self.last_pgno = pages
        self.records = []
        self.cache = PageCache(self.never, file_format)
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


# Lists that are full: each stays on one page.


def broken_up(land, *, run, runs):
    """Make the root's available pages `runs` runs of so many, each with a used page behind it."""
    taken = [land.space.allocate(ROOT) for _ in range(runs * (run + 1))]
    land.taken += [(page, None) for page in taken[run :: run + 1]]
    for number, page in enumerate(taken):
        if number % (run + 1) < run:
            land.space.free(ROOT, page)


def listed(land, pgno):
    return {
        page
        for first, count in extents(land.cache.page(pgno))
        for page in range(first, first + count)
    }


@pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])
def test_a_tree_with_more_extents_than_its_list_takes_is_refused_and_nothing_is_lost(
    file_format, figure
):
    """Its parent has nothing but pieces of the smallest size, so that none of its extents grows."""
    land = Land(tables=1, pages=64, file_format=file_format)
    asker = land.trees[0]
    owned = land.cache.page(asker.fdp + 1)
    refusal = None
    while refusal is None:
        broken_up(land, run=EXTENT_PAGES_MIN, runs=60)
        while refusal is None and land.space._large_line(ROOT) is not None:
            try:
                land.taken.append((land.space.allocate(asker), 0))
            except EseError as error:
                refusal = error
    assert refusal.code == -1012
    assert f"tree {asker.fdp}" in refusal.where
    assert "eseutil /d" in refusal.hint
    assert not owned.room_for(*encode_extent(1, 1))
    before = land.last_pgno, len(land.records)
    for _ in range(3):
        with pytest.raises(EseError, match="-1012"):
            land.space.allocate(asker)
    assert (land.last_pgno, len(land.records)) == before, "a refusal took pages"
    land.check()
    land.space.free(asker, land.taken.pop()[0])
    land.taken.append((land.space.allocate(asker), 0))
    land.check()
    figure(f"{file_format.name}: {len(extents(owned))} extents listed")


@pytest.mark.parametrize("file_format", [EXCHANGE_2003, EXCHANGE_2007], ids=["2003", "2007"])
def test_freed_pages_that_are_not_listed_wait_until_there_is_room(file_format, figure):
    """Every other page is freed, so that no two of them join."""
    land = Land(tables=1, pages=64, file_format=file_format)
    available = land.cache.page(ROOT.fdp + 2)
    pages = [land.space.allocate(ROOT) for _ in range(1600)]
    kept, freed = pages[::2], pages[1::2]
    for page in freed:
        land.space.free(ROOT, page)
    waiting = set(freed) - listed(land, ROOT.fdp + 2)
    assert 0 < len(waiting) < len(freed)
    assert available.free_bytes > available.page_bytes // 8, "room is left for extents to join"
    land.taken = [(page, None) for page in (*kept, *waiting)]
    land.check()
    for page in kept:
        land.space.free(ROOT, page)
    assert listed(land, ROOT.fdp + 2) >= {*kept, *freed}
    land.taken = []
    land.check()
    figure(f"{len(waiting)} of {len(freed)} pages had to wait")


def test_pages_that_wait_are_given_out_again_as_room_comes():
    land = Land(tables=1, pages=64, file_format=EXCHANGE_2003)
    pages = [land.space.allocate(ROOT) for _ in range(1600)]
    kept, freed = pages[::2], pages[1::2]
    for page in freed:
        land.space.free(ROOT, page)
    waited = set(freed) - listed(land, ROOT.fdp + 2)
    before = land.last_pgno
    again = [land.space.allocate(ROOT) for _ in freed]
    assert len({*again, *kept}) == len(again) + len(kept), "a page was given out twice"
    assert land.last_pgno == before, "the file grew while freed pages were waiting"
    assert waited & set(again)
    waiting = waited - set(again) - listed(land, ROOT.fdp + 2)
    land.taken = [(page, None) for page in (*again, *kept, *waiting)]
    land.check()
