"""Figures in messages: a person reads them, and two different ones never look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.basics.figures import duration_text, time_text

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_500, "1.5 µs"),
        (300_000_000, "300 ms"),
        (4 * SECOND_NS, "4 s"),
        (20 * SECOND_NS + 1, "20 s"),
        (12_345_678_901, "12.345 s"),
        (60 * SECOND_NS, "1 min"),
        (125 * SECOND_NS, "2 min 5 s"),
        (3_600 * SECOND_NS, "1 h"),
        (7_530 * SECOND_NS, "2 h 5 min"),
        (-4 * SECOND_NS, "-4 s"),
    ],
)
def test_a_duration_reads_in_the_unit_that_fits_it(duration_ns, text):
    assert duration_text(duration_ns) == text


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(0, "0 s"), (12_345_000_000, "12.345 s"), (1, "0.000000001 s"), (-SECOND_NS // 2, "-0.5 s")],
)
def test_a_time_reads_in_seconds(time_ns, text):
    assert time_text(time_ns) == text


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63))
def test_two_times_read_alike_only_when_they_are_the_same(one, other):
    assert (time_text(one) == time_text(other)) == (one == other)
