"""The types of log records and how long each record is (ese-format.md G).

The annex gives fixed sizes and the places of length fields. What its list of types leaves open is
taken from the sources it cites (inc/logapi.hxx, CbLGSizeOfRec of ese/_log/logread.cxx): the numbers
21 JetOp, 22 Trace and 68 ExtendDB, that ForceLogRollover has the layout LRTRACE, and that the
version information of CreateDB is not part of its path length. Any other type is invalid.
"""

from collections.abc import Callable
from enum import IntEnum
from struct import Struct, error

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import Bytes


class RecordType(IntEnum):
    """LRTYP: the first byte of a log record."""

    NOP = 0
    INIT = 1
    TERM = 2
    END = 4
    BEGIN = 5
    COMMIT = 6
    ROLLBACK = 7
    BEGIN0 = 8
    COMMIT0 = 9
    REFRESH = 10
    MACRO_BEGIN = 11
    MACRO_COMMIT = 12
    MACRO_ABORT = 13
    CREATE_DB = 14
    ATTACH_DB = 15
    DETACH_DB = 16
    RECOVERY_UNDO = 17
    RECOVERY_QUIT = 18
    JET_OPERATION = 21
    TRACE = 22
    SHUT_DOWN_MARK = 23
    CREATE_MULTIPLE_EXTENT_FDP = 24
    CREATE_SINGLE_EXTENT_FDP = 25
    CONVERT_FDP = 26
    SPLIT = 27
    MERGE = 28
    INSERT = 29
    FLAG_INSERT = 30
    FLAG_INSERT_AND_REPLACE = 31
    FLAG_DELETE = 32
    REPLACE = 33
    REPLACE_DIFFERENCE = 34
    DELETE = 35
    UNDO_INFO = 36
    DELTA = 37
    SET_EXTERNAL_HEADER = 38
    UNDO = 39
    CHECKSUM = 42
    EMPTY_TREE = 48
    INIT2 = 49
    TERM2 = 50
    RECOVERY_UNDO2 = 51
    RECOVERY_QUIT2 = 52
    FORCE_WRITE_LOG = 57
    CONVERT_FDP2 = 58
    BACKUP2 = 60
    FORCE_LOG_ROLLOVER = 61
    SPLIT2 = 62
    MERGE2 = 63
    SCRUB = 64
    PAGE_MOVE = 65
    EXTEND_DB = 68


CREATE_DB_VERSION_INFO = 4
CREATE_DB_VERSION_INFO_BYTES = 4

_T = RecordType

FIXED_SIZES: dict[RecordType, int] = {
    _T.NOP: 1,
    _T.INIT: 568,
    _T.TERM: 18,
    _T.END: 1,
    _T.BEGIN: 4,
    _T.COMMIT: 4,
    _T.ROLLBACK: 4,
    _T.BEGIN0: 8,
    _T.COMMIT0: 8,
    _T.REFRESH: 7,
    _T.MACRO_BEGIN: 11,
    _T.MACRO_COMMIT: 11,
    _T.MACRO_ABORT: 11,
    _T.RECOVERY_UNDO: 1,
    _T.RECOVERY_QUIT: 18,
    _T.JET_OPERATION: 4,
    _T.SHUT_DOWN_MARK: 1,
    _T.CREATE_MULTIPLE_EXTENT_FDP: 56,
    _T.CREATE_SINGLE_EXTENT_FDP: 48,
    _T.CONVERT_FDP: 60,
    _T.FLAG_DELETE: 44,
    _T.DELETE: 44,
    _T.CHECKSUM: 22,
    _T.INIT2: 576,
    _T.TERM2: 26,
    _T.RECOVERY_UNDO2: 9,
    _T.RECOVERY_QUIT2: 26,
    _T.FORCE_WRITE_LOG: 3,
    _T.CONVERT_FDP2: 68,
}
"""Records whose type alone says how long they are."""

VARIABLE_SIZES: dict[RecordType, tuple[int, int, str]] = {
    _T.CREATE_DB: (43, 40, "H"),
    _T.ATTACH_DB: (75, 72, "H"),
    _T.DETACH_DB: (7, 4, "H"),
    _T.TRACE: (5, 3, "H"),
    _T.SPLIT: (102, 96, "HHH"),
    _T.MERGE: (88, 86, "H"),
    _T.INSERT: (50, 44, "HHH"),
    _T.FLAG_INSERT: (48, 44, "HH"),
    _T.FLAG_INSERT_AND_REPLACE: (52, 44, "HH"),
    _T.REPLACE: (50, 44, "H"),
    _T.REPLACE_DIFFERENCE: (50, 44, "H"),
    _T.UNDO_INFO: (56, 44, "HH6xH"),
    _T.DELTA: (54, 44, "HH"),
    _T.SET_EXTERNAL_HEADER: (46, 44, "H"),
    _T.UNDO: (51, 44, "HH"),
    _T.EMPTY_TREE: (46, 44, "H"),
    _T.BACKUP2: (35, 33, "H"),
    _T.FORCE_LOG_ROLLOVER: (5, 3, "H"),
    _T.SPLIT2: (110, 96, "HHH4xI"),
    _T.MERGE2: (96, 86, "H4xI"),
    _T.SCRUB: (54, 52, "H"),
    _T.PAGE_MOVE: (96, 88, "II"),
    _T.EXTEND_DB: (5, 1, "I"),
}
"""Fixed part, where the length fields begin, and what they are; lengths add to the fixed part."""

Sizer = Callable[[Bytes, int], int]
Lengths = Callable[[Bytes, int], tuple[int, ...]]


def _lengths(at: int, fields: str) -> Lengths:
    """Return what reads the length fields of the record at an offset."""
    return Struct(f"<{at}x{fields}").unpack_from


def _sizer(fixed: int, at: int, fields: str) -> Sizer:
    lengths = _lengths(at, fields)
    return lambda buffer, offset: fixed + sum(lengths(buffer, offset))


def _create_db_size(buffer: Bytes, offset: int) -> int:
    """Return the size of a CreateDB record: version information is not part of its path length."""
    path_bytes = int.from_bytes(buffer[offset + 40 : offset + 42], "little")
    has_version = buffer[offset + 42] & CREATE_DB_VERSION_INFO
    return 43 + path_bytes + (CREATE_DB_VERSION_INFO_BYTES if has_version else 0)


_FIXED: list[int] = [FIXED_SIZES.get(_T(n), 0) if n in set(_T) else 0 for n in range(256)]
_SIZERS: dict[int, Sizer] = {
    **{int(kind): _sizer(*layout) for kind, layout in VARIABLE_SIZES.items()},
    int(_T.CREATE_DB): _create_db_size,
}

_FRAMING = (int(_T.CHECKSUM), int(_T.NOP))


def _in_parts(kind: int) -> tuple[int, Lengths | None, Lengths | None]:
    """Return what the size of a type of records is made of, where that is simple.

    It is the fixed part with three lengths, with one, or with none; else all is nothing, and its
    sizer tells.
    """
    if kind not in VARIABLE_SIZES or kind == _T.CREATE_DB:
        return _FIXED[kind], None, None
    fixed, at, fields = VARIABLE_SIZES[_T(kind)]
    count = sum(map(str.isalpha, fields.replace("x", "")))
    three = _lengths(at, fields) if count == 3 else None
    one = _lengths(at, fields) if count == 1 else None
    return fixed if three or one else 0, three, one


_PARTS = [_in_parts(kind) for kind in range(256)]


def measure(buffer: Bytes, offset: int) -> int:
    """Return the length of the record at `offset`, or 0 when there is none or it is cut off."""
    if offset >= len(buffer):
        return 0
    kind = buffer[offset]
    size = _FIXED[kind]
    if not size:
        sizer = _SIZERS.get(kind)
        if sizer is None:
            return 0
        try:
            size = sizer(buffer, offset)
        except (error, IndexError):
            return 0
    return size if offset + size <= len(buffer) else 0


def list_records(buffer: Bytes, start: int, end: int) -> tuple[list[int], list[int], int]:
    """Walk over whole records from `start`, none beyond `end`: (begins, ends, where it stopped).

    Checksum records and filling are walked over and left out. What lies behind `end` may lengthen a
    record that is cut off there, never shorten it.
    """
    assert end <= max(start, len(buffer)), f"no record ends at {end} of {len(buffer)} bytes"
    begins: list[int] = []
    ends: list[int] = []
    offset = start
    try:
        while offset < end:
            kind = buffer[offset]
            # This is `measure`, without a call, of every record of every log that is redone.
            size, three, one = _PARTS[kind]
            if three is not None:
                first, second, third = three(buffer, offset)
                size += first + second + third
            elif one is not None:
                size += one(buffer, offset)[0]
            elif not size and kind in _SIZERS:
                size = _SIZERS[kind](buffer, offset)
            after = offset + size
            if after == offset or after > end:
                break
            if kind not in _FRAMING:
                begins.append(offset)
                ends.append(after)
            offset = after
    except (error, IndexError):
        # The length fields of the record at `offset` are cut off.
        pass
    return begins, ends, offset


def size_of(buffer: Bytes, offset: int) -> int:
    """Return the length of the record at `offset`; raises EseError -501 when there is no record."""
    size = measure(buffer, offset)
    if size == 0:
        kind = buffer[offset] if offset < len(buffer) else None
        where = f"offset {offset:#x}: record type {kind} is unknown or the record is cut off"
        raise ese_error(-501, where, "recover from another copy of this log, or to before it")
    return size


def is_known(kind: int) -> bool:
    """Return whether `kind` is the number of a type of log record."""
    return _FIXED[kind] > 0 or kind in _SIZERS
