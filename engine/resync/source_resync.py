"""The source's half of a resync: when it begins, on what, and its comparison.

    needed -> allowed by the policy -> (unbased: the target's standing) -> RESYNC_BEGIN ->
    durable -> comparison, while the drain sends what differs -> RESYNC_END

All that must last lies in the capture; this lives and dies with a session. The capture breaks off
by itself where order is lost beyond what it can track: then all of this comes again.
"""

from collections.abc import Callable
from typing import Protocol

from engine.basics.cursor import Cursor
from engine.basics.errors import FrameUnexpected, ResyncRequired
from engine.basics.settings import ResyncSettings
from engine.capture.capture import Capture
from engine.contract.actions import ReadSource
from engine.contract.events import SourceRead
from engine.formats.standings import Standing
from engine.formats.wire import (
    HashAsk,
    HelloFlag,
    ResyncAsk,
    ResyncHashes,
    ResyncStanding,
    Stamp,
    Welcome,
    encode_resync_ask,
)
from engine.history.filetable import FileTableState
from engine.resync.comparison import Comparison
from engine.resync.policy import begins_at_ns


class Line(Protocol):
    """Where frames go out, under a bandwidth limit."""

    def free_at_ns(self, now_ns: int) -> int:
        """Return when something may be sent: `now_ns` itself, or later."""
        ...

    def send_counted(self, data: bytes, now_ns: int) -> None:
        """Send a frame, on the account of the limit."""
        ...


class SourceResync:
    """Begins resyncs where they are needed and allowed, and compares.

    Args:
        capture: What is to be joined with the target again.
        settings: When, and how much at a time.
        line: Where frames go out.
        stamp: Makes the stamp of a frame that is sent at a time.
    """

    def __init__(
        self,
        capture: Capture,
        settings: ResyncSettings,
        line: Line,
        stamp: Callable[[int], Stamp],
    ) -> None:
        #: The operator's word was given.
        self.is_ordered = False
        #: When to pump again though nothing happens, None where there is no need.
        self.due_ns: int | None = None
        self.comparison = Comparison(capture, settings, self._ask)
        self._capture = capture
        self._settings = settings
        self._line = line
        self._stamp = stamp
        self._version: int | None = None  # of the connection, None without one that can compare
        self._welcomed_at: Cursor | None = None
        self._standing: Standing | None = None

    # --- a connection -------------------------------------------------------------------------

    def greeting(self) -> HelloFlag:
        """Return what a HELLO has to say of this capture."""
        if not self._capture.is_based:
            return HelloFlag.UNBASED
        return HelloFlag.RESYNCING if self._capture.begins_with_resync else HelloFlag(0)

    def welcomed(self, welcome: Welcome, version: int, *, has_resync: bool) -> None:
        """Take note of a connection that stands.

        Raises:
            ResyncRequired: Records cannot flow before a resync, and nobody allows it.
        """
        capture = self._capture
        if not capture.is_based and not has_resync:
            raise ResyncRequired("This source knows nothing of the target, which cannot compare")
        if not capture.is_based and self._begins_at_ns(0) is None:
            raise ResyncRequired(
                f"This capture {capture.incarnation:#x} does not know what the target lacks after "
                f"sequence {welcome.cursor.sequence}, where its history ends"
            )
        is_known = welcome.incarnation == capture.incarnation
        if capture.is_based and not is_known and not capture.begins_with_resync:
            raise ResyncRequired(
                f"The target's journal was written by capture {welcome.incarnation:#x}, this is "
                f"{capture.incarnation:#x}"
            )
        self._version = version if has_resync else None
        self._welcomed_at = welcome.cursor

    def disconnected(self) -> None:
        """Forget the connection and all that is under way on it."""
        self._version = self._standing = self.due_ns = None
        self.comparison.disconnected()

    def receive(self, frame: ResyncStanding | ResyncHashes, now_ns: int) -> None:
        """Take a frame of the target.

        Raises:
            FrameUnexpected: Nobody asked for it, or it is not what was asked for.
        """
        if isinstance(frame, ResyncHashes):
            self.comparison.answered(frame, now_ns)
            return
        if self._capture.is_based or self._standing is not None:
            raise FrameUnexpected("The target tells its files, though nobody asks for them")
        standing, welcomed_at = frame.standing, self._welcomed_at
        assert welcomed_at is not None, "a welcome comes first"
        is_there = standing.cursor[1:] == welcomed_at[1:]  # before a branch, in the parent's epoch
        if not is_there or standing.cursor.epoch > welcomed_at.epoch:
            raise FrameUnexpected(
                f"The target tells its files at {standing.cursor}, its history ends at "
                f"{welcomed_at}"
            )
        self._standing = standing

    def source_read(self, event: SourceRead, now_ns: int) -> None:
        """Take the answer to a read of a live file, of the comparison or of the drain."""
        if not self.comparison.source_read(event.token, event.data, now_ns):
            self._capture.source_read(event, now_ns)

    # --- going on -----------------------------------------------------------------------------

    def pump(self, now_ns: int) -> list[ReadSource]:
        """Begin a resync that is due, go on with one; return the reads that it needs."""
        self.due_ns = None
        capture = self._capture
        if self._version is None or capture.is_abandoned:
            return []
        if capture.is_resync_needed:
            self._begin_when_due(now_ns)
        if not capture.is_comparing:
            self.comparison.stop()
        elif capture.acknowledged.sequence >= capture.progress.begun:
            if (free_at_ns := self._line.free_at_ns(now_ns)) <= now_ns:
                return self.comparison.pump(now_ns)
            self.due_ns = free_at_ns
        return []

    def _begin_when_due(self, now_ns: int) -> None:
        capture, standing = self._capture, self._standing
        begins_at_ns = self._begins_at_ns(now_ns)
        if begins_at_ns is None or begins_at_ns > now_ns:
            self.due_ns = begins_at_ns
        elif capture.is_based:
            if capture.acknowledged == capture.newest:
                capture.begin_resync(now_ns)
        elif standing is not None:
            files = FileTableState(standing.files, standing.id_newest)
            capture.rebase(standing.cursor, files, standing.source_time_ns, now_ns)
            self._standing = None

    def _begins_at_ns(self, now_ns: int) -> int | None:
        offset_ns = self._capture.clock_offset_ns
        wall_ns = begins_at_ns(self._settings, now_ns + offset_ns, is_ordered=self.is_ordered)
        return None if wall_ns is None else wall_ns - offset_ns

    def _ask(self, ask: HashAsk, now_ns: int) -> None:
        assert self._version is not None, "only over a connection one can ask"
        frame = ResyncAsk(self._stamp(now_ns), ask)
        self._line.send_counted(encode_resync_ask(frame, self._version), now_ns)
