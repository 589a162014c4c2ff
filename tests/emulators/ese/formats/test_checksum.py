"""Checksums against their definitions, computed bit by bit and word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import sealed_page

from emulators.ese.formats.checksum import (
    BLOCK_CHECKSUM_OFFSETS,
    FLAG_NEW_CHECKSUM,
    block_checksum,
    ecc_checksum,
    page_checksum,
    stored_checksum,
    xor_words,
)
from emulators.ese.formats.page_verification import verify_pages

FLAG_BIT = 8 * 36 + FLAG_NEW_CHECKSUM.bit_length() - 1
SIZES = (2048, 4096, 8192)
LARGE_SIZES = (16384, 32768)


def slow_xor(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    total = 0
    for at in range(0, len(padded), 4):
        total ^= int.from_bytes(padded[at : at + 4], "little")
    return total


def slow_ecc(block: bytes, first_bit: int) -> int:
    """Annex C, word for word: the indexes of all set bits from `first_bit` on."""
    low, count = 0, 0
    for index in range(first_bit, 8 * len(block)):
        if block[index >> 3] >> (index & 7) & 1:
            low ^= index
            count += 1
    high = low ^ (8 * len(block) - 1 if count & 1 else 0)
    return high << 16 | low


def is_old(page: bytes) -> bool:
    return not page[FLAG_BIT >> 3] >> (FLAG_BIT & 7) & 1


def slow_page_checksum(page: bytes, pgno: int) -> tuple[int, int]:
    if is_old(page):
        with_number = bytes(4) + pgno.to_bytes(4, "little") + page[8:]
        return 0x89ABCDEF ^ slow_xor(with_number), pgno
    return slow_xor(bytes(8) + page[8:]) ^ pgno, slow_ecc(page, 64)


def with_flag(page: bytes, *, new: bool) -> bytes:
    changed = bytearray(page)
    changed[FLAG_BIT >> 3] &= ~(1 << (FLAG_BIT & 7))
    changed[FLAG_BIT >> 3] |= new << (FLAG_BIT & 7)
    return bytes(changed)


def random_page(size: int, seed: int, *, new: bool = True) -> bytes:
    return with_flag(np.random.default_rng(seed).bytes(size), new=new)


def seal_large(page: bytes, pgno: int) -> bytes:
    """Write the four checksums of annex C, the first block's last, as it holds the others."""
    sealed = bytearray(page)
    block_bytes = len(page) // 4
    for block in (1, 2, 3, 0):
        part = bytes(sealed[block * block_bytes : (block + 1) * block_bytes])
        skipped = 8 if block == 0 else 0
        xor = slow_xor(part[skipped:]) ^ pgno
        ecc = slow_ecc(part, 8 * skipped)
        at = BLOCK_CHECKSUM_OFFSETS[block]
        sealed[at : at + 8] = xor.to_bytes(4, "little") + ecc.to_bytes(4, "little")
    return bytes(sealed)


def page_of(page_bytes: int, spots: list[tuple[int, int]]) -> bytes:
    page = bytearray(page_bytes)
    for at, value in spots:
        page[at % page_bytes] = value
    return bytes(page)


pages = st.one_of(
    st.builds(
        page_of,
        st.sampled_from(SIZES),
        st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=40),
    ),
    st.builds(
        lambda size, seed, new: random_page(size, seed, new=new),
        st.sampled_from(SIZES),
        st.integers(0, 1000),
        st.booleans(),
    ),
)
pgnos = st.integers(0, 0xFFFFFFFF)


@given(st.binary(max_size=200))
def test_the_xor_of_words_is_that_of_its_definition(data):
    assert xor_words(data) == slow_xor(data)


@given(st.binary(min_size=8, max_size=512).map(lambda data: data[: len(data) // 4 * 4]))
def test_a_header_checksum_is_that_of_its_definition(block):
    assert block_checksum(block) == 0x89ABCDEF ^ slow_xor(block[4:])


@settings(deadline=None, max_examples=40)
@given(pages, pgnos)
def test_a_page_checksum_is_that_of_its_definition(page, pgno):
    assert page_checksum(page, pgno) == slow_page_checksum(page, pgno)


@settings(deadline=None)
@given(st.sampled_from(SIZES), st.integers(0, 1000), st.data())
def test_a_flipped_bit_is_found_and_known_to_be_correctable(page_bytes, seed, data):
    page = sealed_page(random_page(page_bytes, seed), 5)
    bit = data.draw(st.integers(64, 8 * page_bytes - 1).filter(lambda bit: bit != FLAG_BIT))
    damaged = flip(page, bit)
    stored, computed = stored_checksum(damaged), page_checksum(damaged, 5)
    assert stored != computed
    assert (stored[1] ^ computed[1]) & 0xFFFF == bit
    check = verify_pages(damaged, 5, page_bytes)
    assert (check.bad.tolist(), check.correctable.tolist()) == ([0], [0])


@pytest.mark.parametrize("new", [True, False])
def test_the_flag_of_the_checksum_itself_is_covered_by_either_checksum(new):
    page = sealed_page(random_page(4096, 1, new=new), 5)
    check = verify_pages(flip(page, FLAG_BIT), 5, 4096)
    assert check.bad.tolist() == [0]
    assert not len(check.correctable) + len(check.wrong_number)


def test_a_page_of_the_old_format_shows_any_damage_but_corrects_none():
    page = sealed_page(random_page(4096, 2, new=False), 5)
    assert stored_checksum(page)[1] == 5
    for byte in range(len(page)):
        check = verify_pages(flip(page, 8 * byte + byte % 8), 5, 4096)
        assert check.bad.tolist() == [0]
        assert not len(check.correctable)
    check = verify_pages(page, 6, 4096)
    assert (check.bad.tolist(), check.wrong_number.tolist()) == ([0], [0])


@pytest.mark.parametrize("page_bytes", SIZES)
def test_a_batch_gives_each_page_the_verdict_it_gets_alone(page_bytes):
    sealed = [
        sealed_page(random_page(page_bytes, index, new=index % 5 != 4), 100 + index)
        for index in range(600)
    ]
    sealed[3] = flip(sealed[3], 4004)
    sealed[257] = bytes(page_bytes)
    sealed[300], sealed[301] = sealed[301], sealed[300]
    sealed[304], sealed[309] = sealed[309], sealed[304]
    sealed[598] = sealed[598][:-8] + b"rotten!!"
    sealed[599] = sealed[599][:-8] + b"rotten!!"
    check = verify_pages(b"".join(sealed), 100, page_bytes)
    bad = [3, 300, 301, 304, 309, 598, 599]
    assert check.bad.tolist() == bad
    assert check.correctable.tolist() == [3]
    assert check.wrong_number.tolist() == [300, 301, 304, 309]
    assert check.uninitialized.tolist() == [257]
    for index, page in enumerate(sealed):
        is_right = stored_checksum(page) == page_checksum(page, 100 + index)
        assert is_right == (index not in (*bad, 257))


@pytest.mark.parametrize("page_bytes", LARGE_SIZES)
def test_a_large_page_is_four_blocks_with_a_checksum_each(page_bytes):
    sealed = [seal_large(random_page(page_bytes, index), 100 + index) for index in range(8)]
    sealed[2] = bytes(page_bytes)
    block_bits = 2 * page_bytes
    sealed[3] = flip(flip(sealed[3], 4000), block_bits + 7)
    sealed[4] = flip(flip(sealed[4], 3 * block_bits), 4 * block_bits - 1)
    sealed[5], sealed[6] = sealed[6], sealed[5]
    check = verify_pages(b"".join(sealed), 100, page_bytes)
    assert check.bad.tolist() == [3, 4, 5, 6]
    assert check.correctable.tolist() == [3]
    assert check.wrong_number.tolist() == [5, 6]
    assert check.uninitialized.tolist() == [2]


@pytest.mark.parametrize("page_bytes", LARGE_SIZES)
def test_a_flipped_bit_in_any_block_of_a_large_page_is_correctable(page_bytes):
    page = seal_large(random_page(page_bytes, 1), 7)
    for block in range(4):
        bit = block * 2 * page_bytes + 1000
        check = verify_pages(flip(page, bit), 7, page_bytes)
        assert (check.bad.tolist(), check.correctable.tolist()) == ([0], [0])


def test_a_block_that_does_not_lead_counts_its_first_bytes():
    block = random_page(4096, 3)
    assert ecc_checksum(block, 9, leads=False) == (slow_xor(block) ^ 9, slow_ecc(block, 0))


def test_no_pages_at_all_are_no_bad_pages():
    assert [len(part) for part in verify_pages(b"", 1, 8192)] == [0, 0, 0, 0]


def test_a_page_of_zeros_adds_nothing_but_its_number():
    assert ecc_checksum(bytes(8192), 77) == (77, 0)


def flip(page, bit):
    damaged = bytearray(page)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    return bytes(damaged)
