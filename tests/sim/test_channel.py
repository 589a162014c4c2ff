import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernel import TIMED_OUT, Kernel
from sim.streams import Streams


@given(seed=st.integers(0, 10_000), gaps=st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_a_channel_never_reorders_its_items(seed, gaps):
    kernel = Kernel(Streams(seed))
    channel = kernel.channel()
    received = []

    def sender():
        for index, gap_ns in enumerate(gaps):
            if gap_ns:
                yield kernel.sleep(gap_ns)
            channel.put(index)

    def receiver():
        while True:
            received.append((yield from channel.receive()))
            yield kernel.sleep(1)

    kernel.spawn(sender(), name="sender")
    kernel.spawn(receiver(), name="receiver")
    kernel.run(1_000)
    assert received == list(range(len(gaps)))


@given(
    seed=st.integers(0, 10_000),
    limits=st.lists(st.integers(0, 6), min_size=1, max_size=20),
    puts=st.lists(st.integers(0, 60), max_size=20),
)
def test_with_any_limits_every_item_is_received_once_or_still_there(seed, limits, puts):
    kernel = Kernel(Streams(seed))
    channel = kernel.channel()
    received = []

    def receiver():
        for limit_ns in limits:
            item = yield from channel.receive(limit_ns=limit_ns)
            if item is not TIMED_OUT:
                received.append(item)

    for index, at_ns in enumerate(sorted(puts)):
        kernel.call_at(at_ns, channel.put, index)
    kernel.spawn(receiver(), name="receiver")
    kernel.run(1_000)
    rest = []

    def drain():
        while len(channel):
            rest.append((yield from channel.receive()))

    kernel.spawn(drain(), name="drain")
    kernel.run(2_000)
    assert received + rest == list(range(len(puts)))


def test_the_receiver_who_waited_longest_is_served_first(kernel):
    channel = kernel.channel()
    received = []

    def receiver(name):
        received.append((name, (yield from channel.receive())))

    for delay_ns, name in enumerate("abc"):
        kernel.call_after(delay_ns, lambda name=name: kernel.spawn(receiver(name), name=name))
    kernel.run(10)
    for item in range(3):
        channel.put(item)
        kernel.run(kernel.now_ns + 1)
    assert received == [("a", 0), ("b", 1), ("c", 2)]


def test_a_received_item_costs_no_event_when_it_is_there_already(kernel):
    channel = kernel.channel()
    channel.put(1)

    def receiver():
        yield from channel.receive()

    kernel.spawn(receiver(), name="receiver")
    kernel.run(1)
    assert kernel.steps == 1


def test_receivers_that_gave_up_are_forgotten(kernel):
    channel = kernel.channel()

    def polling():
        for _ in range(100):
            yield from channel.receive(limit_ns=1)

    kernel.spawn(polling(), name="polling")
    kernel.run(1_000)
    assert len(channel._receivers) == 0


def test_clear_forgets_and_counts(kernel):
    channel = kernel.channel()
    channel.put(1)
    channel.put(2)
    assert channel.clear() == 2
    assert len(channel) == 0


@pytest.mark.parametrize("value", [None, 0, "", False])
def test_a_false_item_is_not_a_timeout(kernel, value):
    channel = kernel.channel()

    def receiver():
        return (yield from channel.receive(limit_ns=10))

    task = kernel.spawn(receiver(), name="receiver")
    kernel.call_after(5, channel.put, value)
    kernel.run(20)
    assert task.result is value
