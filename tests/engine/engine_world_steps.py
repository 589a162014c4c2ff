"""What may happen to the world of `engine_world`: each step is a function of the world.

Everything undecided is drawn from `world.random`, which each step finds seeded by its own number.
"""

from random import Random

from engine_frames import HEARTBEAT, OTHER, ack_of, batch_of, capture_of, cursor, hello_of, records
from engine_model import EPOCH, GROUP, app_tag, crash_tag, pending_app_tag, write
from engine_overload import random_change
from engine_world import World
from engine_world_copies import reseed, rot, trial
from engine_world_failover import commit, fail_back, promote, roll_back

from engine.basics.errors import LocalProtocolError, PointRefused

FATES = ("kept", "torn", "lost", "cut")
#: Frames that have no place in any conversation of this group, each valid in itself.
STRANGERS = (
    hello_of(capture_of(group=GROUP + 1)),
    hello_of(capture_of(epoch=EPOCH - 1)),
    batch_of(1, records(capture_of(group=GROUP + 1), 1, 2)),
    batch_of(1, records(capture_of(epoch=EPOCH - 1), 1, 2)),
    batch_of(5, records(OTHER, 5, 6)),
    ack_of(cursor(OTHER, 5)),
    b"GET / HTTP/1.1\r\n\r\n",
    HEARTBEAT,
)


def change(world):
    for _ in range(world.choose(3) + 1):
        world.show(random_change(world.random, world))


def burst(world):
    """Write more than the pool may hold."""
    names = sorted(world.volume.files)
    for _ in range(world.choose(5) + 2):
        if not names:
            return change(world)
        name, size = world.random.choice(names), world.random.choice((900, 3_000))
        world.show(write(name, world.choose(9_000), world.random.randbytes(size)))
    return None


def tag(world):
    number = world.choose(99)
    made = (app_tag(f"app {number}"), pending_app_tag(f"held {number}"), crash_tag("crash"))
    world.show(world.random.choice(made))


def decide(world):
    world.decide(is_commit=world.choose(4) > 0)


def run(world):
    world.run_some(world.choose(60))


def run_long(world):
    world.run_some(250)


def cut_link(world):
    copy = world.random.choice(world.attached)
    copy.is_cut = not copy.is_cut
    if copy.is_cut:
        copy.disconnect()


def disconnect(world):
    world.random.choice(world.attached).disconnect()


# --- bytes under way ------------------------------------------------------------------------------


def tamper(world):
    """Damage, shorten, repeat, exchange or slip in what is under way on a connection."""
    copy = world.random.choice(world.attached)
    if copy.journal.incarnation is None:
        return  # a stranger that comes first would be its source from then on
    for _ in range(60):
        queue = world.random.choice((copy.to_source, copy.to_target))
        places = [at for at, (_, item) in enumerate(queue) if isinstance(item, bytes)]
        if places:
            break
        world.run_some(1)
    else:
        return
    kind = world.random.choice((_flip, _cut, _repeat, _exchange, _slip_in))
    kind(world, queue, world.random.choice(places))
    copy.line_lies = copy.source_number
    world.tally[f"line: {kind.__name__[1:]}"] += 1


def _flip(world, queue, at):
    number, data = queue[at]
    place = world.choose(len(data))
    flipped = data[place] ^ 1 << world.choose(8)
    queue[at] = number, data[:place] + bytes([flipped]) + data[place + 1 :]


def _cut(world, queue, at):
    number, data = queue[at]
    queue[at] = number, data[: world.choose(len(data)) + 1][:-1] or data[:1]


def _repeat(_, queue, at):
    queue.insert(at, queue[at])


def _exchange(_, queue, at):
    for other in range(at + 1, len(queue)):
        if queue[other][0] == queue[at][0] and isinstance(queue[other][1], bytes):
            queue[at], queue[other] = queue[other], queue[at]
            return


def _slip_in(world, queue, at):
    queue.insert(at, (queue[at][0], world.random.choice(STRANGERS)))


# --- crashes --------------------------------------------------------------------------------------


def crash_session(world):
    world.tally["crashes"] += 1
    world.random.choice(world.attached).crash_source()


def crash_target(world):
    """Crash a copy's process, or cut its power: unsynced writes are kept, torn or lost."""
    world.tally["crashes"] += 1
    copy = world.random.choice(list(world.copies.values()))
    fate = world.random.choice((None, *FATES, "any"))
    if fate == "any":
        copy.crash_target(lambda: world.random.choice(FATES))
    else:
        copy.crash_target(None if fate is None else lambda: fate)


def stop_host(world):
    world.tally["crashes"] += 1
    world.stop_host()


def restart_cleanly(world):
    world.restart_cleanly()


def lose_spool(world):
    """Let the spool's disk fail: what is in it is lost, loudly."""
    if world.capture_settings.overflow == "spill" and world.capture.is_based:
        world.capture.spool_failed("no space left", world.now_ns)
        world.spool_syncs.clear()
        world.attached[0].carry_out_capture()
        world.tell_sources()


# --- retention ------------------------------------------------------------------------------------


def keep(world):
    """Let retention and layers do all that is due at one copy."""
    copy = world.random.choice(world.everyone)
    for other in world.everyone:
        if other.parent is not None:
            other.keep_all()  # what reads through another one's layers holds them as they are
    copy.keep_all()


def age(world):
    """Let time pass: what was fine becomes coarse."""
    world.now_ns += world.random.choice((5_000, 70_000, 3_000_000))
    world.set_clocks()


def seal(world):
    copy = world.random.choice(list(world.copies.values()))
    copy.target_actions += copy.journal.seal()


def pin(world):
    copy = world.random.choice(list(world.copies.values()))
    durable = copy.journal.durable.sequence
    name = f"pin {world.choose(4)}"
    try:
        if world.choose(3):
            copy.target_actions += copy.keeper.pin(world.choose(durable + 1), name, "why")
        else:
            copy.target_actions += copy.keeper.unpin(name)
    except (PointRefused, LocalProtocolError):
        world.tally["pins refused"] += 1


def change_policy(world):
    copy = world.random.choice(list(world.copies.values()))
    copy.policy = world.random.choice(world.policies)
    copy.keeper.policy = copy.policy


STEPS = {
    "change": (change, 30),
    "burst": (burst, 5),
    "tag": (tag, 8),
    "decide": (decide, 4),
    "run": (run, 25),
    "run long": (run_long, 5),
    "cut link": (cut_link, 5),
    "disconnect": (disconnect, 3),
    "tamper": (tamper, 8),
    "crash session": (crash_session, 4),
    "crash target": (crash_target, 8),
    "stop host": (stop_host, 3),
    "restart cleanly": (restart_cleanly, 3),
    "keep": (keep, 5),
    "age": (age, 4),
    "seal": (seal, 3),
    "pin": (pin, 4),
    "change policy": (change_policy, 2),
    "lose spool": (lose_spool, 2),
    "rot": (rot, 3),
    "re-seed": (reseed, 5),
    "trial": (trial, 5),
    "promote": (promote, 6),
    "commit": (commit, 2),
    "roll back": (roll_back, 5),
    "fail back": (fail_back, 6),
}


def live_through(seed, steps, tally=None):
    """Let the steps happen to a world, looking at it now and then; return it, healed."""
    world = World(seed, tally)
    for number, (name, draw) in enumerate(steps):
        world.random.seed(draw)
        world.tally[f"step: {name}"] += 1
        if world.is_halted:
            world.stop_host()
        STEPS[name][0](world)
        if number % 6 == draw % 6:
            world.look()
    world.finish()
    world.tally["histories"] += 1
    return world


def random_steps(seed, length):
    """Draw a history's steps."""
    random = Random(seed)
    names = list(STEPS)
    weights = [weight for _, weight in STEPS.values()]
    drawn = random.choices(names, weights, k=length)
    return [(name, random.randrange(1 << 16)) for name in drawn]
