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
from engine.layers.differences import BLOCK_BYTES, changed_ranges
from engine.layers.strata import Stratum, View, cut_through

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
            is_begun_anew = cut_through(self._strata, file) == 0
            if is_begun_anew:
                digest = 0
            for start, stop in changed_ranges(self._low, self._high, self._strata, file):
                if not is_begun_anew:
                    digest ^= self._blocks(self._low, file, start, stop)
                digest ^= self._blocks(self._high, file, start, stop)
                yield stop - start
            self.digests[file] = digest.to_bytes(_DIGEST_BYTES, "little")

    def run(self) -> dict[int, bytes]:
        """Do all the work at once; return the digests at the later point."""
        for _ in self.steps():
            pass
        return self.digests

    def _blocks(self, view: View, file: int, start: int, stop: int) -> int:
        """Return the XOR of the digests of blocks start..stop, as far as the file goes."""
        if file not in view.names:
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
