"""A journal with retention, driven by hand, and which of its sequences must be points of what."""

from bisect import bisect_left, bisect_right
from collections import deque

import pytest
from engine_model import app_tag, contents, crash_tag
from hypothesis import strategies as st
from layer_model import SMALL as SMALL_LAYERS
from layer_model import Shop, as_changes

from engine import Image, LayerKeeper, RecoveryPoints, actions
from engine.basics.errors import PointRefused
from engine.retention.keeper import RetentionKeeper
from engine.retention.settings import RetentionPolicy, Stage

#: Every write for 10, bookmarks till 30, one per 8 till 60, one per 16 till 120.
SMALL = RetentionPolicy(
    every_write_ns=10,
    stages=(Stage(30), Stage(60, 8), Stage(120, 16)),
    write_point_every_ns=8,
    look_every_ns=1,
)

_STEP = st.one_of(
    st.tuples(
        st.sampled_from(["write", "write", "write", "truncate", "rename", "delete"]),
        st.integers(0, 2),
        st.integers(0, 70),
        st.binary(min_size=1, max_size=40),
    ),
)
#: (time, change) pairs with tags among them; times stand still, pass slowly, or leap.
HISTORIES = st.tuples(
    st.lists(_STEP, min_size=1, max_size=25).map(as_changes),
    st.lists(
        st.tuples(
            st.sampled_from(["none", "none", "app", "crash"]), st.sampled_from([0, 1, 3, 20])
        ),
        min_size=1,
        max_size=30,
    ),
).map(lambda drawn: timed(*drawn))


def timed(changes, rhythm):
    """Give changes their times, and put tags between them."""
    history, time_ns = [], 1
    for at, change in enumerate(changes):
        tag, passed_ns = rhythm[at % len(rhythm)]
        time_ns += passed_ns
        history.append((time_ns, change))
        if tag != "none":
            made = app_tag(f"app{at}") if tag == "app" else crash_tag(f"crash{at}")
            history.append((time_ns, made))
    return history


class KeptShop(Shop):
    """A shop whose journal is kept as a policy says; `times[n]` is the source time at n."""

    def __init__(self, history, segment_bytes_max=300, policy=SMALL):
        self.times = [0]
        self.policy = policy
        super().__init__([], segment_bytes_max)
        for time_ns, change in history:
            self.show_at(change, time_ns)

    def show_at(self, change, time_ns):
        self.times.append(time_ns)
        self.show(change)

    def time_of_next(self):
        return self.times[len(self.references)]

    @property
    def now_ns(self):
        return self.times[-1]

    @property
    def kept(self):
        return [point.cursor.sequence for point in self.journal.manifest.points]

    @property
    def points(self):
        return RecoveryPoints(self.journal)

    def retention(self, layers=SMALL_LAYERS):
        keeper = LayerKeeper(self.journal, layers)
        return RetentionKeeper(self.journal, keeper, self.policy, step_bytes_max=32)

    def keep(self, keeper=None, now_ns=None, at_action=lambda action: None, steps_max=5_000):
        """Let retention work until there is nothing to do; return its notices."""
        keeper, now_ns = keeper or self.retention(), self.now_ns if now_ns is None else now_ns
        told = []
        for _ in range(steps_max):
            if keeper.is_idle(now_ns):
                break
            queue = deque(keeper.step(now_ns))
            while queue:
                action = queue.popleft()
                at_action(action)
                if isinstance(action, actions.Notify):
                    told.append(action.notice)
                elif isinstance(action, actions.SyncFile):
                    self.storage.unsynced.pop(action.name, None)
                    queue += keeper.sync_done(action.token)
                else:
                    self.storage.carry_out(action)
        else:
            raise AssertionError("retention does not come to rest")
        assert keeper.failure is None, keeper.failure
        return told

    def restart(self):
        """Open again what the storage holds, and take away what a crash left."""
        self.open()
        keeper = self.retention()
        for action in LayerKeeper(self.journal).leftovers():
            self.storage.carry_out(action)
        return keeper

    def check_kept_points(self):
        for sequence in self.kept:
            assert contents(Image(self.journal, sequence)) == self.references[sequence], sequence

    def check(self):
        """Every kept point, and every sequence above the frontier, reads as the reference; no
        other is offered, and each refusal offers the nearest ones."""
        kept, points = self.kept, self.points
        frontier, last = (kept[-1] if kept else 0), self.journal.durable.sequence
        assert last == len(self.references) - 1
        refused = 0
        for sequence in range(1, last + 1):
            if sequence > frontier or sequence in kept:
                point = points.at_sequence(sequence)
                assert (point.sequence, point.source_time_ns) == (sequence, self.times[sequence])
                image = Image(self.journal, sequence)
                assert contents(image) == self.references[sequence], sequence
                continue
            refused += 1
            at = bisect_left(kept, sequence)
            self._check_refusal(points.at_sequence, sequence, kept[at - 1 : at], kept[at])
        self._check_times(kept)
        return refused

    def _check_times(self, kept):
        for time_ns in range(self.times[1], self.times[-1] + 1):
            newest = bisect_right(self.times, time_ns) - 1
            at = bisect_right([self.times[sequence] for sequence in kept], time_ns)
            if not kept or newest >= kept[-1]:
                assert self.points.at_time(time_ns).sequence == newest
            elif at and self.times[kept[at - 1]] == time_ns:
                assert self.points.at_time(time_ns).sequence == kept[at - 1]
            else:
                self._check_refusal(self.points.at_time, time_ns, kept[:at][-1:], kept[at])

    def _check_refusal(self, ask, what, earlier, later):
        with pytest.raises(PointRefused) as refused:
            ask(what)
        refusal = refused.value
        assert ([] if refusal.earlier is None else [refusal.earlier.sequence]) == earlier
        assert refusal.later.sequence == later
