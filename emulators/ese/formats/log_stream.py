"""Writing a log file's stream: records in, whole sectors with checksums out (ese-format.md G).

Fault model: any sectors of the last flush may be missing on disk after a power cut; what earlier
flushes made readable stays readable, because a flush rewrites only one sector of theirs, with the
same data, and the records that prove it (see log_scan for the reader).

The algorithm is the annex's: while new data stays in the sector of the open checksum record, that
sector is written again, with a copy (the shadow) in the sector after it. Otherwise a new checksum
record is put at the end, and the old one is closed over all whole sectors up to the new one's.
"""

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

__all__ = [
    "STREAM_OFFSET",
    "LogFrame",
    "LogScan",
    "LogState",
    "blank_log",
    "lgpos_at",
    "scan_log",
]


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
        self._parts: list[bytes] = []
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

    def flush(self) -> tuple[int, bytes]:
        """Return (offset, bytes) to write so that every appended record is readable.

        Whole sectors; when nothing is new, the last sector and its shadow once more.
        """
        end_max = self.file_bytes - SECTOR_BYTES
        assert self.position <= end_max, "records were appended beyond the room of the log file"
        sector = self._checksum_at - len(self._head)
        self._pending = False
        data = b"".join(self._parts)
        if self.position <= sector + SECTOR_BYTES:
            written = self._last_sector(data)
        else:
            written = self._close_range(sector, data)
        if self._heals:
            # A torn flush left something behind: the unused pattern is put over it.
            self._heals = False
            written += fill_pattern(self.file_bytes - sector - len(written))
        return sector, written

    def _close_range(self, sector: int, data: bytes) -> bytes:
        """Close the open checksum record before the sector of a new one at the end."""
        new_at = _place_for_checksum(self.position)
        data += bytes(new_at - self.position)
        after = self._checksum_at + CHECKSUM_RECORD_BYTES
        boundary = new_at - new_at % SECTOR_BYTES
        covered = memoryview(data)[: boundary - after]
        own = covered[: sector + SECTOR_BYTES - after]
        record = make_record(
            self.generation,
            self._head,
            boundary - after,
            new_at - after,
            xor_words(covered),
            xor_words(own),
        )
        front = self._head + record.pack()
        self._checksum_at = new_at
        self._head = data[boundary - after :]
        self.position = new_at + CHECKSUM_RECORD_BYTES
        return b"".join((front, covered, self._last_sector(b"")))

    def _last_sector(self, data: bytes) -> bytes:
        """Return the sector of the open checksum record, with `data` after it, and its shadow."""
        self._parts = [data]
        xor = xor_words(data)
        record = make_record(self.generation, self._head, len(data), 0, xor, xor)
        return self._sector(record, data, 0) + self._sector(record, data, SHADOW_MASK)

    def _sector(self, record: ChecksumRecord, data: bytes, mask: int) -> bytes:
        used = self._head + record.pack(mask) + data
        return used + fill_pattern(SECTOR_BYTES)[len(used) :]

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
