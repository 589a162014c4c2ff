"""Checking many pages at once, as tools do that read whole databases (ese-format.md C).

Every page is checked by what its own flags say: XOR with ECC, or the XOR of the old format. Pages
of 16 and 32 KB, which only Windows writes, are four blocks, each with a checksum of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emulators.ese.formats.checksum import (
    BITS_SET_IN_INDEX,
    BLOCK_CHECKSUM_OFFSETS,
    BLOCKS_PER_LARGE_PAGE,
    COLUMNS,
    FLAG_NEW_CHECKSUM,
    FLAGS_OFFSET,
    HEADER_SEED,
    PAGE_BYTES_SINGLE_MAX,
    WORD_BITS,
    Bytes,
)

VERIFIABLE_PAGE_BYTES = (2048, 4096, 8192, 16384, 32768)

_PAGES_PER_BATCH = 256
_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF_BITS = np.uint64(32)
_FLAGS_WORD = FLAGS_OFFSET // 8
_OLD_FORMAT_BIT = np.uint64(FLAG_NEW_CHECKSUM << 32)

Words: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class PageCheck(NamedTuple):
    """What a batch of pages turned out to be: arrays of page indexes from the batch's start.

    `bad` are pages whose checksum is wrong, `correctable` those of them with one flipped bit,
    `wrong_number` those that carry the checksum of another page number; `uninitialized` pages are
    all zeros and are not in `bad`. The three lists of bad pages are in rising order.
    """

    bad: npt.NDArray[np.int64]
    correctable: npt.NDArray[np.int64]
    wrong_number: npt.NDArray[np.int64]
    uninitialized: npt.NDArray[np.int64]


def verify_pages(buffer: Bytes, first_pgno: int, page_bytes: int) -> PageCheck:
    """Check consecutive pages at once; `buffer` holds whole pages, the first `first_pgno`.

    About a third of the cost of checking one page at a time.
    """
    assert page_bytes in VERIFIABLE_PAGE_BYTES, f"no page has {page_bytes} bytes"
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


def seal_pages(buffer: bytearray, numbers: Sequence[int], page_bytes: int) -> None:
    """Write the checksums of many pages of up to 8 KB; page i of `buffer` is page `numbers[i]`.

    All pages are of one format, that of the first one's flags.
    """
    words = np.frombuffer(buffer, "<u8").reshape(-1, page_bytes // 8)
    is_old = not len(words) or not words[0, _FLAGS_WORD] & _OLD_FORMAT_BIT
    for start in range(0, len(words), _PAGES_PER_BATCH):
        batch = words[start : start + _PAGES_PER_BATCH]
        pgnos = np.array(numbers[start : start + _PAGES_PER_BATCH], dtype=np.uint64)
        xor, index, parity = _batch_checksum(batch, batch[:, 0])
        if is_old:
            batch[:, 0] = xor ^ np.uint64(HEADER_SEED) ^ pgnos | pgnos << _HALF_BITS
        else:
            last_bit = np.uint64((batch.shape[1] << WORD_BITS) - 1)
            ecc = (index ^ parity * last_bit) << np.uint64(16) | index
            batch[:, 0] = xor ^ pgnos | ecc << _HALF_BITS


def _verify_batch(words: Words, first_pgno: int, start: int) -> PageCheck:
    numbers = np.arange(first_pgno, first_pgno + len(words), dtype=np.uint64)
    is_right, is_single, is_number = _verdicts(words, numbers)
    suspects = np.flatnonzero(~is_right)
    blank = ~words[suspects].any(axis=1)
    bad = suspects[~blank]
    return PageCheck(
        bad + start,
        bad[is_single[bad]] + start,
        bad[is_number[bad]] + start,
        suspects[blank] + start,
    )


def _verdicts(words: Words, numbers: Words) -> tuple[Flags, Flags, Flags]:
    """Return for each page whether it is right, has one flipped bit, is another page's."""
    if words.shape[1] * 8 <= PAGE_BYTES_SINGLE_MAX:
        return _block_verdicts(words, words[:, 0], words[:, 0], words[:, _FLAGS_WORD], numbers)
    blocks = words.reshape(len(words), BLOCKS_PER_LARGE_PAGE, -1)
    nothing = np.zeros(len(words), np.uint64)
    parts = [
        _block_verdicts(
            np.ascontiguousarray(blocks[:, block]),
            words[:, offset // 8],
            words[:, 0] if block == 0 else nothing,
            words[:, _FLAGS_WORD],
            numbers,
        )
        for block, offset in enumerate(BLOCK_CHECKSUM_OFFSETS)
    ]
    right, single, number = (np.stack(column) for column in zip(*parts, strict=True))
    is_right = np.all(right, axis=0)
    is_single = np.all(right | single, axis=0) & ~is_right
    return is_right, is_single, np.all(number, axis=0)


def _block_verdicts(
    words: Words, stored: Words, skipped: Words, flags: Words, numbers: Words
) -> tuple[Flags, Flags, Flags]:
    """Check one block of each page.

    Args:
        words: the blocks, a row each.
        stored: the checksum that each page carries for it.
        skipped: what of the block's first word does not count.
        flags: the word of each page that holds its flags.
        numbers: the page numbers.
    """
    xor, index, parity = _batch_checksum(words, skipped)
    last_bit = np.uint64((words.shape[1] << WORD_BITS) - 1)
    ecc = (index ^ parity * last_bit) << np.uint64(16) | index
    wrong_xor = (stored & _LOW_HALF) ^ xor ^ numbers
    flips = stored >> _HALF_BITS ^ ecc
    bit = flips & np.uint64(0xFFFF)
    is_single = (flips >> np.uint64(16) ^ bit == last_bit) & (
        wrong_xor == np.uint64(1) << (bit & np.uint64(31))
    )
    is_number = (flips == 0) & (wrong_xor != 0)
    is_right = (wrong_xor | flips) == 0
    is_old = flags & _OLD_FORMAT_BIT == 0
    if is_old.any():
        number = stored >> _HALF_BITS
        sums = (stored & _LOW_HALF) ^ np.uint64(HEADER_SEED) ^ xor ^ number == 0
        is_right = np.where(is_old, sums & (number == numbers), is_right)
        is_number = np.where(is_old, sums & (number != numbers), is_number)
        is_single &= ~is_old
    return is_right, is_single, is_number


def _batch_checksum(words: Words, skipped: Words) -> tuple[Words, Words, Words]:
    """Return for each block the XOR, the XOR of the indexes of its set bits, and their parity."""
    table = words.reshape(len(words), -1, COLUMNS)
    rows = np.bitwise_xor.reduce(table, axis=2)
    columns = np.bitwise_xor.reduce(table, axis=1)
    total = np.bitwise_xor.reduce(columns, axis=1) ^ skipped
    index = np.zeros(len(words), np.uint64)
    for k, mask in enumerate(BITS_SET_IN_INDEX):
        index |= _parity(total & np.uint64(mask)) << np.uint64(k)
    for table_part, shift in ((columns, WORD_BITS), (rows, WORD_BITS + 5)):
        numbers = np.arange(table_part.shape[1])
        for k in range(int(numbers[-1]).bit_length()):
            chosen = np.bitwise_xor.reduce(table_part[:, numbers >> k & 1 == 1], axis=1)
            index |= _parity(chosen) << np.uint64(k + shift)
    xor = (total ^ total >> _HALF_BITS) & _LOW_HALF
    return xor, index, _parity(total)


def _parity(values: Words) -> Words:
    return (np.bitwise_count(values) & 1).astype(np.uint64)
