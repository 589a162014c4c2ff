"""The content of one file: a dictionary of 8 KiB blocks.

An absent block is zeros. A whole block is kept as it was handed in, without a copy (a slice of
the writer's bytes, which are immutable), so that a snapshot is a copy of the dictionary and a
constant written a thousand times is stored once.
"""

from collections.abc import Mapping

from sim.payload import Segments

__all__ = ["BLOCK_BYTES", "Block", "Content", "read_blocks"]

# The page size of Exchange 2007 (ese-format.md): a database page is one block.
BLOCK_BYTES = 8192
ZERO_BLOCK = bytes(BLOCK_BYTES)

Block = bytes | memoryview


class Content:
    """A file's bytes, with the way back to what they were at the last flush.

    Attributes:
        size: The file's length in bytes; what lies beyond it in the last block is zeros.
        blocks: The blocks by number.
    """

    __slots__ = ("_before", "blocks", "size", "size_before")

    def __init__(self) -> None:
        self.size = 0
        self.blocks: dict[int, Block] = {}
        # What each block touched since the last flush was then (None: absent).
        self._before: dict[int, Block | None] = {}
        self.size_before = 0

    def write(self, offset: int, payload: Segments) -> None:
        """Write a payload at an offset; the file grows as needed."""
        position = offset
        for segment in payload:
            if isinstance(segment, int):
                self._zero(position, segment)
                position += segment
            else:
                self._put(position, segment)
                position += len(segment)
        self.size = max(self.size, position)

    def truncate(self, size: int) -> None:
        """Cut the file to a size, or extend it with zeros."""
        if size < self.size:
            self._zero(size, self.size - size)
        self.size = size

    def settle(self) -> None:
        """Make the present content the one to revert to."""
        self._before.clear()
        self.size_before = self.size

    def revert(self) -> None:
        """Go back to the content at the last `settle`."""
        for index, block in self._before.items():
            if block is None:
                self.blocks.pop(index, None)
            else:
                self.blocks[index] = block
        self._before.clear()
        self.size = self.size_before

    def read(self, offset: int, length: int) -> Segments:
        """Return the bytes from an offset, fewer at the end of the file."""
        return read_blocks(self.blocks, self.size, offset, length)

    def _put(self, position: int, data: bytes) -> None:
        """Store bytes; whole blocks without a copy."""
        # Slices of it are kept: whatever could change later would change the past.
        assert isinstance(data, bytes), f"a payload segment is bytes, not {type(data).__name__}"
        blocks = self.blocks
        before = self._before
        index, start = divmod(position, BLOCK_BYTES)
        length = len(data)
        if start == 0 and length == BLOCK_BYTES:
            if index not in before:
                before[index] = blocks.get(index)
            blocks[index] = data
            return
        view = memoryview(data)
        cursor = 0
        while cursor < length:
            take = min(BLOCK_BYTES - start, length - cursor)
            old = blocks.get(index)
            if index not in before:
                before[index] = old
            piece = view[cursor : cursor + take]
            blocks[index] = piece if take == BLOCK_BYTES else _spliced(old, start, piece)
            cursor += take
            index += 1
            start = 0

    def _zero(self, position: int, length: int) -> None:
        """Store a run of zeros: whole blocks vanish, a partial one is overwritten."""
        if not length or not self.blocks:
            return
        end = position + length
        first = -(-position // BLOCK_BYTES)
        last = end // BLOCK_BYTES
        if first > last:  # within one block
            self._zero_within(position, end)
            return
        self._zero_within(position, first * BLOCK_BYTES)
        self._zero_within(last * BLOCK_BYTES, end)
        for index in _present(self.blocks, first, last):
            self._before.setdefault(index, self.blocks[index])
            del self.blocks[index]

    def _zero_within(self, start: int, end: int) -> None:
        """Zero a part of one block, if the block exists."""
        index = start // BLOCK_BYTES
        if start < end and index in self.blocks:
            self._put(start, ZERO_BLOCK[: end - start])


def read_blocks(blocks: Mapping[int, Block], size: int, offset: int, length: int) -> Segments:
    """Return the bytes from an offset of a file in blocks, fewer at the end of the file."""
    end = min(offset + length, size)
    if offset >= end:
        return ()
    parts: list[bytes | int] = []
    position = offset
    for index in _present(blocks, offset // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
        block = blocks[index]
        base = index * BLOCK_BYTES
        start = max(position, base)
        stop = min(end, base + BLOCK_BYTES)
        if start > position:
            parts.append(start - position)
        if stop - start < BLOCK_BYTES:
            block = block[start - base : stop - base]
        parts.append(block if isinstance(block, bytes) else bytes(block))
        position = stop
    if position < end:
        parts.append(end - position)
    return tuple(parts)


def _present(blocks: Mapping[int, Block], first: int, last: int) -> list[int]:
    """Return the numbers of the existing blocks in [first, last), ascending."""
    if last - first <= len(blocks):
        return [index for index in range(first, last) if index in blocks]
    return sorted(index for index in blocks if first <= index < last)


def _spliced(old: Block | None, start: int, piece: memoryview) -> bytes:
    """Return a block with a piece of it replaced."""
    base = ZERO_BLOCK if old is None else old
    return b"".join((base[:start], piece, base[start + len(piece) :]))
