"""Checksums against their definitions, computed bit by bit and word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats.checksum import (
    block_checksum,
    page_checksum,
    seal_page,
    stored_checksum,
    verify_pages,
    xor_words,
)


def slow_xor(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    total = 0
    for at in range(0, len(padded), 4):
        total ^= int.from_bytes(padded[at : at + 4], "little")
    return total


def slow_page_checksum(page: bytes, pgno: int) -> tuple[int, int]:
    """Annex C, word for word: the indexes of all set bits, the first 64 counted as zero."""
    low, count = 0, 0
    for index in range(64, 8 * len(page)):
        if page[index >> 3] >> (index & 7) & 1:
            low ^= index
            count += 1
    high = low ^ (8 * len(page) - 1 if count & 1 else 0)
    return slow_xor(bytes(8) + page[8:]) ^ pgno, high << 16 | low


def page_of(page_bytes: int, spots: list[tuple[int, int]]) -> bytes:
    page = bytearray(page_bytes)
    for at, value in spots:
        page[at % page_bytes] = value
    return bytes(page)


pages = st.one_of(
    st.builds(
        page_of,
        st.sampled_from([4096, 8192]),
        st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=40),
    ),
    st.builds(
        lambda size, seed: np.random.default_rng(seed).bytes(size),
        st.sampled_from([4096, 8192]),
        st.integers(0, 1000),
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
@given(pages, pgnos)
def test_a_sealed_page_carries_its_checksum_and_nothing_else_changes(page, pgno):
    sealed = seal_page(page, pgno)
    assert stored_checksum(sealed) == page_checksum(page, pgno)
    assert sealed[8:] == page[8:]


@settings(deadline=None)
@given(st.sampled_from([4096, 8192]), st.integers(0, 1000), st.data())
def test_a_flipped_bit_is_found_and_known_to_be_correctable(page_bytes, seed, data):
    page = seal_page(np.random.default_rng(seed).bytes(page_bytes), 5)
    bit = data.draw(st.integers(64, 8 * page_bytes - 1))
    damaged = bytearray(page)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    stored, computed = stored_checksum(damaged), page_checksum(damaged, 5)
    assert stored != computed
    assert (stored[1] ^ computed[1]) & 0xFFFF == bit
    check = verify_pages(damaged, 5, page_bytes)
    assert (check.bad.tolist(), check.correctable.tolist()) == ([0], [0])


@pytest.mark.parametrize("page_bytes", [4096, 8192])
def test_a_batch_gives_each_page_the_verdict_it_gets_alone(page_bytes):
    random = np.random.default_rng(1)
    sealed = [seal_page(random.bytes(page_bytes), 100 + index) for index in range(600)]
    sealed[3] = sealed[3][:500] + bytes((sealed[3][500] ^ 0x10,)) + sealed[3][501:]
    sealed[257] = bytes(page_bytes)
    sealed[300], sealed[301] = sealed[301], sealed[300]
    sealed[599] = sealed[599][:-8] + b"rotten!!"
    check = verify_pages(b"".join(sealed), 100, page_bytes)
    assert check.bad.tolist() == [3, 300, 301, 599]
    assert check.correctable.tolist() == [3]
    assert check.wrong_number.tolist() == [300, 301]
    assert check.uninitialized.tolist() == [257]
    for index, page in enumerate(sealed):
        is_right = stored_checksum(page) == page_checksum(page, 100 + index)
        assert is_right == (index not in (3, 257, 300, 301, 599))


def test_no_pages_at_all_are_no_bad_pages():
    assert [len(part) for part in verify_pages(b"", 1, 8192)] == [0, 0, 0, 0]


def test_a_page_of_zeros_adds_nothing_but_its_number():
    assert page_checksum(bytes(8192), 77) == (77, 0)
