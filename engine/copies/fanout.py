"""One capture, several copies: each is fed on its own, the pool is freed behind the slowest.

    Capture -> CopyFeed -> SourceSession == link ==> TargetSession -> Journal     (local)
            -> CopyFeed -> SourceSession == link ==> TargetSession -> Journal     (remote) ...

Each copy has its own session, link, schedule of bandwidth and retention. A feed is to its session
what the capture is, but for how far this copy has come. A copy that holds more of the pool back
than its limit is detached, loudly: its session must end, what it lacks is let go, and it comes back
by a re-seed from a sister (`engine.copies.reseed`).

Fault model: the capture's. The feeds live where the capture lives. Promised: a record is let go
only when every copy that is not detached has it durably; the last copy is never detached.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    CopyTooOld,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    JournalRegressed,
    LocalProtocolError,
)
from engine.basics.settings import SessionSettings
from engine.capture.capture import Capture
from engine.contract.actions import ReadSource
from engine.retention.settings import RetentionPolicy


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """How one copy is kept; `behind_bytes_max` is what of the pool it alone may hold back."""

    name: str
    kind: Literal["local", "remote"] = "remote"
    session: SessionSettings = field(default_factory=SessionSettings)
    retention: RetentionPolicy | None = None
    behind_bytes_max: int = 48 << 20


class CopyDetached(NamedTuple):
    """A copy held too much back; it needs a re-seed from a sister."""

    name: str
    cursor: Cursor
    behind_bytes: int
    hint: str = "Its older points stay usable. Check its link and disk, then re-seed it."


class CopyAttached(NamedTuple):
    """A copy is fed from this cursor on."""

    name: str
    cursor: Cursor


class CopyFeed:
    """What one copy's session sees of the capture; all that is not here is the capture's own.

    Args:
        fanout: The feeds of all copies.
        plan: How this copy is kept.
        acknowledged: Up to where the copy has everything durably.
    """

    def __init__(self, fanout: "Fanout", plan: CopyPlan, acknowledged: Cursor) -> None:
        self.plan = plan
        self.acknowledged = acknowledged
        #: Raw bytes of the pool that this copy has durably.
        self.had_bytes = 0
        self._fanout = fanout
        self._capture = fanout.capture

    def __getattr__(self, name: str) -> Any:
        return getattr(self._capture, name)

    @property
    def oldest_sequence(self) -> int:
        """Return the oldest sequence that this copy lacks; of a detached one nothing is kept."""
        if not self.is_attached:
            return self._capture.sendable_sequence + 1
        # A capture that broke off has let go of what no copy has.
        return max(self.acknowledged.sequence + 1, self._capture.oldest_sequence)

    @property
    def is_attached(self) -> bool:
        """Return whether the pool keeps for this copy what it lacks."""
        return self._fanout.feeds.get(self.plan.name) is self

    @property
    def pool_bytes(self) -> int:
        """Return the raw bytes of the pool that this copy lacks."""
        return self._capture.pool_bytes - self.had_bytes

    def check(self, cursor: Cursor) -> None:
        """Check a cursor of this copy's target, changing nothing.

        Raises:
            RemoteProtocolError: As `Capture.check`.
        """
        mine, capture = self.acknowledged, self._capture
        if cursor.epoch != capture.epoch:
            raise EpochFenced(
                f"Copy {self.plan.name} answers in epoch {cursor.epoch}, this source is in "
                f"{capture.epoch}"
            )
        if cursor.sequence > capture.sendable_sequence:
            raise CursorNeverSent(
                f"Copy {self.plan.name} is at sequence {cursor.sequence}, the newest record here "
                f"is {capture.sendable_sequence}"
            )
        if cursor.sequence < mine.sequence:
            raise CursorRegressed(
                f"Copy {self.plan.name} acknowledges sequence {cursor.sequence}, before that it "
                f"acknowledged {mine.sequence}"
            )
        is_old = cursor.sequence == mine.sequence
        expected = mine.chain if is_old else capture.entry(cursor.sequence).chain
        if cursor.chain != expected:
            raise ChainMismatch(
                f"At sequence {cursor.sequence} the chain of copy {self.plan.name} is "
                f"{cursor.chain:#010x}, this stream's is {expected:#010x}"
            )

    def check_welcome(self, cursor: Cursor) -> None:
        """Check the cursor of a WELCOME.

        Raises:
            JournalRegressed: The copy has lost what it had acknowledged as durable.
            RemoteProtocolError: As `check`.
        """
        mine = self.acknowledged
        if cursor.epoch == mine.epoch and cursor.sequence < mine.sequence:
            raise JournalRegressed(
                f"Copy {self.plan.name} ends at sequence {cursor.sequence}; it had acknowledged "
                f"{mine.sequence}"
            )
        self.check(cursor)

    def acknowledge(self, cursor: Cursor, now_ns: int) -> int:
        """Note what this copy has durably; free what all have. Returns its own bytes freed."""
        self._require_attached()
        self.check(cursor)
        invariants.acknowledged_never_decreases(self.acknowledged, cursor)
        capture, first = self._capture, self.oldest_sequence
        freed = sum(capture.entry(n).cost_bytes for n in range(first, cursor.sequence + 1))
        self.acknowledged = cursor
        self.had_bytes += freed
        self._fanout.free(now_ns)
        return freed

    def let_go(self, freed_bytes: int) -> None:
        """Note that the pool has let go of what this copy, too, has."""
        self.had_bytes -= freed_bytes

    def wants_reads(self, now_ns: int) -> list[ReadSource]:
        """Return the reads that fill a gap: they are one feed's business."""
        return self._capture.wants_reads(now_ns) if self._fanout.is_leader(self) else []

    def forget_reads(self) -> None:
        """Take back the reads under way, if they are this feed's."""
        if self._fanout.is_leader(self):
            self._capture.forget_reads()

    def _require_attached(self) -> None:
        if not self.is_attached:
            raise LocalProtocolError(f"Copy {self.plan.name} is detached: its session must end")


class Fanout:
    """The copies of one capture.

    Args:
        capture: The group's capture; it outlives sessions.
        plans: The copies that are fed from the capture's beginning on, at least one.
    """

    def __init__(self, capture: Capture, plans: list[CopyPlan]) -> None:
        assert plans, "a capture without a copy never frees its pool"
        self.capture = capture
        #: The attached copies, by name, in the order of attaching.
        self.feeds: dict[str, CopyFeed] = {}
        self.notices: list[CopyDetached | CopyAttached] = []
        for plan in plans:
            self.attach(plan, capture.acknowledged)

    def feed(self, name: str) -> Capture:
        """Return the capture as the session of this copy is to see it."""
        # It has every method that a session calls; those that are not its own are the capture's.
        return cast("Capture", self.feeds[name])

    def attach(self, plan: CopyPlan, cursor: Cursor) -> CopyFeed:
        """Feed a copy that has everything up to a cursor, as after a re-seed.

        Raises:
            CopyTooOld: What follows the cursor is in the pool no more.
        """
        assert plan.name not in self.feeds, "each copy has one feed"
        held = self.capture.acknowledged
        if cursor.sequence < held.sequence:
            raise CopyTooOld(
                f"Copy {plan.name} ends at sequence {cursor.sequence}, the pool begins after "
                f"{held.sequence}"
            )
        feed = CopyFeed(self, plan, held)
        feed.check(cursor)
        self.feeds[plan.name] = feed
        if cursor.sequence > held.sequence:
            feed.acknowledge(cursor, 0)
        self.notices.append(CopyAttached(plan.name, cursor))
        return feed

    def detach(self, name: str, now_ns: int) -> CopyDetached:
        """Feed a copy no more; what it lacks is let go.

        Raises:
            LocalProtocolError: It is the last one.
        """
        if len(self.feeds) == 1:
            raise LocalProtocolError(f"Copy {name} is the last one: the policy of the pool decides")
        feed = self.feeds[name]
        feed.forget_reads()  # another feed asks again
        del self.feeds[name]
        notice = CopyDetached(name, feed.acknowledged, feed.pool_bytes)
        self.notices.append(notice)
        self.free(now_ns)
        return notice

    def watch(self, now_ns: int) -> list[CopyDetached]:
        """Detach the copies that hold back too much; call after each event."""
        detached = []
        for feed in list(self.feeds.values()):
            best = max(other.had_bytes for other in self.feeds.values())
            # What no copy has yet is nobody's fault: the policy of the full pool decides then.
            if best - feed.had_bytes > feed.plan.behind_bytes_max:
                detached.append(self.detach(feed.plan.name, now_ns))
        return detached

    def is_leader(self, feed: CopyFeed) -> bool:
        """Return whether a feed's session carries out what the capture wants only once."""
        return next(iter(self.feeds.values()), None) is feed

    def free(self, now_ns: int) -> None:
        """Let the pool go up to what every attached copy has."""
        cursor = min(
            (feed.acknowledged for feed in self.feeds.values()), key=lambda other: other.sequence
        )
        if cursor.sequence > self.capture.acknowledged.sequence:
            freed = self.capture.acknowledge(cursor, now_ns)
            for feed in self.feeds.values():
                feed.let_go(freed)
