"""XORs of ranges against those of the same bytes taken out and folded."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.ese.formats.checksum import xor_words
from emulators.ese.formats.log_checksum import RangeXor


def test_every_range_of_a_short_buffer_has_the_xor_of_its_bytes():
    for length in range(20):
        data = os.urandom(length)
        ranges = RangeXor(data)
        for start in range(length + 1):
            for stop in range(start, length + 1):
                assert ranges.of(start, stop) == xor_words(data[start:stop])


LOG = os.urandom(200_003)
PLACES = st.integers(0, len(LOG))


@given(st.lists(st.tuples(PLACES, PLACES), max_size=30))
@settings(deadline=None)
def test_ranges_of_a_log_have_the_xor_of_their_bytes_in_whatever_order_they_are_asked_for(places):
    ranges = RangeXor(LOG)
    for start, stop in map(sorted, places):
        assert ranges.of(start, stop) == xor_words(LOG[start:stop])
