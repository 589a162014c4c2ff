"""The log records that every mail needs, read with precompiled layouts (ese-format.md G).

The counterpart of `log_encoders`. Redo reads millions of these, so each is one unpacking, one or
two slices and one tuple. The caller knows that the record is whole: all its bytes lie in the
buffer between `offset` and `end`.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

from emulators.ese.formats.log_encoders import (
    NODE_ONLY,
    NODE_WITH_LENGTHS,
    TRANSACTION,
    UNDO_INFO,
)
from emulators.ese.formats.log_page_operations import Delete, FlagDelete, Insert, Replace, UndoInfo
from emulators.ese.formats.log_record_types import Begin0, Commit0

# A named tuple's own constructor passes through Python code; this does not.
_new = tuple.__new__
_HEAD_END = 12
_INSERT_BYTES = NODE_WITH_LENGTHS.size
_UNDO_INFO_BYTES = UNDO_INFO.size


def _without_type(layout: Struct) -> Callable[[bytes, int], tuple[Any, ...]]:
    """Return what reads a layout's fields but the first, which is the record's type."""
    return Struct(layout.format.replace("B", "x", 1)).unpack_from


_read_transaction = _without_type(TRANSACTION)
_read_node = _without_type(NODE_ONLY)
_read_node_with_lengths = _without_type(NODE_WITH_LENGTHS)
_read_undo_info = _without_type(UNDO_INFO)


def decode_begin0(buffer: bytes, offset: int, _end: int) -> Begin0:
    """Read the record at `offset`."""
    return _new(Begin0, _read_transaction(buffer, offset))


def decode_commit0(buffer: bytes, offset: int, _end: int) -> Commit0:
    """Read the record at `offset`."""
    return _new(Commit0, _read_transaction(buffer, offset))


def decode_insert(buffer: bytes, offset: int, end: int) -> Insert:
    """Read the record between `offset` and `end`: its tails are prefix, suffix and data."""
    fields = _read_node_with_lengths(buffer, offset)
    suffix_bytes, prefix_bytes, _ = fields[_HEAD_END:]
    suffix_at = offset + _INSERT_BYTES + prefix_bytes
    data_at = suffix_at + suffix_bytes
    prefix = buffer[offset + _INSERT_BYTES : suffix_at] if prefix_bytes else b""
    tails = (prefix, buffer[suffix_at:data_at], buffer[data_at:end])
    return _new(Insert, fields[:_HEAD_END] + tails)


def decode_replace(buffer: bytes, offset: int, end: int) -> Replace:
    """Read the record between `offset` and `end`."""
    fields = _read_node_with_lengths(buffer, offset)
    data = buffer[offset + _INSERT_BYTES : end]
    return _new(Replace, (*fields[:_HEAD_END], fields[13], data))


def decode_delete(buffer: bytes, offset: int, _end: int) -> Delete:
    """Read the record at `offset`."""
    return _new(Delete, _read_node(buffer, offset))


def decode_flag_delete(buffer: bytes, offset: int, _end: int) -> FlagDelete:
    """Read the record at `offset`."""
    return _new(FlagDelete, _read_node(buffer, offset))


def decode_undo_info(buffer: bytes, offset: int, end: int) -> UndoInfo:
    """Read the record between `offset` and `end`: its tails are bookmark key and data, data."""
    fields = _read_undo_info(buffer, offset)
    key_bytes, bookmark_bytes, operation, size_max, size_delta, _ = fields[_HEAD_END:]
    key_at = offset + _UNDO_INFO_BYTES
    bookmark_at = key_at + key_bytes
    data_at = bookmark_at + bookmark_bytes
    key, bookmark = buffer[key_at:bookmark_at], buffer[bookmark_at:data_at]
    tail = (operation, size_max, size_delta, buffer[data_at:end], key, bookmark)
    return _new(UndoInfo, fields[:_HEAD_END] + tail)
