from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.link import ConnectionClosed

MICROSECOND = 1_000  # a byte takes that long
LATENCY_NS = 20_000_000


def test_a_message_takes_its_bytes_and_the_latency(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    sent = []
    world.noted(connection.left.send(b"x" * 1_000), sent)
    world.kernel.run(10**9)
    assert sent == [1_000 * MICROSECOND]
    assert seen == [(1_000 * MICROSECOND + LATENCY_NS, b"x" * 1_000)]
    assert world.link.forward.bytes_sent == 1_000
    assert world.link.forward.busy_ns == 1_000 * MICROSECOND
    assert world.link.backward.bytes_sent == 0


def test_the_wire_is_charged_for_what_it_is_told(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    connection.left.send(b"x", wire_bytes=5_000)
    assert connection.left.unsent_bytes == 5_000
    world.kernel.run(10**9)
    assert seen == [(5_000 * MICROSECOND + LATENCY_NS, b"x")]
    assert connection.left.unsent_bytes == 0


def test_a_long_message_comes_in_parts_of_a_tenth_of_a_second(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    sent = []
    world.noted(connection.left.send(bytes(range(250)) * 1_800), sent)
    world.kernel.run(250_000_000)
    assert connection.left.unsent_bytes == 250_000
    assert sent == []
    world.kernel.run(10**9)
    assert sent == [450_000 * MICROSECOND]
    times = [100_000_000, 200_000_000, 300_000_000, 400_000_000, 450_000_000]
    assert [at_ns for at_ns, _ in seen] == [at_ns + LATENCY_NS for at_ns in times]
    assert b"".join(part for _, part in seen) == bytes(range(250)) * 1_800


@given(
    seed=st.integers(0, 1_000),
    sizes=st.lists(st.integers(0, 400_000), min_size=1, max_size=5),
    slow_bit_s=st.sampled_from((9_600, 64_000, 1_000_000)),
    slow_from_ns=st.integers(0, 500_000_000),
)
def test_whatever_the_line_does_the_same_bytes_arrive_in_order(
    make_world, seed, sizes, slow_bit_s, slow_from_ns
):
    world = make_world(seed, loss=0.01, jitter_ns=5_000_000)
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    stream = [bytes([index + 1]) * size for index, size in enumerate(sizes)]
    for data in stream:
        connection.left.send(data)
    world.kernel.call_at(slow_from_ns, world.link.set_bandwidth, slow_bit_s)
    world.kernel.run(10**13)
    assert b"".join(part for _, part in seen) == b"".join(stream)
    assert connection.left.unsent_bytes == 0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 16, 23])
def test_equal_flows_share_fairly(world, count):
    times = []
    for _ in range(count):
        world.noted(world.connected().left.send(bytes(1_000)), times)
    world.kernel.run(10**9)
    assert times == [count * 1_000 * MICROSECOND] * count


def closed_form_ns(flows):
    """Processor sharing, worked out with fractions: when each (start, size) has left."""
    remaining = {}
    finished = {}
    now = Fraction(0)
    starts = sorted((start_ns, index) for index, (start_ns, _) in enumerate(flows))
    while starts or remaining:
        finish = None
        if remaining:
            smallest = min(remaining.values())
            finish = now + smallest * len(remaining)
        if starts and (finish is None or starts[0][0] <= finish):
            until, entering = Fraction(starts[0][0]), starts.pop(0)[1]
        else:
            until, entering = finish, None
        for index in remaining:
            remaining[index] -= (until - now) / len(remaining)
        now = until
        for index in [index for index, left in remaining.items() if left <= 0]:
            finished[index] = now
            del remaining[index]
        if entering is not None:
            remaining[entering] = Fraction(flows[entering][1] * MICROSECOND)
    return [finished[index] for index in range(len(flows))]


@given(
    flows=st.lists(
        st.tuples(st.integers(0, 5_000_000), st.integers(1, 5_000)), min_size=1, max_size=12
    )
)
def test_any_flows_finish_when_the_closed_form_says(make_world, flows):
    world = make_world()
    finished = {}
    for index, (start_ns, size) in enumerate(flows):
        connection = world.connected()

        def start(connection=connection, size=size, index=index):
            connection.left.send(bytes(size)).then(
                lambda _: finished.__setitem__(index, world.kernel.now_ns)
            )

        world.kernel.call_at(start_ns, start)
    world.kernel.run(10**9)
    expected = closed_form_ns(flows)
    for index, exact_ns in enumerate(expected):
        # Messages leave in whole nanoseconds; each completion before can shift by less than one.
        assert abs(finished[index] - exact_ns) <= len(flows)


def test_messages_back_to_back_use_the_whole_bandwidth(world):
    world.link.set_bandwidth(7_000_000)  # a byte takes no whole number of nanoseconds
    connection = world.connected()
    times = []
    for _ in range(1_000):
        world.noted(connection.left.send(b"x"), times)
    world.kernel.run(10**9)
    exact = [-(-index * 8 * 10**9 // 7_000_000) for index in range(1, 1_001)]
    assert times == exact


def test_directions_do_not_share(world):
    connection = world.connected()
    times = []
    world.noted(connection.left.send(bytes(1_000)), times)
    world.noted(connection.right.send(bytes(1_000)), times)
    world.kernel.run(10**9)
    assert times == [1_000 * MICROSECOND] * 2


def test_a_late_flow_slows_the_earlier_one_down(world):
    times = {}
    first, second = world.connected(), world.connected()
    first.left.send(bytes(1_000)).then(lambda _: times.update(first=world.kernel.now_ns))
    world.kernel.call_at(
        500 * MICROSECOND,
        lambda: second.left.send(bytes(1_000)).then(
            lambda _: times.update(second=world.kernel.now_ns)
        ),
    )
    world.kernel.run(10**9)
    # Half of the first alone, then both at half speed, then half of the second alone.
    assert times == {"first": 1_500 * MICROSECOND, "second": 2_000 * MICROSECOND}


@pytest.mark.parametrize("new_bit_s", [4_000_000, 16_000_000, 3_000_000])
def test_a_change_of_bandwidth_in_the_middle_of_a_message(world, new_bit_s):
    connection = world.connected()
    times = []
    world.noted(connection.left.send(bytes(1_000)), times)
    world.kernel.call_at(400 * MICROSECOND, world.link.set_bandwidth, new_bit_s)
    world.kernel.run(10**9)
    rest_ns = -(-600 * 8 * 10**9 // new_bit_s)
    assert times == [400 * MICROSECOND + rest_ns]


@pytest.mark.parametrize(
    "down_at_ns",
    [0, 1, 500_000, 1_000_000, 1_500_000, 10_000_000, LATENCY_NS, LATENCY_NS + 1_000_001],
)
def test_an_outage_delays_what_is_on_the_way_by_exactly_its_length(make_world, down_at_ns):
    def arrivals(outage_ns):
        world = make_world()
        connection = world.connected()
        seen = world.arrivals_at(connection.right)
        for index in range(3):
            connection.left.send(bytes([index]) * 1_000)
        if outage_ns:
            world.kernel.call_at(down_at_ns, world.link.down)
            world.kernel.call_at(down_at_ns + outage_ns, world.link.up)
        world.kernel.run(10**10)
        return seen

    calm = arrivals(0)
    delayed = arrivals(3_000_000_000)
    assert [item for _, item in delayed] == [item for _, item in calm]
    for (calm_ns, _), (delayed_ns, _) in zip(calm, delayed, strict=True):
        late = 3_000_000_000 if calm_ns >= down_at_ns else 0
        assert delayed_ns == calm_ns + late


def test_an_outage_holds_bytes_and_its_length_is_counted(world):
    connection = world.connected()
    world.link.down()
    assert not world.link.down()
    connection.left.send(bytes(1_000))
    world.kernel.run(10**9)
    assert world.link.held_bytes == 1_000
    assert connection.left.unsent_bytes == 1_000
    assert world.link.forward.busy_ns == 0
    assert world.link.up()
    assert not world.link.up()
    assert (world.link.outages, world.link.outage_ns) == (1, 10**9)
    world.kernel.run(2 * 10**9)
    assert world.link.held_bytes == 0


@given(
    seed=st.integers(0, 1_000),
    sizes=st.lists(st.integers(0, 20_000), min_size=1, max_size=30),
    outages=st.lists(st.integers(0, 400_000_000), max_size=4),
)
def test_a_connection_never_reorders_loses_or_doubles(make_world, seed, sizes, outages):
    world = make_world(seed, loss=0.2, jitter_ns=50_000_000)
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    for index, size in enumerate(sizes):
        connection.left.send(index.to_bytes(2, "big"), wire_bytes=size)
    for at_ns in outages:
        world.kernel.call_at(at_ns, world.link.down)
        world.kernel.call_at(at_ns + 10_000_000, world.link.up)
    world.kernel.run(10**12)
    assert [int.from_bytes(item, "big") for _, item in seen] == list(range(len(sizes)))


def test_loss_is_delay_by_whole_round_trips_at_the_stated_rate(make_world):
    loss = 0.01
    packets = 10
    world = make_world(3, loss=loss)
    counts = {}
    left_over = 0
    for _ in range(3_000):
        connection = world.connected()
        seen = world.arrivals_at(connection.right)
        times = []
        world.noted(connection.left.send(b"x", wire_bytes=packets * 1_460), times)
        world.kernel._schedule.steps = 0
        world.kernel.run(world.kernel.now_ns + 10**9)
        repeated, rest = divmod(seen[0][0] - times[0] - LATENCY_NS, 2 * LATENCY_NS)
        left_over += rest
        counts[repeated] = counts.get(repeated, 0) + 1
    assert left_over == 0
    expected = 1 - (1 - loss) ** packets
    assert sum(counts[key] for key in counts if key) / 3_000 == pytest.approx(expected, rel=0.15)


def test_jitter_stays_within_its_bound_and_varies(make_world):
    world = make_world(jitter_ns=5_000_000)
    travel = set()
    for _ in range(50):
        connection = world.connected()
        seen = world.arrivals_at(connection.right)
        begun_ns = world.kernel.now_ns
        connection.left.send(b"")
        world.kernel.run(begun_ns + 10**9)
        travel.add(seen[0][0] - begun_ns)
    assert min(travel) >= LATENCY_NS
    assert max(travel) < LATENCY_NS + 5_000_000
    assert len(travel) == 50


def test_closing_comes_after_what_was_sent(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    for index in range(3):
        connection.left.send(bytes([index]))
    connection.left.close()
    connection.left.close()
    late = connection.left.send(b"late")
    late.then(lambda _: None)
    world.kernel.run(10**9)
    assert [item for _, item in seen[:-1]] == [b"\0", b"\1", b"\2"]
    assert isinstance(seen[-1][1], ConnectionClosed)
    assert isinstance(late.error, ConnectionClosed)
    refused = connection.right.send(b"x")
    refused.then(lambda _: None)
    assert isinstance(refused.error, ConnectionClosed)
    assert "Hint" in str(refused.error)
