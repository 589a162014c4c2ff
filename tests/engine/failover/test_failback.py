"""The old primary's files become the new one's, and nothing that it wrote is lost on the way."""

from itertools import count

import pytest
from engine_failover import Copy, Place, points_until_found
from engine_model import (
    EPOCH,
    INCARNATION,
    MemoryStorage,
    Reference,
    contents,
    create,
    delete,
    opened,
    rename,
    settle,
    truncate,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import Volume, small_blocks

from engine import Capture, Image, LayerMap
from engine.basics.errors import LocalProtocolError, OrphanUnsaved
from engine.contract import promotions as fo
from engine.contract import volumes
from engine.failover import failback as failback_module
from engine.failover.branches import begin_capture, common_ancestor, lineage_of, orphan_tail
from engine.failover.failback import Failback
from engine.failover.states import FailbackState

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("write", "write", "write", "truncate", "rename", "delete", "create")),
        st.integers(0, 5),
        st.integers(0, 90),
        st.binary(min_size=1, max_size=30),
    ),
    max_size=10,
)
USUAL = (
    [
        ("create", 0, 0, b""),
        ("create", 0, 0, b""),
        ("write", 0, 3, b"first"),
        ("write", 1, 60, b"x"),
    ],
    [("write", 0, 5, b"orphan"), ("rename", 1, 0, b"")],
    [
        ("write", 0, 40, b"new"),
        ("create", 0, 0, b""),
        ("write", 2, 1, b"more"),
        ("delete", 1, 0, b""),
    ],
)
NUMBERS = count(1)


def change_of(kind, name, offset, payload):
    if kind == "write":
        return write(name, offset, payload)
    if kind == "truncate":
        return truncate(name, offset)
    return delete(name) if kind == "delete" else rename(name, f"moved{next(NUMBERS)}")


class Writer:
    """An application on files, and the capture that sees what it does."""

    def __init__(self, capture, files):
        self.capture = capture
        self.volume = Reference()
        self.volume.files = {name: bytearray(content) for name, content in files.items()}
        self.now_ns = 10_000

    def do(self, steps):
        for kind, slot, offset, payload in steps:
            names = sorted(self.volume.files)
            if kind == "create" or not names:
                change = create(f"file{next(NUMBERS)}")
            else:
                change = change_of(kind, names[slot % len(names)], offset, payload)
            self.now_ns += 10
            self.capture.admit(change, self.now_ns)
            self.volume.apply(change)

    def ship(self, journal, storage):
        capture = self.capture
        if journal.incarnation is None:
            journal.adopt(capture.epoch, capture.incarnation)
        first, last = journal.received.sequence + 1, capture.newest.sequence
        data = b"".join(capture.entry(n).record for n in range(first, last + 1))
        settle(journal, storage, journal.ingest(data))
        capture.acknowledge(journal.durable, self.now_ns)

    def files(self):
        return {name: bytes(content) for name, content in self.volume.files.items()}


class FailedOver:
    """An old primary with an unshipped suffix, and the copy that was promoted in its place."""

    def __init__(self, shared, orphan, new, *, is_saved=True):
        storage = MemoryStorage()
        parent = opened(storage)
        self.old = Writer(Capture(group=7, epoch=EPOCH, incarnation=INCARNATION), {})
        self.old.do([("create", 0, 0, b""), *shared])
        self.old.ship(parent, storage)
        self.old.do(orphan)
        self.copy = Copy(Place(), storage=storage)
        self.copy.tell(fo.Promote())
        self.copy.settle()
        self.parent, self.branch = self.copy.journal, self.copy.branch
        self.base = self.copy.promotion.record.base
        capture = begin_capture(self.branch, epoch=EPOCH + 1, incarnation=5)
        self.new = Writer(capture, contents(Image(self.parent, self.base.sequence)))
        self.go_on(new)
        if is_saved:
            self.old.ship(self.parent, storage)
        lineages = lineage_of([self.parent]), lineage_of([self.parent, self.branch])
        self.ancestor = common_ancestor(*lineages)
        if self.branch.durable.sequence > self.base.sequence:
            assert self.ancestor == self.base
        self.records = MemoryStorage()
        self.volume = Volume(self.old.files())
        self.steps = 0

    def go_on(self, steps):
        self.new.do(steps)
        if self.new.capture.newest.sequence > self.branch.received.sequence:
            self.new.ship(self.branch, self.copy.branches)

    @property
    def maps(self):
        parent = LayerMap(self.parent)
        return parent, LayerMap(self.branch, parent)

    def failback(self):
        return Failback(self.records, self.maps[0], self.base, step_bytes_max=20)

    def bring(self, failback, stop_after=None):
        """Bring the files to the newest sequence; return whether it was not stopped."""
        self.stop_after = stop_after
        new, sequence = self.maps[1], self.branch.durable.sequence
        if failback.state is FailbackState.SAVING:
            failback.orphans_saved(self.old.capture.newest)
        if failback.state is FailbackState.STOPPED:
            files = {name: len(content) for name, content in self.volume.files.items()}
            given = failback.begin_comparing(new, sequence, files)
        else:
            given = failback.begin_round(new, sequence)
        while given:
            for action in given:
                if self._carry_out(failback, action):
                    return False
            given = failback.step()
        return True

    def _carry_out(self, failback, action):
        """Carry one out; return whether the host stopped after it."""
        if isinstance(action, volumes.FlushVolume):
            for record in failback.flushed():
                self.records.carry_out(record)
        elif isinstance(action, volumes.ReadRange):
            content = self.volume.files[action.name]
            data = bytes(content[action.offset : action.offset + action.length])
            failback.range_read(volumes.RangeRead(action.token, (data,)))
        elif isinstance(action, volumes.VolumeAction):
            self.volume.carry_out(action)
        else:
            self.records.carry_out(action)
        self.steps += 1
        return self.steps == self.stop_after


@settings(deadline=None, max_examples=60)
@given(STEPS, STEPS, STEPS, STEPS)
def test_the_files_become_the_new_primarys_and_follow_it(shared, orphan, new, later):
    world = FailedOver(shared, orphan, new)
    with small_blocks():
        failback = world.failback()
        assert world.bring(failback)
        assert world.volume.files == world.new.volume.files
        assert failback.bytes_done <= failback.bytes_at_most
        world.go_on(later)
        assert world.bring(failback)
        assert world.volume.files == world.new.volume.files
        assert failback.level_at == world.branch.durable.sequence
    read_orphans(world)


def read_orphans(world):
    """What the old primary had not shipped can still be read, whatever became of its files."""
    newest = world.parent.durable.sequence
    assert newest == world.old.capture.newest.sequence, "an orphan is gone"
    assert contents(Image(world.parent, newest)) == world.old.files()
    tail = orphan_tail(world.parent, world.base)
    assert (tail is None) == (newest == world.base.sequence)


def test_a_stop_after_any_action_is_made_good_by_comparing(crashes):
    calm = FailedOver(*USUAL)
    with small_blocks():
        assert calm.bring(calm.failback())
        for stop in range(1, calm.steps + 1):
            world = FailedOver(*USUAL)
            if not world.bring(world.failback(), stop):
                world.steps = 0
                again = world.failback()
                for other in range(1, 4):
                    if world.bring(again, other * 3):
                        break
                    world.steps = 0
                    again = world.failback()
                if again.state is not FailbackState.LEVEL:
                    assert world.bring(again)
            assert world.volume.files == world.new.volume.files
            read_orphans(world)
    crashes("failback", calm.steps, calm.steps)


def test_nothing_is_overwritten_before_it_is_saved():
    world = FailedOver(*USUAL, is_saved=False)
    failback = world.failback()
    with pytest.raises(OrphanUnsaved):
        failback.orphans_saved(world.old.capture.newest)
    with pytest.raises(LocalProtocolError):
        failback.begin_round(world.maps[1], world.branch.durable.sequence)
    assert not world.records.files


def test_only_what_changed_on_either_side_is_moved(figure):
    world = FailedOver([("write", 0, 0, bytes(range(1, 255)) * 4_000)], USUAL[1], [])
    world.go_on([("write", 0, 500_000, b"z" * 5_000)])
    failback = world.failback()
    assert world.bring(failback)
    assert world.volume.files == world.new.volume.files
    assert failback.bytes_done <= 5 * 4_096
    figure(f"failback by delta: {failback.bytes_done} bytes moved of 1,016,000")


def orphans_discarded(monkeypatch):
    monkeypatch.setattr(
        failback_module.Failback,
        "orphans_saved",
        lambda self, _: self._move(failback_module._T.SAVED),
    )


def only_the_new_sides_changes(monkeypatch):
    across = failback_module.DiffMap.across.__func__

    def plant(cls, ancestor, here, there):
        differences = across(cls, ancestor, here, there)
        return cls(differences.here, differences.there, differences._sides[1:])

    monkeypatch.setattr(failback_module.DiffMap, "across", classmethod(plant))


def goes_on_after_a_stop(monkeypatch):
    monkeypatch.setattr(failback_module.Failback, "_read_record", lambda *_: FailbackState.SAVING)


def histories():
    for stop in (None, *range(2, 12)):
        world = FailedOver(*USUAL, is_saved=False)
        failback = world.failback()
        try:
            failback.orphans_saved(world.old.capture.newest)
        except OrphanUnsaved:
            world.old.ship(world.parent, world.copy.storage)
            failback = world.failback()
        with small_blocks():
            if not world.bring(failback, stop):
                world.steps = 0
                assert world.bring(world.failback())
        assert world.volume.files == world.new.volume.files
        read_orphans(world)
        yield


BUGS = {
    "the orphan tail is discarded": orphans_discarded,
    "what changed on the old side stays": only_the_new_sides_changes,
    "a failback goes on after a stop as if its files were of a point": goes_on_after_a_stop,
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug, monkeypatch, planted):
    assert all(passed is None for passed in histories())
    BUGS[bug](monkeypatch)
    planted(bug, f"point {points_until_found(histories())}")
