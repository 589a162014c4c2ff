from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sim.payload import length_of, normalised, slice_of, to_bytes

payloads = st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 20)), max_size=6).map(tuple)


def written_out(segments):
    return b"".join(bytes(s) if isinstance(s, int) else s for s in segments)


@given(payloads)
def test_a_payload_is_the_bytes_it_stands_for(segments):
    assert to_bytes(segments) == written_out(segments)
    assert length_of(segments) == len(written_out(segments))


@given(payloads)
def test_normalising_changes_the_form_only(segments):
    result = normalised(segments)
    assert to_bytes(result) == to_bytes(segments)
    assert all(segment for segment in result)
    pairs = pairwise(result)
    assert not any(isinstance(a, int) and isinstance(b, int) for a, b in pairs)


@given(payloads, st.data())
def test_a_slice_of_a_payload_is_the_slice_of_its_bytes(segments, data):
    start = data.draw(st.integers(0, length_of(segments)))
    stop = data.draw(st.integers(start, length_of(segments)))
    assert to_bytes(slice_of(segments, start, stop)) == to_bytes(segments)[start:stop]


def test_one_segment_of_bytes_is_handed_out_without_a_copy():
    data = bytes(100)
    assert to_bytes((data,)) is data
