"""The rules that the pages of one tree keep together, from its root to all leaves (D)."""

from collections.abc import Iterator

from emulators.ese.formats.page import (
    FLAG_INDEX,
    FLAG_LEAF,
    FLAG_LONG_VALUE,
    FLAG_NON_UNIQUE,
    FLAG_PARENT_OF_LEAF,
    FLAG_ROOT,
    FLAG_SPACE,
    Page,
)
from emulators.ese.integrity.findings import Findings, Rule
from emulators.ese.integrity.page_reader import PageOf

HEIGHT_MAX = 32
"""No tree of a file is higher; one that seems to be is damaged."""

_KIND_FLAGS = FLAG_INDEX | FLAG_LONG_VALUE | FLAG_NON_UNIQUE | FLAG_SPACE


def bookmarks(leaf: Page) -> list[bytes]:
    """Return what stands for a leaf's nodes on branch pages: keys, and data where keys repeat."""
    if leaf.flags & FLAG_NON_UNIQUE:
        return [key + data for key, data in zip(leaf.keys, leaf.datas, strict=True)]
    return leaf.keys


class TreeWalk:
    """One walk through one tree.

    Args:
        page_of: gives its pages.
        fdp: its root.
        findings: where violations are noted.

    `used` are the pages met, `unusable` those of them that could not be read or are of another
    tree, `empty_leaves` those leaves that hold nothing. `bounds` are those of the leaf that was
    yielded last: its lowest bookmark, and the first behind it or None.
    """

    def __init__(self, page_of: PageOf, fdp: int, findings: Findings) -> None:
        self._page_of = page_of
        self._findings = findings
        self._fdp = fdp
        self._previous: Page | None = None
        self._is_chain_broken = False
        self._leaf_depth = -1
        self._seen: set[int] = set()
        self.used: list[int] = []
        self.unusable: list[int] = []
        self.empty_leaves: list[int] = []
        self.bounds: tuple[bytes, bytes | None] = (b"", None)
        self.root = page_of(fdp)

    def leaves(self) -> Iterator[Page]:
        """Yield the leaves in tree order, checking all pages on the way."""
        if self.root is None:
            self.used.append(self._fdp)
            self.unusable.append(self._fdp)
            return
        yield from self._visit(self._fdp, None, b"", None, 0)
        last = self._previous
        if last is not None and not self._is_chain_broken:
            self._must(last.next == 0, Rule.SIBLINGS, last, "the last leaf has a page after it")

    def _visit(
        self, pgno: int, parent: Page | None, low: bytes, high: bytes | None, depth: int
    ) -> Iterator[Page]:
        """Walk below a page whose keys must lie from `low` to below `high`."""
        if pgno in self._seen:
            text = f"tree {self._fdp} reaches it twice"
            self._findings.must(False, Rule.REACHED_TWICE, pgno, text)
            return
        self._seen.add(pgno)
        self.used.append(pgno)
        page = self._page_of(pgno)
        if page is None:
            self.unusable.append(pgno)
            self._is_chain_broken = True
            return
        if not self._is_of_tree(page, parent) or depth > HEIGHT_MAX:
            self._must(depth <= HEIGHT_MAX, Rule.HEIGHT, page, f"lies {depth} levels deep")
            self.unusable.append(pgno)
            self._is_chain_broken = True
            return
        self._check_bounds(page, low, high)
        if page.flags & FLAG_LEAF:
            self._check_leaf(page, depth)
            self.bounds = low, high
            yield page
            return
        self._check_branch(page, high)
        for index in range(len(page.keys)):
            bound = high if index == len(page.keys) - 1 else page.keys[index]
            yield from self._visit(page.child(index), page, low, bound, depth + 1)
            low = page.keys[index]

    def _is_of_tree(self, page: Page, parent: Page | None) -> bool:
        """Check what a page says it is; the nodes of one that is of another tree are not read."""
        root = self.root
        assert root is not None, "a tree without a root is not walked"
        is_own = page.objid_fdp == root.objid_fdp
        self._must(is_own, Rule.OBJECT, page, f"is of object {page.objid_fdp}")
        is_kind = page.flags & _KIND_FLAGS == root.flags & _KIND_FLAGS
        self._must(is_kind, Rule.FLAGS, page, "is of another kind than its root")
        is_root = bool(page.flags & FLAG_ROOT)
        self._must(is_root == (parent is None), Rule.FLAGS, page, "wrong root flag")
        if parent is not None:
            says_leaf = bool(parent.flags & FLAG_PARENT_OF_LEAF)
            is_leaf = bool(page.flags & FLAG_LEAF)
            text = f"the parent-of-leaf flag of page {parent.pgno} is wrong"
            self._must(says_leaf == is_leaf, Rule.FLAGS, page, text)
        return is_own and is_kind

    def _check_bounds(self, page: Page, low: bytes, high: bytes | None) -> None:
        keys = bookmarks(page) if page.flags & FLAG_LEAF else page.keys[:-1]
        if not keys:
            return
        self._must(low <= min(keys), Rule.KEY_BOUNDS, page, "has a key below its lower bound")
        if high is not None:
            self._must(max(keys) < high, Rule.KEY_BOUNDS, page, "has a key above its bound")

    def _check_leaf(self, page: Page, depth: int) -> None:
        if not page.keys:
            self.empty_leaves.append(page.pgno)
        if self._leaf_depth < 0:
            self._leaf_depth = depth
        text = f"a leaf at depth {depth}, others at {self._leaf_depth}"
        self._must(depth == self._leaf_depth, Rule.HEIGHT, page, text)
        previous, self._previous = self._previous, page
        if self._is_chain_broken:
            self._is_chain_broken = False
        elif previous is None:
            self._must(page.prev == 0, Rule.SIBLINGS, page, "the first leaf has a page before it")
        else:
            there = f"does not lead to {page.pgno}"
            self._must(previous.next == page.pgno, Rule.SIBLINGS, previous, there)
            back = f"does not lead back to {previous.pgno}"
            self._must(page.prev == previous.pgno, Rule.SIBLINGS, page, back)

    def _check_branch(self, page: Page, high: bytes | None) -> None:
        self._must(page.prev == page.next == 0, Rule.BRANCH, page, "a branch page has siblings")
        if self._must(page.keys, Rule.BRANCH, page, "a branch page is empty"):
            text = "its last key is not its own bound"
            self._must(page.keys[-1] == (high or b""), Rule.KEY_BOUNDS, page, text)

    def _must(self, holds: object, rule: Rule, page: Page, text: str) -> bool:
        return self._findings.must(holds, rule, page.pgno, text)
