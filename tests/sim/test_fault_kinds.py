"""What each of the quieter faults does to its device, and how it is put right again."""

import pytest

from sim.fault_watch import Watch, watch
from sim.faults import (
    BitRot,
    DiskSlow,
    FaultPlan,
    InputOutputErrors,
    LinkDegraded,
    LinkDelayed,
    LinkLossy,
    LinkOneWay,
    LostWrite,
    MisdirectedWrite,
    SiteLoss,
    SitePowerCut,
    StaleSnapshot,
    World,
)
from sim.volume import InputOutputError

SECOND = 1_000_000_000
AT = {"at_ns": SECOND}
LINK = {**AT, "link": "wan", "duration_ns": SECOND}
VOLUME = {**AT, "volume": "volume-left"}


def plan_of(world):
    sides = (world.left, world.right)
    devices = World(
        sites={side.site.name: side.site for side in sides},
        hosts={side.host.name: side.host for side in sides},
        disks={side.disk.name: side.disk for side in sides},
        volumes={side.volume.name: side.volume for side in sides},
        links={"wan": world.link},
    )
    return FaultPlan(world.kernel, world.streams, None, devices)


def injected(world, fault):
    [outcome] = plan_of(world).inject([fault])
    return outcome


def written(world, *texts, name="f"):
    """Write texts one after the other, flushed."""
    volume = world.left.volume
    if not volume.exists(name):
        volume.create(name)
    signals = [volume.append(name, (text,)) for text in texts]
    volume.flush(name)
    return signals


def test_a_link_blocked_one_way_delays_that_way_alone_by_what_is_left(world):
    outcome = injected(world, LinkOneWay(**LINK, source="site-left"))
    connection = world.connected()
    rightward = world.arrivals_at(connection.right)
    leftward = world.arrivals_at(connection.left)
    world.kernel.run(SECOND)
    connection.left.send(b"to the right")
    connection.right.send(b"to the left")
    world.kernel.run(3 * SECOND)
    assert leftward[0][0] < SECOND + 30_000_000
    assert rightward[0][0] > 2 * SECOND
    assert outcome.fired
    assert outcome.lifted_at_ns == 2 * SECOND
    assert "nothing came through from site-left" in outcome.evidence


def test_an_outage_inside_a_block_leaves_the_block_where_it_was(world):
    link = world.link
    assert link.block(world.left.site)
    assert not link.block(world.left.site)
    assert link.down()
    assert link.up()
    assert (link.forward.is_up, link.backward.is_up, link.is_up) == (False, True, False)
    link.unblock(world.left.site)
    assert link.is_up


def test_a_block_that_ends_in_an_outage_ends_with_the_outage(world):
    link = world.link
    link.block(world.right.site)
    link.down()
    link.unblock(world.right.site)
    assert not link.backward.is_up
    link.up()
    assert link.is_up


@pytest.mark.parametrize(
    ("fault", "during"),
    [
        (LinkDelayed(**LINK, latency_ns=600_000_000), ("latency_ns", 600_000_000)),
        (LinkLossy(**LINK, loss=0.25), ("loss", 0.25)),
        (LinkDegraded(**LINK, bandwidth_bit_s=1_000), ("bandwidth_bit_s", 1_000)),
    ],
)
def test_a_link_that_gets_worse_is_as_good_as_before_afterwards(world, fault, during):
    name, value = during
    before = getattr(world.link, name)
    outcome = injected(world, fault)
    world.kernel.run(SECOND + 1)
    assert getattr(world.link, name) == value
    world.kernel.run(3 * SECOND)
    assert getattr(world.link, name) == before
    assert outcome.fired


def test_of_two_faults_of_a_link_the_worse_counts_and_each_ends_for_itself(world):
    plan_of(world).inject(
        [
            LinkDegraded(**LINK, bandwidth_bit_s=2_000),
            LinkDegraded(
                at_ns=SECOND * 3 // 2, link="wan", duration_ns=SECOND, bandwidth_bit_s=1_000
            ),
        ]
    )
    seen = []
    for half in (1, 2, 3, 4, 5, 6):
        world.kernel.run(half * SECOND // 2 + 1)
        seen.append(world.link.bandwidth_bit_s)
    assert seen == [8_000_000, 2_000, 1_000, 1_000, 8_000_000, 8_000_000]


def test_a_schedule_changes_the_links_own_bandwidth_under_a_fault(world):
    lift = world.link.impair(impairment_of(5_000))
    world.link.set_bandwidth(4_000_000)
    assert world.link.bandwidth_bit_s == 5_000
    lift()
    assert world.link.bandwidth_bit_s == 4_000_000


def impairment_of(bandwidth_bit_s):
    return LinkDegraded(**LINK, bandwidth_bit_s=bandwidth_bit_s).impairment


def test_a_link_that_is_worse_already_has_no_fault(world):
    outcome = injected(world, LinkDelayed(**LINK, latency_ns=1))
    world.kernel.run(3 * SECOND)
    assert not outcome.fired
    assert "20 ms of latency already" in outcome.evidence


def test_a_slow_disk_serves_later_and_is_fast_again(world):
    outcome = injected(
        world, DiskSlow(**AT, disk="disk-left", throughput_bytes_s=10_000, duration_ns=SECOND)
    )
    world.kernel.run(SECOND + 1)
    times = []
    [signal] = written(world, bytes(500))
    world.noted(signal, times)
    world.kernel.run(10 * SECOND)
    assert times[0] > SECOND + 400_000_000
    assert world.left.disk.throughput_bytes_s == 100_000_000
    assert outcome.touched > 0


def test_io_errors_refuse_reads_and_writes_and_change_nothing(world):
    written(world, b"before")
    outcome = injected(world, InputOutputErrors(**VOLUME, duration_ns=SECOND))
    world.kernel.run(SECOND + 1)
    seen = []
    volume = world.left.volume
    for signal in (volume.append("f", (b"lost",)), volume.read("f", 0, 6)):
        signal.then(lambda done: seen.append(done.error))
    world.kernel.run(3 * SECOND)
    assert [type(error) for error in seen] == [InputOutputError] * 2
    assert "Hint" in str(seen[0])
    assert volume.peek("f", 0, 99) == b"before"
    assert outcome.evidence == "2 operations failed"
    world.left.volume.append("f", (b" after",))
    world.kernel.run(4 * SECOND)
    assert volume.peek("f", 0, 99) == b"before after"


def test_a_rotten_bit_is_one_bit_that_no_filter_sees_and_a_power_cut_keeps(world):
    written(world, bytes(1000))
    seen = []
    outcome = injected(world, BitRot(**VOLUME))
    world.kernel.run(SECOND // 2)
    world.left.volume.attach(seen.append)
    world.kernel.run(2 * SECOND)
    assert sum(byte.bit_count() for byte in world.left.volume.peek("f", 0, 1000)) == 1
    assert seen == []
    world.left.host.power_cut()
    assert sum(byte.bit_count() for byte in world.left.volume.peek("f", 0, 1000)) == 1
    assert outcome.evidence.endswith("of f has flipped")


def test_nothing_rots_on_an_empty_volume(world):
    outcome = injected(world, BitRot(**VOLUME))
    world.kernel.run(2 * SECOND)
    assert (outcome.fired, outcome.evidence) == (False, "nothing was stored")


def test_a_lost_write_is_told_and_shown_as_done_and_its_place_is_as_before(world):
    written(world, b"old old ")
    outcome = injected(world, LostWrite(**VOLUME))
    world.kernel.run(SECOND + 1)
    shown, values = [], []
    volume = world.left.volume
    volume.attach(lambda operation: shown.append((operation.kind.value, operation.payload)))
    volume.write("f", 4, (b"new new ",)).then(lambda done: values.append(done.value))
    volume.write("f", 12, (b"next",))
    world.kernel.run(2 * SECOND)
    assert values == [4]
    assert shown == [("write", (b"new new ",)), ("write", (b"next",))]
    assert volume.peek("f", 0, 99) == b"old old \0\0\0\0next"
    assert outcome.touched == 8
    assert outcome.fired_at_ns > SECOND


def test_a_lost_write_waits_for_a_write(world):
    outcome = injected(world, LostWrite(**VOLUME))
    world.kernel.run(2 * SECOND)
    assert (outcome.fired, outcome.evidence) == (False, "nothing was written after it")


def test_a_misdirected_write_lands_elsewhere_in_its_file(world):
    written(world, bytes(20_000))
    outcome = injected(world, MisdirectedWrite(**VOLUME))
    world.kernel.run(SECOND + 1)
    world.left.volume.write("f", 100, (b"x" * 50,))
    world.kernel.run(2 * SECOND)
    content = world.left.volume.peek("f", 0, 1 << 20)
    assert content[100:150] != b"x" * 50
    place = content.index(b"x" * 50)
    assert place % 4096 == 0
    assert outcome.evidence == f"50 bytes for 100 of f were written at {place:,}"


def test_a_stale_snapshot_puts_back_what_was_and_starts_the_machine_on_it(world):
    written(world, b"old", name="kept")
    outcome = injected(world, StaleSnapshot(**VOLUME, age_ns=SECOND // 2))
    started = []
    world.left.host.on_power_on(lambda: started.append(world.left.volume.names()))
    world.kernel.run(SECOND * 3 // 4)
    written(world, b" and new", name="kept")
    written(world, b"new", name="made")
    world.kernel.run(2 * SECOND)
    assert started == [["kept"]]
    assert world.left.volume.peek("kept", 0, 99) == b"old"
    assert (outcome.fired_at_ns, outcome.touched) == (SECOND, 11)
    assert outcome.evidence == "restored as it was 0.5 s before, 11 bytes less"
    world.left.host.power_cut()
    assert world.left.volume.peek("kept", 0, 99) == b"old", "what was restored is durable"


def test_a_stale_snapshot_is_not_restored_under_a_machine_without_power(world):
    outcome = injected(world, StaleSnapshot(**VOLUME, age_ns=SECOND // 2))
    world.kernel.run(SECOND * 3 // 4)
    world.left.host.power_cut()
    world.kernel.run(2 * SECOND)
    assert (outcome.fired, outcome.evidence) == (False, "its machine did not run")


def test_a_site_without_power_is_back_with_every_machine_that_had_it(world):
    outcome = injected(world, SitePowerCut(**AT, site="site-left", duration_ns=SECOND))
    world.kernel.run(SECOND + 1)
    assert not world.left.host.up
    world.kernel.run(3 * SECOND)
    assert world.left.host.up
    assert outcome.touched == 1
    assert "back after 1 s" in outcome.evidence


def test_power_does_not_come_back_to_a_site_that_was_lost_meanwhile(world):
    cut = SitePowerCut(**AT, site="site-left", duration_ns=SECOND)
    outcomes = plan_of(world).inject([cut, SiteLoss(at_ns=SECOND + 1, site="site-left")])
    world.kernel.run(3 * SECOND)
    assert not world.left.host.up
    assert [outcome.fired for outcome in outcomes] == [True, True]


def watched(world, holds, **changes):
    settings = {
        "fault": LinkDelayed(at_ns=0, link="wan", latency_ns=SECOND, duration_ns=SECOND // 2),
        "holds": holds,
        "told": lambda: "never held",
        "until_ns": 20 * SECOND,
        "every_ns": SECOND,
        **changes,
    }
    outcomes = watch(plan_of(world), Watch(**settings))
    world.kernel.run(30 * SECOND)
    return outcomes


def test_a_watched_fault_comes_at_the_first_look_that_finds_its_condition(world):
    kernel = world.kernel
    [outcome] = watched(world, lambda: kernel.now_ns >= 3 * SECOND + 1)
    assert outcome.fired_at_ns == outcome.fault.at_ns == 4 * SECOND
    assert outcome.lifted_at_ns == 4 * SECOND + SECOND // 2


def test_a_watched_fault_comes_again_only_after_its_time_and_not_too_often(world):
    outcomes = watched(world, lambda: True, again_after_ns=5 * SECOND, count_max=3)
    assert [outcome.fired_at_ns for outcome in outcomes] == [0, 5 * SECOND, 10 * SECOND]


def test_a_condition_that_never_holds_leaves_its_fault_with_what_was_seen(world):
    [outcome] = watched(world, lambda: False)
    assert outcome.chosen
    assert not outcome.fired
    assert outcome.evidence == "never held"


def test_a_watched_fault_of_probability_zero_looks_at_nothing(world):
    looked = []
    fault = LinkDelayed(at_ns=0, link="wan", latency_ns=SECOND, duration_ns=SECOND, probability=0.0)
    [outcome] = watched(world, lambda: looked.append(1), fault=fault)
    assert (looked, outcome.chosen, outcome.evidence) == ([], False, "not drawn")
