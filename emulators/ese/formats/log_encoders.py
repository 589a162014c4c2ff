"""The log records that every mail needs, encoded with precompiled layouts (ese-format.md G).

The fields of a page operation are those of the named tuples in `log_page_operations`, in order.
"""

from struct import Struct

from emulators.ese.formats.log_types import RecordType

# LRPAGE_ without its type: procid, dbid, pgno, dbtime, dbtime before, trx, level, line, flags.
PAGE_FIELDS = "HBIqqIBHB"
# LRNODE_ adds rceid, root page and object id of the tree.
NODE_FIELDS = PAGE_FIELDS + "III"
TRANSACTION = Struct("<BHBI")
MACRO = Struct("<BHq")
NODE_ONLY = Struct("<B" + NODE_FIELDS)
NODE_WITH_LENGTHS = Struct("<B" + NODE_FIELDS + "HHH")
UNDO_INFO = Struct("<B" + NODE_FIELDS + "HHHhhH")


def encode_begin0(procid: int, trx: int) -> bytes:
    """Return the record of a transaction's begin, from level 0 to level 1."""
    return TRANSACTION.pack(RecordType.BEGIN0, procid, 0x10, trx)


def encode_commit0(procid: int, trx: int) -> bytes:
    """Return the record of a transaction's commit to level 0."""
    return TRANSACTION.pack(RecordType.COMMIT0, procid, 0, trx)


def encode_macro_begin(procid: int, dbtime: int) -> bytes:
    """Return the record that opens a macro."""
    return MACRO.pack(RecordType.MACRO_BEGIN, procid, dbtime)


def encode_macro_commit(procid: int, dbtime: int) -> bytes:
    """Return the record that closes a macro."""
    return MACRO.pack(RecordType.MACRO_COMMIT, procid, dbtime)


def encode_insert_head(
    procid: int,
    dbid: int,
    pgno: int,
    dbtime: int,
    dbtime_before: int,
    trx_begin0: int,
    level: int,
    line: int,
    flags: int,
    rceid: int,
    pgno_fdp: int,
    objid_fdp: int,
    key: bytes,
    data_bytes: int,
) -> bytes:
    """Return an Insert record up to its data, of which `data_bytes` bytes must follow."""
    head = NODE_WITH_LENGTHS.pack(
        RecordType.INSERT, procid, dbid, pgno, dbtime, dbtime_before, trx_begin0, level, line,
        flags, rceid, pgno_fdp, objid_fdp, len(key), 0, data_bytes,
    )  # fmt: skip
    return head + key


def encode_insert(
    procid: int,
    dbid: int,
    pgno: int,
    dbtime: int,
    dbtime_before: int,
    trx_begin0: int,
    level: int,
    line: int,
    flags: int,
    rceid: int,
    pgno_fdp: int,
    objid_fdp: int,
    key: bytes,
    data: bytes,
) -> bytes:
    """Return the record of a node inserted before `line`, its key uncompressed."""
    head = NODE_WITH_LENGTHS.pack(
        RecordType.INSERT, procid, dbid, pgno, dbtime, dbtime_before, trx_begin0, level, line,
        flags, rceid, pgno_fdp, objid_fdp, len(key), 0, len(data),
    )  # fmt: skip
    return b"".join((head, key, data))


def encode_replace(
    procid: int,
    dbid: int,
    pgno: int,
    dbtime: int,
    dbtime_before: int,
    trx_begin0: int,
    level: int,
    line: int,
    flags: int,
    rceid: int,
    pgno_fdp: int,
    objid_fdp: int,
    old_bytes: int,
    data: bytes,
) -> bytes:
    """Return the record of node `line` given other data; it had `old_bytes` bytes before."""
    head = NODE_WITH_LENGTHS.pack(
        RecordType.REPLACE, procid, dbid, pgno, dbtime, dbtime_before, trx_begin0, level, line,
        flags, rceid, pgno_fdp, objid_fdp, len(data), old_bytes, len(data),
    )  # fmt: skip
    return head + data


def encode_flag_delete(
    procid: int,
    dbid: int,
    pgno: int,
    dbtime: int,
    dbtime_before: int,
    trx_begin0: int,
    level: int,
    line: int,
    flags: int,
    rceid: int,
    pgno_fdp: int,
    objid_fdp: int,
) -> bytes:
    """Return the record of node `line` marked as deleted."""
    return NODE_ONLY.pack(
        RecordType.FLAG_DELETE, procid, dbid, pgno, dbtime, dbtime_before, trx_begin0, level,
        line, flags, rceid, pgno_fdp, objid_fdp,
    )  # fmt: skip


def encode_delete(
    procid: int,
    dbid: int,
    pgno: int,
    dbtime: int,
    dbtime_before: int,
    trx_begin0: int,
    level: int,
    line: int,
    flags: int,
    rceid: int,
    pgno_fdp: int,
    objid_fdp: int,
) -> bytes:
    """Return the record of node `line` removed."""
    return NODE_ONLY.pack(
        RecordType.DELETE, procid, dbid, pgno, dbtime, dbtime_before, trx_begin0, level, line,
        flags, rceid, pgno_fdp, objid_fdp,
    )  # fmt: skip
