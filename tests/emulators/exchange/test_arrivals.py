import itertools
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.arrivals import (
    NS_PER_DAY,
    NS_PER_HOUR,
    Send,
    merge_arrivals,
    profile_arrivals,
)
from emulators.exchange.profiles import PROFILES, profile_named
from emulators.exchange.working_day import PARTS, WORKING_DAY, two_humps
from sim.streams import Streams

OUTSIDE = tuple(f"someone{i}@partner.example" for i in range(20))


def mailboxes(count):
    return tuple(f"user{i}@corp.example" for i in range(count))


def days_of(arrivals, days):
    return list(itertools.takewhile(lambda arrival: arrival[0] < days * NS_PER_DAY, arrivals))


def rates(arrivals, users, days):
    own = frozenset(users)
    sent = sum(send.sender in own for _, send in arrivals)
    received = sum(name in own for _, send in arrivals for name in send.recipients)
    return sent / len(users) / days, received / len(users) / days


@pytest.mark.parametrize("key", sorted(PROFILES))
def test_long_run_rates_are_those_of_the_profile_within_two_per_cent(key):
    profile = PROFILES[key]
    users = mailboxes(40)
    days = max(1, 120_000 // (40 * profile.received_per_day))
    arrivals = days_of(profile_arrivals(Streams(11), profile, users, OUTSIDE, name="A"), days)
    sent, received = rates(arrivals, users, days)
    # Two per cent, or three standard errors where the profile sends little.
    error = 3 / math.sqrt(profile.sent_per_day * 40 * days)
    assert sent == pytest.approx(profile.sent_per_day, rel=max(0.02, error))
    assert received == pytest.approx(profile.received_per_day, rel=0.02)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("inbound_share", [0.0, 0.5, 0.9, 1.0])
def test_the_rates_hold_for_few_mailboxes_and_any_share_from_outside(count, inbound_share):
    profile = profile_named(2007, "heavy")
    users = mailboxes(count)
    days = 700 // count
    arrivals = days_of(
        profile_arrivals(
            Streams(5), profile, users, OUTSIDE, name="A", inbound_share=inbound_share
        ),
        days,
    )
    sent, received = rates(arrivals, users, days)
    assert sent == pytest.approx(20, rel=0.03)
    assert received == pytest.approx(80, rel=0.03)


def test_three_quarters_of_what_is_received_come_from_outside():
    users = mailboxes(50)
    profile = profile_named(2007, "average")
    arrivals = days_of(profile_arrivals(Streams(2), profile, users, OUTSIDE, name="A"), 50)
    inbound = sum(len(send.recipients) for _, send in arrivals if send.sender in OUTSIDE)
    assert inbound / 50 / 50 == pytest.approx(30, rel=0.02)


@pytest.mark.parametrize("start_hour", [0, 10, 23])
def test_each_hour_of_the_day_has_its_share_of_the_mail(start_hour):
    profile = profile_named(2007, "extra_heavy")
    start_ns = start_hour * NS_PER_HOUR + 17 * 60 * 10**9
    days = 30
    arrivals = days_of(
        profile_arrivals(
            Streams(8), profile, mailboxes(60), OUTSIDE, name="A", start_of_day_ns=start_ns
        ),
        days,
    )
    by_hour = Counter((time_ns + start_ns) // NS_PER_HOUR % 24 for time_ns, _ in arrivals)
    for hour, share in enumerate(WORKING_DAY.shares):
        expected = len(arrivals) * share / PARTS
        assert abs(by_hour[hour] - expected) < 5 * math.sqrt(expected), f"hour {hour}"


def test_the_gaps_are_those_of_a_poisson_process():
    flat = two_humps(afternoon_height=0.0, hump_width_h=0.01, morning_peak_hour=0.5, night_height=1)
    profile = profile_named(2007, "heavy")
    arrivals = days_of(
        profile_arrivals(Streams(4), profile, mailboxes(100), OUTSIDE, name="A", curve=flat), 5
    )
    times = [time_ns for time_ns, _ in arrivals]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    longer = sum(gap > mean for gap in gaps) / len(gaps)
    assert longer == pytest.approx(math.exp(-1), rel=0.03)


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_every_send_is_one_that_can_happen(seed, count, inbound_share):
    users = mailboxes(count)
    arrivals = profile_arrivals(
        Streams(seed),
        profile_named(2007, "heavy"),
        users,
        OUTSIDE,
        name="A",
        inbound_share=inbound_share,
    )
    earlier_ns = 0
    for time_ns, send in itertools.islice(arrivals, 60):
        assert time_ns >= earlier_ns
        earlier_ns = time_ns
        assert send.recipients
        assert send.sender not in send.recipients
        assert len(frozenset(send.recipients)) == len(send.recipients)
        assert send.sender in users or all(name in users for name in send.recipients)
        assert 1024 <= send.size_bytes <= 10 * 1024 * 1024


def test_every_mailbox_takes_its_part():
    users = mailboxes(30)
    profile = profile_named(2007, "heavy")
    arrivals = days_of(profile_arrivals(Streams(6), profile, users, OUTSIDE, name="A"), 30)
    received = Counter(name for _, send in arrivals for name in send.recipients)
    sent = Counter(send.sender for _, send in arrivals)
    for user in users:
        assert abs(received[user] - 2400) < 6 * math.sqrt(2400)
        assert abs(sent[user] - 600) < 6 * math.sqrt(600)


def test_the_same_seed_gives_the_same_mail_and_another_does_not():
    def first(seed, name="A"):
        users = mailboxes(10)
        arrivals = profile_arrivals(
            Streams(seed), profile_named(2007, "light"), users, OUTSIDE, name=name
        )
        return list(itertools.islice(arrivals, 100))

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(1) != first(1, name="B")


def test_one_group_of_mailboxes_does_not_shift_another():
    profile = profile_named(2007, "heavy")
    alone = profile_arrivals(Streams(1), profile, mailboxes(10), OUTSIDE, name="A")
    alone = list(itertools.islice(alone, 200))
    shared = Streams(1)
    other = profile_arrivals(shared, profile, mailboxes(10), OUTSIDE, name="B")
    beside = profile_arrivals(shared, profile, mailboxes(10), OUTSIDE, name="A")
    together = [pair[1] for pair in itertools.islice(zip(other, beside, strict=False), 200)]
    assert together == alone


def test_merging_keeps_order_and_of_equal_times_the_earlier_argument_comes_first():
    def at(name, *times):
        return iter([(time, Send(name, ("x",), 1)) for time in times])

    merged = list(merge_arrivals(at("a", 1, 5, 5), at("b", 0, 5, 6)))
    assert [(time, send.sender) for time, send in merged] == [
        (0, "b"),
        (1, "a"),
        (5, "a"),
        (5, "a"),
        (5, "b"),
        (6, "b"),
    ]


def test_nothing_is_drawn_before_it_is_asked_for():
    streams = Streams(1)
    profile_arrivals(streams, profile_named(2007, "heavy"), mailboxes(5), OUTSIDE, name="A")
    fresh = Streams(1).stream("arrivals:A:submitted:time").random()
    assert streams.stream("arrivals:A:submitted:time").random() == fresh
