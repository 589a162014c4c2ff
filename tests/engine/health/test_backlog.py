"""The backlog in bytes and seconds."""

import pytest

from engine.health.backlog import BacklogMeter

SECOND = 1_000_000_000
MB = 1_000_000


def drained_at(rate_mb, seconds, *, idle=0):
    """Return a meter of a backlog of 100 MB that shrinks at a rate, after idle time."""
    meter = BacklogMeter(0)
    meter.observe(0, None, 0, idle * SECOND)
    for second in range(seconds + 1):
        gone = rate_mb * second * MB
        now_ns = (idle + second) * SECOND
        meter.observe(100 * MB - gone, idle * SECOND, gone, now_ns)
    return meter, (idle + seconds) * SECOND


@pytest.mark.parametrize("idle", [0, 3_600])
def test_the_time_to_drain_is_bytes_over_the_rate_measured_while_busy(idle):
    meter, now_ns = drained_at(2, 20, idle=idle)
    figures = meter.figures(now_ns)
    assert figures.size_bytes == 60 * MB
    assert figures.drain_bytes_per_s == 2 * MB
    assert figures.drain_ns == 30 * SECOND
    assert figures.oldest_ns == 20 * SECOND


def test_what_does_not_move_has_no_time_to_drain():
    meter, now_ns = drained_at(0, 20)
    figures = meter.figures(now_ns)
    assert figures.drain_bytes_per_s == 0
    assert figures.drain_ns is None


def test_the_rate_is_that_of_the_last_minute():
    meter = BacklogMeter(0)
    gone = 0
    for second in range(300):
        gone += MB if second < 200 else 5 * MB
        meter.observe(10_000 * MB, 0, gone, second * SECOND)
    assert meter.figures(300 * SECOND).drain_bytes_per_s == 5 * MB


def test_the_largest_and_the_oldest_are_remembered():
    meter = BacklogMeter(0)
    meter.observe(7 * MB, 0, 0, 0)
    meter.observe(9 * MB, 0, 0, 5 * SECOND)
    meter.observe(0, None, 9 * MB, 8 * SECOND)
    figures = meter.figures(9 * SECOND)
    assert (figures.size_bytes, figures.size_bytes_max) == (0, 9 * MB)
    assert (figures.oldest_ns, figures.oldest_ns_max) == (0, 8 * SECOND)
    assert figures.drain_ns == 0


def test_what_was_never_busy_has_no_rate():
    meter = BacklogMeter(0)
    meter.observe(0, None, 0, 100 * SECOND)
    assert meter.figures(100 * SECOND).drain_bytes_per_s is None
