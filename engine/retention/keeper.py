"""Carries a retention policy out: one point, then one interval at a time, in bounded steps.

Order of work: a point that is about to be the only one of its surroundings gets its certificate;
one manifest names it, and no longer the points that leave: from then on these are refused. Then
the layers' keeper puts one layer in place of the records between each two kept points, verified by
their certificates, and only after the manifest that names it do the files leave. So the manifest
alone says what is still to be done after a crash.

Fault model: that of `engine.layers.keeper`, whose actions these are. Promised: every kept point
reads, after any crash, as it did when it was published (I2); the newest application-consistent
point stays (I7). Not promised: that the space suffices, see `SpaceChanged`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from engine.basics import invariants
from engine.basics.errors import EngineError, LocalProtocolError, StorageFailed
from engine.contract.actions import Action, FileAction, Notify
from engine.contract.machines import next_state
from engine.formats.layers import LayerKind
from engine.formats.manifest import KeptPoint, Pin
from engine.formats.records import RecordType
from engine.journal.journal import Journal
from engine.layers.certified import certificate_after, roll_to
from engine.layers.keeper import LayerKeeper
from engine.layers.plan import LayerMap
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints
from engine.retention.candidates import points_of, used_bytes
from engine.retention.policy import Plan, newest_app_of, plan_of, relief_of
from engine.retention.settings import RetentionPolicy
from engine.retention.space import SpaceWatch, shortening
from engine.retention.states import RETENTION_TRANSITIONS, RetentionState, RetentionTrigger

_STEP_BYTES = 4 << 20
_KIND = {
    Consistency.APP: RecordType.TAG_APP,
    Consistency.CRASH: RecordType.TAG_CRASH,
    Consistency.WRITE: RecordType.WRITE,
}


class RetentionKeeper:
    """Keeps a journal as its policy says; makes its layers, too, through the layers' keeper.

    Args:
        journal: Its actions, the layers' and these go the same way, in the order they were given.
        layers: Makes the layers; it is stepped by this keeper only.
        policy: Which points are kept.
        parent: The layers of the branch that the journal's own began in, if it did in one. What
            was kept there at its base stays there: the promotion has pinned it.
        step_bytes_max: How much a step reads: protection.md 1.2's drain unit by default.
    """

    def __init__(
        self,
        journal: Journal,
        layers: LayerKeeper,
        policy: RetentionPolicy,
        *,
        parent: LayerMap | None = None,
        step_bytes_max: int = _STEP_BYTES,
    ) -> None:
        self.state = RetentionState.RESTING
        #: What halted the keeper: nothing more leaves, the journal goes on.
        self.failure: EngineError | None = None
        self._journal = journal
        self._layers = layers
        self._parent = parent
        self._policy = policy
        self._step_bytes_max = step_bytes_max
        self._space = SpaceWatch(policy)
        self._looked_at = -1, 0  # the manifest's generation, and when
        self._work: Iterator[list[Action]] = iter(())
        self._compacting = 0, 0

    # --- what is asked --------------------------------------------------------------------------

    @property
    def policy(self) -> RetentionPolicy:
        """Return the policy; another one holds from the next step on."""
        return self._policy

    @policy.setter
    def policy(self, policy: RetentionPolicy) -> None:
        self._policy = policy
        self._space = SpaceWatch(policy)
        self._looked_at = -1, 0

    @property
    def is_paused(self) -> bool:
        """Return whether the copy is to take nothing more: it is full, and the policy is `pause`.

        The driver then reads no more from the source, until this is False again.
        """
        return self._space.is_full and self._policy.when_full == "pause"

    @property
    def is_waiting(self) -> bool:
        """Return whether nothing can be done before a sync is done, or a hold is released."""
        return self.state is not RetentionState.CERTIFYING and self._layers.is_waiting

    def is_idle(self, now_ns: int) -> bool:
        """Return whether there is nothing to do at this time, as far as the last look says."""
        if self.state is RetentionState.HALTED:
            return True
        is_resting = self.state is RetentionState.RESTING and not self._is_look_due(now_ns)
        return is_resting and self._layers.is_idle

    def pin(self, sequence: int, name: str, reason: str) -> list[FileAction]:
        """Let a point never expire, until it is unpinned.

        Raises:
            PointRefused: There is no point of this sequence, or not any more.
            LocalProtocolError: Another pin has this name.
        """
        RecoveryPoints(self._journal).at_sequence(sequence)
        pins = self._journal.manifest.pins
        if any(pin.name == name for pin in pins):
            raise LocalProtocolError(f"A pin {name!r} is there already", "Choose another name.")
        return self._journal.publish(pins=sorted([*pins, Pin(sequence, name, reason)]))

    def unpin(self, name: str) -> list[FileAction]:
        """Take a pin away: its point ages as the others do.

        Raises:
            LocalProtocolError: No pin has this name.
        """
        pins = self._journal.manifest.pins
        if all(pin.name != name for pin in pins):
            raise LocalProtocolError(f"There is no pin {name!r}", "List the manifest's pins.")
        return self._journal.publish(pins=[pin for pin in pins if pin.name != name])

    # --- doing ----------------------------------------------------------------------------------

    def step(self, now_ns: int) -> Sequence[Action]:
        """Do a step's work; return its actions: none where it only read, or nothing is to do."""
        if self.state is RetentionState.RESTING and self._is_look_due(now_ns):
            return self._look(now_ns)
        if self.state is RetentionState.CERTIFYING:
            return self._certify()
        if self.state is RetentionState.HALTED:
            return []
        actions = self._layers.step()
        if self._layers.failure is not None:
            self._fail(self._layers.failure)
        elif self._layers.refused:
            self._fail(self._layers.refused[0])
        elif self.state is RetentionState.COMPACTING and self._compacting in self._compacted():
            self._enter(RetentionTrigger.COMPACTED)
        return actions

    def sync_done(self, token: int) -> list[FileAction]:
        """Note that a sync is done, the layers' or the journal's; return what may follow."""
        return self._layers.sync_done(token)

    def action_failed(self, file: str, reason: str) -> None:
        """Note that the storage could not carry out an action; nothing more is tried."""
        self._layers.action_failed(file, reason)
        self._fail(StorageFailed(f"The storage failed on {file!r}: {reason}"))

    def _look(self, now_ns: int) -> Sequence[Action]:
        """Begin what is to be done next: finish what the manifest says, then age, then space."""
        unfinished = self._unfinished()
        if unfinished is not None:
            self._compacting = unfinished
            self._layers.compact(*unfinished)
            self._enter(RetentionTrigger.UNFINISHED)
            return []
        self._looked_at = self._journal.manifest.generation, now_ns
        try:
            points = points_of(self._journal)
            pinned = {pin.sequence for pin in self._journal.manifest.pins}
            frontier = self._frontier
            plan = plan_of(points, pinned, now_ns, self._policy, frontier)
            if points and self._next(plan) is not None:
                return self._begin(plan, points)
            notices = self._space.look(used_bytes(self._journal))
            if self._space.is_full:
                relief = relief_of(points, pinned, now_ns, self._policy, frontier)
                if relief is not None:
                    kept = self._next(relief)
                    assert kept is not None, "a relief changes something"
                    notices.append(shortening(self._policy, points, kept, frontier))
                    return [*map(Notify, notices), *self._begin(relief, points)]
        except EngineError as error:
            self._fail(error)
            return []
        return [Notify(notice) for notice in notices]

    def _begin(self, plan: Plan, points: Sequence[RecoveryPoint]) -> Sequence[Action]:
        """Publish the next points of a plan, after the new one was certified."""
        kept = self._next(plan)
        assert kept is not None, "a plan that changes something"
        self._check_plan(kept, points)
        if kept[-1].sequence == self._frontier:
            self._enter(RetentionTrigger.POINTS_LEFT)
            return self._publish(kept)
        self._work = self._certified(kept, self._journal.manifest.pins)
        self._enter(RetentionTrigger.POINT_AGED)
        return []

    def _next(self, plan: Plan) -> Sequence[RecoveryPoint] | None:
        """Return the kept points after the frontier has moved by one, None if all is done.

        By one, so that each certificate follows from the layer below it.
        """
        frontier = self._frontier
        following = next((p.sequence for p in plan.kept if p.sequence > frontier), frontier)
        kept = [point for point in plan.kept if point.sequence <= following]
        published = [point.cursor.sequence for point in self._journal.manifest.points]
        return None if [point.sequence for point in kept] == published else kept

    def _check_plan(self, kept: Sequence[RecoveryPoint], points: Sequence[RecoveryPoint]) -> None:
        newest_app, frontier = newest_app_of(points), kept[-1].sequence
        there = {point.sequence for point in kept}
        there |= {point.sequence for point in points if point.sequence > frontier}
        app_sequence = None if newest_app is None else newest_app.sequence
        invariants.the_newest_app_point_is_kept(app_sequence, there)
        pinned = [pin.sequence for pin in self._journal.manifest.pins]
        invariants.pinned_points_are_kept(pinned, there, frontier)

    def _certify(self) -> list[Action]:
        try:
            actions = next(self._work)
        except EngineError as error:
            self._fail(error)
            return []
        return actions

    def _certified(
        self, kept: Sequence[RecoveryPoint], pins: Sequence[Pin]
    ) -> Iterator[list[Action]]:
        """Compute the certificate of the new frontier in steps, then publish it.

        Where these pins are no longer all, the plan is made anew: it may give up a pinned point.
        """
        parent = None if self._parent is None else self._parent.refreshed()
        layer_map = LayerMap(self._journal, parent)
        new, done_bytes = kept[-1], 0
        roll = roll_to(layer_map, new.sequence)
        for count in roll.steps():
            done_bytes += count
            if done_bytes >= self._step_bytes_max:
                done_bytes = 0
                yield []
        if self._journal.manifest.pins != pins:
            self._enter(RetentionTrigger.PINNED)
            yield []
            return
        point = KeptPoint(
            layer_map.cursor(new.sequence),
            new.source_time_ns,
            _KIND[new.consistency],
            new.label,
            certificate_after(roll, layer_map, new.sequence),
        )
        self._enter(RetentionTrigger.CERTIFIED)
        yield self._publish(kept, point)

    def _publish(self, kept: Sequence[RecoveryPoint], new: KeptPoint | None = None) -> list[Action]:
        old = {point.cursor.sequence: point for point in self._journal.manifest.points}
        if new is not None:
            old[new.cursor.sequence] = new
        return [*self._journal.publish(points=[old[point.sequence] for point in kept])]

    # --- what is there --------------------------------------------------------------------------

    @property
    def _frontier(self) -> int:
        points = self._journal.manifest.points
        return points[-1].cursor.sequence if points else 0

    def _unfinished(self) -> tuple[int, int] | None:
        """Return the oldest interval between kept points that still has to be compacted."""
        manifest = self._journal.manifest
        base = manifest.base.cursor.sequence
        ends = [base, *(point.cursor.sequence for point in manifest.points)]
        there = self._compacted()
        return next((interval for interval in pairwise(ends) if interval not in there), None)

    def _compacted(self) -> set[tuple[int, int]]:
        return {
            (entry.low, entry.high)
            for entry in self._journal.manifest.layers
            if entry.kind == LayerKind.COMPACTED
        }

    def _is_look_due(self, now_ns: int) -> bool:
        generation, looked_ns = self._looked_at
        is_behind = generation != self._journal.manifest.generation
        return is_behind or not 0 <= now_ns - looked_ns < self._policy.look_every_ns

    def _enter(self, trigger: RetentionTrigger) -> None:
        self.state = next_state("Retention", RETENTION_TRANSITIONS, self.state, trigger)

    def _fail(self, error: EngineError) -> None:
        self.failure = error
        if self.state is not RetentionState.HALTED:
            self._enter(RetentionTrigger.FAILED)
