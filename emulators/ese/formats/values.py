"""The small structures that headers and records are made of (ese-format.md A)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS_PER_MILLISECOND = 1_000_000
_LGPOS = Struct("<HHi")
_SIGNATURE = Struct("<I8s16s")
_BACKUP_INFO = Struct("<8s8sII")
_DBMS_PARAM = Struct("<261s261sBIIIIIII16s")
_ATTACH_INFO = Struct("<BBHqII8s8s28s")

SIGNATURE_BYTES = _SIGNATURE.size
ATTACH_UNICODE_NAMES = 0x20
DBMS_CIRCULAR_LOGGING = 1


class Lgpos(NamedTuple):
    """A position in the log stream; positions compare as the stream runs (exchange.md F13)."""

    generation: int
    sector: int
    byte: int

    def pack(self) -> bytes:
        """Return the 8 bytes of LE_LGPOS: byte, sector, generation."""
        return _LGPOS.pack(self.byte, self.sector, self.generation)

    @classmethod
    def unpack(cls, data: bytes) -> "Lgpos":
        """Read 8 bytes of LE_LGPOS."""
        byte, sector, generation = _LGPOS.unpack(data)
        return cls(generation, sector, byte)

    def __str__(self) -> str:
        return f"(0x{self.generation:X},{self.sector:X},{self.byte:X})"


LGPOS_ZERO = Lgpos(0, 0, 0)


class LogTime(NamedTuple):
    """A time stamp with the resolution of a millisecond, in UTC; all zero when not set."""

    second: int
    minute: int
    hour: int
    day: int
    month: int
    years_since_1900: int
    millisecond: int
    is_utc: bool

    @classmethod
    def from_ns(cls, time_ns: int) -> "LogTime":
        """Convert integer nanoseconds since 1970 UTC, rounding down to a millisecond."""
        milliseconds = time_ns // _NANOSECONDS_PER_MILLISECOND
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
        return cls(
            moment.second,
            moment.minute,
            moment.hour,
            moment.day,
            moment.month,
            moment.year - 1900,
            moment.microsecond // 1000,
            True,
        )

    def to_ns(self) -> int:
        """Convert to integer nanoseconds since 1970 UTC; 0 when not set."""
        if not self.is_set:
            return 0
        moment = datetime(
            self.years_since_1900 + 1900,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.millisecond * 1000,
            tzinfo=UTC,
        )
        return (moment - _EPOCH) // timedelta(milliseconds=1) * _NANOSECONDS_PER_MILLISECOND

    @property
    def is_set(self) -> bool:
        """Whether this is a time at all."""
        return self.month != 0

    def pack(self) -> bytes:
        """Return the 8 bytes of LOGTIME; the month counts from 1, as seen in samples."""
        low = (self.millisecond & 0x7F) << 1 | int(self.is_utc)
        high = self.millisecond >> 7 << 1
        fields = (self.second, self.minute, self.hour, self.day, self.month, self.years_since_1900)
        return bytes((*fields, low, high))

    @classmethod
    def unpack(cls, data: bytes) -> "LogTime":
        """Read 8 bytes of LOGTIME."""
        assert len(data) == 8, "a LOGTIME has 8 bytes"
        second, minute, hour, day, month, year, low, high = data
        millisecond = low >> 1 | (high >> 1 & 7) << 7
        return cls(second, minute, hour, day, month, year, millisecond, bool(low & 1))

    def __str__(self) -> str:
        year = self.years_since_1900 + 1900
        clock = f"{self.hour:02}:{self.minute:02}:{self.second:02}"
        return f"{self.month:02}/{self.day:02}/{year:04} {clock}"


LOG_TIME_ZERO = LogTime(0, 0, 0, 0, 0, 0, 0, False)


class Signature(NamedTuple):
    """What tells one database or log set from another: a random number and its creation time."""

    random: int
    create: LogTime
    computer: str

    def pack(self) -> bytes:
        """Return the 28 bytes of SIGNATURE."""
        return _SIGNATURE.pack(self.random, self.create.pack(), self.computer.encode("ascii"))

    @classmethod
    def unpack(cls, data: bytes) -> "Signature":
        """Read 28 bytes of SIGNATURE."""
        random, create, computer = _SIGNATURE.unpack(data)
        return cls(random, LogTime.unpack(create), _text(computer))

    def __str__(self) -> str:
        return f"Create time:{self.create} Rand:{self.random} Computer:{self.computer}"


SIGNATURE_ZERO = Signature(0, LOG_TIME_ZERO, "")


class BackupInfo(NamedTuple):
    """BKINFO: one backup, by its mark in the log, time, and range of log generations."""

    mark: Lgpos
    time: LogTime
    generation_low: int
    generation_high: int

    def pack(self) -> bytes:
        """Return the 24 bytes of BKINFO."""
        return _BACKUP_INFO.pack(
            self.mark.pack(), self.time.pack(), self.generation_low, self.generation_high
        )

    @classmethod
    def unpack(cls, data: bytes) -> "BackupInfo":
        """Read 24 bytes of BKINFO."""
        mark, time, low, high = _BACKUP_INFO.unpack(data)
        return cls(Lgpos.unpack(mark), LogTime.unpack(time), low, high)


BACKUP_INFO_ZERO = BackupInfo(LGPOS_ZERO, LOG_TIME_ZERO, 0, 0)


@dataclass(frozen=True, slots=True)
class DbmsParam:
    """DBMS_PARAM: the paths and sizes that the engine ran with; counts, paths in ASCII."""

    system_path: str = ""
    log_path: str = ""
    flags: int = 0
    sessions: int = 0
    open_tables: int = 0
    version_pages: int = 0
    cursors: int = 0
    log_buffers: int = 0
    log_sectors: int = 0
    cache_pages_max: int = 0

    def pack(self) -> bytes:
        """Return the 567 bytes of DBMS_PARAM."""
        return _DBMS_PARAM.pack(
            _path(self.system_path),
            _path(self.log_path),
            self.flags,
            self.sessions,
            self.open_tables,
            self.version_pages,
            self.cursors,
            self.log_buffers,
            self.log_sectors,
            self.cache_pages_max,
            b"",
        )

    @classmethod
    def unpack(cls, data: bytes) -> "DbmsParam":
        """Read 567 bytes of DBMS_PARAM."""
        system_path, log_path, *numbers, _ = _DBMS_PARAM.unpack(data)
        return cls(_text(system_path), _text(log_path), *numbers)


@dataclass(frozen=True, slots=True)
class AttachInfo:
    """ATTACHINFO: one database that is attached to a log stream."""

    dbid: int
    path: str
    dbtime: int
    objid_last: int
    pages_max: int
    lgpos_attach: Lgpos
    lgpos_consistent: Lgpos
    signature: Signature
    has_unicode_names: bool = True

    def pack(self) -> bytes:
        """Return the 64 bytes of ATTACHINFO and the path with its terminator."""
        names = pack_name(self.path, has_unicode_names=self.has_unicode_names)
        head = _ATTACH_INFO.pack(
            self.dbid,
            ATTACH_UNICODE_NAMES if self.has_unicode_names else 0,
            len(names),
            self.dbtime,
            self.objid_last,
            self.pages_max,
            self.lgpos_attach.pack(),
            self.lgpos_consistent.pack(),
            self.signature.pack(),
        )
        return head + names

    @classmethod
    def unpack(cls, data: bytes, offset: int = 0) -> tuple["AttachInfo", int]:
        """Read one entry at `offset`; return it and the offset after it."""
        (
            dbid, flags, name_bytes, dbtime, objid, pages, attach, consistent, signature,
        ) = _ATTACH_INFO.unpack_from(data, offset)  # fmt: skip
        end = offset + _ATTACH_INFO.size + name_bytes
        names = data[offset + _ATTACH_INFO.size : end]
        has_unicode_names = bool(flags & ATTACH_UNICODE_NAMES)
        path = unpack_name(names, has_unicode_names=has_unicode_names)
        info = cls(
            dbid,
            path,
            dbtime,
            objid,
            pages,
            Lgpos.unpack(attach),
            Lgpos.unpack(consistent),
            Signature.unpack(signature),
            has_unicode_names,
        )
        return info, end


def pack_name(name: str, *, has_unicode_names: bool) -> bytes:
    """Return a file's name with its terminator; what ANSI names cannot say becomes '?'."""
    if has_unicode_names:
        return f"{name}\0".encode("utf-16-le")
    return f"{name}\0".encode("latin-1", errors="replace")


def unpack_name(data: bytes, *, has_unicode_names: bool) -> str:
    """Read a file's name up to its terminator."""
    encoding = "utf-16-le" if has_unicode_names else "latin-1"
    return data.decode(encoding, errors="replace").split("\0", 1)[0]


def pack_attachments(attachments: tuple[AttachInfo, ...], size: int) -> bytes:
    """Return the attachments one after another, ended by zeros up to `size` bytes."""
    data = b"".join(info.pack() for info in attachments)
    assert len(data) < size, f"{len(attachments)} attachments do not fit into {size} bytes"
    return data.ljust(size, b"\0")


def unpack_attachments(data: bytes) -> tuple[AttachInfo, ...]:
    """Read a list of attachments up to the entry with database number 0."""
    attachments: list[AttachInfo] = []
    offset = 0
    while offset + _ATTACH_INFO.size <= len(data) and data[offset] != 0:
        info, offset = AttachInfo.unpack(data, offset)
        attachments.append(info)
    return tuple(attachments)


def _path(text: str) -> bytes:
    data = text.encode("latin-1")
    assert len(data) < 261, f"the path {text!r} has more than 260 characters"
    return data


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("latin-1")
