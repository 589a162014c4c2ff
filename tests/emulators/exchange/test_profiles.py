import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.profiles import PROFILES, Basis, UnknownProfile, profile_named
from emulators.exchange.sizes import BYTES_MAX, BYTES_MIN, MessageSizes
from emulators.exchange.working_day import PARTS, WORKING_DAY, two_humps
from sim.streams import Streams


@pytest.mark.parametrize(
    ("name", "sent", "received", "logs_mib"),
    [
        ("light", 5, 20, 6),
        ("average", 10, 40, 12),
        ("heavy", 20, 80, 24),
        ("very_heavy", 30, 120, 36),
        ("extra_heavy", 40, 160, 48),
    ],
)
def test_the_2007_profiles_are_those_of_the_sheet_and_say_they_are_assumptions(
    name, sent, received, logs_mib
):
    profile = profile_named(2007, name)
    assert (profile.sent_per_day, profile.received_per_day) == (sent, received)
    assert profile.log_bytes_per_day == logs_mib * 1024 * 1024
    assert profile.basis is Basis.ASSUMPTION


@pytest.mark.parametrize(
    ("name", "iops", "sent", "received"),
    [
        ("light", 0.5, 20, 50),
        ("average", 0.75, 30, 75),
        ("heavy", 1, 40, 100),
        ("large", 1.5, 60, 150),
    ],
)
def test_the_2003_profiles_are_those_of_the_sheet_and_are_sourced(name, iops, sent, received):
    profile = profile_named(2003, name)
    assert (profile.sent_per_day, profile.received_per_day) == (sent, received)
    assert profile.database_iops == iops
    assert profile.basis is Basis.SOURCED


@pytest.mark.parametrize(
    ("version", "name"), [(2007, "large"), (2003, "extra_heavy"), (2010, "heavy")]
)
def test_an_unknown_profile_is_refused_with_the_known_ones(version, name):
    with pytest.raises(UnknownProfile, match="hint"):
        profile_named(version, name)


def test_the_refusal_lists_only_the_profiles_of_that_version():
    with pytest.raises(UnknownProfile, match="light, average, heavy, very_heavy, extra_heavy"):
        profile_named(2007, "large")


def test_every_profile_can_be_found_by_its_own_name():
    for (version, name), profile in PROFILES.items():
        assert profile_named(version, name) is profile
        assert profile.message_bytes_mean == 50 * 1024


def test_the_working_day_keeps_to_the_limits_of_the_sheet():
    shares = WORKING_DAY.shares
    assert sum(shares) == PARTS
    assert 0.10 <= WORKING_DAY.share(WORKING_DAY.peak_hour) <= 0.14
    assert 0.80 <= sum(shares[8:18]) / PARTS <= 0.90


def test_the_working_day_has_two_humps():
    shares = WORKING_DAY.shares
    tops = [h for h in range(1, 23) if shares[h - 1] < shares[h] >= shares[h + 1]]
    assert len([top for top in tops if shares[top] > PARTS // 20]) == 2


@given(
    st.floats(0, 23),
    st.floats(0, 23),
    st.floats(0.1, 10),
    st.floats(0, 5),
    st.floats(0.001, 5),
)
@settings(deadline=None)
def test_the_shares_of_any_curve_sum_to_exactly_one(morning, afternoon, width, height, night):
    curve = two_humps(
        morning_peak_hour=morning,
        afternoon_peak_hour=afternoon,
        hump_width_h=width,
        afternoon_height=height,
        night_height=night,
    )
    assert sum(curve.shares) == PARTS
    assert min(curve.shares) >= 0


@pytest.mark.parametrize("mean", [5_000, 50 * 1024, 200_000])
@pytest.mark.parametrize("sigma", [0.3, 1.0, 1.5, 2.0])
def test_the_clipped_distribution_has_exactly_the_mean_asked_for(mean, sigma):
    sizes = MessageSizes(mean, sigma=sigma)
    assert sizes.clipped_mean(sizes._mu) == pytest.approx(mean, rel=1e-9)


def test_the_sizes_drawn_have_the_mean_and_keep_to_the_limits():
    stream = Streams(3).stream("sizes")
    sizes = MessageSizes(50 * 1024)
    drawn = [sizes.draw(stream) for _ in range(100_000)]
    assert statistics.fmean(drawn) == pytest.approx(50 * 1024, rel=0.04)
    assert min(drawn) == BYTES_MIN
    assert max(drawn) <= BYTES_MAX
    assert statistics.median(drawn) < 50 * 1024 / 2


def test_each_size_costs_one_draw_so_that_nothing_later_shifts():
    one, other = Streams(1).stream("sizes"), Streams(1).stream("sizes")
    MessageSizes(50 * 1024).draw(one)
    MessageSizes(9_999, sigma=0.5).draw(other)
    assert one.random() == other.random()
