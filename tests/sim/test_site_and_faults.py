import dataclasses

import pytest

from sim.faults import (
    DiskStall,
    FaultPlan,
    FaultTargetMissing,
    LinkDegraded,
    LinkOutage,
    PowerCut,
    SiteLoss,
    VolumeFull,
    VolumeLoss,
    World,
)
from sim.trace import Trace

SECOND = 1_000_000_000
NAMED = {
    "link_outage": LinkOutage(at_ns=SECOND, link="wan", duration_ns=SECOND),
    "link_degraded": LinkDegraded(
        at_ns=SECOND, link="wan", bandwidth_bit_s=80_000, duration_ns=SECOND
    ),
    "site_loss": SiteLoss(at_ns=SECOND, site="site-left"),
    "power_cut": PowerCut(at_ns=SECOND, host="host-left", duration_ns=SECOND),
    "disk_stall": DiskStall(at_ns=SECOND, disk="disk-left", duration_ns=SECOND),
    "volume_full": VolumeFull(at_ns=SECOND, volume="volume-left", duration_ns=SECOND),
    "volume_loss": VolumeLoss(at_ns=SECOND, volume="volume-left"),
}


def replaced(fault, **changes):
    return dataclasses.replace(fault, **changes)


def lookup(world):
    sides = (world.left, world.right)
    return World(
        sites={side.site.name: side.site for side in sides},
        hosts={side.host.name: side.host for side in sides},
        disks={side.disk.name: side.disk for side in sides},
        volumes={side.volume.name: side.volume for side in sides},
        links={"wan": world.link},
    )


def busy_run(make_world, faults=(), *, until_s=4):
    """Writes on the left, each sent to the right, for some seconds."""
    world = make_world(5, jitter_ns=5_000_000, loss=0.05)
    kernel = world.kernel
    trace = Trace(lambda: kernel.now_ns, keep_lines=True)
    connection = world.link.connect(world.left.host, world.right.host)
    world.left.volume.create("f")

    def write(name):
        draws = world.streams.stream(f"writer:{name}")
        while True:
            yield kernel.sleep(int(draws.exponential(50_000_000)))
            size = draws.below(3_000)
            signal = world.left.volume.append("f", (size,))
            signal.then(lambda fired: trace.record("append", error=type(fired.error).__name__))
            connection.left.send(draws.bytes(4), wire_bytes=size)

    def receive():
        while True:
            item = yield from connection.right.inbox.receive()
            trace.record("received", data=item if isinstance(item, bytes) else "closed")

    for name in "ab":
        world.left.host.spawn(write(name), name=f"writer {name}")
    world.right.host.spawn(receive(), name="receiver")
    plan = FaultPlan(kernel, world.streams, trace, lookup(world))
    plan.inject(faults)
    kernel.run(until_s * SECOND)
    return trace, plan.outcomes, world


@pytest.mark.parametrize("kind", sorted(NAMED))
def test_every_kind_of_fault_fires_with_evidence(make_world, kind):
    trace, [outcome], _ = busy_run(make_world, [NAMED[kind]])
    assert outcome.chosen
    assert outcome.fired
    assert outcome.fired_at_ns == SECOND
    assert outcome.evidence
    assert outcome.touched > 0
    assert sum("fault.fired" in line for line in trace.lines) == 1
    lasting = kind in ("site_loss", "volume_loss")
    assert outcome.lifted_at_ns == (None if lasting else 2 * SECOND)


@pytest.mark.parametrize("kind", sorted(NAMED))
def test_a_fault_changes_the_run(make_world, kind):
    assert busy_run(make_world, [NAMED[kind]])[0].digests() != busy_run(make_world)[0].digests()


def test_faults_of_probability_zero_leave_the_run_as_it_is(make_world):
    faults = [replaced(fault, probability=0.0) for fault in NAMED.values()]
    trace, outcomes, _ = busy_run(make_world, faults)
    calm, _, _ = busy_run(make_world)
    assert trace.lines == calm.lines
    assert trace.digests() == calm.digests()
    assert not any(outcome.chosen or outcome.fired for outcome in outcomes)


@pytest.mark.parametrize("kind", sorted(NAMED))
def test_up_to_its_instant_a_fault_leaves_the_run_as_it_is(make_world, kind):
    def before(trace):
        return [line for line in trace.lines if int(line.split()[0]) < SECOND]

    faulty, _, _ = busy_run(make_world, [NAMED[kind]])
    calm, _, _ = busy_run(make_world)
    assert before(faulty) == before(calm)
    assert len(before(calm)) > 20


def test_one_faults_probability_changes_no_others_draw(make_world):
    def chosen(probability):
        faults = [
            DiskStall(at_ns=at_ns, disk="disk-left", duration_ns=1, probability=0.5)
            for at_ns in range(SECOND, SECOND + 40)
        ]
        faults.insert(0, replaced(NAMED["link_outage"], probability=probability))
        _, outcomes, _ = busy_run(make_world, faults)
        return [outcome.chosen for outcome in outcomes[1:]]

    assert chosen(0.0) == chosen(1.0)
    assert 5 < sum(chosen(0.0)) < 35


@pytest.mark.parametrize(
    "kind", ["link_outage", "link_degraded", "power_cut", "disk_stall", "volume_full"]
)
def test_a_fault_that_finds_nothing_to_change_has_not_fired(make_world, kind):
    twice = [NAMED[kind], replaced(NAMED[kind], at_ns=SECOND + 1, duration_ns=10)]
    _, [first, second], _ = busy_run(make_world, twice)
    assert first.fired
    assert not second.fired
    assert second.evidence
    assert first.lifted_at_ns == 2 * SECOND


def test_an_outage_in_which_nobody_sends_touches_nothing(make_world):
    world = make_world()
    plan = FaultPlan(world.kernel, world.streams, None, lookup(world))
    [outcome] = plan.inject([NAMED["link_outage"]])
    world.kernel.run(3 * SECOND)
    assert outcome.fired
    assert outcome.touched == 0
    assert outcome.evidence == "came up after 1 s, holding 0 bytes"


def test_a_target_that_is_not_there_is_named_and_nothing_is_injected(make_world):
    world = make_world()
    plan = FaultPlan(world.kernel, world.streams, None, lookup(world))
    wrong = LinkOutage(at_ns=1, link="lan", duration_ns=1)
    with pytest.raises(FaultTargetMissing, match=r"no link named lan.*wan"):
        plan.inject([NAMED["site_loss"], wrong])
    world.kernel.run(2 * SECOND)
    assert not world.left.site.lost
    assert plan.outcomes == []


def test_the_loss_of_a_site_takes_its_hosts_volumes_and_links_and_nothing_else(make_world):
    _, _, world = busy_run(make_world)
    size = world.left.volume.used_bytes
    evidence = world.left.site.lose()
    assert evidence.hosts_cut == 1
    assert evidence.tasks_dropped == 2
    assert evidence.volumes_destroyed == 1
    assert evidence.bytes_destroyed == size > 0
    assert evidence.links_cut == 1
    assert not world.left.host.up
    assert world.left.volume.lost
    assert not world.link.is_up
    assert world.right.host.up
    assert not world.right.volume.lost


def test_a_site_is_lost_once_and_its_link_stays_down(make_world):
    _, [outage, first, second], world = busy_run(
        make_world,
        [
            LinkOutage(at_ns=SECOND, link="wan", duration_ns=2 * SECOND),
            SiteLoss(at_ns=2 * SECOND, site="site-left"),
            SiteLoss(at_ns=3 * SECOND, site="site-left"),
        ],
    )
    assert outage.fired
    assert outage.evidence.startswith("stayed down")
    assert first.fired
    assert not second.fired
    assert not world.link.is_up


def test_a_lost_site_has_nothing_to_fall_to_again(make_world):
    _, _, world = busy_run(make_world)
    world.left.site.lose()
    again = world.left.site.lose()
    assert (again.hosts_cut, again.volumes_destroyed, again.links_cut) == (0, 0, 0)
