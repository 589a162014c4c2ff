"""One bit per block of one file: what a write has touched, in the least memory."""

import re
from collections.abc import Iterator

from engine.basics.ranges import Range

#: protection.md 1.2: blocks of 4 KiB, of 16 KiB from 512 GiB up.
BLOCK_BYTES = 4 << 10
BLOCK_BYTES_LARGE = 16 << 10
LARGE_FILE_BYTES = 512 << 30
_ANY_BIT = re.compile(rb"[^\0]")


class Bitmap:
    """The dirty blocks of one file.

    Args:
        file_bytes: The file's size now; it decides over the size of a block.
    """

    __slots__ = ("_bits", "_clean_bytes", "block_bytes", "count")

    def __init__(self, file_bytes: int) -> None:
        self.block_bytes = BLOCK_BYTES if file_bytes <= LARGE_FILE_BYTES else BLOCK_BYTES_LARGE
        #: Dirty blocks.
        self.count = 0
        self._bits = bytearray()
        #: No bit is set in so many bytes at the beginning: a drain need not search them again.
        self._clean_bytes = 0

    def add(self, start: int, stop: int) -> None:
        """Mark every block that has one of these bytes."""
        first, last = start // self.block_bytes, -(-stop // self.block_bytes)
        if len(self._bits) * 8 < last:
            self._bits.extend(bytes(-(-last // 8) - len(self._bits)))
        self._clean_bytes = min(self._clean_bytes, first >> 3)
        self._set(first, last, value=True)

    def remove(self, start: int, stop: int) -> None:
        """Clear the blocks that lie in start..stop entirely."""
        first, last = -(-start // self.block_bytes), stop // self.block_bytes
        self._set(first, min(last, len(self._bits) * 8), value=False)

    def cut(self, size: int) -> None:
        """Clear the blocks that begin at `size` or behind it."""
        self._set(-(-size // self.block_bytes), len(self._bits) * 8, value=False)

    def first(self, bytes_max: int) -> Range:
        """Return the first run of dirty blocks, as bytes, of `bytes_max` but at least a block."""
        match = _ANY_BIT.search(self._bits, self._clean_bytes)
        assert match is not None, "an empty bitmap has no first block"
        self._clean_bytes = match.start()
        byte = match.group()[0]
        found = match.start() * 8 + (byte & -byte).bit_length() - 1
        last = found + 1
        while (last - found + 1) * self.block_bytes <= bytes_max and self._is_set(last):
            last += 1
        return found * self.block_bytes, last * self.block_bytes

    def all(self) -> list[Range]:
        """Return every dirty block as a range of bytes."""
        size = self.block_bytes
        return [(block * size, (block + 1) * size) for block in self._set_bits()]

    def _is_set(self, block: int) -> bool:
        at = block >> 3
        return at < len(self._bits) and bool(self._bits[at] >> (block & 7) & 1)

    def _set(self, first: int, last: int, *, value: bool) -> None:
        block = first
        while block < last:
            at, bit = block >> 3, block & 7
            span = min(8 - bit, last - block)
            mask = (1 << span) - 1 << bit
            before = self._bits[at]
            after = before | mask if value else before & ~mask
            if after != before:
                self._bits[at] = after
                self.count += after.bit_count() - before.bit_count()
            block += span

    def _set_bits(self) -> Iterator[int]:
        for found in _ANY_BIT.finditer(self._bits):
            byte = found.group()[0]
            yield from (found.start() * 8 + bit for bit in range(8) if byte >> bit & 1)
