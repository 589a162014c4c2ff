"""What happens to copies as such: rot and its repair, a re-seed, a test on a private overlay."""

from engine_model import GROUP, MemoryStorage, Reference, settle, write
from engine_world_copy import WorldCopy

from engine import JournalVerifier, LayerVerifier, VirtualImage
from engine.basics.errors import JournalDamaged, NoSister, PointRefused
from engine.copies.fanout import Fanout
from engine.copies.repair import Repair
from engine.copies.reseed import Reseed


def damage_of(copy):
    """Read all that is sealed; return the first damage, None where all is sound."""
    verifier = JournalVerifier(copy.storage, group=GROUP)
    try:
        while verifier.step() is not None:
            pass
    except JournalDamaged as damage:
        return damage
    layers = LayerVerifier(copy.map)
    while layers.step():
        pass
    return next((damage for damage in layers.damage if damage.file), None)


def rot(world):
    """Let a byte of a sealed file rot: nothing reads wrong, and a sister makes it good."""
    copy = world.random.choice(list(world.copies.values()))
    copy.settle_target()
    manifest = copy.journal.manifest
    names = [entry.name for entry in (*manifest.segments, *manifest.layers)]
    if not names:
        return
    name = world.random.choice(names)
    content, copy.is_damaged = copy.storage.files[name], True
    at = world.choose(len(content))
    sound = content[at]
    content[at] ^= 1 << world.choose(8)
    if world.choose(2):
        copy.crash_target(None)
        copy.settle_target()
    for _ in range(3):
        copy.look(world.choose(copy.journal.durable.sequence + 2))
    if not _repaired(world, copy):
        copy.storage.files[name][at] = sound  # as after a rescue of the disk
        copy.crash_target(None)
        copy.settle_target()
    copy.is_damaged = False
    assert damage_of(copy) is None
    copy.look_everywhere()


def _repaired(world, copy):
    """Repair what is found from any sister; return whether everything is sound."""
    damage = damage_of(copy)
    for sister in world.everyone:
        if damage is None or sister is copy:
            continue
        job = Repair(copy.journal, damage, world.now_ns)
        try:
            for action in job.begin(sister.journal, sister.name):
                copy.storage.carry_out(action)
        except (NoSister, JournalDamaged, PointRefused):
            continue
        world.tally["repairs"] += 1
        assert job.done(world.now_ns).repaired_at_ns == world.now_ns
        damage = damage_of(copy)
    return damage is None


def reseed(world):
    """Make a copy that is fed no more anew from one that is, which may be stopped midway."""
    left = [copy for copy in world.copies.values() if not copy.is_attached]
    sister = world.random.choice(world.attached)
    if not left or sister.parent is not None or not world.capture.is_based:
        return
    copy = world.random.choice(left)
    sister.settle_target()
    if not sister.journal.durable.sequence or sister.journal.durable.epoch != world.epoch:
        return
    if world.fanout is None:
        world.fanout = Fanout(world.capture, [world.plan(sister.name)])
        world.rejoin(sister, world.fanout.feed(sister.name))
    for _ in range(world.choose(3)):
        _made(copy, sister, stop=world.choose(60))
        world.tally["crashes"] += 1
    _made(copy, sister)
    world.fanout.attach(world.plan(copy.name), copy.journal.durable)
    copy.history, copy.is_attached = world.history, True
    copy.acknowledged_ever = copy.journal.durable
    world.rejoin(copy, world.fanout.feed(copy.name))
    copy.acknowledged_ever = world.fanout.feed(copy.name).acknowledged
    world.tally["re-seeds"] += 1


def _made(copy, sister, stop=None):
    """Copy the files and records of a sister, as far as a stop midway lets it."""
    job = Reseed(copy.place, sister.journal, batch_bytes_max=3_000)
    for step, action in enumerate((*job.begin(), *job.files())):
        if step == stop:
            return
        copy.place.carry_out(action)
    result = job.open(copy.journal_settings)
    settle(result.journal, copy.place, result.actions)
    while batch := job.next_batch(result.journal):
        settle(result.journal, copy.place, result.journal.ingest(batch))
    copy.to_target.clear()
    copy.acknowledged_ever = result.journal.durable
    copy.start_target()
    copy.settle_target()


class Trial:
    """A point in use on a private overlay, while replication goes on."""

    def __init__(self, world, copy: WorldCopy, sequence):
        self.copy, self.layers = copy, copy.layers
        self.layers.hold()
        self.scratch = MemoryStorage()
        self.world = world
        self.virtual = VirtualImage(copy.image(sequence), self.scratch, "overlay", 1 << 20)
        self.reference = Reference()
        files = copy.history.files_at(sequence)
        self.reference.files = {name: bytearray(content) for name, content in files.items()}
        self._carry_out(self.virtual.begin())

    def _carry_out(self, given):
        for action in given:
            self.scratch.carry_out(action)

    def write(self, name, offset, data):
        self.reference.apply(write(name, offset, data))
        self._carry_out(self.virtual.write(name, offset, (data,)))

    def check(self):
        if self.copy.layers is not self.layers:
            self.world.trials.remove(self)  # the copy was started anew, and its hold is gone
            return
        for name, content in self.reference.files.items():
            assert self.virtual.read(name, 0, len(content) + 1) == content
        self.world.tally["overlays read"] += 1

    def end(self):
        self._carry_out(self.virtual.drop())
        assert not self.scratch.files
        if self.copy.layers is self.layers:
            self.layers.release()


def trial(world):
    """Begin a test on a random point, write to one, or end one."""
    if world.trials and world.choose(3):
        running = world.random.choice(world.trials)
        running.check()
        names = sorted(running.reference.files)
        if running not in world.trials:
            return
        if names and world.choose(3):
            data = world.random.randbytes(world.choose(300) + 1)
            running.write(world.random.choice(names), world.choose(8_000), data)
        else:
            running.end()
            world.trials.remove(running)
        return
    copy = world.random.choice(list(world.copies.values()))
    durable = copy.journal.durable.sequence
    sequence = world.choose(durable + 1)
    try:
        point = copy.points.at_sequence(sequence)
    except PointRefused:
        return
    world.trials.append(Trial(world, copy, point.sequence))
