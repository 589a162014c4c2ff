"""Hashes of two levels: those of blocks, and those of extents over their blocks' hashes.

(protection.md 3.5.) An extent's hash is made of its blocks' hashes, so that one pass over the data
gives both levels. Zeros have a hash that costs nothing, whatever their length: a hole is not read,
and both ends know the sizes of files without it.
"""

from hashlib import blake2b

from engine.basics.payload import Segments, length_of, to_bytes

#: protection.md 1.2: blocks of 4 KiB, of 16 KiB in files of more than 512 GiB.
BLOCK_BYTES = 4 << 10
BLOCK_BYTES_LARGE = 16 << 10
LARGE_FILE_BYTES = 512 << 30
HASH_BYTES = 16
#: Stands for zeros of any length.
ZEROS_HASH = bytes(HASH_BYTES)
#: Stands for what could not be read: it equals no hash of anything that could.
UNREADABLE_HASH = b"\xff" * HASH_BYTES
_ZEROS = bytes(BLOCK_BYTES_LARGE)


def block_bytes_of(file_bytes: int) -> int:
    """Return the size of a block in a file of this size."""
    return BLOCK_BYTES if file_bytes <= LARGE_FILE_BYTES else BLOCK_BYTES_LARGE


def hashes_of_blocks(data: Segments, block_bytes: int) -> bytes:
    """Return the hashes of all blocks, one after the other; the last block may be shorter."""
    if not any(isinstance(item, bytes) for item in data):
        return ZEROS_HASH * -(-length_of(data) // block_bytes)
    content, zeros = to_bytes(data), _ZEROS[:block_bytes]
    hashes = []
    for start in range(0, len(content), block_bytes):
        block = content[start : start + block_bytes]
        is_zeros = block == zeros or (len(block) < block_bytes and not any(block))
        hashes.append(ZEROS_HASH if is_zeros else _digest(block))
    return b"".join(hashes)


def hash_of_extent(block_hashes: bytes) -> bytes:
    """Return the hash of an extent from those of its blocks; b"" where it has none."""
    if not block_hashes.strip(b"\0"):
        return ZEROS_HASH if block_hashes else b""
    return _digest(block_hashes)


def differing_blocks(mine: bytes, theirs: bytes) -> list[int]:
    """Return the numbers of the blocks whose hashes differ, or that the other end lacks."""
    return [
        start // HASH_BYTES
        for start in range(0, len(mine), HASH_BYTES)
        if mine[start : start + HASH_BYTES] != theirs[start : start + HASH_BYTES]
    ]


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=HASH_BYTES, usedforsecurity=False).digest()
