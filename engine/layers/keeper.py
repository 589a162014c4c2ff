"""Keeps the layers of one journal: does the next piece of work, one bounded step at a time.

An order by retention comes first, then what the thresholds call for; one rewrite at a time (its
states are in `engine.layers.states`). Damage or a failing storage halts the keeper, until it is
made anew: the journal goes on without layers.

Fault model. A crash may come after any action; what is not in the manifest then is a leftover,
which `leftovers` takes away. Promised: every point that could be read before a step can be read
after it, but for those that an order by retention gives up; nothing is deleted before the manifest
that no longer names it is durable, nor before what stands in its place was read back and verified.
"""

from collections import deque
from collections.abc import Sequence

from engine.basics import invariants
from engine.basics.errors import EngineError, PointRefused, StorageFailed
from engine.basics.settings import LayerSettings
from engine.contract.actions import DeleteFile, FileAction
from engine.formats.layers import generation_of_name
from engine.journal.journal import Journal
from engine.layers.orders import (
    Order,
    SegmentSpan,
    compaction,
    next_order,
    raised_floor,
    segments_behind,
)
from engine.layers.plan import LayerMap
from engine.layers.rewrite import Rewrite
from engine.layers.states import RewriteState

#: Syncs of layers are told from those of the journal by their numbers.
SYNC_TOKEN_FIRST = 1 << 48


class LayerKeeper:
    """Makes layers as thresholds and retention call for them.

    Args:
        journal: Its actions and the keeper's go the same way, in the order they were given.
        settings: The thresholds.
        parent: The layers of the branch that the journal's own began in, if it did in one. Hold
            that one's keeper while this one is not idle.
    """

    def __init__(
        self,
        journal: Journal,
        settings: LayerSettings | None = None,
        *,
        parent: LayerMap | None = None,
    ) -> None:
        self.settings = settings or LayerSettings()
        #: What halted the keeper: the layers stay as they are, the journal goes on without.
        self.failure: EngineError | None = None
        #: Orders that could not be carried out, for a point of theirs is not kept; the keeper went
        #: on without them. Whoever orders empties it.
        self.refused: list[PointRefused] = []
        self._journal = journal
        self._parent = parent
        self._wanted: deque[tuple[int, int]] = deque()  # (low, high); a floor has low == high
        self._holds = 0
        self._job: Rewrite | None = None
        self._is_ordered = False
        self._token = SYNC_TOKEN_FIRST

    # --- what is asked --------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Return whether nothing can be done before a sync is done, or a hold is released."""
        job = self._job
        if job is None:
            return False
        is_held = job.state is RewriteState.READY and self._holds and job.order.drops
        return job.state is RewriteState.SYNCING or bool(is_held)

    @property
    def is_idle(self) -> bool:
        """Return whether there is nothing to do by now."""
        return self.failure is not None or (self._job is None and self._next_order() is None)

    @property
    def segments_behind(self) -> int:
        """Return the number of sealed segments that no layer covers yet."""
        return len(segments_behind(self._base, self._segments(), self._journal.manifest.layers))

    @property
    def is_behind(self) -> bool:
        """Return whether layers are made more slowly than segments are sealed."""
        return self.segments_behind > self.settings.segments_behind_max

    def compact(self, low: int, high: int) -> None:
        """Order one delta layer in place of all records between two adjacent kept points.

        The points strictly between them are given up.
        """
        assert low < high, "two kept points"
        self._wanted.append((low, high))

    def raise_floor(self, sequence: int) -> None:
        """Order that a kept point becomes the oldest: all before it is given up."""
        self._wanted.append((sequence, sequence))

    def hold(self) -> None:
        """Keep every file in place, for an image that reads it, until `release`.

        New layers are still made; what drops files waits.
        """
        self._holds += 1

    def release(self) -> None:
        """Give one hold back."""
        assert self._holds, "no hold is held"
        self._holds -= 1

    def leftovers(self) -> list[FileAction]:
        """Return what takes away the layer files that a crash left and no manifest names."""
        assert self._job is None, "unfinished work is no leftover"
        named = {entry.name for entry in self._journal.manifest.layers}
        names = sorted(self._journal.storage.names())
        return [
            DeleteFile(name)
            for name in names
            if generation_of_name(name) is not None and name not in named
        ]

    # --- doing ----------------------------------------------------------------------------------

    def step(self) -> list[FileAction]:
        """Do a step's work; return its actions: none where it only read, or nothing is to do.

        On damage the work is given up and `failure` says why; an order that speaks of a point that
        is not kept is passed over, see `refused`.
        """
        if self.failure is not None or self.is_waiting:
            return []
        if self._job is None:
            self._job = self._begin()
        job = self._job
        if job is None:
            return []
        try:
            actions = job.step()
        except PointRefused as refusal:
            assert self._is_ordered, "thresholds call for what can be read only"
            self.refused.append(refusal)
            self._job = None
            return job.abandon()
        except EngineError as error:
            self.failure, self._job = error, None
            return job.abandon()
        if job.state is RewriteState.PUBLISHED:
            self._job = None
        return actions

    def sync_done(self, token: int) -> list[FileAction]:
        """Note that a sync is done, the layers' or the journal's; return what may follow."""
        if token < SYNC_TOKEN_FIRST:
            return self._journal.sync_done(token)
        assert self._job is not None, "a sync without work"
        self._job.sync_done(token)
        return []

    def action_failed(self, file: str, reason: str) -> None:
        """Note that the storage could not carry out an action; nothing more is tried."""
        self.failure = StorageFailed(f"The storage failed on {file!r}: {reason}")
        self._job = None

    def _begin(self) -> Rewrite | None:
        order = self._next_order()
        if order is None:
            return None
        self._is_ordered = bool(self._wanted)
        if self._is_ordered:
            self._wanted.popleft()
        self._token += 1
        parent = None if self._parent is None else self._parent.refreshed()
        return Rewrite(LayerMap(self._journal, parent), order, self.settings, self._token)

    def _next_order(self) -> Order | None:
        segments, layers = self._segments(), self._journal.manifest.layers
        if not self._wanted:
            return next_order(self._base, segments, layers, self.settings)
        low, high = self._wanted[0]
        is_floor = low == high
        kept = [point.cursor.sequence for point in self._journal.manifest.points]
        invariants.no_kept_point_is_compacted_away(0 if is_floor else low, high, kept)
        if is_floor:
            return raised_floor(high, segments, layers)
        return compaction(low, high, segments, layers)

    @property
    def _base(self) -> int:
        return self._journal.manifest.base.cursor.sequence

    def _segments(self) -> Sequence[SegmentSpan]:
        durable = self._journal.durable.sequence
        return [
            SegmentSpan(entry.name, entry.before.sequence, entry.last.sequence)
            for entry in self._journal.manifest.segments
            if entry.last.sequence <= durable
        ]
