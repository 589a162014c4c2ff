"""A tree that is changed while its log is kept, so that redo can be held against it."""

from hypothesis import strategies as st
from mail_world import DATABASE

from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.redo import Redo
from emulators.ese.trees.btree import BTree
from emulators.ese.trees.change import SYSTEM
from emulators.ese.trees.database import ROOT
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.space import Space
from emulators.ese.trees.tree import Tree

KEYS = st.integers(0, 40).map(lambda number: b"%03d" % number * 20)
KINDS = st.sampled_from(("insert", "insert", "replace", "delete"))
STEPS = st.lists(st.tuples(KINDS, KEYS, st.integers(1, 2500)), min_size=30, max_size=90)
PAGES = 64


class Twin:
    """A tree that is changed through an editor, its log, and a copy of its pages as first made."""

    def __init__(self):
        self.log = []
        self.cache = PageCache(self.never)
        self.editor = Editor(self.cache, self.append, dbtime=1)
        self.last_pgno = PAGES
        self.space = Space(self.cache, self.editor, self.grow)
        self.space.make_tree(ROOT, first=1, pages=PAGES)
        first = self.space.take_exactly(ROOT, 16)
        self.identity = Tree(first, 6, 0, ROOT)
        self.space.make_tree(self.identity, first=first, pages=16)
        self.tree = BTree(self.identity, self.cache, self.editor, self.space)
        self.disk = self.images()
        self.log.clear()

    def never(self, pgno):
        raise AssertionError(f"page {pgno} was read before it was made")

    def grow(self, pages):
        self.last_pgno += pages
        return self.last_pgno

    def append(self, record):
        self.log.append(record)
        return Lgpos(1, 8 + len(self.log), 0)

    def images(self):
        return {pgno: page.to_bytes(pgno) for pgno, page in self.cache.resident().items()}

    def play(self, steps, context=SYSTEM):
        model = dict(self.tree.scan())
        for kind, key, size in steps:
            data = bytes([size % 251]) * size
            if kind == "insert" and key not in model:
                self.tree.insert(context, key, data)
                model[key] = data
            elif kind == "replace" and key in model:
                self.tree.replace(context, key, data)
                model[key] = data
            elif kind == "delete" and key in model:
                self.tree.delete(context, key)
                del model[key]
        return model


def redo_of(disk):
    """Return the redo of a database whose pages on disk are these images."""

    def load(pgno):
        return Page.from_bytes(disk[pgno], pgno)

    cache = PageCache(load, keep_versions=False)
    return cache, Redo(cache, disk.__contains__, lambda _: None, DATABASE)
