"""What is followed of one copy, over all its sessions."""

from engine.health.arrivals import PointWatch
from engine.health.bookmarks import BookmarkFigures, BookmarkWatch
from engine.health.retention import RetentionWatch
from engine.health.settings import HealthSettings
from engine.health.source import SourceHealth
from engine.health.stages import RpoBoard, Stage
from engine.health.verifier import Verifier
from engine.history.gaps import Gap
from engine.points.recovery_points import Consistency, RecoveryPoint, RecoveryPoints
from engine.session.states import TargetState
from engine.session.target import TargetSession


class CopyState:
    """Follows a copy's session: each event costs O(1), and as much per record of a rarer kind.

    Args:
        session: The copy's session now.
        now_ns: The driver's steady clock.
        settings: Promises and thresholds.
        source: The source's half, None where it is not known here.
        verifier: The copy's verifier, None without one.
    """

    def __init__(
        self,
        session: TargetSession,
        now_ns: int,
        settings: HealthSettings,
        source: SourceHealth | None,
        verifier: Verifier | None,
    ) -> None:
        self.settings = settings
        self.source = source
        self.verifier = verifier
        offset_ns = _source_offset_ns(session)
        begin_ns = now_ns + offset_ns
        self.board = RpoBoard(now_ns, offset_ns, settings.rpo_targets_ns)
        self.retention = RetentionWatch(begin_ns, settings.retention_promised_ns)
        self.clock_error_max_ns: int | None = None
        self._bookmarks: BookmarkWatch | None = None
        if (every_ns := settings.bookmark_interval_ns) is not None:
            self._bookmarks = BookmarkWatch(every_ns, settings.bookmark_grace_ns, begin_ns)
        self._disconnected_at_ns: int | None = now_ns
        self._received = PointWatch(session.journal)
        self.attach(session, now_ns)

    def attach(self, session: TargetSession, now_ns: int) -> None:
        """Follow another session, after a restart or on a branch; curves and counts go on."""
        before, self.session = self._received, session
        self._received, self._applied = PointWatch(session.journal), PointWatch(session.journal)
        self._received.inherit(before)
        self._applied.inherit(before)
        self._applied_sequence: int | None = None
        self.observe(now_ns)
        # On a branch nothing may have come yet, and the tail of the parent counts no more.
        self.board.points(Stage.RECEIVED, self._received.newest_ns(), now_ns)

    def observe(self, now_ns: int) -> None:
        """Look at the session after it has handled an event."""
        session = self.session
        self.board.clock(_source_offset_ns(session), now_ns)
        durable, applied = session.journal.durable.sequence, session.applied_cursor.sequence
        if self._received.advance(durable):
            self.board.points(Stage.RECEIVED, self._received.newest_ns(), now_ns)
            self._take_bookmarks()
        if applied != self._applied_sequence:
            self._applied_sequence = applied
            watch = self._received
            if applied != durable:  # else it is not worth looking at every record twice
                watch = self._applied
                watch.advance(applied)
            self.board.points(Stage.APPLIED, watch.newest_ns(), now_ns)
        if session.state is TargetState.STREAMING:
            self._disconnected_at_ns = None
        elif self._disconnected_at_ns is None:
            self._disconnected_at_ns = now_ns

    def observe_checks(self, now_ns: int) -> None:
        """Look at what the verifier knows by now."""
        if self.verifier is not None:
            self.observe(now_ns)  # what was opened is durable, whether we have noticed or not
            self.verifier.forget_expired()
            self.board.points(Stage.VERIFIED, self.verifier.checked.newest_ns(), now_ns)

    # --- what is asked --------------------------------------------------------------------------

    @property
    def gap(self) -> Gap | None:
        """Return the gap that is open at the durable end."""
        return self._received.gap

    @property
    def newest(self) -> dict[Consistency, RecoveryPoint | None]:
        """Return the newest durable point of each class."""
        return dict(self._received.newest)

    def oldest(self) -> RecoveryPoint | None:
        """Return the oldest point of any kind."""
        return RecoveryPoints(self.session.journal).oldest()

    def silent_ns(self, now_ns: int) -> int:
        """Return for how long no records can flow, 0 while they can."""
        return 0 if self._disconnected_at_ns is None else now_ns - self._disconnected_at_ns

    @property
    def is_connected(self) -> bool:
        """Return whether records can flow."""
        return self._disconnected_at_ns is None

    def clock_error_ns(self, now_ns: int) -> int | None:
        """Return the bound of the clocks' error, None where they were never compared."""
        error_ns = self.session.clock_error_ns(now_ns)
        if error_ns is not None:
            self.clock_error_max_ns = max(error_ns, self.clock_error_max_ns or 0)
        return error_ns

    def bookmarks(self, now_ns: int) -> BookmarkFigures | None:
        """Return what became of the bookmarks, None where none are due."""
        if self._bookmarks is None:
            return None
        return self._bookmarks.figures(
            now_ns + self.board.offset_ns,
            self.session.journal.durable_time_ns,
            is_connected=self.is_connected,
        )

    def _take_bookmarks(self) -> None:
        for tag in self._received.take_tags():
            if self._bookmarks is not None and tag.consistency is Consistency.APP:
                self._bookmarks.arrived(tag.source_time_ns)


def _source_offset_ns(session: TargetSession) -> int:
    """Return the source's wall clock minus the steady clock here, as well as it is known."""
    return session.wall_offset_ns + (session.clock_offset_ns or 0)
