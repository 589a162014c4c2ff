"""The log records that name a database or its file, as bytes (ese-format.md G).

Paths are in UTF-16, or in ANSI before log version 7.3704.9, with a terminator, which the length
counts.
"""

from struct import Struct

from emulators.ese.formats.checksum import Bytes
from emulators.ese.formats.log_record_types import AttachDb, CreateDb, DetachDb, ExtendDb
from emulators.ese.formats.log_types import RecordType
from emulators.ese.formats.values import Lgpos, Signature, pack_name, unpack_name

CREATE_DB_UNICODE = 0x8
ATTACH_DB_UNICODE = 0x8
DETACH_DB_UNICODE = 0x10

_EXTEND_DB = Struct("<BIBI")
_CREATE_DB = Struct("<BHBII28sHB")
_ATTACH_DB = Struct("<BHBI8s28s28sHB")
_DETACH_DB = Struct("<BHBHB")


def encode_extend_db(record: ExtendDb) -> bytes:
    """Return the bytes of the record."""
    return _EXTEND_DB.pack(RecordType.EXTEND_DB, 5, record.dbid, record.pgno_last)


def decode_extend_db(buffer: Bytes, offset: int, _end: int) -> ExtendDb:
    """Read the record between `offset` and `end`."""
    _, _, dbid, pgno_last = _EXTEND_DB.unpack_from(buffer, offset)
    return ExtendDb(dbid, pgno_last)


def encode_create_db(record: CreateDb) -> bytes:
    """Return the bytes of the record."""
    path = pack_name(record.path, has_unicode_names=record.has_unicode_names)
    head = _CREATE_DB.pack(
        RecordType.CREATE_DB, record.procid, record.dbid, record.options, record.pages_max,
        record.signature.pack(), len(path), CREATE_DB_UNICODE * record.has_unicode_names,
    )  # fmt: skip
    return head + path


def decode_create_db(buffer: Bytes, offset: int, end: int) -> CreateDb:
    """Read the record between `offset` and `end`."""
    (
        _, procid, dbid, options, pages_max, signature, path_bytes, flags,
    ) = _CREATE_DB.unpack_from(buffer, offset)  # fmt: skip
    has_unicode_names = bool(flags & CREATE_DB_UNICODE)
    path = _path(buffer[end - path_bytes : end], has_unicode_names=has_unicode_names)
    return CreateDb(
        procid, dbid, options, pages_max, Signature.unpack(signature), path, has_unicode_names
    )


def encode_attach_db(record: AttachDb) -> bytes:
    """Return the bytes of the record."""
    path = pack_name(record.path, has_unicode_names=record.has_unicode_names)
    head = _ATTACH_DB.pack(
        RecordType.ATTACH_DB, record.procid, record.dbid, record.pages_max,
        record.lgpos_consistent.pack(), record.signature.pack(), record.log_signature.pack(),
        len(path), ATTACH_DB_UNICODE * record.has_unicode_names,
    )  # fmt: skip
    return head + path


def decode_attach_db(buffer: Bytes, offset: int, end: int) -> AttachDb:
    """Read the record between `offset` and `end`."""
    (
        _, procid, dbid, pages_max, consistent, signature, log_signature, path_bytes, flags,
    ) = _ATTACH_DB.unpack_from(buffer, offset)  # fmt: skip
    has_unicode_names = bool(flags & ATTACH_DB_UNICODE)
    return AttachDb(
        procid,
        dbid,
        pages_max,
        Lgpos.unpack(consistent),
        Signature.unpack(signature),
        Signature.unpack(log_signature),
        _path(buffer[end - path_bytes : end], has_unicode_names=has_unicode_names),
        has_unicode_names,
    )


def encode_detach_db(record: DetachDb) -> bytes:
    """Return the bytes of the record."""
    path = pack_name(record.path, has_unicode_names=record.has_unicode_names)
    head = _DETACH_DB.pack(
        RecordType.DETACH_DB,
        record.procid,
        record.dbid,
        len(path),
        DETACH_DB_UNICODE * record.has_unicode_names,
    )
    return head + path


def decode_detach_db(buffer: Bytes, offset: int, end: int) -> DetachDb:
    """Read the record between `offset` and `end`."""
    _, procid, dbid, path_bytes, flags = _DETACH_DB.unpack_from(buffer, offset)
    has_unicode_names = bool(flags & DETACH_DB_UNICODE)
    path = _path(buffer[end - path_bytes : end], has_unicode_names=has_unicode_names)
    return DetachDb(procid, dbid, path, has_unicode_names)


def _path(data: Bytes, *, has_unicode_names: bool) -> str:
    return unpack_name(bytes(data), has_unicode_names=has_unicode_names)
