"""Point certificates: a keyed digest of all files at one sequence, rolled forward with the changes.

A file's digest is the XOR of the keyed blake2b digests of its blocks of 4 KiB, each salted with the
file's id and the block's number, the last one filled up with zeros; a block of zeros counts as
nothing. So it follows from the digest before an interval, and the blocks that the interval
changed, as they were and as they are. The certificate of a point is the keyed digest of all files'
ids, names, sizes and digests: two copies compare their points by 16 bytes (protection.md 7, 7).

What is checked: content, names and sizes. What is not: a certificate is keyed against accidents;
someone who knows the group's key and can write to the journal can forge one.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from engine.basics.payload import Segments, to_bytes
from engine.formats.layers import DIGEST_ZERO, TableRow, encode_table
from engine.layers.strata import Stratum, View, cut_through, next_start, resolve

#: protection.md 1.2: the bitmap's grain of volumes up to 512 GiB.
BLOCK_BYTES = 4096
_WINDOW_BYTES = 1 << 20
_SALT = struct.Struct("<QQ")
_DIGEST_BYTES = 16


def key_of(group: int) -> bytes:
    """Return the key of a group's certificates: the same on every copy of the group."""
    return blake2b(
        struct.pack("<Q", group), digest_size=_DIGEST_BYTES, person=b"certificate"
    ).digest()


def certificate_of(table: Sequence[TableRow], key: bytes) -> bytes:
    """Return the certificate of the point whose files are these, in order of their ids."""
    rows = encode_table([row._replace(cut=None) for row in table])
    return blake2b(rows, digest_size=_DIGEST_BYTES, key=key).digest()


class Roll:
    """Rolls the digests of all files from one point to a later one.

    Args:
        low: All files at the earlier point.
        high: All files at the later one.
        strata: What lies between, newest first; for a computation from nothing, all of `high`'s.
        before: The files' digests at the earlier point.
        key: The group's key.
    """

    def __init__(
        self,
        low: View,
        high: View,
        strata: Sequence[Stratum],
        before: Mapping[int, bytes],
        key: bytes,
    ) -> None:
        self._low = low
        self._high = high
        self._strata = strata
        self._before = before
        self._key = key
        #: The files' digests at the later point; complete when `steps` has ended.
        self.digests: dict[int, bytes] = {}

    def steps(self) -> Iterator[int]:
        """Do the work; yields the number of bytes looked at after each window."""
        for file in sorted(self._high.names):
            digest = int.from_bytes(self._before.get(file, DIGEST_ZERO), "little")
            cut = cut_through(self._strata, file)
            old_size = self._low.size(file) if file in self._low.names else 0
            if cut == 0:
                digest, old_size = 0, 0
            for start, stop in self._changed(file, cut, old_size):
                digest ^= self._blocks(self._low, file, start, min(stop, old_size))
                digest ^= self._blocks(self._high, file, start, stop)
                yield stop - start
            self.digests[file] = digest.to_bytes(_DIGEST_BYTES, "little")

    def run(self) -> dict[int, bytes]:
        """Do all the work at once; return the digests at the later point."""
        for _ in self.steps():
            pass
        return self.digests

    def _changed(self, file: int, cut: int | None, old_size: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of whole blocks that may differ between the two points."""
        size = self._high.size(file)
        end = size if cut is None else max(size, old_size)
        position = 0
        while position < end:
            starts = [next_start(self._strata, file, position)]
            if cut is not None and max(cut, position) < old_size:
                starts.append(max(cut, position))
            start = min((start for start in starts if start is not None), default=end)
            if start >= end:
                return
            start -= start % BLOCK_BYTES
            position = min(start + _WINDOW_BYTES, end)
            ranges = [
                (piece.start, piece.stop)
                for piece in resolve(self._strata, file, start, min(position, size))
            ]
            if cut is not None and max(cut, start) < min(old_size, position):
                ranges.append((max(cut, start), min(old_size, position)))
            yield from _whole_blocks(sorted(ranges))

    def _blocks(self, view: View, file: int, start: int, stop: int) -> int:
        """Return the XOR of the digests of blocks start..stop, as far as the file goes."""
        if start >= stop or file not in view.names:
            return 0
        return digest_of_blocks(self._key, file, start, view.read(file, start, stop - start))


def digest_of_blocks(key: bytes, file: int, start: int, content: Segments) -> int:
    """Return the XOR of the digests of the blocks that `content`, at `start` of the file, fills."""
    assert start % BLOCK_BYTES == 0, "content begins with a block"
    if not any(isinstance(segment, bytes) for segment in content):
        return 0
    data, digest = memoryview(to_bytes(content)), 0
    for offset in range(0, len(data), BLOCK_BYTES):
        block: bytes | memoryview = data[offset : offset + BLOCK_BYTES]
        if len(block) < BLOCK_BYTES:
            block = bytes(block) + bytes(BLOCK_BYTES - len(block))
        if block == _ZERO_BLOCK:
            continue
        salt = _SALT.pack(file, (start + offset) // BLOCK_BYTES)
        digest ^= int.from_bytes(
            blake2b(block, digest_size=_DIGEST_BYTES, key=key, salt=salt).digest(), "little"
        )
    return digest


_ZERO_BLOCK = bytes(BLOCK_BYTES)


def _whole_blocks(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the ranges, ascending, extended to whole blocks and joined where these touch."""
    begin = end = -1
    for start, stop in ranges:
        first, last = start - start % BLOCK_BYTES, stop + -stop % BLOCK_BYTES
        if first > end:
            if end > 0:
                yield begin, end
            begin, end = first, last
        else:
            end = max(end, last)
    if end > 0:
        yield begin, end
