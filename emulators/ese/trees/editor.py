"""Changes of pages at run time: each is logged first, then made (write-ahead, exchange.md F16).

Every change takes the next dbtime. The record carries the page's dbtime before and after, by which
redo knows whether the page holds the change already.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from emulators.ese.formats import log_records
from emulators.ese.formats.log_records import PAGE_SPACE, PAGE_VERSIONED
from emulators.ese.formats.log_types import RecordType
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees import structure
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.tree import Tree

DBID_FIRST = 1
"""What the first database of a storage group is called in log records."""


NodeHead: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int, int]
"""The fields of LRNODE_ in order, from the procid to the object id."""


class Context(NamedTuple):
    """On whose behalf a change is made.

    `trx` is the transaction's trxBegin0. Changes that are not `versioned` are never undone.
    """

    procid: int
    trx: int
    versioned: bool


SYSTEM = Context(procid=0, trx=0, versioned=False)
"""Space and structure changes stay, whatever becomes of the transaction that needed them."""


class Editor:
    """Logs and applies changes to the pages of one database.

    Args:
        cache: the pages.
        log: appends a record to the log and returns its position.
        dbtime: the newest dbtime of the database.
        dbid: the database's number in its storage group.
    """

    def __init__(
        self,
        cache: PageCache,
        log: Callable[[bytes], Lgpos],
        dbtime: int,
        dbid: int = DBID_FIRST,
    ) -> None:
        self._cache = cache
        self.log = log
        self.dbtime = dbtime
        self.dbid = dbid
        self._rceid = 0

    def insert(
        self, tree: Tree, context: Context, page: Page, line: int, key: bytes, data: bytes
    ) -> None:
        """Insert a node before node `line` of a page that has room for it."""
        self.dbtime += 1
        head = self._head(tree, context, page, line)
        lgpos = self.log(log_records.encode_insert(*head, key, data))
        self._cache.touch(page.pgno, lgpos)
        page.insert(line, key, data)
        page.dbtime = self.dbtime

    def replace(self, tree: Tree, context: Context, page: Page, line: int, data: bytes) -> None:
        """Give node `line` other data; what it held goes to the log first, for undo."""
        self.dbtime += 1
        head = self._head(tree, context, page, line)
        before = page.datas[line]
        if context.versioned:
            self._log_before(head, page.keys[line], before)
        lgpos = self.log(log_records.encode_replace(*head, len(before), data))
        self._cache.touch(page.pgno, lgpos)
        page.replace(line, data)
        page.dbtime = self.dbtime

    def delete(self, tree: Tree, context: Context, page: Page, line: int) -> None:
        """Remove node `line`."""
        self.dbtime += 1
        lgpos = self.log(log_records.encode_delete(*self._head(tree, context, page, line)))
        self._cache.touch(page.pgno, lgpos)
        page.delete(line)
        page.dbtime = self.dbtime

    def extend(self, pgno_last: int) -> None:
        """Log that the file was made longer."""
        self.log(log_records.encode(log_records.ExtendDb(self.dbid, pgno_last)))

    def split(
        self, tree: Tree, source: Page, parent: Page, pgno_new: int, at: int, separator: bytes
    ) -> None:
        """Move the nodes of `source` from `at` on to page `pgno_new`, to the right of it."""
        is_leaf = bool(source.flags & FLAG_LEAF)
        right = self._cache.page(source.next) if is_leaf and source.next else None
        moves_nodes = at < len(source.keys)
        lgpos = self._log_split(
            tree,
            source,
            pgno_new,
            split_type=structure.SPLIT_RIGHT if moves_nodes else structure.SPLIT_APPEND,
            at=at,
            separator=separator,
            right=right,
            parent=parent,
        )
        new = structure.new_sibling(source, pgno_new, source.next)
        structure.move_nodes(source, new, at)
        self._adopt(new, lgpos)
        self._cache.touch(source.pgno, lgpos)
        structure.drop_nodes(source, at)
        self._cache.touch(parent.pgno, lgpos)
        structure.add_separator(parent, source.pgno, separator, pgno_new)
        source.dbtime = parent.dbtime = self.dbtime
        if is_leaf:
            source.next = pgno_new
        if right is not None:
            self._cache.touch(right.pgno, lgpos)
            right.prev = pgno_new
            right.dbtime = self.dbtime
        if moves_nodes:
            self._cache.order(pgno_new, then=source.pgno)

    def split_root(self, tree: Tree, root: Page, pgno_new: int) -> None:
        """Move all nodes of a full root to page `pgno_new`, and make the root its parent."""
        lgpos = self._log_split(
            tree, root, pgno_new, split_type=structure.SPLIT_VERTICAL, at=0, separator=b""
        )
        self._adopt(structure.lower_root(root, pgno_new), lgpos)
        self._cache.touch(root.pgno, lgpos)
        structure.raise_root(root, pgno_new)
        root.dbtime = self.dbtime
        self._cache.order(pgno_new, then=root.pgno)

    def _adopt(self, page: Page, lgpos: Lgpos) -> None:
        page.dbtime = self.dbtime
        self._cache.adopt(page)
        self._cache.touch(page.pgno, lgpos)

    def _log_before(self, head: NodeHead, key: bytes, before: bytes) -> None:
        """Log what a node holds, so that the change to come can be undone."""
        size = len(before)
        tail = (int(RecordType.REPLACE), size, 0, before, key, b"")
        self.log(log_records.encode(log_records.UndoInfo(*head, *tail)))

    def _head(self, tree: Tree, context: Context, page: Page, line: int) -> NodeHead:
        """Return the fields that all records of a change to one node begin with."""
        flags = PAGE_SPACE
        if context.versioned:
            self._rceid += 1
            flags = PAGE_VERSIONED
        return (
            context.procid,
            self.dbid,
            page.pgno,
            self.dbtime,
            page.dbtime,
            context.trx,
            1 if context.versioned else 0,
            line,
            flags,
            self._rceid if context.versioned else 0,
            tree.fdp,
            tree.objid,
        )

    def _log_split(
        self,
        tree: Tree,
        source: Page,
        pgno_new: int,
        *,
        split_type: int,
        at: int,
        separator: bytes,
        right: Page | None = None,
        parent: Page | None = None,
    ) -> Lgpos:
        self.dbtime += 1
        record = log_records.Split(
            procid=SYSTEM.procid,
            dbid=self.dbid,
            pgno=source.pgno,
            dbtime=self.dbtime,
            dbtime_before=source.dbtime,
            trx_begin0=SYSTEM.trx,
            level=0,
            line=at,
            flags=0,
            pgno_new=pgno_new,
            pgno_right=0 if right is None else right.pgno,
            dbtime_right_before=0 if right is None else right.dbtime,
            pgno_parent=0 if parent is None else parent.pgno,
            dbtime_parent_before=0 if parent is None else parent.dbtime,
            pgno_fdp=tree.fdp,
            objid_fdp=tree.objid,
            split_type=split_type,
            split_operation=0,
            line_operation=at,
            line_split=at,
            lines=len(source.keys),
            new_page_flags=source.flags,
            split_page_flags=source.flags,
            uncommitted_free_source=0,
            uncommitted_free_target=0,
            line_prefix_split=0,
            line_prefix_new=0,
            key_parent=separator,
            prefix_split_old=b"",
            prefix_split_new=b"",
        )
        return self.log(log_records.encode(record))
