"""A real block trace: its writes, what each of them writes, and what a disk then holds.

The trace lies outside the repository. It tells places and sizes; the bytes are made here, out of
the number of the sector and that of the write, so that each sector says which write it is from.
"""

import csv
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

TRACE = Path(__file__).parents[3] / "shared" / "data" / "block-trace.csv"
SECTOR_BYTES = 512
_WRITE_OPCODE = "2a"
_WORDS = SECTOR_BYTES // 8
#: Odd numbers: a product with one of them loses nothing.
_FACTORS = np.random.default_rng(1).integers(1 << 63, size=_WORDS, dtype=np.uint64) * 2 + 1


class TraceWrite(NamedTuple):
    """One write; the time is in seconds since the first request of the trace."""

    time_s: int
    sector: int
    sectors: int


def read_trace(seconds):
    """Return the writes of the first seconds of the trace."""
    writes, begun_s = [], None
    with TRACE.open(newline="") as lines:
        for row in csv.DictReader(lines):
            time_s = int(float(row["time"]))
            begun_s = time_s if begun_s is None else begun_s
            if time_s - begun_s >= seconds:
                break
            if row["op"] == _WRITE_OPCODE:
                sectors, odd = divmod(int(row["size"]), SECTOR_BYTES)
                assert not odd, "a disk is written in sectors"
                writes.append(TraceWrite(time_s - begun_s, int(row["lbn"]), sectors))
    return writes


def content_of(sectors, writers):
    """Return what sectors hold, given for each which write (from 1 on) was its last; 0: zeros."""
    mixed = sectors.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= writers.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    words = mixed[:, None] * _FACTORS[None, :]
    words[writers == 0] = 0
    return words.tobytes()


def payload_of(write, number):
    """Return what write `number` (from 1 on) writes."""
    sectors = np.arange(write.sector, write.sector + write.sectors)
    return content_of(sectors, np.full(write.sectors, number))


class DiskReference:
    """Which write was the last one of each sector, after so many of the trace's writes."""

    def __init__(self, writes):
        spans = [np.arange(write.sector, write.sector + write.sectors) for write in writes]
        #: Every sector that is ever written, ascending: those of one write lie side by side here.
        self.sectors = np.unique(np.concatenate(spans))
        self.writers = np.zeros(len(self.sectors), dtype=np.uint32)
        self.count = 0
        #: Of the file that the disk is.
        self.size_bytes = 0
        self._writes = writes
        self._starts = np.searchsorted(self.sectors, [write.sector for write in writes])

    def advance(self, count):
        """Go on until so many writes are done."""
        assert count >= self.count, "time goes one way"
        for number in range(self.count, count):
            start, write = self._starts[number], self._writes[number]
            self.writers[start : start + write.sectors] = number + 1
            stop = (write.sector + write.sectors) * SECTOR_BYTES
            self.size_bytes = max(self.size_bytes, stop)
        self.count = count

    def read(self, sector, sectors):
        """Return what lies in some sectors."""
        wanted = np.arange(sector, sector + sectors)
        at = np.minimum(np.searchsorted(self.sectors, wanted), len(self.sectors) - 1)
        writers = np.where(self.sectors[at] == wanted, self.writers[at], 0)
        return content_of(wanted, writers)

    def digest(self):
        """Return a digest of everything that was ever written: places and bytes."""
        digest, step = blake2b(), 1 << 12
        sectors, writers = self.sectors[self.writers > 0], self.writers[self.writers > 0]
        for start in range(0, len(sectors), step):
            some = slice(start, start + step)
            digest.update(sectors[some].astype(np.uint64).tobytes())
            digest.update(content_of(sectors[some], writers[some]))
        return digest.hexdigest()


def digest_of(pieces):
    """Return the same digest of (offset, bytes) pieces of an image, in order."""
    digest, step = blake2b(), 1 << 12
    sectors, parts, held = [], [], 0
    for offset, data in pieces:
        first, count = offset // SECTOR_BYTES, len(data) // SECTOR_BYTES
        assert not offset % SECTOR_BYTES
        assert not len(data) % SECTOR_BYTES
        sectors.append(np.arange(first, first + count, dtype=np.uint64))
        parts.append(data)
        held += count
        if held < 16 * step:
            continue
        sectors, parts, held = _digest_steps(digest, sectors, parts, step, is_last=False)
    _digest_steps(digest, sectors, parts, step, is_last=True)
    return digest.hexdigest()


def _digest_steps(digest, sectors, parts, step, *, is_last):
    """Digest whole steps of what was collected; return the rest in the same form."""
    places = np.concatenate(sectors) if sectors else np.zeros(0, dtype=np.uint64)
    data, start = b"".join(parts), 0
    while len(places) - start >= (1 if is_last else step):
        stop = min(start + step, len(places))
        digest.update(places[start:stop].tobytes())
        digest.update(data[start * SECTOR_BYTES : stop * SECTOR_BYTES])
        start = stop
    return [places[start:]], [data[start * SECTOR_BYTES :]], len(places) - start
