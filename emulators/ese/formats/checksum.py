"""Checksums of headers and pages (ese-format.md C).

A page of the new format carries two 32-bit values: the XOR of its words with its page number, and
an error correcting code, the XOR of the indexes of all set bits. Both are found from the XORs of
the rows and columns of the page arranged as a table of 64-bit words, which numpy computes in one
pass; the rest is arithmetic on a few hundred bytes. The first 8 bytes hold the checksum itself and
count as zero: as word 0 has index 0, they enter only the XOR of all words, from which they are
taken out.

A page of the old format carries a XOR like that of a header, which includes the page number that
follows it, and no code. The flag that tells the formats apart is part of the page, so a page says
itself how it is checked: a database may hold pages of both.

Pages of 16 and 32 KB (written by Windows, never here) are four blocks with a checksum each.
"""

from struct import Struct
from typing import TypeAlias

import numpy as np

HEADER_SEED = 0x89ABCDEF
CHECKSUM_BYTES = 8
FLAGS_OFFSET = 36
FLAG_NEW_CHECKSUM = 0x2000

BLOCKS_PER_LARGE_PAGE = 4
PAGE_BYTES_SINGLE_MAX = 8192
"""Larger pages are checked in four blocks."""
BLOCK_CHECKSUM_OFFSETS = (0, 40, 48, 56)
"""Where a large page keeps the checksum of each of its blocks."""

Bytes: TypeAlias = bytes | bytearray | memoryview

_CHECKSUM = Struct("<II")
COLUMNS = 32
_FOLDED_BYTES_MAX = 192
"""Up to here folding one number is cheaper than calling numpy."""

WORD_BITS = 6
BITS_SET_IN_INDEX = tuple(
    sum(1 << bit for bit in range(64) if bit >> k & 1) for k in range(WORD_BITS)
)
"""For each k, the bits of a 64-bit word whose own index has bit k set."""


def xor_words(data: Bytes) -> int:
    """Return the XOR of the 32-bit little-endian words of `data`, the last padded with zeros."""
    if len(data) <= _FOLDED_BYTES_MAX:
        return _xor_of_few(data)
    whole = len(data) & ~7
    folded = int(np.bitwise_xor.reduce(np.frombuffer(data, "<u8", whole >> 3)))
    folded ^= int.from_bytes(data[whole:], "little")
    return (folded ^ folded >> 32) & 0xFFFFFFFF


def _xor_of_few(data: Bytes) -> int:
    """Fold `data` as one number: what a fold leaves above its lower half is never looked at."""
    folded = int.from_bytes(data, "little")
    bits = 1 << (len(data) << 3).bit_length()
    while bits > 32:
        bits >>= 1
        folded ^= folded >> bits
    return folded & 0xFFFFFFFF


def block_checksum(block: Bytes) -> int:
    """Return the checksum of a database, log or checkpoint header: all words but the first."""
    return HEADER_SEED ^ xor_words(block[4:])


def page_checksum(page: Bytes, pgno: int) -> tuple[int, int]:
    """Return the two values that a page of up to 8 KB must begin with.

    They are (XOR, ECC), or (XOR, page number) for a page whose flags say the old format. The first
    8 bytes of the page are not looked at.
    """
    if page[FLAGS_OFFSET + 1] & FLAG_NEW_CHECKSUM >> 8:
        return ecc_checksum(page, pgno)
    return HEADER_SEED ^ xor_words(page[CHECKSUM_BYTES:]) ^ pgno, pgno


def ecc_checksum(block: Bytes, pgno: int, *, leads: bool = True) -> tuple[int, int]:
    """Return (XOR, ECC) of one block of 2 to 8 KB.

    Args:
        block: a page, or one of the four blocks of a large page.
        pgno: its page number.
        leads: whether the block begins with its own checksum, which is not looked at.
    """
    words = np.frombuffer(block, "<u8").reshape(-1, COLUMNS)
    rows = np.bitwise_xor.reduce(words, axis=1).tobytes()
    columns = np.bitwise_xor.reduce(words, axis=0).tobytes()
    high, _ = _fold(int.from_bytes(rows, "little"), len(rows) << 3)
    middle, total = _fold(int.from_bytes(columns, "little"), len(columns) << 3)
    if leads:
        total ^= int.from_bytes(block[:CHECKSUM_BYTES], "little")
    low, parity = _fold_word(total)
    index = high << 11 | middle << WORD_BITS | low
    flipped = index ^ ((len(block) << 3) - 1 if parity else 0)
    return (total ^ total >> 32) & 0xFFFFFFFF ^ pgno, flipped << 16 | index


def stored_checksum(page: Bytes, offset: int = 0) -> tuple[int, int]:
    """Return the two values that a page carries at `offset`."""
    xor, ecc = _CHECKSUM.unpack_from(page, offset)
    return xor, ecc


def _fold(value: int, bits: int) -> tuple[int, int]:
    """Halve `value` down to 64 bits: (parities of the upper halves as a number, what is left)."""
    parities = 0
    while bits > 64:
        bits >>= 1
        upper = value >> bits
        parities = parities << 1 | upper.bit_count() & 1
        value ^= upper << bits ^ upper
    return parities, value


def _fold_word(word: int) -> tuple[int, int]:
    """Return the XOR of the indexes of the set bits of a 64-bit word, and their parity."""
    index = 0
    for k, mask in enumerate(BITS_SET_IN_INDEX):
        index |= ((word & mask).bit_count() & 1) << k
    return index, word.bit_count() & 1
