"""One copy of the world: its link, session, journal, layers and retention, and what it must read.

Its journal may be of a branch: then `parent` is the copy that the branch began in.
"""

import pytest
from engine_harness import Pair
from engine_model import GROUP, contents, materialised

from engine import Image, LayerKeeper, LayerMap, RecoveryPoints, actions, events
from engine.basics.errors import JournalDamaged, PointRefused
from engine.basics.settings import LayerSettings
from engine.layers.keeper import SYNC_TOKEN_FIRST
from engine.retention.keeper import RetentionKeeper

#: Layers and images after a few segments, in steps of a few blocks.
LAYERS = LayerSettings(
    segments_per_delta=2,
    deltas_per_merge=2,
    deltas_per_image=2,
    image_share_min=0.2,
    step_bytes_max=4_000,
    block_bytes_max=500,
)


class WorldCopy(Pair):
    """A copy that is fed by the world's source, or was once and is now left alone."""

    def __init__(self, world, name, capture, *, storage, parent=None, history=None):
        self.world = world
        self.name = name
        self.parent = parent
        self.place = storage
        self.history = history or world.history
        self.policy = world.policies[0]
        self.is_attached = True
        self.is_damaged = False
        super().__init__(
            capture,
            volume=world.volume,
            spool=world.spool,
            settings=world.session_settings,
            journal_settings=world.journal_settings,
            choose=world.choose,
            chunk_bytes_max=world.chunk_bytes_max,
        )

    # --- both ends ------------------------------------------------------------------------------

    def start_source(self):
        world = self.world
        self.volume, self.spool = world.volume, world.spool
        self.spool_syncs, self.waiting = world.spool_syncs, world.waiting
        self.now_ns = world.now_ns
        super().start_source()

    def start_target(self):
        self.storage = self.place
        super().start_target()
        self.target.hashes.parent = self.parent_map
        self.start_keeping()

    def start_keeping(self):
        """Begin retention anew over the open journal."""
        layers = LayerKeeper(self.journal, LAYERS, parent=self.parent_map)
        self.keeper = RetentionKeeper(
            self.journal, layers, self.policy, parent=self.parent_map, step_bytes_max=4_000
        )
        self.layers = layers
        self.target_actions += layers.leftovers()

    @property
    def parent_map(self):
        return None if self.parent is None else self.parent.map

    @property
    def map(self):
        return LayerMap(self.journal, self.parent_map)

    @property
    def points(self):
        return RecoveryPoints(self.journal)

    def image(self, sequence):
        return Image(self.journal, sequence, parent=self.parent_map)

    def ready(self):
        things = super().ready()
        if not self.is_attached:
            things = [t for t in things if t in (self._target_action, self._complete_sync)]
        if self.keeper.is_paused:
            things = [thing for thing in things if thing != self._deliver_to_target]
        if not self.choose(4) and self._may_keep():
            things.append(self.keep)
        return things

    def _may_keep(self):
        return not (self.keeper.is_waiting or self.keeper.is_idle(self.now_ns))

    def keep(self):
        self.target_actions += self.keeper.step(self.now_ns)
        self._done()

    def keep_all(self):
        """Let the target, and retention with it, work until nothing is left to do."""
        for _ in range(2_000):
            if not self._step_target():
                if not self._may_keep():
                    return
                self.keep()
        raise AssertionError("retention does not come to rest")

    def settle_target(self):
        """Carry out what the target wants, without its link, until nothing is left."""
        while self._step_target():
            pass

    def _step_target(self):
        if self.target_actions:
            self._target_action()
        elif self.syncs:
            self._complete_sync()
        else:
            return False
        return True

    def tell_target(self, event):
        if isinstance(event, events.SyncDone) and event.token >= SYNC_TOKEN_FIRST:
            self.target_actions += self.keeper.sync_done(event.token)
        else:
            super().tell_target(event)

    def tell_source_captured(self):
        self.tell_source(events.Captured())

    def wakes(self):
        wakes = (self.source_wake_ns, self.target_wake_ns)
        return [wake for wake in wakes if wake is not None]

    def check(self):
        if self.is_attached:
            super().check()

    def is_converged(self):
        return not self.is_attached or super().is_converged()

    # --- what the capture tells goes into the history -------------------------------------------

    def hear(self, notice):
        history = self.world.history
        if isinstance(notice, actions.GapClosed):
            self.world.held.clear()
            history.gap_closed(notice.sequence, self.world.files())
        elif isinstance(notice, actions.GapOpened):
            history.gap_opened(notice.sequence)
        elif isinstance(notice, actions.HistoryRewound):
            history.rewind(notice.sequence + 1)

    def tell_source(self, event):
        super().tell_source(event)
        self.world.scan(self)

    # --- what it must read ----------------------------------------------------------------------

    @property
    def frontier(self):
        kept = self.journal.manifest.points
        return kept[-1].cursor.sequence if kept else self.history.base

    def look(self, sequence):
        """Check one sequence: a point that reads as the reference, or the right refusal."""
        refusal = self._refusal_of(sequence)
        if refusal is None:
            self._reads_as_it_was(sequence)
        else:
            self._is_refused(sequence, *refusal)

    def _refusal_of(self, sequence):
        """Return why a sequence must be no point and the points beside it; None if it is one."""
        kept = [point.cursor.sequence for point in self.journal.manifest.points]
        first, last = (kept[0] if kept else self.history.base + 1), self.journal.durable.sequence
        if last < first:
            return "nothing yet", None, None
        if kept and 0 < sequence <= kept[-1]:
            below = [None, *(n for n in kept if n < sequence)]
            above = next((n for n in kept if n > sequence), None)
            return None if sequence in kept else ("not kept", below[-1], above)
        if not first <= sequence <= last:
            return ("before the first" if sequence < first else "not durable"), None, None
        return self._gap_around(sequence, first, last)

    def _gap_around(self, sequence, first, last):
        gap = self.history.gap_at(sequence)
        if gap is None:
            return None
        opened, closed = gap
        earlier = opened - 1 if opened - 1 >= first else None
        return "in a gap", earlier, closed if closed is not None and closed <= last else None

    def _reads_as_it_was(self, sequence):
        tally, expected = self.world.tally, self.history.files_at(sequence)
        point = self.points.at_sequence(sequence)
        assert point.sequence == sequence
        read = materialised if sequence % 5 == 0 else contents
        try:
            found = read(self.image(sequence))
        except JournalDamaged:
            assert self.is_damaged, f"nobody damaged copy {self.name}"
            tally["refused: damaged"] += 1
            return
        assert found == expected, f"copy {self.name} at {sequence}"
        tally["points read"] += 1

    def _is_refused(self, sequence, why, earlier, later):
        with pytest.raises(PointRefused) as caught:
            self.points.at_sequence(sequence)
        refusal = caught.value
        if why in ("not kept", "in a gap"):
            edges = [None if p is None else p.sequence for p in (refusal.earlier, refusal.later)]
            assert edges == [earlier, later], f"the edges around {sequence} ({why})"
        assert _REASONS[why] in refusal.message
        assert refusal.hint or refusal.earlier or refusal.later
        self.world.tally[f"refused: {why}"] += 1

    def look_at_time(self, time_ns):
        """A time that is answered is answered by what the live files were then."""
        if self.history.has_waited:
            return
        try:
            point = self.points.at_time(time_ns)
            found = contents(self.image(point.sequence))
        except PointRefused:
            self.world.tally["refused: time"] += 1
            return
        except JournalDamaged:
            assert self.is_damaged
            return
        assert found == self.history.files_when(time_ns), f"copy {self.name} at time {time_ns}"
        self.world.tally["times read"] += 1

    def look_at_bookmarks(self):
        """Every bookmark that is kept is offered; the newest is; no other is."""
        kept = {point.cursor.sequence for point in self.journal.manifest.points}
        tags = self.history.app_tags(self.journal.durable.sequence)
        offered = [point.sequence for point in self.points.app_points()]
        assert offered == [n for n in tags if n > self.frontier or n in kept]
        assert offered[-1:] == tags[-1:], "I7: the newest bookmark"

    def look_everywhere(self):
        for sequence in range(self.history.base, self.journal.durable.sequence + 2):
            self.look(sequence)
        self.look_at_bookmarks()
        for pin in self.journal.manifest.pins:
            if pin.sequence > self.history.base:
                assert self.points.at_sequence(pin.sequence).sequence == pin.sequence

    def __repr__(self):
        return f"copy {self.name} of group {GROUP}"


_REASONS = {
    "nothing yet": "",
    "not kept": "no longer kept",
    "before the first": "before the journal's first",
    "not durable": "not durable here",
    "in a gap": "lies in a gap",
}
