import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.streams import Streams

# Drawn once and recorded: a change would change every baseline.
GOLDEN = [2192827698, 440, "726d78fc", "e", 0, True]
GOLDEN_FLOATS = [11.98025594542165, 3.334709663489863, 3.02370428748637]


def test_one_name_gives_one_stream_and_another_name_another():
    streams = Streams(1)
    assert streams.stream("a") is streams.stream("a")
    assert Streams(1).stream("a").bits(64) != Streams(1).stream("b").bits(64)
    assert Streams(1).stream("a").bits(64) != Streams(2).stream("a").bits(64)


def test_draws_from_one_stream_shift_no_other():
    alone = Streams(1)
    both = Streams(1)
    for _ in range(1_000):
        both.stream("noise").random()
    assert alone.stream("quiet").bits(256) == both.stream("quiet").bits(256)


def test_the_values_are_the_same_on_every_python():
    stream = Streams(7).stream("net:mbx1->vault")
    drawn = [
        stream.bits(32),
        stream.below(1_000),
        stream.bytes(4).hex(),
        stream.choice("abcdef"),
        stream.weighted_index([1, 3, 6]),
        stream.chance(0.5),
    ]
    assert drawn == GOLDEN
    assert stream.uniform(10, 20) == pytest.approx(GOLDEN_FLOATS[0], abs=1e-12)
    assert stream.exponential(5) == pytest.approx(GOLDEN_FLOATS[1], abs=1e-12)
    assert stream.triangular(1, 2, 6) == pytest.approx(GOLDEN_FLOATS[2], abs=1e-12)


@given(seed=st.integers(), limit=st.integers(1, 10**30))
def test_below_stays_below(seed, limit):
    assert 0 <= Streams(seed).stream("x").below(limit) < limit


def test_below_reaches_every_value_about_equally_often():
    stream = Streams(1).stream("x")
    counts = [0] * 7
    for _ in range(7_000):
        counts[stream.below(7)] += 1
    assert min(counts) > 850
    assert max(counts) < 1_150


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_chance_draws_exactly_once(probability):
    one, other = Streams(1).stream("x"), Streams(1).stream("x")
    one.chance(probability)
    other.random()
    assert one.random() == other.random()


def test_chance_is_never_at_zero_and_always_at_one():
    stream = Streams(1).stream("x")
    assert not any(stream.chance(0.0) for _ in range(1_000))
    assert all(stream.chance(1.0) for _ in range(1_000))


def test_the_means_are_those_of_the_distributions():
    stream = Streams(1).stream("x")
    count = 20_000

    def mean(draw):
        return sum(draw() for _ in range(count)) / count

    assert mean(lambda: stream.exponential(5)) == pytest.approx(5, rel=0.05)
    assert mean(lambda: stream.triangular(1, 2, 6)) == pytest.approx(3, rel=0.05)
    assert mean(lambda: stream.uniform(2, 4)) == pytest.approx(3, rel=0.05)
    assert mean(lambda: stream.weighted_index([1, 3])) == pytest.approx(2 / 3, rel=0.05)


@given(low=st.floats(-1e6, 1e6), a=st.floats(0, 1e6), b=st.floats(0, 1e6), seed=st.integers(0, 99))
def test_triangular_stays_within_its_ends(low, a, b, seed):
    value = Streams(seed).stream("x").triangular(low, low + a, low + a + b)
    slack = 1e-6 * (1 + abs(low) + a + b)
    assert low - slack <= value <= low + a + b + slack


@given(length=st.integers(0, 100))
def test_bytes_have_the_length_asked_for(length):
    assert len(Streams(1).stream("x").bytes(length)) == length
