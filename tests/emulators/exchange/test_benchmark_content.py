"""Content generation beside its floor: joining bytes that are at hand."""

import itertools

import pytest

from emulators.exchange.arrivals import profile_arrivals
from emulators.exchange.content import ContentPools
from emulators.exchange.profiles import profile_named
from sim.streams import Streams

MESSAGES = 1_000


@pytest.fixture(scope="module")
def pools():
    return ContentPools(Streams(1).stream("content"))


@pytest.mark.parametrize("size", [2_000, 50_000])
def test_benchmark_draw_messages(benchmark, pools, size):
    benchmark.group = f"a thousand messages of {size} bytes"
    user, other = pools.mailboxes(2)

    def draw():
        for _ in range(MESSAGES):
            message = pools.draw(user, (other,), size, 1)
        return message

    assert benchmark(draw).size_bytes == size


@pytest.mark.parametrize("size", [2_000, 50_000])
def test_benchmark_floor_join_bytes(benchmark, pools, size):
    benchmark.group = f"a thousand messages of {size} bytes"
    reel, head, tail = pools._reel, b"Hello,\r\n\r\n", b"\r\n\r\nRegards\r\n"

    def join():
        for start in range(MESSAGES):
            text = b"".join((head, reel[start : start + size], tail))
        return text

    assert len(benchmark(join)) > size


@pytest.mark.parametrize("size", [2_000, 50_000])
def test_benchmark_draw_and_digest_messages(benchmark, pools, size):
    benchmark.group = f"a thousand messages of {size} bytes"
    user, other = pools.mailboxes(2)

    def draw():
        return [pools.draw(user, (other,), size, 1).digest for _ in range(MESSAGES)]

    assert len(benchmark(draw)) == MESSAGES


def test_benchmark_arrivals(benchmark):
    benchmark.group = "arrivals, ten thousand"
    users = tuple(f"user{i}@corp.example" for i in range(250))

    def arrive():
        arrivals = profile_arrivals(
            Streams(1), profile_named(2007, "heavy"), users, users, name="A"
        )
        return sum(send.size_bytes for _, send in itertools.islice(arrivals, 10_000))

    assert benchmark(arrive) > 0


def test_benchmark_floor_exponential_draws(benchmark):
    benchmark.group = "arrivals, ten thousand"
    stream = Streams(1).stream("floor")

    def draw():
        return sum(stream.exponential(1.0) for _ in range(10_000))

    assert benchmark(draw) > 0


def test_benchmark_make_pools(benchmark):
    benchmark.group = "making the pools"
    assert benchmark(lambda: ContentPools(Streams(1).stream("content"))).correspondents


def test_benchmark_floor_faker_start(benchmark):
    from faker import Faker

    benchmark.group = "making the pools"
    assert benchmark(lambda: Faker("en_US").word())
