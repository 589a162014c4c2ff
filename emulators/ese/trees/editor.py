"""Changes of pages at run time: each is logged first, then made (write-ahead, exchange.md F16).

Every change takes the next dbtime. The record carries the page's dbtime before and after, by which
redo knows whether the page holds the change already.
"""

from collections.abc import Callable
from typing import TypeAlias

from emulators.ese.formats import log_records
from emulators.ese.formats.log_records import PAGE_SPACE, PAGE_UNIQUE, PAGE_VERSIONED
from emulators.ese.formats.page import FLAG_LEAF, NODE_DELETED, Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees import structure
from emulators.ese.trees.change import (
    OPERATION_FLAG_DELETE,
    OPERATION_REPLACE,
    SYSTEM,
    Change,
    Context,
)
from emulators.ese.trees.page_cache import PageCache
from emulators.ese.trees.tree import Tree

DBID_FIRST = 1
"""What the first database of a storage group is called in log records."""


NodeHead: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int, int]
"""The fields of LRNODE_ in order, from the procid to the object id."""


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
        self.rceid = 0

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
            self._log_before(head, OPERATION_REPLACE, tree, page, line)
        lgpos = self.log(log_records.encode_replace(*head, len(before), data))
        self._cache.touch(page.pgno, lgpos)
        page.replace(line, data)
        page.dbtime = self.dbtime

    def delete(self, tree: Tree, context: Context, page: Page, line: int) -> None:
        """Remove node `line`."""
        self.dbtime += 1
        lgpos = self.log(log_records.encode_delete(*self._head(tree, context, page, line)))
        self._cache.touch(page.pgno, lgpos, context.begin)
        page.delete(line)
        page.dbtime = self.dbtime

    def flag_delete(self, tree: Tree, context: Context, page: Page, line: int) -> None:
        """Mark node `line` as deleted; which node it is goes to the log first, for undo."""
        self.dbtime += 1
        head = self._head(tree, context, page, line)
        if context.versioned:
            self._log_before(head, OPERATION_FLAG_DELETE, tree, page, line)
        lgpos = self.log(log_records.encode_flag_delete(*head))
        self._cache.touch(page.pgno, lgpos)
        page.flag(line, page.node_flags[line] | NODE_DELETED)
        page.dbtime = self.dbtime

    def flag_insert(self, tree: Tree, context: Context, page: Page, line: int) -> None:
        """Take the mark off node `line`: the same key and data are inserted again."""
        self.dbtime += 1
        head = self._head(tree, context, page, line)
        record = log_records.FlagInsert(*head, page.keys[line], page.datas[line])
        lgpos = self.log(log_records.encode(record))
        self._cache.touch(page.pgno, lgpos)
        page.flag(line, page.node_flags[line] & ~NODE_DELETED)
        page.dbtime = self.dbtime

    def flag_insert_and_replace(
        self, tree: Tree, context: Context, page: Page, line: int, data: bytes
    ) -> int:
        """Take the mark off node `line` and give it other data: its key is inserted again.

        Returns the rceid of the replacement, which is undone after the insertion.
        """
        self.dbtime += 1
        head = self._head(tree, context, page, line)
        replaced = self.rceid
        if context.versioned:
            self._log_before(head, OPERATION_REPLACE, tree, page, line)
            head = self._head(tree, context, page, line)
        record = log_records.FlagInsertAndReplace(*head, replaced, page.keys[line], data)
        lgpos = self.log(log_records.encode(record))
        self._cache.touch(page.pgno, lgpos)
        page.flag(line, page.node_flags[line] & ~NODE_DELETED)
        page.replace(line, data)
        page.dbtime = self.dbtime
        return replaced

    def undo(self, tree: Tree, context: Context, page: Page, line: int, change: Change) -> None:
        """Take a change of node `line` back; redo needs the log from the transaction's begin."""
        self.dbtime += 1
        record = log_records.Undo(
            procid=context.procid,
            dbid=self.dbid,
            pgno=page.pgno,
            dbtime=self.dbtime,
            dbtime_before=page.dbtime,
            trx_begin0=context.trx,
            level=1,
            line=line,
            flags=PAGE_VERSIONED | (PAGE_UNIQUE if tree.is_unique else 0),
            rceid=change.rceid,
            pgno_fdp=tree.fdp,
            objid_fdp=tree.objid,
            operation=change.operation,
            operation_level=1,
            bookmark_key=change.key,
            bookmark_data=change.data,
        )
        lgpos = self.log(log_records.encode(record))
        self._cache.touch(page.pgno, lgpos, context.begin)
        structure.take_back(page, line, change.operation, change.before)
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
        new = structure.new_sibling(source, pgno_new, source.next, source.flags)
        structure.move_nodes(source, new, at)
        self._adopt(new, lgpos)
        self._cache.touch(source.pgno, lgpos)
        source.delete_from(at)
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
            self._cache.order(pgno_new, source.pgno, lgpos)

    def split_root(self, tree: Tree, root: Page, pgno_new: int) -> None:
        """Move all nodes of a full root to page `pgno_new`, and make the root its parent."""
        lgpos = self._log_split(
            tree, root, pgno_new, split_type=structure.SPLIT_VERTICAL, at=0, separator=b""
        )
        self._adopt(structure.lower_root(root, pgno_new), lgpos)
        self._cache.touch(root.pgno, lgpos)
        structure.raise_root(root, pgno_new)
        root.dbtime = self.dbtime
        self._cache.order(pgno_new, root.pgno, lgpos)

    def merge(
        self, tree: Tree, context: Context, page: Page, parent: Page, right: Page | None
    ) -> None:
        """Take a page out of its tree; its nodes, if any count, go to the page after it.

        Args:
            tree: the tree.
            context: of the transaction that is cleaned up after.
            page: not the only child of its parent.
            parent: the branch page that points to it.
            right: the page that takes its nodes; None for a leaf whose nodes do not count.
        """
        left = self._cache.page(page.prev) if page.prev else None
        moves_nodes = right is not None
        if right is None and page.next:
            right = self._cache.page(page.next)
        lgpos = self._log_merge(tree, page, parent, left, right, moves_nodes=moves_nodes)
        for changed in (page, parent, left, right):
            if changed is not None:
                self._cache.touch(changed.pgno, lgpos, context.begin)
                changed.dbtime = self.dbtime
        if right is not None:
            right.prev = page.prev
            if moves_nodes:
                structure.prepend_nodes(page, right)
                self._cache.order(right.pgno, page.pgno, lgpos)
        if left is not None:
            left.next = page.next
        structure.remove_child(parent, page.pgno)
        structure.clear(page)

    def _adopt(self, page: Page, lgpos: Lgpos) -> None:
        page.dbtime = self.dbtime
        self._cache.adopt(page)
        self._cache.touch(page.pgno, lgpos)

    def _log_before(
        self, head: NodeHead, operation: int, tree: Tree, page: Page, line: int
    ) -> None:
        """Log which node is about to change and what it holds, so that it can be undone.

        A node that is only marked keeps what it holds.
        """
        data = page.datas[line]
        before = data if operation == OPERATION_REPLACE else b""
        bookmark = b"" if tree.is_unique else data
        tail = (operation, len(before), 0, before, page.keys[line], bookmark)
        self.log(log_records.encode(log_records.UndoInfo(*head, *tail)))

    def _head(self, tree: Tree, context: Context, page: Page, line: int) -> NodeHead:
        """Return the fields that all records of a change to one node begin with."""
        flags = PAGE_SPACE
        if context.versioned:
            self.rceid += 1
            flags = PAGE_VERSIONED
        if tree.is_unique:
            flags |= PAGE_UNIQUE
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
            self.rceid if context.versioned else 0,
            tree.fdp,
            tree.objid,
        )

    def _log_merge(
        self,
        tree: Tree,
        page: Page,
        parent: Page,
        left: Page | None,
        right: Page | None,
        *,
        moves_nodes: bool,
    ) -> Lgpos:
        self.dbtime += 1
        line = parent.datas.index(page.pgno.to_bytes(4, "little"))
        record = log_records.Merge(
            procid=SYSTEM.procid,
            dbid=self.dbid,
            pgno=page.pgno,
            dbtime=self.dbtime,
            dbtime_before=page.dbtime,
            trx_begin0=SYSTEM.trx,
            level=0,
            line=0,
            flags=0,
            pgno_right=0 if right is None else right.pgno,
            dbtime_right_before=0 if right is None else right.dbtime,
            pgno_left=0 if left is None else left.pgno,
            dbtime_left_before=0 if left is None else left.dbtime,
            pgno_parent=parent.pgno,
            dbtime_parent_before=parent.dbtime,
            pgno_fdp=tree.fdp,
            objid_fdp=tree.objid,
            size_total=page.used if moves_nodes else 0,
            size_max_total=page.used if moves_nodes else 0,
            uncommitted_free_target=0,
            line_merge=0,
            merge_flags=0,
            merge_type=structure.MERGE_FULL_RIGHT if moves_nodes else structure.MERGE_EMPTY_PAGE,
            key_parent=parent.keys[line],
        )
        return self.log(log_records.encode(record))

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
