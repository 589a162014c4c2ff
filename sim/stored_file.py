"""One file on a volume, with what a power cut may do to it.

Fault model.
May happen: at a power cut every write since the file's last completed flush is, each for
itself, kept, lost, or torn: only a prefix of the 512-byte sectors it touches is on the disk.
Promised: sectors are atomic; what was written before the last completed flush is untouched;
truncation is durable when it completes.
Assumption: the write cache in front of a file holds 64 MiB; when it is full, all of it is
written out, as if the file had been flushed (WRITE_CACHE_BYTES).
A bit that has rotted before the file's last completed flush stays so; a power cut before the next
flush undoes a later one, as the blocks that were not flushed are decided anew.
Not checked: writes of one file reordered with those of another beyond what independent fates
give.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sim.content import Content
from sim.payload import Segments, length_of, slice_of

__all__ = ["SECTOR_BYTES", "WRITE_CACHE_BYTES", "Fate", "StoredFile", "Torn", "UnflushedWrite"]

SECTOR_BYTES = 512
WRITE_CACHE_BYTES = 64 * 1024 * 1024  # assumption: the size of a storage controller's cache


class Fate(Enum):
    """What a power cut does to a write that was not flushed; `Torn` says how much is kept."""

    KEPT = "kept"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Torn:
    """Only the first sectors of the write are kept.

    Attributes:
        sectors: How many; 0 is the same as lost.
    """

    sectors: int


@dataclass(frozen=True, slots=True)
class UnflushedWrite:
    """A write that completed after the file's last flush.

    Attributes:
        file: The file's name at the time of the power cut.
        offset: Where in the file, in bytes.
        payload: What was written.
        ordinal: Its place among the file's unflushed writes, from 0.
    """

    file: str
    offset: int
    payload: Segments
    ordinal: int

    @property
    def sectors(self) -> int:
        """The number of sectors it touches."""
        end = self.offset + length_of(self.payload)
        return -(-end // SECTOR_BYTES) - self.offset // SECTOR_BYTES

    def kept_bytes(self, fate: Fate | Torn) -> int:
        """Return how many of its first bytes survive that fate."""
        length = length_of(self.payload)
        if fate is Fate.KEPT:
            return length
        if isinstance(fate, Torn):
            boundary = (self.offset // SECTOR_BYTES + fate.sectors) * SECTOR_BYTES
            return min(max(boundary - self.offset, 0), length)
        return 0


@dataclass(frozen=True, slots=True)
class _Change:
    """A write (a payload at an offset) or a truncation (no payload, to a size)."""

    offset: int
    payload: Segments | None


class StoredFile:
    """A file.

    Attributes:
        content: Its bytes as they are seen now.
    """

    __slots__ = ("_changes", "_unflushed_bytes", "content")

    def __init__(self) -> None:
        self.content = Content()
        self._changes: list[_Change] = []
        self._unflushed_bytes = 0

    def write(self, offset: int, payload: Segments, length: int) -> None:
        """Write a payload of that length."""
        self.content.write(offset, payload)
        self._changes.append(_Change(offset, payload))
        self._unflushed_bytes += length
        if self._unflushed_bytes > WRITE_CACHE_BYTES:
            self.flush()

    def truncate(self, size: int) -> None:
        """Cut or extend the file to a size, durably."""
        self.content.truncate(size)
        if self._changes:
            self._changes.append(_Change(size, None))
        else:
            self.content.settle()

    def rot(self, offset: int, bit: int) -> None:
        """Flip one bit of what is stored."""
        [old] = self.content.read(offset, 1)
        value = 0 if isinstance(old, int) else old[0]
        self.content.write(offset, (bytes([value ^ (1 << bit)]),))
        if not self._changes:
            self.content.settle()

    def flush(self) -> None:
        """Make everything written so far durable."""
        self.content.settle()
        self._changes.clear()
        self._unflushed_bytes = 0

    def power_cut(
        self, name: str, fate_of: Callable[[UnflushedWrite], Fate | Torn]
    ) -> list[tuple[UnflushedWrite, Fate | Torn]]:
        """Lose what the fates say; returns them, in the order of the writes."""
        changes, self._changes = self._changes, []
        if not changes:
            return []
        self.content.revert()
        fates: list[tuple[UnflushedWrite, Fate | Torn]] = []
        for change in changes:
            if change.payload is None:
                self.content.truncate(change.offset)
                continue
            write = UnflushedWrite(name, change.offset, change.payload, len(fates))
            fate = fate_of(write)
            fates.append((write, fate))
            kept = write.kept_bytes(fate)
            if kept:
                self.content.write(write.offset, slice_of(write.payload, 0, kept))
        self.flush()
        return fates
