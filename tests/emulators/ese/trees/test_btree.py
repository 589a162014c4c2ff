"""B+ trees over cached pages against a sorted dict, with their structure checked page by page."""

import random
from bisect import bisect_left

import pytest
from checker import check_trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.page import FLAG_LEAF, FLAG_LONG_VALUE
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import SYSTEM, Context
from emulators.ese.trees.database import ROOT
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space, extents
from emulators.ese.trees.structure import MERGE_EMPTY_PAGE, MERGE_FULL_RIGHT
from emulators.ese.trees.tree import Tree

NODE_BYTES_MAX = 8148 - 6  # an empty page less a node's overhead (ese-format.md D)
KEYS = st.binary(min_size=1, max_size=12)
SIZES = st.one_of(st.integers(1, 60), st.integers(61, 3000), st.integers(3001, 7900), st.just(-1))
STEPS = st.lists(
    st.tuples(st.sampled_from(("insert", "replace", "delete")), KEYS, SIZES),
    min_size=20,
    max_size=150,
)
PROFILE = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


class Garden:
    """A database's root tree and one tree in it, beside the sorted dict it must be equal to."""

    def __init__(self, pages=16, leaf_flags=0):
        self.records = []
        self.cache = PageCache(self.never)
        self.editor = Editor(self.cache, self.log, dbtime=1)
        self.last_pgno = 64
        self.space = Space(self.cache, self.editor, self.grow)
        self.space.make_tree(ROOT, first=1, pages=self.last_pgno)
        first = self.space.take_exactly(ROOT, pages)
        identity = Tree(first, 6, leaf_flags, ROOT)
        self.space.make_tree(identity, first=first, pages=pages)
        self.tree = BTree(identity, self.cache, self.editor, self.space)
        self.model = {}

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def log(self, record):
        self.records.append(record)
        return Lgpos(1, 8, len(self.records))

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def insert(self, key, data):
        self.tree.insert(SYSTEM, key, data)
        self.model[key] = data

    def replace(self, key, data):
        self.tree.replace(SYSTEM, key, data)
        self.model[key] = data

    def delete(self, key):
        self.tree.delete(SYSTEM, key)
        del self.model[key]

    def step(self, kind, key, size):
        """Do a step to the tree, on the key's neighbour where the key itself will not do."""
        data = bytes([size % 251]) * (NODE_BYTES_MAX - len(key) if size < 0 else size)
        if kind == "insert":
            if key not in self.model:
                self.insert(key, data)
        elif self.model:
            ordered = sorted(self.model)
            key = ordered[bisect_left(ordered, key) % len(ordered)]
            if kind == "replace":
                self.replace(key, data[: NODE_BYTES_MAX - len(key)])
            else:
                self.delete(key)

    def check(self):
        fdp = self.tree.tree.fdp
        findings = check_trees(self.cache.page, [ROOT.fdp, fdp], self.last_pgno)
        assert findings.problems == []
        assert not findings.leaked
        assert findings.nodes[fdp] == sorted(self.model.items())
        return findings

    def check_reading(self):
        ordered = sorted(self.model)
        assert [key for key, _ in self.tree.scan()] == ordered
        assert self.tree.last_key() == (ordered[-1] if ordered else None)
        for key in ordered:
            assert self.tree.get(key) == self.model[key]
            assert self.tree.get(key + b"\0") == self.model.get(key + b"\0")


@PROFILE
@given(STEPS)
def test_any_history_leaves_what_a_sorted_dict_holds_in_a_sound_tree(steps):
    garden = Garden()
    for kind, key, size in steps:
        garden.step(kind, key, size)
    garden.check()
    garden.check_reading()


@PROFILE
@given(STEPS, KEYS)
def test_a_scan_begins_at_the_first_key_not_below_its_start(steps, start):
    garden = Garden()
    for kind, key, size in steps:
        garden.step(kind, key, size)
    expected = [item for item in sorted(garden.model.items()) if item[0] >= start]
    assert list(garden.tree.scan(start)) == expected


@settings(PROFILE, max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(30, 900), st.sampled_from((0, 1, 2)))
def test_hundreds_of_nodes_in_any_order_make_a_tree_of_several_levels(order, size, shape):
    garden = Garden()
    keys = [number.to_bytes(4, "big") * 30 for number in range(600)]
    if shape == 1:
        keys.reverse()
    elif shape == 2:
        order.shuffle(keys)
    for number, key in enumerate(keys):
        garden.insert(key, b"x" * (1 + (number * size) % 900))
    findings = garden.check()
    assert len(findings.used[garden.tree.tree.fdp]) > 12
    order.shuffle(keys)
    for key in keys[::2]:
        garden.delete(key)
    for key in keys[1::4]:
        garden.replace(key, b"y" * 1700)
    garden.check()
    garden.check_reading()


def test_a_tree_of_three_levels_splits_its_branches():
    garden = Garden()
    order = random.Random(5)
    keys = [order.randbytes(200) for _ in range(3000)]
    for key in keys:
        garden.insert(key, b"d" * 100)
    findings = garden.check()
    heights = 0
    page = garden.cache.page(garden.tree.tree.fdp)
    while not page.flags & FLAG_LEAF:
        page = garden.cache.page(page.child(0))
        heights += 1
    assert heights >= 2
    assert len(findings.nodes[garden.tree.tree.fdp]) == 3000
    garden.check_reading()


def test_nodes_in_ascending_order_fill_their_pages_and_move_nothing():
    garden = Garden(leaf_flags=FLAG_LONG_VALUE)
    for number in range(400):
        garden.insert(number.to_bytes(8, "big"), b"c" * 2000)
    findings = garden.check()
    leaves = len(findings.used[garden.tree.tree.fdp]) - 3
    assert leaves <= 400 // 4 + 2


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1), (1, 0, 2), (1, 2, 0)]
)
@pytest.mark.parametrize("sizes", [(8138, 8138, 8138), (5000, 4000, 5000), (1, 8138, 8138)])
def test_nodes_as_big_as_a_page_go_in_in_any_order(order, sizes):
    garden = Garden()
    for number in order:
        garden.insert(b"key%d" % number, b"b" * sizes[number])
    garden.check()
    garden.check_reading()


def test_replaced_nodes_may_grow_to_a_page_each():
    garden = Garden()
    for number in range(60):
        garden.insert(b"%04d" % number, b"s" * 100)
    for number in range(0, 60, 7):
        garden.replace(b"%04d" % number, b"b" * (NODE_BYTES_MAX - 4))
        garden.check()
    for number in range(60):
        garden.replace(b"%04d" % number, b"t")
    garden.check()
    garden.check_reading()


def test_a_tree_emptied_to_the_last_node_reads_as_empty_and_fills_again():
    garden = Garden()
    keys = [b"%05d" % number for number in range(300)]
    for key in keys:
        garden.insert(key, b"x" * 300)
    for key in keys:
        garden.delete(key)
    findings = garden.check()
    assert findings.empty_leaves
    assert garden.tree.last_key() is None
    assert list(garden.tree.scan()) == []
    for key in reversed(keys):
        garden.insert(key, b"z" * 200)
    garden.check()
    garden.check_reading()


def test_last_key_looks_past_empty_pages_on_the_right():
    garden = Garden()
    keys = [b"%05d" % number for number in range(200)]
    for key in keys:
        garden.insert(key, b"x" * 500)
    for key in keys[50:]:
        garden.delete(key)
    assert garden.tree.last_key() == keys[49]


def test_a_key_that_is_there_is_not_inserted_again_and_one_that_is_not_is_not_changed():
    garden = Garden()
    garden.insert(b"a", b"1")
    with pytest.raises(EseError, match="-1605"):
        garden.tree.insert(SYSTEM, b"a", b"2")
    for wrong in (
        lambda: garden.tree.replace(SYSTEM, b"b", b"2"),
        lambda: garden.tree.delete(SYSTEM, b"b"),
    ):
        with pytest.raises(AssertionError):
            wrong()
    garden.check()


def test_a_key_deleted_by_an_open_transaction_is_inserted_again_on_a_page_that_is_full():
    garden = Garden()
    for number in range(4):
        garden.insert(b"%d" % number, b"x" * (NODE_BYTES_MAX - 1))
    context = Context(1, 7, versioned=True, changes=[])
    for data in (b"y" * (NODE_BYTES_MAX - 1), b"z", b"y" * (NODE_BYTES_MAX - 1)):
        garden.tree.delete(context, b"2")
        garden.tree.insert(context, b"2", data)
        garden.model[b"2"] = data
        garden.check()
    garden.check_reading()


def test_pages_taken_out_are_available_and_joined():
    garden = Garden()
    for number in range(200):
        garden.insert(b"%05d" % number, b"x" * 2000)
    owned = sum(count for _, count in extents(garden.cache.page(garden.tree.tree.fdp + 1)))
    for number in range(200):
        garden.delete(b"%05d" % number)
    garden.check()
    available = extents(garden.cache.page(garden.tree.tree.fdp + 2))
    used = garden.check().used[garden.tree.tree.fdp]
    assert sum(count for _, count in available) == owned - len(used)
    assert len(used) < 10
    assert len(available) < 12


def test_a_sparse_page_is_merged_with_its_neighbour():
    garden = Garden()
    for number in range(400):
        garden.insert(b"%05d" % number, b"x" * 300)
    before = len(garden.check().used[garden.tree.tree.fdp])
    for number in range(400):
        if number % 7:
            garden.delete(b"%05d" % number)
    after = len(garden.check().used[garden.tree.tree.fdp])
    assert after * 2 < before
    merges = [log_records.decode(record)[0] for record in garden.records]
    kinds = {merge.merge_type for merge in merges if isinstance(merge, log_records.Merge)}
    assert MERGE_FULL_RIGHT in kinds <= {MERGE_EMPTY_PAGE, MERGE_FULL_RIGHT}
    garden.check_reading()


def test_a_tree_opened_for_reading_refuses_changes():
    garden = Garden()
    reader = BTree(garden.tree.tree, garden.cache)
    assert reader.get(b"a") is None
    with pytest.raises(AssertionError, match="reading only"):
        reader.insert(SYSTEM, b"a", b"1")


def damage_key(_garden, leaves):
    leaves[2].keys[0] = b"\xff" * 4


def damage_next(_garden, leaves):
    leaves[1].next = leaves[3].pgno


def damage_previous(_garden, leaves):
    leaves[2].prev = leaves[0].pgno


def damage_object(_garden, leaves):
    leaves[0].objid_fdp = 77


def damage_bound(garden, _leaves):
    root = garden.cache.page(garden.tree.tree.fdp)
    root.keys[1] = b"0000"


def damage_owner(garden, leaves):
    available = garden.cache.page(garden.tree.tree.fdp + 2)
    available.insert(0, leaves[0].pgno.to_bytes(4, "big"), (1).to_bytes(4, "little"))


def damage_flags(_garden, leaves):
    leaves[1].flags |= FLAG_LONG_VALUE


DAMAGES = {
    damage_key: "keys out of order",
    damage_next: "does not lead to",
    damage_previous: "does not lead back",
    damage_object: "is of object 77",
    damage_bound: "above its bound",
    damage_owner: "given pages",
    damage_flags: "of another kind",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_checker_notices_every_kind_of_damage(damage):
    garden = Garden()
    for number in range(60):
        garden.insert(b"%04d" % number, b"x" * 900)
    pages = garden.cache.resident()
    used = garden.check().used[garden.tree.tree.fdp][:-2]
    leaves = [pages[pgno] for pgno in used if pages[pgno].flags & FLAG_LEAF]
    damage(garden, leaves)
    findings = check_trees(garden.cache.page, [1, garden.tree.tree.fdp], garden.last_pgno)
    assert any(DAMAGES[damage] in problem for problem in findings.problems), findings.problems
