"""Failovers of the world: a copy is promoted, kept or rolled back, and the group comes home again.

Each machine is crashed after a random one of its actions. What was before goes into the archive,
and is looked at to the end: its points stay what they were.
"""

from engine_failover import SOURCE, Copy
from engine_model import MemoryStorage, Reference, contents, settle
from engine_overload import random_change
from engine_world_copy import WorldCopy
from layer_model import Volume

from engine import SourceSession, SourceState, events
from engine.basics.errors import PointRefused, ResyncRequired
from engine.contract import promotions as fo
from engine.contract import volumes
from engine.failover.branches import begin_capture, open_branch, succeed
from engine.failover.failback import Failback
from engine.failover.states import FailbackState, PromotionState

_ENDS = (PromotionState.PROMOTED, PromotionState.COMMITTED, PromotionState.ROLLED_BACK)
TAKEOVERS_MAX = 3


class Candidate(Copy):
    """A copy of the world on its way to be the primary."""

    def __init__(self, world, copy, holder):
        self.copy = copy
        super().__init__(world.place, storage=copy.place, holder=holder)

    def open_journal(self):
        return self.copy.journal

    def crash(self):
        self.copy.crash_target(lambda: "lost")
        self.copy.settle_target()
        self.start()

    def insist(self, event, before, ends):
        """Give an event until it has had its effect; after a crash it is given again."""
        for _ in range(4):
            if self.state is before:
                self.tell(event)
            self.run(lambda _: self.state in (*ends, PromotionState.STANDBY))
            if self.state in ends:
                self.settle()
                return True
        return False


class Takeover:
    """The newest change of primaries, and what the one before has left."""

    def __init__(self, world, copy, candidate, *, are_orphans_saved):
        self.copy = copy
        self.candidate = candidate
        self.capture = world.capture
        self.volume, self.live = world.volume, world.history.live
        self.has_waited = world.history.has_waited
        self.are_orphans_saved = are_orphans_saved
        self.is_decided = False


def promote(world):
    """Promote a copy without asking its source; it may be refused."""
    if world.takeovers >= TAKEOVERS_MAX:
        return
    copy = world.random.choice(world.attached)
    copy.disconnect()
    copy.settle_target()
    sequence = None if world.choose(3) else world.choose(copy.journal.durable.sequence + 1)
    candidate = _promoted(world, copy, fo.Promote(sequence, is_forced=True))
    if candidate is None:
        world.tally["promotions refused"] += 1
        return
    saved = bool(world.choose(3)) and _save_orphans(world, copy)
    _take_over(world, copy, candidate, are_orphans_saved=saved)


def _promoted(world, copy, event, holder=None):
    """Go the way to a promotion, with a crash somewhere; return the candidate if it came about."""
    candidate = Candidate(world, copy, holder or 2 + world.takeovers)
    crash_step, crash = world.choose(20), [candidate.crash]

    def at_step(candidate):
        if candidate.steps == crash_step and crash:
            world.tally["crashes"] += 1
            crash.pop()()

    candidate.at_step = at_step
    if not candidate.insist(event, PromotionState.STANDBY, _ENDS):
        return None
    candidate.at_step = lambda _: None
    candidate.run(lambda candidate: candidate.writes_in)
    copy.tell_target(events.Fenced(candidate.promotion.fenced_by))
    return candidate


def _save_orphans(world, copy):
    """Bring what the old source had not shipped; return whether all of it has come."""
    capture = world.capture
    if world.capture.newest.sequence == world.history.base:
        return False  # nothing was written in its epoch
    if world.held or world.waiting or not capture.is_based or capture.is_in_gap:
        return False
    for other in world.attached:
        if other is not copy:
            world.part(other)
            world.fanout.detach(other.name, world.now_ns)
    copy.is_cut = False
    copy.source = SourceSession(copy.capture, copy.settings, is_orphan=True)
    copy.source_actions.clear()
    copy.tell_source(events.Started())
    copy.run(lambda copy: copy.is_converged() or copy.source.state is SourceState.HALTED)
    assert copy.source.state is not SourceState.HALTED, copy.source.fatal_error
    copy.settle_target()
    assert copy.journal.durable == capture.newest
    assert contents(copy.image(capture.newest.sequence)) == world.files()
    world.tally["orphan tails saved"] += 1
    return True


def _take_over(world, copy, candidate, *, are_orphans_saved):
    """Let the new primary begin; all copies of before go into the archive."""
    base = candidate.promotion.record.base
    files = copy.history.files_at(base.sequence)
    assert contents(copy.image(base.sequence)) == files, "the new primary's files"
    world.takeover = Takeover(world, copy, candidate, are_orphans_saved=are_orphans_saved)
    world.takeovers += 1
    world.tally["takeovers"] += 1
    _go_on(world, copy, candidate.branches, _volume_of(files), base.sequence)
    spool = MemoryStorage()
    capture = begin_capture(
        candidate.branch,
        epoch=world.epoch,
        incarnation=world.incarnation,
        settings=world.capture_settings,
        storage=spool,
    )
    _begin_branch(world, copy, capture, spool, candidate.branches)


def _volume_of(files):
    volume = Reference()
    volume.files = {name: bytearray(content) for name, content in files.items()}
    return volume


def _go_on(world, copy, branches, volume, base):
    """Leave all copies of before, and begin the history of a branch."""
    for other in world.attached:
        world.part(other)
    world.archive += world.copies.values()
    for other in world.archive:
        other.to_target.clear()
    world.copies, world.fanout = {}, None
    world.volume = volume
    world.incarnation += 1
    world.epoch = world.place.register.epoch
    files = world.files()
    world.history = type(world.history)(base, files, [(world.now_ns, files)])
    assert branches.exists("manifest"), f"the branch of {copy.name} has begun"


def _begin_branch(world, copy, capture, spool, branches):
    world.begin_source(capture, spool)
    name = f"{copy.name}{world.epoch}"
    world.copies[name] = WorldCopy(world, name, capture, storage=branches, parent=copy)


# --- what becomes of it ---------------------------------------------------------------------------


def commit(world):
    takeover = world.takeover
    if takeover is None or takeover.is_decided:
        return
    takeover.is_decided = True
    candidate = takeover.candidate
    ends = (PromotionState.COMMITTED,)
    assert candidate.insist(fo.Commit(), PromotionState.PROMOTED, ends)
    world.tally["commits"] += 1


def roll_back(world):
    """Give the group back to the source before, if all that it had written is there."""
    takeover = world.takeover
    if takeover is None or takeover.is_decided or not takeover.are_orphans_saved:
        return
    takeover.is_decided = True
    candidate, copy = takeover.candidate, takeover.copy
    assert candidate.insist(fo.RollBack(), PromotionState.PROMOTED, (PromotionState.ROLLED_BACK,))
    branches, spool, base = MemoryStorage(), MemoryStorage(), takeover.capture.newest
    opened = open_branch(branches, copy.journal, base, world.journal_settings)
    settle(opened.journal, branches, opened.actions)
    epoch = world.place.register.epoch
    try:
        capture = succeed(
            takeover.capture, epoch=epoch, incarnation=world.incarnation + 1, storage=spool
        )
    except ResyncRequired:
        return
    _go_on(world, copy, branches, takeover.volume, base.sequence)
    _begin_branch(world, copy, capture, spool, branches)
    world.takeovers += 1
    world.takeover = None
    world.tally["rollbacks"] += 1


def fail_back(world):
    """Bring the old site's files to the new branch, stopped now and then, and switch home."""
    takeover = world.takeover
    if takeover is None or not takeover.are_orphans_saved or world.takeovers >= TAKEOVERS_MAX:
        return
    for copy in world.attached:
        copy.is_cut = False
    for _ in range(world.choose(4)):
        world.show(random_change(world.random, world))
    world.converge()
    (new,) = world.copies.values()
    new.keep_all()
    old = Volume({name: bytes(data) for name, data in takeover.volume.files.items()})
    records, sequence = MemoryStorage(), new.journal.durable.sequence
    if sequence == world.history.base:
        return
    stop = world.choose(25) + 1
    while not _brought(world, takeover, new, old, records, sequence, stop):
        world.tally["crashes"] += 1
        stop += 25
    assert old.files == new.history.files_at(sequence), "the old site's files"
    world.tally["failbacks"] += 1
    world.takeover = None
    _switch_home(world, new)


def _brought(world, takeover, new, old, records, sequence, stop):
    """Move what differs; return False where the host was stopped before the end."""
    failback = Failback(
        records, takeover.copy.map, world_base(new), step_bytes_max=world.choose(4_000) + 1
    )
    if failback.state is FailbackState.SAVING:
        failback.orphans_saved(takeover.capture.newest)
    sizes = {name: len(content) for name, content in old.files.items()}
    given = None
    if failback.state is not FailbackState.STOPPED:
        try:
            given = failback.begin_round(new.map, sequence)
        except PointRefused:
            world.tally["failbacks by comparing"] += 1
    given = given or failback.begin_comparing(new.map, sequence, sizes)
    steps = 0
    while given:
        for action in given:
            _carry_out(failback, action, old, records)
            steps += 1
            if steps == stop:
                return False
        given = failback.step()
    return True


def world_base(new):
    return new.journal.manifest.base.cursor


def _carry_out(failback, action, old, records):
    if isinstance(action, volumes.FlushVolume):
        for record in failback.flushed():
            records.carry_out(record)
    elif isinstance(action, volumes.ReadRange):
        content = old.files[action.name]
        data = bytes(content[action.offset : action.offset + action.length])
        failback.range_read(volumes.RangeRead(action.token, (data,)))
    elif isinstance(action, volumes.VolumeAction):
        old.carry_out(action)
    else:
        records.carry_out(action)


def _switch_home(world, new):
    """Switch over to the old site, whose copy of the new branch has everything."""
    if world.choose(2) or world.capture.is_in_gap:
        return
    new.settle_target()
    event = fo.SwitchOver()
    candidate = _promoted(world, new, event, SOURCE)
    if candidate is None:
        world.tally["promotions refused"] += 1
        return
    assert candidate.promotion.record.base[1:] == world.capture.newest[1:], "nothing is lost"
    _take_over(world, new, candidate, are_orphans_saved=False)
    world.tally["switches home"] += 1
