"""Writing a log file's stream: records in, whole sectors with checksums out (ese-format.md G).

Fault model: any sectors of the last flush may be missing on disk after a power cut; what earlier
flushes made readable stays readable, because a flush rewrites only one sector of theirs, with the
same data, and the records that prove it (see log_scan for the reader).

The algorithm is the annex's: while new data stays in the sector of the open checksum record, that
sector is written again, with a copy (the shadow) in the sector after it. Otherwise a new checksum
record is put at the end, and the old one is closed over all whole sectors up to the new one's.

Runs of zeros in records are carried as lengths and cost nothing until they become bytes.
"""

from collections.abc import Iterable
from typing import TypeAlias

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import xor_words
from emulators.ese.formats.format import SECTOR_BYTES
from emulators.ese.formats.log_checksum import (
    CHECKSUM_RECORD_BYTES,
    SHADOW_MASK,
    ChecksumRecord,
    make_record,
)
from emulators.ese.formats.log_file import fill_pattern
from emulators.ese.formats.log_scan import STREAM_OFFSET, LogScan, LogState, lgpos_at, scan_log
from sim.payload import Segments, to_bytes

__all__ = [
    "STREAM_OFFSET",
    "LogFrame",
    "LogScan",
    "LogState",
    "Segments",
    "blank_log",
    "lgpos_at",
    "scan_log",
]

_Part: TypeAlias = bytes | memoryview | int

_ZEROS_AS_BYTES_MAX = 256
"""Shorter runs of zeros are cheaper as bytes."""


class LogFrame:
    """The stream of one log file, from its header's end to its last sector.

    Args:
        generation: of the log file.
        file_bytes: its size; the last sector is kept for a shadow.
    """

    __slots__ = (
        "_checksum_at",
        "_head",
        "_heals",
        "_parts",
        "_pending",
        "file_bytes",
        "first_position",
        "generation",
        "position",
    )

    def __init__(self, generation: int, file_bytes: int) -> None:
        assert file_bytes % SECTOR_BYTES == 0, "a log file has whole sectors"
        self.generation = generation
        self.file_bytes = file_bytes
        self.first_position = STREAM_OFFSET + CHECKSUM_RECORD_BYTES
        self.position = self.first_position
        self._checksum_at = STREAM_OFFSET
        self._head = b""
        self._parts: list[bytes | int] = []
        self._pending = True
        self._heals = False

    @property
    def pending(self) -> bool:
        """Whether a flush would make anything readable that is not yet."""
        return self._pending

    def room(self, size: int) -> bool:
        """Return whether `size` more bytes of records fit, with the framing of a final flush."""
        return self.position + size <= self.file_bytes - SECTOR_BYTES - CHECKSUM_RECORD_BYTES

    def append(self, record: bytes) -> int:
        """Append one record and return its offset in the file; the caller asked for room."""
        offset = self.position
        self._parts.append(record)
        self.position = offset + len(record)
        self._pending = True
        return offset

    def append_segments(self, record: Segments) -> int:
        """Append one record that holds runs of zeros; return its offset in the file."""
        offset = self.position
        for part in record:
            self._parts.append(part)
            self.position += part if isinstance(part, int) else len(part)
        self._pending = True
        return offset

    def flush(self) -> tuple[int, bytes]:
        """Return (offset, bytes) to write so that every appended record is readable.

        Whole sectors; when nothing is new, the last sector and its shadow once more.
        """
        offset, segments = self.flush_segments()
        return offset, to_bytes(segments)

    def flush_segments(self) -> tuple[int, Segments]:
        """Do as `flush`, leaving long runs of zeros as lengths."""
        end_max = self.file_bytes - SECTOR_BYTES
        assert self.position <= end_max, "records were appended beyond the room of the log file"
        sector = self._checksum_at - len(self._head)
        self._pending = False
        if self.position <= sector + SECTOR_BYTES:
            segments: Segments = (self._last_sector(to_bytes(tuple(self._parts))),)
        else:
            segments = self._close_range(sector)
        if self._heals:
            segments = self._healed(sector, segments)
        return sector, segments

    def _close_range(self, sector: int) -> Segments:
        """Close the open checksum record before the sector of a new one at the end."""
        self._fill_to(_place_for_checksum(self.position))
        after = self._checksum_at + CHECKSUM_RECORD_BYTES
        new_at = self.position
        boundary = new_at - new_at % SECTOR_BYTES
        data = _coalesce(self._parts)
        covered, new_head = _cut(data, boundary - after)
        own, _ = _cut(covered, sector + SECTOR_BYTES - after)
        record = make_record(
            self.generation,
            self._head,
            boundary - after,
            new_at - after,
            _xor(covered),
            _xor(own),
        )
        front = self._head + record.pack()
        self._checksum_at = new_at
        self._head = to_bytes(_coalesce(new_head))
        self._parts = []
        self.position = new_at + CHECKSUM_RECORD_BYTES
        return _coalesce((front, *covered, self._last_sector(b"")))

    def _last_sector(self, data: bytes) -> bytes:
        """Return the sector of the open checksum record, with `data` after it, and its shadow."""
        self._parts = [data]
        xor = xor_words(data)
        record = make_record(self.generation, self._head, len(data), 0, xor, xor)
        return self._sector(record, data, 0) + self._sector(record, data, SHADOW_MASK)

    def _sector(self, record: ChecksumRecord, data: bytes, mask: int) -> bytes:
        used = self._head + record.pack(mask) + data
        return used + fill_pattern(SECTOR_BYTES)[len(used) :]

    def _fill_to(self, position: int) -> None:
        if position > self.position:
            self._parts.append(bytes(position - self.position))
            self.position = position

    def _healed(self, sector: int, segments: Segments) -> Segments:
        """Let this flush also put the unused pattern over what a torn flush left behind."""
        self._heals = False
        length = sum(part if isinstance(part, int) else len(part) for part in segments)
        return *segments, fill_pattern(self.file_bytes - sector - length)

    @classmethod
    def resume(cls, existing: bytes) -> "LogFrame":
        """Go on with a current log that was recovered; its next flush removes a torn tail.

        Args:
            existing: the whole file; raises EseError -501 when it is corrupt before its end.
        """
        generation = int.from_bytes(existing[4:8], "little", signed=True)
        scan = scan_log(existing, generation)
        if scan.state is LogState.CORRUPT:
            where = f"log generation {generation}, offset {scan.damage_offset}"
            raise ese_error(-501, where, "recover to before this log, or from another copy of it")
        frame = cls(generation, len(existing))
        after = scan.checksum_at + CHECKSUM_RECORD_BYTES
        sector = scan.checksum_at - scan.checksum_at % SECTOR_BYTES
        frame._checksum_at = scan.checksum_at
        frame._head = scan.buffer[sector : scan.checksum_at]
        frame._parts = [scan.buffer[after : scan.end]]
        frame.position = max(scan.end, after)
        frame._heals = scan.state is LogState.TORN
        frame._pending = frame._heals
        return frame


def blank_log(header: bytes, generation: int, file_bytes: int) -> tuple[bytes, bytes, bytes]:
    """Return the parts, one after another, of a log file that holds no record yet."""
    _, first = LogFrame(generation, file_bytes).flush()
    return header, first, fill_pattern(file_bytes - len(header) - len(first))


def _place_for_checksum(position: int) -> int:
    """Return where a checksum record may be put: it must not straddle a sector."""
    left = -position % SECTOR_BYTES
    return position + left if 0 < left < CHECKSUM_RECORD_BYTES else position


def _coalesce(parts: Iterable[_Part]) -> Segments:
    """Join neighbouring bytes; short runs of zeros become bytes."""
    segments: list[bytes | int] = []
    run: list[bytes | memoryview] = []
    for part in parts:
        if not isinstance(part, int):
            run.append(part)
        elif part <= _ZEROS_AS_BYTES_MAX:
            run.append(bytes(part))
        else:
            segments += (b"".join(run), part)
            run = []
    segments.append(b"".join(run))
    return tuple(segment for segment in segments if segment)


def _cut(segments: Iterable[_Part], at: int) -> tuple[list[_Part], list[_Part]]:
    """Part a payload after `at` bytes; bytes are viewed, not copied."""
    before: list[_Part] = []
    after: list[_Part] = []
    for segment in segments:
        length = segment if isinstance(segment, int) else len(segment)
        if at >= length:
            before.append(segment)
        elif at <= 0:
            after.append(segment)
        elif isinstance(segment, int):
            before.append(at)
            after.append(length - at)
        else:
            view = memoryview(segment)
            before.append(view[:at])
            after.append(view[at:])
        at -= length
    return before, after


def _xor(segments: Iterable[_Part]) -> int:
    """Return the XOR of the payload's words: each part's, turned to where it begins in a word."""
    total = 0
    place = 0
    for segment in segments:
        if isinstance(segment, int):
            place += segment
            continue
        xor = xor_words(segment)
        turn = (place & 3) << 3
        total ^= (xor << turn | xor >> 32 - turn) & 0xFFFFFFFF
        place += len(segment)
    return total
