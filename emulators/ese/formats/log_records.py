"""Log records as bytes (ese-format.md G).

The records written for every mail have an `encode_` function of their own (log_encoders); all
others go through `encode`. Types that this project reads but never writes decode to `Other`, which
keeps their bytes.

Fault model: bytes to decode may be anything. What is not a whole record of a known type raises
`EseError` -501 with the offset. Not checked: whether the values make sense; redo does that.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

from emulators.ese.formats.checksum import Bytes
from emulators.ese.formats.log_database_records import (
    decode_attach_db,
    decode_create_db,
    decode_detach_db,
    decode_extend_db,
    encode_attach_db,
    encode_create_db,
    encode_detach_db,
    encode_extend_db,
)
from emulators.ese.formats.log_decoders import (
    decode_begin0,
    decode_commit0,
    decode_delete,
    decode_flag_delete,
    decode_insert,
    decode_replace,
    decode_undo_info,
)
from emulators.ese.formats.log_encoders import (
    MACRO,
    NODE_FIELDS,
    NODE_ONLY,
    NODE_WITH_LENGTHS,
    PAGE_FIELDS,
    TRANSACTION,
    UNDO_INFO,
    encode_begin0,
    encode_commit0,
    encode_delete,
    encode_flag_delete,
    encode_insert,
    encode_insert_head,
    encode_macro_begin,
    encode_macro_commit,
    encode_replace,
)
from emulators.ese.formats.log_page_operations import (
    CreateMultipleExtentFdp,
    Delete,
    FlagDelete,
    FlagInsert,
    FlagInsertAndReplace,
    Insert,
    Merge,
    Replace,
    ReplaceDifference,
    SetExternalHeader,
    Split,
    Undo,
    UndoInfo,
)
from emulators.ese.formats.log_record_types import (
    AttachDb,
    Backup2,
    Begin0,
    Commit0,
    CreateDb,
    DetachDb,
    ExtendDb,
    ForceLogRollover,
    ForceWriteLog,
    Init2,
    MacroAbort,
    MacroBegin,
    MacroCommit,
    Nop,
    Other,
    Record,
    RecoveryQuit2,
    RecoveryUndo2,
    Rollback,
    Term2,
)
from emulators.ese.formats.log_types import RecordType, size_of
from emulators.ese.formats.values import DbmsParam, Lgpos, LogTime

__all__ = [
    "DECODERS",
    "PAGE_CONCURRENT_INDEX",
    "PAGE_DELETED",
    "PAGE_SPACE",
    "PAGE_SYSTEM_TASK",
    "PAGE_UNIQUE",
    "PAGE_VERSIONED",
    "AttachDb",
    "Backup2",
    "Begin0",
    "Commit0",
    "CreateDb",
    "CreateMultipleExtentFdp",
    "Delete",
    "DetachDb",
    "ExtendDb",
    "FlagDelete",
    "FlagInsert",
    "FlagInsertAndReplace",
    "ForceLogRollover",
    "ForceWriteLog",
    "Init2",
    "Insert",
    "MacroAbort",
    "MacroBegin",
    "MacroCommit",
    "Merge",
    "Nop",
    "Other",
    "Place",
    "Record",
    "RecoveryQuit2",
    "RecoveryUndo2",
    "Replace",
    "ReplaceDifference",
    "Rollback",
    "SetExternalHeader",
    "Split",
    "Term2",
    "Undo",
    "UndoInfo",
    "decode",
    "decode_whole",
    "encode",
    "encode_begin0",
    "encode_commit0",
    "encode_delete",
    "encode_flag_delete",
    "encode_insert",
    "encode_insert_head",
    "encode_macro_begin",
    "encode_macro_commit",
    "encode_replace",
]

PAGE_VERSIONED = 0x1
PAGE_DELETED = 0x2
PAGE_UNIQUE = 0x4
PAGE_SPACE = 0x8
PAGE_CONCURRENT_INDEX = 0x10
PAGE_SYSTEM_TASK = 0x20
"""Flags of a page operation (LRPAGE_)."""


Place: TypeAlias = tuple[bytes, int, int]
"""A record that nobody has read yet: the bytes of its log, where it begins and where it ends."""

Decoder: TypeAlias = Callable[[bytes, int, int], Record]
"""Reads the record between two offsets of a buffer, which are those of a whole record."""


class _Layout(NamedTuple):
    """How one record class is stored.

    `lengths` says for each tail, in the order in which tails follow the fixed part, which packed
    field holds its length. `converters` are the fields that are structures of their own.
    """

    record: Callable[..., Record]
    struct: Struct
    lengths: tuple[int, ...] = ()
    converters: tuple[tuple[int, Any], ...] = ()


_NODE_COUNT = 12
_SPLIT = PAGE_FIELDS + "IIqIqIIBBHHHIIHHiiHHH"
_MERGE = PAGE_FIELDS + "IqIqIqIIHHHHBBH"
_QUIT_CONVERTERS = ((0, Lgpos), (1, Lgpos), (3, LogTime))

_LAYOUTS: dict[RecordType, _Layout] = {
    RecordType.NOP: _Layout(Nop, Struct("<B")),
    RecordType.BEGIN0: _Layout(Begin0, TRANSACTION),
    RecordType.COMMIT0: _Layout(Commit0, TRANSACTION),
    RecordType.ROLLBACK: _Layout(Rollback, Struct("<BHB")),
    RecordType.MACRO_BEGIN: _Layout(MacroBegin, MACRO),
    RecordType.MACRO_COMMIT: _Layout(MacroCommit, MACRO),
    RecordType.MACRO_ABORT: _Layout(MacroAbort, MACRO),
    RecordType.INSERT: _Layout(Insert, NODE_WITH_LENGTHS, (13, 12, 14)),
    RecordType.FLAG_INSERT: _Layout(FlagInsert, Struct("<B" + NODE_FIELDS + "HH"), (12, 13)),
    RecordType.FLAG_INSERT_AND_REPLACE: _Layout(
        FlagInsertAndReplace, Struct("<B" + NODE_FIELDS + "HHI"), (12, 13)
    ),
    RecordType.REPLACE_DIFFERENCE: _Layout(ReplaceDifference, NODE_WITH_LENGTHS, (_NODE_COUNT,)),
    RecordType.FLAG_DELETE: _Layout(FlagDelete, NODE_ONLY),
    RecordType.DELETE: _Layout(Delete, NODE_ONLY),
    RecordType.UNDO: _Layout(Undo, Struct("<B" + NODE_FIELDS + "HHHB"), (12, 13)),
    RecordType.SET_EXTERNAL_HEADER: _Layout(
        SetExternalHeader, Struct("<B" + NODE_FIELDS + "H"), (12,)
    ),
    RecordType.SPLIT: _Layout(Split, Struct("<B" + _SPLIT), (29, 27, 28)),
    RecordType.MERGE: _Layout(Merge, Struct("<B" + _MERGE), (23,)),
    RecordType.CREATE_MULTIPLE_EXTENT_FDP: _Layout(
        CreateMultipleExtentFdp, Struct("<B" + PAGE_FIELDS + "IIIIII")
    ),
    RecordType.INIT2: _Layout(Init2, Struct("<B567s8s"), converters=((0, DbmsParam), (1, LogTime))),
    RecordType.TERM2: _Layout(Term2, Struct("<B8s8sB8s"), converters=_QUIT_CONVERTERS),
    RecordType.RECOVERY_UNDO2: _Layout(RecoveryUndo2, Struct("<B8s"), converters=((0, LogTime),)),
    RecordType.RECOVERY_QUIT2: _Layout(
        RecoveryQuit2, Struct("<B8s8sB8s"), converters=_QUIT_CONVERTERS
    ),
    RecordType.BACKUP2: _Layout(Backup2, Struct("<BBIBB24sBH"), (6,)),
    RecordType.FORCE_WRITE_LOG: _Layout(ForceWriteLog, Struct("<BH")),
    RecordType.FORCE_LOG_ROLLOVER: _Layout(ForceLogRollover, Struct("<BHH"), (1,)),
}

_TYPES = {layout.record: kind for kind, layout in _LAYOUTS.items()}


def encode(record: Record) -> bytes:
    """Return the bytes of any record."""
    special = _ENCODERS.get(type(record))
    if special is not None:
        return special(record)
    kind = _TYPES[type(record)]
    return _encode_by_layout(kind, _LAYOUTS[kind], record)


def _encode_by_layout(kind: RecordType, layout: _Layout, record: Sequence[Any]) -> bytes:
    fixed_count = len(record) - len(layout.lengths)
    packed = list(record[:fixed_count])
    tails = record[fixed_count:]
    for position, length in sorted(zip(layout.lengths, map(len, tails), strict=True)):
        packed.insert(position, length)
    for position, _ in layout.converters:
        packed[position] = packed[position].pack()
    return b"".join((layout.struct.pack(kind, *packed), *tails))


def decode(buffer: Bytes, offset: int = 0) -> tuple[Record, int]:
    """Return the record at `offset` and the offset after it; raises EseError -501 for others."""
    end = offset + size_of(buffer, offset)
    return decode_whole(bytes(buffer[offset:end]), 0, end - offset), end


def decode_whole(buffer: bytes, offset: int, end: int) -> Record:
    """Return the record between `offset` and `end`, which are those of a whole record."""
    return DECODERS[buffer[offset]](buffer, offset, end)


def _layout_decoder(layout: _Layout) -> Decoder:
    """Return a function that reads the records of one layout."""
    unpack_from, make = layout.struct.unpack_from, layout.record
    converters, lengths = layout.converters, layout.lengths
    if not (converters or lengths):
        return lambda buffer, offset, _end: make(*unpack_from(buffer, offset)[1:])

    def decode_layout(buffer: bytes, offset: int, _end: int) -> Record:
        packed = list(unpack_from(buffer, offset)[1:])
        for position, structure in converters:
            packed[position] = structure.unpack(packed[position])
        start = offset + layout.struct.size
        tails = []
        for position in lengths:
            tails.append(buffer[start : start + packed[position]])
            start += packed[position]
        for position in sorted(lengths, reverse=True):
            del packed[position]
        return make(*packed, *tails)

    return decode_layout


def _decode_other(buffer: bytes, offset: int, end: int) -> Record:
    return Other(RecordType(buffer[offset]), bytes(buffer[offset:end]))


def _encode_replace(record: Any) -> bytes:
    return encode_replace(*record)


def _encode_undo_info(record: Any) -> bytes:
    key, bookmark, data = record.bookmark_key, record.bookmark_data, record.data
    head = UNDO_INFO.pack(
        RecordType.UNDO_INFO, *record[:_NODE_COUNT], len(key), len(bookmark), record.operation,
        record.size_max, record.size_delta, len(data),
    )  # fmt: skip
    return b"".join((head, key, bookmark, data))


def _encode_other(record: Any) -> bytes:
    image: bytes = record.image
    return image


_ENCODERS: dict[Any, Callable[[Any], bytes]] = {
    Replace: _encode_replace,
    UndoInfo: _encode_undo_info,
    ExtendDb: encode_extend_db,
    CreateDb: encode_create_db,
    AttachDb: encode_attach_db,
    DetachDb: encode_detach_db,
    Other: _encode_other,
}
DECODERS: dict[int, Decoder] = {
    **dict.fromkeys(map(int, RecordType), _decode_other),
    **{int(kind): _layout_decoder(layout) for kind, layout in _LAYOUTS.items()},
    RecordType.BEGIN0: decode_begin0,
    RecordType.COMMIT0: decode_commit0,
    RecordType.INSERT: decode_insert,
    RecordType.REPLACE: decode_replace,
    RecordType.DELETE: decode_delete,
    RecordType.FLAG_DELETE: decode_flag_delete,
    RecordType.UNDO_INFO: decode_undo_info,
    RecordType.EXTEND_DB: decode_extend_db,
    RecordType.CREATE_DB: decode_create_db,
    RecordType.ATTACH_DB: decode_attach_db,
    RecordType.DETACH_DB: decode_detach_db,
}
"""What `decode_whole` reads each type of record by: recovery looks it up itself, in its loop."""
