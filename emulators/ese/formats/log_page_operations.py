"""The log records of changes to pages, as named tuples (ese-format.md G).

Pages are named by (dbid, pgno). `dbtime` is the page's time after the operation and
`dbtime_before` the time that redo must find (exchange.md R15). `line` is the index of the node.
"""

from typing import NamedTuple


class Insert(NamedTuple):
    """A node was inserted before `line`."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    prefix: bytes
    suffix: bytes
    data: bytes

    @property
    def key(self) -> bytes:
        """The whole key."""
        return self.prefix + self.suffix


class FlagInsert(NamedTuple):
    """Node `line` was marked as deleted and is no longer: the same key and data were inserted."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    key: bytes
    data: bytes


class FlagInsertAndReplace(NamedTuple):
    """Node `line` was marked as deleted, is no longer, and got other data: its key was inserted.

    What it held is in an UndoInfo record of the change `rceid_replace`.
    """

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    rceid_replace: int
    key: bytes
    data: bytes


class Replace(NamedTuple):
    """Node `line` got other data; what it held before is in an UndoInfo record if needed."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    old_bytes: int
    data: bytes


class ReplaceDifference(NamedTuple):
    """Node `line` got other data, given as differences from the old."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    old_bytes: int
    new_bytes: int
    difference: bytes


class FlagDelete(NamedTuple):
    """Node `line` was marked as deleted; it stays until its version is no longer needed."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int


class Delete(NamedTuple):
    """Node `line` was removed."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int


class Undo(NamedTuple):
    """The rollback of one operation on the node with this bookmark was done."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    operation: int
    operation_level: int
    bookmark_key: bytes
    bookmark_data: bytes


class UndoInfo(NamedTuple):
    """What a node held before a transaction changed it, for the undo phase of recovery."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    operation: int
    size_max: int
    size_delta: int
    data: bytes
    bookmark_key: bytes
    bookmark_data: bytes


class SetExternalHeader(NamedTuple):
    """Tag 0 of a page was replaced."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    rceid: int
    pgno_fdp: int
    objid_fdp: int
    data: bytes


class Split(NamedTuple):
    """Nodes from `line_split` on moved from `pgno` to `pgno_new` (LRSPLIT_, without images).

    The parent got `key_parent` as separator; prefixes are empty in pages without compression.
    """

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    pgno_new: int
    pgno_right: int
    dbtime_right_before: int
    pgno_parent: int
    dbtime_parent_before: int
    pgno_fdp: int
    objid_fdp: int
    split_type: int
    split_operation: int
    line_operation: int
    line_split: int
    lines: int
    new_page_flags: int
    split_page_flags: int
    uncommitted_free_source: int
    uncommitted_free_target: int
    line_prefix_split: int
    line_prefix_new: int
    key_parent: bytes
    prefix_split_old: bytes
    prefix_split_new: bytes


class Merge(NamedTuple):
    """Page `pgno` was taken out of its tree (LRMERGE_, without images).

    Its nodes, if it had any left that count, moved to the front of `pgno_right`. The parent lost
    its entry; `key_parent` is that entry's key.
    """

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    pgno_right: int
    dbtime_right_before: int
    pgno_left: int
    dbtime_left_before: int
    pgno_parent: int
    dbtime_parent_before: int
    pgno_fdp: int
    objid_fdp: int
    size_total: int
    size_max_total: int
    uncommitted_free_target: int
    line_merge: int
    merge_flags: int
    merge_type: int
    key_parent: bytes


class CreateMultipleExtentFdp(NamedTuple):
    """A tree's root page and the roots of its two space trees were made (CreateMEFDP)."""

    procid: int
    dbid: int
    pgno: int
    dbtime: int
    dbtime_before: int
    trx_begin0: int
    level: int
    line: int
    flags: int
    objid_fdp: int
    pgno_owned: int
    pgno_available: int
    pgno_parent: int
    primary_pages: int
    page_flags: int
