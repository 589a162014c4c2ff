"""What a connection does when a host or the whole link dies."""

from itertools import pairwise

import pytest

from sim.kernel import Host
from sim.link import ConnectionClosed, HostUnreachable

MICROSECOND = 1_000  # a byte takes that long
LATENCY_NS = 20_000_000


def test_bytes_of_a_dead_host_that_had_not_arrived_are_gone(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    for index in range(5):
        connection.left.send(bytes([index]) * 1_000)
    world.kernel.call_at(2_500 * MICROSECOND, world.left.host.power_cut)
    world.kernel.run(10**10)
    assert seen == []


def test_bytes_lost_in_flight_do_not_come_back_with_the_link(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.right)
    connection.left.send(bytes(1_000))
    world.kernel.call_at(2_000 * MICROSECOND, world.left.host.power_cut)
    world.kernel.call_at(3_000 * MICROSECOND, world.link.down)
    world.kernel.call_at(4_000 * MICROSECOND, world.link.up)
    world.kernel.run(2_000 * MICROSECOND)
    assert world.link.held_bytes == 0
    world.kernel.run(10**10)
    assert seen == []


def test_the_survivor_learns_nothing_until_it_sends_to_a_host_that_is_back(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.left)
    world.kernel.call_at(1_000, world.right.host.power_cut)
    world.kernel.run(10**9)
    world.right.host.power_on()
    world.kernel.run(2 * 10**9)
    assert seen == []  # it sent nothing: it knows nothing
    signal = connection.left.send(b"are you there")
    world.kernel.run(3 * 10**9)
    assert [at_ns for at_ns, _ in seen] == [2 * 10**9 + 2 * LATENCY_NS]
    assert isinstance(seen[0][1], ConnectionClosed)
    assert isinstance(signal.error, ConnectionClosed)
    assert world.kernel.unobserved_errors == []  # it was told by the inbox


def test_bytes_sent_to_a_host_without_power_wait_for_its_return(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.left)
    world.right.host.power_cut()
    signal = connection.left.send(bytes(1_000))
    world.kernel.run(10**10)
    assert not signal.fired
    assert connection.left.unsent_bytes == 1_000
    world.right.host.power_on()
    world.kernel.run(2 * 10**10)
    assert isinstance(seen[0][1], ConnectionClosed)
    assert connection.left.unsent_bytes == 0


def test_a_reset_waits_for_the_end_of_an_outage(world):
    connection = world.connected()
    seen = world.arrivals_at(connection.left)
    world.right.host.power_cut()
    world.link.down()
    connection.left.send(b"x")
    world.right.host.power_on()
    world.kernel.run(10**9)
    assert seen == []
    world.link.up()
    world.kernel.run(2 * 10**9)
    assert [at_ns for at_ns, _ in seen] == [10**9 + 2 * LATENCY_NS]


def test_a_dead_flow_gives_its_share_back(world):
    other = Host(world.kernel, "host-other", world.left.site)
    survivor = world.connected()
    victim = world.link.connect(other, world.right.host)
    times = []
    world.noted(survivor.left.send(bytes(1_000)), times)
    victim.left.send(bytes(1_000))
    world.kernel.call_at(1_000 * MICROSECOND, other.power_cut)
    world.kernel.run(10**9)
    assert times == [1_500 * MICROSECOND]


def test_a_dead_host_that_sends_does_nothing(world):
    connection = world.connected()
    world.left.host.power_cut()
    world.left.host.power_on()
    signal = connection.left.send(b"from another life")
    world.kernel.run(10**9)
    assert not signal.fired
    assert world.link.bytes_sent == 0


def test_a_severed_link_does_not_come_up_again(world):
    assert world.link.sever()
    assert not world.link.up()
    assert not world.link.is_up


def test_ended_connections_leave_nothing_behind(world):
    for _ in range(3):
        connection = world.connected()
        connection.left.close()
    both_dead = world.connected()
    world.kernel.run(10**9)
    world.left.host.power_cut()
    world.right.host.power_cut()
    assert world.link._connections == []
    assert both_dead.left.unsent_bytes == 0
    # What is left are the volumes' hooks.
    assert len(world.left.host._on_power_cut) == 1
    assert world.left.host._on_power_on == []


@pytest.mark.parametrize(
    "strike",
    [
        lambda world: world.link.down(),
        lambda world: world.left.host.power_cut(),
        lambda world: world.right.host.power_cut(),
        lambda world: world.right.site.lose(),
    ],
)
def test_no_connection_is_made_over_a_dead_link_or_with_a_dead_host(world, strike):
    strike(world)
    with pytest.raises(HostUnreachable, match="Hint"):
        world.connected()


def test_hosts_of_other_sites_are_refused(world):
    stranger = Host(world.kernel, "stranger")
    with pytest.raises(AssertionError, match="link wan joins"):
        world.link.connect(world.left.host, stranger)


def test_who_is_told_that_it_was_sent_may_send_again(world):
    connection = world.connected()
    times = []

    def again(_):
        times.append(world.kernel.now_ns)
        if len(times) < 4:
            connection.left.send(bytes(100)).then(again)

    connection.left.send(bytes(100)).then(again)
    world.kernel.run(10**9)
    assert [later - earlier for earlier, later in pairwise(times)] == [100 * MICROSECOND] * 3
