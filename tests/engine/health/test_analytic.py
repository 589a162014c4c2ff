"""What arithmetic says of the RPO (protection.md 5), the real engine does: within 2 %."""

from fractions import Fraction

import pytest
from delayed_pair import SECOND, DelayedPair
from engine_model import create, pending_app_tag, write

from engine import CaptureSettings, Consistency, SessionSettings
from engine.health.bookmarks import Whereabouts
from engine.health.settings import HealthSettings
from engine.health.stages import Stage
from sim.streams import Streams

D = 300 * SECOND
DELAY = 40 * SECOND
#: Neither end speaks unless it has something to say: the runs are long.
QUIET = SessionSettings(
    batch_linger_ns=0,
    heartbeat_interval_ns=5_000 * SECOND,
    peer_timeout_ns=20_000 * SECOND,
    connect_timeout_ns=10 * DELAY,
)
#: A batch arrives as a whole here, so it must not take the line for long.
SMALL_BATCHES = SessionSettings(
    batch_bytes_max=25_000,
    window_bytes_max=100_000,
    batch_linger_ns=0,
    reconnect_delay_ns_max=SECOND,
)
RARE_TIMES = CaptureSettings(time_interval_ns=10_000 * SECOND)
TWO_PER_CENT = Fraction(2, 100)


def run(count, *, failures=0.0, seed=4):
    """Make `count` bookmarks, one every D, of which each fails with a probability."""
    draw = Streams(seed).stream("failures").random
    pair = DelayedPair(
        DELAY,
        session_settings=QUIET,
        capture_settings=RARE_TIMES,
        health_settings=HealthSettings(
            bookmark_interval_ns=D,
            rpo_targets_ns={Consistency.APP: DELAY + D // 2},
        ),
    )

    def work(number):
        pair.show(write("a", 0, b"%d" % number))
        pair.bookmark(pending_app_tag(""), is_good=draw() >= failures)
        if number < count:
            pair.at((number + 1) * D, work, number + 1)

    pair.show(create("a"))
    pair.at(D, work, 1)
    pair.run((count + 1) * D)
    return pair


def within_two_per_cent(found, wanted):
    return abs(found - wanted) <= wanted * TWO_PER_CENT


def test_points_every_d_with_a_delay_give_an_rpo_uniform_between_the_delay_and_d_more(figure):
    count = 1_000
    pair = run(count)
    rpo = pair.health.report(pair.now_ns).rpo[Stage.RECEIVED, Consistency.APP]
    assert within_two_per_cent(rpo.mean_ns, DELAY + D // 2)
    assert within_two_per_cent(rpo.p50_ns, DELAY + D // 2)
    assert within_two_per_cent(rpo.p95_ns, DELAY + D * 95 // 100)
    assert within_two_per_cent(rpo.p99_ns, DELAY + D * 99 // 100)
    assert rpo.max_ns == DELAY + D
    # Of a uniform RPO half of the time lies above its middle: 'hours RPO not met'.
    assert within_two_per_cent(Fraction(rpo.not_met_ns, rpo.watched_ns), Fraction(1, 2))
    lows = [drop.after_ns for drop in pair.health.board.curve(*_APP).recent]
    assert set(lows) == {DELAY}
    exact = (DELAY + D / 2) / SECOND
    figure(f"{count} points: mean {float(rpo.mean_ns) / SECOND:.2f} s, exact {exact:.2f} s")


_APP = (Stage.RECEIVED, Consistency.APP)


@pytest.mark.parametrize(
    ("failures", "count"),
    [(0.1, 4_000), pytest.param(0.3, 60_000, marks=pytest.mark.nightly)],
)
def test_bookmarks_that_fail_with_a_probability_raise_the_mean_rpo_as_they_should(
    failures, count, figure
):
    pair = run(count, failures=failures)
    report = pair.health.report(pair.now_ns)
    wanted = DELAY + D / 2 + D * failures / (1 - failures)
    found = report.rpo[_APP].mean_ns
    assert within_two_per_cent(found, Fraction(wanted))
    lost = report.bookmarks.counts[Whereabouts.LOST]
    assert abs(lost - count * failures) < 4 * (count * failures * (1 - failures)) ** 0.5
    assert lost + report.bookmarks.counts[Whereabouts.FOUND] == count
    figure(
        f"p = {failures}, {count} bookmarks, {lost} lost: mean {float(found) / SECOND:.2f} s, "
        f"expected {wanted / SECOND:.2f} s"
    )


def test_without_a_queue_the_rpo_of_any_point_is_the_delay():
    pair = DelayedPair(
        DELAY, session_settings=QUIET, capture_settings=RARE_TIMES, health_settings=HealthSettings()
    )

    def work(number):
        pair.show(write("a", number, b"x"))
        pair.at(pair.now_ns + SECOND, work, number + 1)

    pair.show(create("a"))
    pair.run(10 * DELAY)
    began = pair.health.board.curve(Stage.RECEIVED, Consistency.WRITE)
    work(0)
    pair.run(pair.now_ns + 2 * DELAY)
    began.figures(pair.now_ns)
    for _ in range(100):
        pair.run(pair.now_ns + SECOND // 3)
        assert DELAY <= began.age_ns(pair.now_ns) <= DELAY + SECOND


@pytest.mark.parametrize("outage_s", [60, 600])
def test_after_an_outage_the_backlog_drains_in_churn_times_outage_over_the_spare_bandwidth(
    outage_s, figure
):
    write_bytes, bytes_per_s = 20_000, 50_000
    pair = DelayedPair(
        SECOND // 100,
        session_settings=SMALL_BATCHES,
        capture_settings=CaptureSettings(compression_level=None),
        health_settings=HealthSettings(),
        bytes_per_s=bytes_per_s,
    )

    def work():
        pair.show(write("a", 0, b"x" * write_bytes))
        pair.at(pair.now_ns + SECOND, work)

    pair.show(create("a"))
    pair.at(SECOND // 3, work)
    pair.run(10 * SECOND)
    pair.cut()
    pair.run((10 + outage_s) * SECOND)
    backlog = pair.health.report(pair.now_ns).source.backlog
    assert within_two_per_cent(backlog.oldest_ns, outage_s * SECOND)
    assert within_two_per_cent(backlog.size_bytes, write_bytes * outage_s)
    pair.mend()
    mended_ns = pair.now_ns
    for _ in range(20 * outage_s):
        pair.run(pair.now_ns + SECOND // 10)
        if pair.source_health.figures(pair.now_ns).backlog.size_bytes <= 2 * write_bytes:
            break
    taken_s = (pair.now_ns - mended_ns) / SECOND
    wanted_s = write_bytes * outage_s / (bytes_per_s - write_bytes)
    assert taken_s == pytest.approx(wanted_s, rel=0.05, abs=2.5)
    if taken_s > 60:  # the rate is that of the last busy minute
        backlog = pair.source_health.figures(pair.now_ns).backlog
        assert within_two_per_cent(backlog.drain_bytes_per_s, bytes_per_s)
    figure(f"outage of {outage_s} s: caught up in {taken_s:.1f} s, expected {wanted_s:.1f} s")
