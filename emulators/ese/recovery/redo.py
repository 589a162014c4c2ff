"""Redo: carrying the operation of a log record out on its pages, once.

A page's dbtime decides (exchange.md R15): at or above the record's, the page holds the operation
already; equal to the record's time before, the operation is carried out; anything else means that
the page is not of this history, and recovery stops with -566 or -567.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.log_records import (
    Delete,
    ExtendDb,
    FlagDelete,
    FlagInsert,
    FlagInsertAndReplace,
    Insert,
    Merge,
    Place,
    Replace,
    Split,
    Undo,
    UndoInfo,
    decode_whole,
)
from emulators.ese.formats.page import FLAG_LEAF, NODE_DELETED, NODE_OVERHEAD_BYTES, Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.trees import structure
from emulators.ese.trees.change import OPERATION_REPLACE
from emulators.ese.trees.page_cache import PageCache

NodeRecord: TypeAlias = (
    Insert | Replace | FlagDelete | FlagInsert | FlagInsertAndReplace | Delete | Undo
)


def _has_line(page: Page, record: NodeRecord) -> bool:
    return record.line < len(page.keys)


def _insert_fits(page: Page, record: Insert) -> bool:
    size = NODE_OVERHEAD_BYTES + len(record.prefix) + len(record.suffix) + len(record.data)
    return record.line <= len(page.keys) and size <= page.free_bytes


def _replace_fits(page: Page, record: Replace | FlagInsert | FlagInsertAndReplace) -> bool:
    if record.line >= len(page.keys):
        return False
    return len(record.data) - len(page.datas[record.line]) <= page.free_bytes


def _insert(page: Page, record: Insert) -> None:
    page.insert(record.line, record.key, record.data)


def _replace(page: Page, record: Replace) -> None:
    page.replace(record.line, record.data)


def _delete(page: Page, record: Delete) -> None:
    page.delete(record.line)


def _flag_delete(page: Page, record: FlagDelete) -> None:
    page.flag_deleted(record.line)


def _insert_again(page: Page, record: FlagInsert | FlagInsertAndReplace) -> None:
    page.flag(record.line, page.node_flags[record.line] & ~NODE_DELETED)
    page.replace(record.line, record.data)


CHANGES: dict[type, Callable[[Page, Any], None]] = {
    Insert: _insert,
    Replace: _replace,
    Delete: _delete,
    FlagDelete: _flag_delete,
    FlagInsert: _insert_again,
    FlagInsertAndReplace: _insert_again,
}
"""What a record does to the page of its node. Looked up by type, as redo sees millions of them."""

_PLACES: dict[type, Callable[[Page, Any], bool]] = {
    **dict.fromkeys((*CHANGES, Undo), _has_line),
    Insert: _insert_fits,
    **dict.fromkeys((Replace, FlagInsert, FlagInsertAndReplace), _replace_fits),
}
"""Whether the node of a record has a place on the page."""

PAGE_RECORDS = (
    Insert,
    Replace,
    FlagDelete,
    FlagInsert,
    FlagInsertAndReplace,
    Delete,
    Undo,
    UndoInfo,
    Split,
    Merge,
    ExtendDb,
)
"""The records that redo needs to see."""


class Redo:
    """Applies records to the pages of one database.

    Args:
        cache: its pages.
        has_page: whether a page lies within the file and was ever written.
        extend: makes the file long enough for a page.
        where: the database, for errors.

    `operations` says for each type of record that matters what carries it out.
    """

    def __init__(
        self,
        cache: PageCache,
        has_page: Callable[[int], bool],
        extend: Callable[[int], None],
        where: str,
    ) -> None:
        self._cache = cache
        self._has_page = has_page
        self._extend = extend
        self._where = where
        self.applied = 0
        self.skipped = 0
        self.dbtime = 0
        self._transaction = 0
        self._before: dict[int, UndoInfo | Place] = {}
        self._changes: dict[type, Callable[[Page, Any], None]] = {**CHANGES, Undo: self._take_back}
        self.operations: dict[type, Callable[[Any, Lgpos], bool]] = {
            **dict.fromkeys(self._changes, self._apply_to_node),
            Split: self._apply_split,
            Merge: self._apply_merge,
            UndoInfo: self._remember,
            ExtendDb: self._extend_file,
        }

    def apply(self, record: object, lgpos: Lgpos) -> bool:
        """Carry out one record; return whether a page changed."""
        operation = self.operations.get(type(record))
        return operation is not None and operation(record, lgpos)

    def _apply_to_node(self, record: NodeRecord, lgpos: Lgpos) -> bool:
        dbtime, pgno, kind = record.dbtime, record.pgno, type(record)
        self.dbtime = max(self.dbtime, dbtime)
        page = self._cache.page(pgno)
        if not self._is_due(page, dbtime, record.dbtime_before, lgpos):
            return False
        if not _PLACES[kind](page, record):
            raise self._misfit(page, record, lgpos)
        self._cache.touch(pgno, lgpos)
        self._changes[kind](page, record)
        page.dbtime = dbtime
        return True

    def _misfit(self, page: Page, record: NodeRecord, lgpos: Lgpos) -> EseError:
        """Return the error of a node without a place: its dbtime agrees, but it is another page.

        Only logs of another life of the database can be so far from its pages.
        """
        where = f"{self._where}, page {page.pgno}, node {record.line}: the record at {lgpos}"
        hint = "database and logs are not of one point in time: recover both from one"
        return ese_error(-500, f"{where} does not fit", hint)

    def _take_back(self, page: Page, record: Undo) -> None:
        structure.take_back(page, record.line, record.operation, self._before_of(record))

    def _before_of(self, undo: Undo) -> bytes:
        """Return what a node held before the replacement that a record takes back."""
        if undo.operation != OPERATION_REPLACE:
            return b""
        before = self._before.get(undo.rceid)
        if before is None or undo.trx_begin0 != self._transaction:
            where = f"{self._where}, page {undo.pgno}: transaction {undo.trx_begin0} began earlier"
            raise ese_error(-500, where, "recover from a copy of all logs since the checkpoint")
        record = before if isinstance(before, UndoInfo) else decode_whole(*before)
        assert isinstance(record, UndoInfo), "only what such a record says is remembered"
        return record.data

    def _extend_file(self, record: ExtendDb, _lgpos: Lgpos) -> bool:
        self._extend(record.pgno_last)
        return False

    def remember(self, trx: int, rceid: int, record: UndoInfo | Place) -> None:
        """Keep what a node held: should the transaction be rolled back, Undo does not repeat it.

        The log is replayed from where the transaction began, as its pages hold the checkpoint back.
        """
        if trx != self._transaction:
            self._transaction = trx
            self._before.clear()
        self._before[rceid] = record

    def _remember(self, record: UndoInfo, _lgpos: Lgpos) -> bool:
        self.remember(record.trx_begin0, record.rceid, record)
        return False

    def _apply_split(self, split: Split, lgpos: Lgpos) -> bool:
        self.dbtime = max(self.dbtime, split.dbtime)
        if split.split_type == structure.SPLIT_VERTICAL:
            return self._apply_root_split(split, lgpos)
        source = self._cache.page(split.pgno)
        source_due = self._is_due(source, split.dbtime, split.dbtime_before, lgpos)
        new_due = self._make_new_page(split, source, lgpos, source_due=source_due)
        parent = self._cache.page(split.pgno_parent)
        parent_due = self._is_due(parent, split.dbtime, split.dbtime_parent_before, lgpos)
        right_due = False
        if split.pgno_right:
            right = self._cache.page(split.pgno_right)
            right_due = self._is_due(right, split.dbtime, split.dbtime_right_before, lgpos)
            if right_due:
                self._cache.touch(right.pgno, lgpos)
                right.prev = split.pgno_new
                right.dbtime = split.dbtime
        if source_due:
            self._cache.touch(source.pgno, lgpos)
            source.delete_from(split.line_split)
            if source.flags & FLAG_LEAF:
                source.next = split.pgno_new
            source.dbtime = split.dbtime
        if parent_due:
            self._cache.touch(parent.pgno, lgpos)
            structure.add_separator(parent, split.pgno, split.key_parent, split.pgno_new)
            parent.dbtime = split.dbtime
        return new_due or source_due or parent_due or right_due

    def _apply_root_split(self, split: Split, lgpos: Lgpos) -> bool:
        root = self._cache.page(split.pgno)
        root_due = self._is_due(root, split.dbtime, split.dbtime_before, lgpos)
        if self._new_page_missing(split):
            self._require_source(split.pgno_new, split.pgno, lgpos, is_due=root_due)
            below = structure.lower_root(root, split.pgno_new)
            self._adopt(below, split, lgpos)
        if root_due:
            self._cache.touch(root.pgno, lgpos)
            structure.raise_root(root, split.pgno_new)
            root.dbtime = split.dbtime
            self._cache.order(split.pgno_new, root.pgno, lgpos)
        return root_due

    def _make_new_page(self, split: Split, source: Page, lgpos: Lgpos, *, source_due: bool) -> bool:
        if not self._new_page_missing(split):
            return False
        moves_nodes = split.lines > split.line_split
        if moves_nodes:
            self._require_source(split.pgno_new, split.pgno, lgpos, is_due=source_due)
        new = structure.new_sibling(source, split.pgno_new, split.pgno_right, split.new_page_flags)
        if moves_nodes:
            structure.move_nodes(source, new, split.line_split)
        self._adopt(new, split, lgpos)
        if moves_nodes:
            self._cache.order(new.pgno, source.pgno, lgpos)
        return True

    def _adopt(self, page: Page, split: Split, lgpos: Lgpos) -> None:
        page.dbtime = split.dbtime
        self._cache.adopt(page)
        self._cache.touch(page.pgno, lgpos)

    def _new_page_missing(self, split: Split) -> bool:
        if self._cache.holds(split.pgno_new):
            return self._cache.page(split.pgno_new).dbtime < split.dbtime
        if not self._has_page(split.pgno_new):
            return True
        return self._cache.page(split.pgno_new).dbtime < split.dbtime

    def _apply_merge(self, merge: Merge, lgpos: Lgpos) -> bool:
        self.dbtime = max(self.dbtime, merge.dbtime)
        times = (
            (merge.pgno, merge.dbtime_before),
            (merge.pgno_right, merge.dbtime_right_before),
            (merge.pgno_left, merge.dbtime_left_before),
            (merge.pgno_parent, merge.dbtime_parent_before),
        )
        source, right, left, parent = (
            self._due_page(pgno, merge.dbtime, before, lgpos) for pgno, before in times
        )
        if right is not None:
            right.prev = merge.pgno_left
            if merge.merge_type == structure.MERGE_FULL_RIGHT:
                is_due = source is not None
                self._require_source(merge.pgno_right, merge.pgno, lgpos, is_due=is_due)
                structure.prepend_nodes(self._cache.page(merge.pgno), right)
                self._cache.order(right.pgno, merge.pgno, lgpos)
        if left is not None:
            left.next = merge.pgno_right
        if parent is not None:
            structure.remove_child(parent, merge.pgno)
        if source is not None:
            structure.clear(source)
        return any(page is not None for page in (source, right, left, parent))

    def _due_page(self, pgno: int, dbtime: int, before: int, lgpos: Lgpos) -> Page | None:
        """Return a page that a record is about to change, None when there is nothing to do."""
        if not pgno:
            return None
        page = self._cache.page(pgno)
        if not self._is_due(page, dbtime, before, lgpos):
            return None
        self._cache.touch(pgno, lgpos)
        page.dbtime = dbtime
        return page

    def _require_source(self, pgno: int, source: int, lgpos: Lgpos, *, is_due: bool) -> None:
        """Refuse to make up nodes: they are gone when the source was written without them."""
        if not is_due:
            where = f"{self._where}, page {pgno} (its nodes were moved at {lgpos})"
            hint = f"page {source} was written before it: recover to another point"
            raise ese_error(-567, where, hint)

    def _is_due(self, page: Page, dbtime: int, dbtime_before: int, lgpos: Lgpos) -> bool:
        if page.dbtime >= dbtime:
            self.skipped += 1
            return False
        if page.dbtime != dbtime_before:
            code = -566 if page.dbtime < dbtime_before else -567
            where = (
                f"{self._where}, page {page.pgno}: dbtime {page.dbtime}, but the record at"
                f" {lgpos} expects {dbtime_before}"
            )
            hint = "database and logs are not of one point in time: recover both from one"
            raise ese_error(code, where, hint)
        self.applied += 1
        return True
