"""Changes of a tree's shape, as operations on pages in memory.

The same functions serve the run-time path and redo, so that a page comes out the same whichever
way it was made. A branch entry's key is the exclusive upper bound of its child; the last entry of
the rightmost branch page of a level has an empty key (ese-format.md D).
"""

from emulators.ese.formats.page import (
    FLAG_EMPTY,
    FLAG_LEAF,
    FLAG_NON_UNIQUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    NODE_DELETED,
    NODE_OVERHEAD_BYTES,
    Page,
)
from emulators.ese.trees.change import (
    OPERATION_FLAG_DELETE,
    OPERATION_INSERT,
    OPERATION_REPLACE,
)

SPLIT_VERTICAL = 0
SPLIT_RIGHT = 1
SPLIT_APPEND = 2
"""How a page was split: the root went down, nodes moved to the right, or none moved."""

MERGE_EMPTY_PAGE = 1
MERGE_FULL_RIGHT = 2
"""How a page was taken out: it had no node left that counts, or all moved to the page after it."""

NODE_COUNT_MIN = 2
"""A page is split between nodes, so it must have two."""


def node_bytes(key: bytes, data: bytes) -> int:
    """Return the bytes that a node takes of its page's free space."""
    return NODE_OVERHEAD_BYTES + len(key) + len(data)


def split_point(page: Page) -> int:
    """Return the index from which nodes move so that both halves hold about the same bytes."""
    assert len(page.keys) >= NODE_COUNT_MIN, f"page {page.pgno} has no two nodes to part"
    sizes = [node_bytes(key, data) for key, data in zip(page.keys, page.datas, strict=True)]
    half = sum(sizes) // 2
    taken = 0
    for index, size in enumerate(sizes):
        taken += size
        if taken >= half:
            return min(max(index + 1, 1), len(sizes) - 1)
    return len(sizes) - 1


def bound(page: Page, index: int) -> bytes:
    """Return what stands for leaf node `index` on branch pages: its bookmark.

    Where keys are not unique that is the key with the data behind it.
    """
    key = page.keys[index]
    return key + page.datas[index] if page.flags & FLAG_NON_UNIQUE else key


def separator(page: Page, at: int) -> bytes:
    """Return the key that parts nodes before `at` from those at and after it."""
    return bound(page, at) if page.flags & FLAG_LEAF else page.keys[at - 1]


def take_back(page: Page, line: int, operation: int, before: bytes) -> None:
    """Undo an operation on node `line`; an inserted node stays, flagged as deleted."""
    if operation == OPERATION_INSERT:
        page.flag(line, page.node_flags[line] | NODE_DELETED)
    elif operation == OPERATION_REPLACE:
        page.replace(line, before)
    else:
        assert operation == OPERATION_FLAG_DELETE, f"operation {operation} cannot be undone"
        page.flag(line, page.node_flags[line] & ~NODE_DELETED)


def new_sibling(source: Page, pgno: int, right: int, flags: int) -> Page:
    """Return the empty page that will stand between `source` and page `right` (0 for none).

    Args:
        source: the page before it.
        pgno: its number.
        right: the page after it.
        flags: those of `source` when it was split, which it may not have any more.
    """
    sibling = source.sibling(pgno, flags)
    if sibling.flags & FLAG_LEAF:
        sibling.prev = source.pgno
        sibling.next = right
    return sibling


def move_nodes(source: Page, target: Page, at: int) -> None:
    """Append to `target` the nodes of `source` from index `at` on; `source` keeps them."""
    target.insert_of(len(target.keys), source, at)


def add_separator(parent: Page, source: int, key: bytes, new: int) -> None:
    """Let `parent` point to page `new` for what was child `source` from `key` on."""
    index = parent.datas.index(source.to_bytes(4, "little"))
    parent.insert(index, key, source.to_bytes(4, "little"))
    parent.replace(index + 1, new.to_bytes(4, "little"))


def lower_root(root: Page, pgno: int) -> Page:
    """Return the page that takes all nodes of a full root; the root is not changed."""
    below = root.sibling(pgno, root.flags & ~FLAG_ROOT)
    move_nodes(root, below, 0)
    return below


def raise_root(root: Page, below: int) -> None:
    """Make `root` a branch with `below` as its only child."""
    was_leaf = bool(root.flags & FLAG_LEAF)
    root.delete_from(0)
    root.flags &= ~(FLAG_LEAF | FLAG_PARENT_OF_LEAF)
    if was_leaf:
        root.flags |= FLAG_PARENT_OF_LEAF
    root.insert(0, b"", below.to_bytes(4, "little"))


def prepend_nodes(source: Page, target: Page) -> None:
    """Put the nodes of `source` before those of `target`; `source` keeps them."""
    target.insert_of(0, source, 0)


def clear(page: Page) -> None:
    """Make a page that was taken out of its tree empty."""
    page.delete_from(0)
    page.flags |= FLAG_EMPTY
    page.prev = page.next = 0


def remove_child(parent: Page, child: int) -> None:
    """Let `parent` forget a child that is not its only one.

    The next child takes over its keys. Where it was the last, the one before does, whose upper
    bound becomes that of the page.
    """
    index = parent.datas.index(child.to_bytes(4, "little"))
    bound_removed = parent.keys[index]
    parent.delete(index)
    if index == len(parent.keys):
        before = parent.datas[index - 1]
        parent.delete(index - 1)
        parent.insert(index - 1, bound_removed, before)
