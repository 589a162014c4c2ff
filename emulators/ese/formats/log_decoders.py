"""The log records that every mail needs, read with precompiled layouts (ese-format.md G).

The counterpart of `log_encoders`. Redo reads millions of these, so each is one unpacking, one or
two slices and one tuple. The caller knows that the record is whole: all its bytes lie in the
buffer between `offset` and `end`.
"""

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
_HEAD_END = 13
_INSERT_BYTES = NODE_WITH_LENGTHS.size
_UNDO_INFO_BYTES = UNDO_INFO.size


def decode_begin0(buffer: bytes, offset: int, _end: int) -> Begin0:
    """Read the record at `offset`."""
    return _new(Begin0, TRANSACTION.unpack_from(buffer, offset)[1:])


def decode_commit0(buffer: bytes, offset: int, _end: int) -> Commit0:
    """Read the record at `offset`."""
    return _new(Commit0, TRANSACTION.unpack_from(buffer, offset)[1:])


def decode_insert(buffer: bytes, offset: int, end: int) -> Insert:
    """Read the record between `offset` and `end`: its tails are prefix, suffix and data."""
    fields = NODE_WITH_LENGTHS.unpack_from(buffer, offset)
    suffix_at = offset + _INSERT_BYTES + fields[14]
    data_at = suffix_at + fields[13]
    prefix = buffer[offset + _INSERT_BYTES : suffix_at] if fields[14] else b""
    tails = (prefix, buffer[suffix_at:data_at], buffer[data_at:end])
    return _new(Insert, fields[1:_HEAD_END] + tails)


def decode_replace(buffer: bytes, offset: int, end: int) -> Replace:
    """Read the record between `offset` and `end`."""
    fields = NODE_WITH_LENGTHS.unpack_from(buffer, offset)
    data = buffer[offset + _INSERT_BYTES : end]
    return _new(Replace, (*fields[1:_HEAD_END], fields[14], data))


def decode_delete(buffer: bytes, offset: int, _end: int) -> Delete:
    """Read the record at `offset`."""
    return _new(Delete, NODE_ONLY.unpack_from(buffer, offset)[1:])


def decode_flag_delete(buffer: bytes, offset: int, _end: int) -> FlagDelete:
    """Read the record at `offset`."""
    return _new(FlagDelete, NODE_ONLY.unpack_from(buffer, offset)[1:])


def decode_undo_info(buffer: bytes, offset: int, end: int) -> UndoInfo:
    """Read the record between `offset` and `end`: its tails are bookmark key and data, data."""
    fields = UNDO_INFO.unpack_from(buffer, offset)
    key_bytes, bookmark_bytes, operation, size_max, size_delta, _ = fields[_HEAD_END:]
    key_at = offset + _UNDO_INFO_BYTES
    bookmark_at = key_at + key_bytes
    data_at = bookmark_at + bookmark_bytes
    key, bookmark = buffer[key_at:bookmark_at], buffer[bookmark_at:data_at]
    tail = (operation, size_max, size_delta, buffer[data_at:end], key, bookmark)
    return _new(UndoInfo, fields[1:_HEAD_END] + tail)
