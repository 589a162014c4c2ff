"""Long values as nodes: chunks of the format's size, in key order, that join to the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.formats import long_value
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, FORMATS

payloads = st.lists(st.one_of(st.binary(max_size=9000), st.integers(0, 20000)), max_size=5).map(
    tuple
)


def plain(payload):
    return b"".join(bytes(part) if isinstance(part, int) else part for part in payload)


@given(payloads, st.integers(0, 0xFFFFFFFF), st.sampled_from(FORMATS))
def test_chunks_join_to_the_value(payload, lid, file_format):
    value = plain(payload)
    nodes = list(long_value.nodes_of(lid, payload, file_format))
    (root_key, root), chunks = nodes[0], nodes[1:]
    assert long_value.is_root_key(root_key)
    assert long_value.decode_root(root) == (1, len(value))
    assert b"".join(data for _, data in chunks) == value
    size = file_format.page_bytes - 82
    assert [len(data) for _, data in chunks[:-1]] == [size] * (len(chunks) - 1)
    for index, (key, _) in enumerate(chunks):
        assert key == long_value.chunk_key(lid, index * size)
        assert not long_value.is_root_key(key)
    assert [long_value.lid_of(key) for key, _ in nodes] == [lid] * len(nodes)
    assert [key for key, _ in nodes] == sorted(key for key, _ in nodes)
    assert all(key.startswith(root_key) for key, _ in nodes)


@pytest.mark.parametrize(("file_format", "size"), [(EXCHANGE_2007, 8110), (EXCHANGE_2003, 4014)])
def test_a_chunk_has_the_size_of_annex_e(file_format, size):
    nodes = list(long_value.nodes_of(1, b"x" * (size + 1), file_format))
    assert [len(data) for _, data in nodes] == [8, size, 1]


def test_chunks_of_zeros_are_one_shared_object():
    nodes = list(long_value.nodes_of(1, (8110 * 50,)))
    assert len({id(data) for _, data in nodes[1:]}) == 1


def test_bytes_and_one_segment_are_the_same_value():
    assert list(long_value.nodes_of(7, b"abc")) == list(long_value.nodes_of(7, (b"abc",)))
