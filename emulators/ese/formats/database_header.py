"""The header of a database: what state it is in and which logs it needs (ese-format.md B).

The streaming file of a 2003 database has the same header, with a file type of its own.

Fault model: a header write may be torn or lost; header and shadow are two copies, and either alone
is enough. Both damaged is -1206. A header of another page size is -1213. Not checked here: whether
the logs that it asks for exist; recovery decides that (exchange.md 1.4).

Fields that this project has no use for keep the bytes that were read.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Any, Protocol

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.format import DATABASE_VERSION, EXCHANGE_2007, FORMATS, Format
from emulators.ese.formats.values import (
    BACKUP_INFO_ZERO,
    LGPOS_ZERO,
    LOG_TIME_ZERO,
    SIGNATURE_ZERO,
    BackupInfo,
    Lgpos,
    LogTime,
    Signature,
)

HEADER_MAGIC = 0x89ABCDEF
FILE_TYPE_OFFSET = 667
PAGE_BYTES_MAX = 8192

FLAG_SHADOWING_DISABLED = 0x1
FLAG_STREAMING_FILE = 0x4
"""The obsolete fDbSLVExists, beside the flags of annex B (inc/daedef.hxx)."""

BACKUP_STREAMING = 0
# Assumption: the number that stands for a volume shadow copy; eseutil prints it ' - OSSnapshot'.
BACKUP_OS_SNAPSHOT = 1


class FileType(IntEnum):
    """JET_filetype of the two files of a database; the header's attribute is one less."""

    DATABASE = 1
    STREAMING = 2


class DatabaseState(IntEnum):
    """JET_dbstate; the last three are newer than Exchange 2007."""

    JUST_CREATED = 1
    DIRTY_SHUTDOWN = 2
    CLEAN_SHUTDOWN = 3
    BEING_CONVERTED = 4
    FORCE_DETACH = 5
    INCREMENTAL_RESEED = 6
    DIRTY_AND_PATCHED = 7
    REVERT = 8


@dataclass(slots=True)
class DatabaseHeader:
    """DBFILEHDR; generations are 0 when the database needs no log.

    `os_version` is major, minor, build and service pack. `streaming_signature` is that of the .stm
    file (signSLV), `flags` say by default whether the format has one.
    """

    file_format: Format
    signature: Signature
    log_signature: Signature
    dbtime: int = 0
    objid_last: int = 0
    state: DatabaseState = DatabaseState.JUST_CREATED
    consistent: Lgpos = LGPOS_ZERO
    consistent_time: LogTime = LOG_TIME_ZERO
    attach_time: LogTime = LOG_TIME_ZERO
    attach: Lgpos = LGPOS_ZERO
    detach_time: LogTime = LOG_TIME_ZERO
    detach: Lgpos = LGPOS_ZERO
    dbid: int = 1
    generation_min_required: int = 0
    generation_max_required: int = 0
    generation_max_committed: int = 0
    generation_max_created: LogTime = LOG_TIME_ZERO
    full_backup_previous: BackupInfo = BACKUP_INFO_ZERO
    incremental_backup_previous: BackupInfo = BACKUP_INFO_ZERO
    copy_backup_previous: BackupInfo = BACKUP_INFO_ZERO
    differential_backup_previous: BackupInfo = BACKUP_INFO_ZERO
    full_backup_current: BackupInfo = BACKUP_INFO_ZERO
    snapshot_current: BackupInfo = BACKUP_INFO_ZERO
    full_backup_kind: int = BACKUP_STREAMING
    incremental_backup_kind: int = BACKUP_STREAMING
    copy_backup_kind: int = BACKUP_STREAMING
    differential_backup_kind: int = BACKUP_STREAMING
    flags: int = -1
    file_type: FileType = FileType.DATABASE
    streaming_signature: Signature = SIGNATURE_ZERO
    os_version: tuple[int, int, int, int] = (5, 2, 3790, 2)
    repair_count: int = 0
    repair_time: LogTime = LOG_TIME_ZERO
    repair_count_old: int = 0
    scrub_dbtime: int = 0
    scrub_time: LogTime = LOG_TIME_ZERO
    image: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.flags < 0:
            self.flags = FLAG_STREAMING_FILE if self.file_format.has_streaming_file else 0
        if self.has_streaming_file and self.streaming_signature == SIGNATURE_ZERO:
            self.streaming_signature = self.signature

    @property
    def has_streaming_file(self) -> bool:
        """Whether a .stm file belongs to the database."""
        return bool(self.flags & FLAG_STREAMING_FILE)

    @property
    def page_bytes(self) -> int:
        """Size of a page, and of this header."""
        return self.file_format.page_bytes

    @property
    def is_clean(self) -> bool:
        """Whether the database needs no log."""
        return self.state is DatabaseState.CLEAN_SHUTDOWN

    def shut_down_clean(self, position: Lgpos, now: LogTime, dbtime: int) -> None:
        """Say that no log is needed: everything up to `position` is in the database (B)."""
        self.state = DatabaseState.CLEAN_SHUTDOWN
        self.dbtime = dbtime
        self.generation_min_required = 0
        self.generation_max_required = 0
        self.generation_max_committed = 0
        self.generation_max_created = LOG_TIME_ZERO
        self.consistent = self.detach = position
        self.consistent_time = self.detach_time = now
        self.attach = LGPOS_ZERO
        self.attach_time = LOG_TIME_ZERO

    def pack(self) -> bytes:
        """Return the header as one page; the shadow is the same page again.

        Which logs are committed but not required is said only where the format can (1.2).
        """
        block = bytearray(self.image or bytes(self.page_bytes))
        for name, offset, structure in _STRUCTURES:
            data = getattr(self, name).pack()
            assert len(data) == _SIZES[structure], f"{name} has {len(data)} bytes"
            block[offset : offset + len(data)] = data
        for name, offset, layout in _NUMBERS:
            layout.pack_into(block, offset, getattr(self, name))
        if not self.file_format.has_waypoint:
            _I32.pack_into(block, _COMMITTED_OFFSET, 0)
        _OS_VERSION.pack_into(block, 216, *self.os_version)
        revision = self.file_format.revision
        _MAGIC.pack_into(block, 4, HEADER_MAGIC, DATABASE_VERSION)
        # A page size of 0 means 4096 when read, but libesedb refuses it: it is always stated.
        _PAIR.pack_into(block, 232, revision, self.page_bytes)
        if not self.image:
            _PAIR.pack_into(block, 340, DATABASE_VERSION, revision)
        _U32.pack_into(block, _ATTRIBUTE_OFFSET, self.file_type - FileType.DATABASE)
        _U32.pack_into(block, FILE_TYPE_OFFSET, self.file_type)
        _U32.pack_into(block, 0, block_checksum(block))
        return bytes(block)

    @classmethod
    def unpack(
        cls,
        block: bytes,
        file_format: Format = EXCHANGE_2007,
        where: str = "database",
        *,
        file_type: FileType = FileType.DATABASE,
    ) -> "DatabaseHeader":
        """Read one copy of the header; raises EseError -1018, -1206 or -1213.

        Args:
            block: one page or more.
            file_format: what is expected; another page size is refused.
            where: names the file in errors.
            file_type: which file of the database it should be.
        """
        hint = "use the shadow header, or restore the database from a copy or a backup"
        if len(block) < file_format.page_bytes or not any(block[:4096]):
            raise ese_error(-1206, f"{where}: there is no header", hint)
        magic, version = _MAGIC.unpack_from(block, 4)
        revision, stated_bytes = _PAIR.unpack_from(block, 232)
        page_bytes = stated_bytes or 4096
        is_whole = _U32.unpack_from(block)[0] == block_checksum(block[:page_bytes])
        if magic != HEADER_MAGIC or not is_whole or len(block) < page_bytes:
            raise ese_error(-1018, f"{where}: the header's checksum is wrong", hint)
        if page_bytes != file_format.page_bytes:
            pages = f"{where}: pages of {page_bytes} bytes"
            raise ese_error(-1213, pages, "name the Exchange version that wrote the database")
        stated_type = _U32.unpack_from(block, FILE_TYPE_OFFSET)[0]
        state = _U32.unpack_from(block, 52)[0]
        if (stated_type, version, revision) != (file_type, DATABASE_VERSION, file_format.revision):
            raise _other_file(where, stated_type, (version, revision), page_bytes)
        newest = DatabaseState.FORCE_DETACH if file_format in FORMATS else DatabaseState.REVERT
        if not DatabaseState.JUST_CREATED <= state <= newest:
            raise ese_error(-1206, f"{where}: the header has state {state}", hint)
        return cls._read(block, file_format)

    @classmethod
    def _read(cls, block: bytes, file_format: Format) -> "DatabaseHeader":
        values: dict[str, Any] = {
            name: structure.unpack(block[offset : offset + _SIZES[structure]])
            for name, offset, structure in _STRUCTURES
        }
        for name, offset, layout in _NUMBERS:
            values[name] = layout.unpack_from(block, offset)[0]
        image = bytes(block[: file_format.page_bytes])
        file_type = FileType(_U32.unpack_from(block, FILE_TYPE_OFFSET)[0])
        header = cls(file_format=file_format, image=image, file_type=file_type, **values)
        header.state = DatabaseState(header.state)
        major, minor, build, service_pack = _OS_VERSION.unpack_from(block, 216)
        header.os_version = (major, minor, build, service_pack)
        return header


_U32 = Struct("<I")
_I32 = Struct("<i")
_I64 = Struct("<q")
_PAIR = Struct("<II")
_MAGIC = Struct("<II")
_OS_VERSION = Struct("<IIIi")

_ATTRIBUTE_OFFSET = 12
_COMMITTED_OFFSET = 416

_Structure = type[Lgpos] | type[LogTime] | type[Signature] | type[BackupInfo]
_SIZES: dict[_Structure, int] = {Lgpos: 8, LogTime: 8, Signature: 28, BackupInfo: 24}

_STRUCTURES: tuple[tuple[str, int, _Structure], ...] = (
    ("signature", 24, Signature),
    ("consistent", 56, Lgpos),
    ("consistent_time", 64, LogTime),
    ("attach_time", 72, LogTime),
    ("attach", 80, Lgpos),
    ("detach_time", 88, LogTime),
    ("detach", 96, Lgpos),
    ("log_signature", 108, Signature),
    ("full_backup_previous", 136, BackupInfo),
    ("incremental_backup_previous", 160, BackupInfo),
    ("full_backup_current", 184, BackupInfo),
    ("repair_time", 244, LogTime),
    ("streaming_signature", 252, Signature),
    ("scrub_time", 288, LogTime),
    ("snapshot_current", 316, BackupInfo),
    ("generation_max_created", 348, LogTime),
    ("copy_backup_previous", 420, BackupInfo),
    ("differential_backup_previous", 444, BackupInfo),
)
_NUMBERS: tuple[tuple[str, int, Struct], ...] = (
    ("dbtime", 16, _I64),
    ("state", 52, _U32),
    ("dbid", 104, _U32),
    ("flags", 208, _U32),
    ("objid_last", 212, _U32),
    ("repair_count", 240, _U32),
    ("scrub_dbtime", 280, _I64),
    ("generation_min_required", 296, _I32),
    ("generation_max_required", 300, _I32),
    ("full_backup_kind", 356, _U32),
    ("incremental_backup_kind", 360, _U32),
    ("repair_count_old", 364, _U32),
    ("generation_max_committed", _COMMITTED_OFFSET, _I32),
    ("copy_backup_kind", 468, _U32),
    ("differential_backup_kind", 472, _U32),
)


class Reader(Protocol):
    """What a header is read from."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of a file."""


class _OtherFileError(EseError):
    """A header is whole, but of another kind of file or of another version: it is not damaged."""


def _other_file(
    where: str, file_type: int, version: tuple[int, int], page_bytes: int
) -> _OtherFileError:
    """Return the error -1206 that says what the file is, and where it belongs.

    In place, no engine here makes an older database one of its own version.
    """
    writers = [
        known.name
        for known in FORMATS
        if ((DATABASE_VERSION, known.revision), known.page_bytes) == (version, page_bytes)
    ]
    if file_type == FileType.STREAMING:
        hint = "name the database (.edb), not its streaming file"
    elif writers:
        hint = f"attach it as {writers[0]}, which wrote it: mail can be moved from there"
    else:
        hint = "attach it to the program that wrote it"
    found = f"file type {file_type}, version {version[0]:#x},{version[1]:#x}"
    return _OtherFileError(*ese_error(-1206, f"{where}: {found}", hint).args)


def read_header(
    files: Reader,
    name: str,
    file_format: Format = EXCHANGE_2007,
    file_type: FileType = FileType.DATABASE,
) -> DatabaseHeader:
    """Read a database's header, or its shadow when the header is damaged.

    Raises EseError -1206 when both are damaged, -1213 for another page size, and what reading
    the file raises.
    """
    page_bytes = file_format.page_bytes

    def unpack(block: bytes) -> DatabaseHeader:
        return DatabaseHeader.unpack(block, file_format, name, file_type=file_type)

    try:
        return unpack(files.read(name, 0, max(PAGE_BYTES_MAX, page_bytes)))
    except EseError as damage:
        if damage.code not in (-1018, -1206) or isinstance(damage, _OtherFileError):
            raise
        first = damage
    try:
        return unpack(files.read(name, page_bytes, page_bytes))
    except _OtherFileError:
        raise
    except EseError as second:
        hint = "restore the database from a copy or a backup"
        where = f"{name}: header and shadow are damaged ({first.where}; {second.where})"
        raise ese_error(-1206, where, hint) from second
