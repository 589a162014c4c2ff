import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import clock_text, count_text, duration_text, size_text
from reports.durations import exact_duration_text

WORTH = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (2.4, "2.4 s"),
        (0.035, "35 ms"),
        (1.5e-6, "1.5 us"),
        (3e-9, "3 ns"),
        (0.9999, "1 s"),
        (59.94, "59.9 s"),
        (59.99, "1 min"),
        (60, "1 min"),
        (61.4, "1 min 1 s"),
        (3599.7, "1 h"),
        (4320, "1 h 12 min"),
        (3600 + 29, "1 h"),
        (86_399, "1 d"),
        (23.6 * 3600, "23 h 36 min"),
        (90_000, "1 d 1 h"),
        (-2.4, "-2.4 s"),
    ],
)
def test_a_duration_is_written_in_at_most_two_units(seconds, text):
    assert duration_text(seconds) == text


@given(st.floats(1e-9, 1e9))
def test_a_written_duration_is_near_the_true_one(seconds):
    words = duration_text(seconds).split()
    value = sum(
        float(number.replace(",", "")) * WORTH[unit]
        for number, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert value == pytest.approx(seconds, rel=0.03)
    assert len(words) in (2, 4)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (60.3, "1 min 0.3 s"),
        (60, "1 min"),
        (0.25, "250 ms"),
        (3600.002, "1 h 0.002 s"),
        (59.9996, "1 min"),
        (-1.5, "-1.5 s"),
        (5 * 3600 + 61, "5 h 1 min 1 s"),
    ],
)
def test_a_duration_beside_a_limit_is_written_to_the_millisecond(seconds, text):
    assert exact_duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (812, "812 B"), (1024, "1 KiB"), (3_565_158, "3.4 MiB"), (2**50, "1,024 TiB")],
)
def test_a_size_is_written_in_binary_units(size, text):
    assert size_text(size) == text


def test_a_count_agrees_with_its_noun():
    assert count_text(1, "message") == "1 message"
    assert count_text(1204, "message") == "1,204 messages"
    assert count_text(2, "recovery", "recoveries") == "2 recoveries"


def test_a_time_of_day_shows_seconds_only_where_there_are_some():
    assert clock_text(37_800) == "10:30"
    assert clock_text(37_815.9) == "10:30:15"
    assert clock_text(86_400 + 60) == "00:01"
