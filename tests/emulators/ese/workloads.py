"""Small runs of a mail server, each with something that a crash may fall into."""

from functools import cache

from mail_world import LOG_BYTES, MS, World

from emulators.ese.running.parameters import Parameters

SHALLOW = Parameters(checkpoint_depth_bytes=LOG_BYTES)


def few_messages():
    world = World()
    world.spawn(world.drip(6, 3000, every_ms=5))
    world.run(2)
    return world


def a_roll_within_a_message():
    world = World()
    world.spawn(world.drip(5, 300_000, every_ms=20))
    world.run(2)
    return world


def a_burst_while_the_log_is_written():
    world = World(latency_ns=15 * MS)
    world.spawn(world.drip(45, 40_000, every_ms=4))
    world.run(3)
    return world


def a_freeze():
    world = World()
    world.spawn(world.drip(14, 30_000, every_ms=40))

    def freeze():
        yield world.kernel.sleep(150 * MS)
        yield from world.group.freeze()
        yield world.kernel.sleep(100 * MS)
        world.group.thaw()

    world.spawn(freeze())
    world.run(2)
    return world


def pages_are_written():
    """Page flushes, splits under way, and a growing file; the checkpoint moves."""
    world = World(parameters=SHALLOW)
    world.spawn(world.drip(24, 110_000, every_ms=12))
    world.spawn(world.drip(70, 1200, every_ms=4))
    world.run(3)
    return world


WORKLOADS = {
    "few messages": few_messages,
    "a roll within a message": a_roll_within_a_message,
    "a burst while the log is written": a_burst_while_the_log_is_written,
    "a freeze": a_freeze,
    "pages are written": pages_are_written,
}


@cache
def world_of(workload):
    world = WORKLOADS[workload]()
    assert world.group.error is None
    assert len(world.acknowledged) == len(world.submitted) > 0
    assert world.kernel.unobserved_errors == []
    return world
