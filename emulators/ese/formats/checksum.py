"""Checksums of headers and pages (ese-format.md C).

A page carries two 32-bit values: the XOR of its words with its page number, and an error
correcting code, the XOR of the indexes of all set bits. Both are found from the XORs of the rows
and columns of the page arranged as a table of 64-bit words, which numpy computes in one pass; the
rest is arithmetic on a few hundred bytes. The first 8 bytes hold the checksum itself and count as
zero: as word 0 has index 0, they enter only the XOR of all words, from which they are taken out.

Not checked here: pages of the format before ECC (revision below 0xB), and pages above 8 KB.
"""

from struct import Struct
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

HEADER_SEED = 0x89ABCDEF
CHECKSUM_BYTES = 8

Bytes: TypeAlias = bytes | bytearray | memoryview

_CHECKSUM = Struct("<II")
_COLUMNS = 32
_PAGES_PER_BATCH = 256
_FOLDED_BYTES_MAX = 192
"""Up to here folding one number is cheaper than calling numpy."""

_WORD_BITS = 6
_BITS_SET_IN_INDEX = tuple(
    sum(1 << bit for bit in range(64) if bit >> k & 1) for k in range(_WORD_BITS)
)
"""For each k, the bits of a 64-bit word whose own index has bit k set."""


class PageCheck(NamedTuple):
    """What a batch of pages turned out to be: arrays of page indexes from the batch's start.

    `bad` are pages whose checksum is wrong, `correctable` those of them with one flipped bit,
    `wrong_number` those that carry the checksum of another page number; `uninitialized` pages are
    all zeros and are not in `bad`.
    """

    bad: npt.NDArray[np.int64]
    correctable: npt.NDArray[np.int64]
    wrong_number: npt.NDArray[np.int64]
    uninitialized: npt.NDArray[np.int64]


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
    """Return (XOR, ECC) of one page of 4 or 8 KB; its first 8 bytes are not looked at."""
    words = np.frombuffer(page, "<u8").reshape(-1, _COLUMNS)
    rows = np.bitwise_xor.reduce(words, axis=1).tobytes()
    columns = np.bitwise_xor.reduce(words, axis=0).tobytes()
    high, _ = _fold(int.from_bytes(rows, "little"), len(rows) << 3)
    middle, total = _fold(int.from_bytes(columns, "little"), len(columns) << 3)
    total ^= int.from_bytes(page[:8], "little")
    low, parity = _fold_word(total)
    index = high << 11 | middle << _WORD_BITS | low
    flipped = index ^ ((len(page) << 3) - 1 if parity else 0)
    return (total ^ total >> 32) & 0xFFFFFFFF ^ pgno, flipped << 16 | index


def seal_page(page: Bytes, pgno: int) -> bytes:
    """Return the page with its checksum written into the first 8 bytes."""
    return _CHECKSUM.pack(*page_checksum(page, pgno)) + page[CHECKSUM_BYTES:]


def stored_checksum(page: Bytes) -> tuple[int, int]:
    """Return the (XOR, ECC) that a page carries."""
    xor, ecc = _CHECKSUM.unpack_from(page)
    return xor, ecc


def verify_pages(buffer: Bytes, first_pgno: int, page_bytes: int) -> PageCheck:
    """Check consecutive pages at once; `buffer` holds whole pages, the first `first_pgno`.

    About a third of the cost of checking one page at a time.
    """
    assert len(buffer) % page_bytes == 0, "the buffer does not hold whole pages"
    words = np.frombuffer(buffer, "<u8").reshape(-1, page_bytes // 8)
    parts = [
        _verify_batch(words[start : start + _PAGES_PER_BATCH], first_pgno + start, start)
        for start in range(0, len(words), _PAGES_PER_BATCH)
    ]
    if not parts:
        empty = np.empty(0, np.int64)
        return PageCheck(empty, empty, empty, empty)
    return PageCheck(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _verify_batch(words: npt.NDArray[np.uint64], first_pgno: int, start: int) -> PageCheck:
    stored = words[:, 0]
    xor, index, parity = _batch_checksum(words)
    numbers = np.arange(first_pgno, first_pgno + len(words), dtype=np.uint64)
    last_bit = np.uint64((words.shape[1] << 6) - 1)
    ecc = (index ^ parity * last_bit) << np.uint64(16) | index
    wrong_xor = (stored & np.uint64(0xFFFFFFFF)) ^ xor ^ numbers
    wrong_ecc = stored >> np.uint64(32) ^ ecc
    suspects = np.flatnonzero(wrong_xor | wrong_ecc)
    blank = np.array([not words[i].any() for i in suspects], dtype=bool)
    bad = suspects[~blank]
    flips = wrong_ecc[bad]
    bit = flips & np.uint64(0xFFFF)
    single = (flips >> np.uint64(16) ^ bit == last_bit) & (
        wrong_xor[bad] == np.uint64(1) << (bit & np.uint64(31))
    )
    return PageCheck(
        bad + start, bad[single] + start, bad[flips == 0] + start, suspects[blank] + start
    )


def _batch_checksum(
    words: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return for each page the XOR, the XOR of the indexes of its set bits, and their parity."""
    table = words.reshape(len(words), -1, _COLUMNS)
    rows = np.bitwise_xor.reduce(table, axis=2)
    columns = np.bitwise_xor.reduce(table, axis=1)
    total = np.bitwise_xor.reduce(columns, axis=1) ^ words[:, 0]
    index = np.zeros(len(words), np.uint64)
    for k, mask in enumerate(_BITS_SET_IN_INDEX):
        index |= _parity(total & np.uint64(mask)) << np.uint64(k)
    for table_part, shift in ((columns, _WORD_BITS), (rows, _WORD_BITS + 5)):
        numbers = np.arange(table_part.shape[1])
        for k in range(int(numbers[-1]).bit_length()):
            chosen = np.bitwise_xor.reduce(table_part[:, numbers >> k & 1 == 1], axis=1)
            index |= _parity(chosen) << np.uint64(k + shift)
    xor = (total ^ total >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
    return xor, index, _parity(total)


def _parity(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (np.bitwise_count(values) & 1).astype(np.uint64)


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
    for k, mask in enumerate(_BITS_SET_IN_INDEX):
        index |= ((word & mask).bit_count() & 1) << k
    return index, word.bit_count() & 1
