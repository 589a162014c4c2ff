"""One copy of what is protected: its server and journal, and the session that feeds it."""

from collections.abc import Callable
from typing import Literal

from engine import Capture, Journal, RecoveryPoints, SessionSettings, SourceSession
from engine.basics.errors import EngineError
from engine.contract.actions import Action, DurableAdvanced, Notice, SessionFailed
from rpolab.protections.base import PointClass, PointUnavailable
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.copy_points import CopyPoints
from rpolab.protections.health_watch import HealthWatch
from rpolab.protections.session_settings import journal_settings, retention_policy
from rpolab.protections.source_driver import SourceDriver
from rpolab.protections.stages import Stages
from rpolab.protections.target_driver import TargetDriver
from rpolab.world import JOURNAL, Laboratory
from scenarios import Bookmarks
from scenarios import Copy as CopySettings
from sim.link import Endpoint

End = Literal["source", "target"]


class KeptCopy(CopyPoints):
    """One copy.

    Args:
        name: what the report calls it.
        role: what its machine and its volume are called.
        spec: its settings.
        captured: what is captured at the mail server.
        laboratory: the world.
        session: times and bounds of its sessions.
        bookmarks: how often one is due, None for no bookmarks.
        view: the capture as this copy's sessions are to see it.
    """

    def __init__(
        self,
        name: str,
        role: str,
        spec: CopySettings,
        captured: CaptureHost,
        laboratory: Laboratory,
        *,
        session: SessionSettings,
        bookmarks: Bookmarks | None,
        view: Callable[[], Capture],
    ) -> None:
        super().__init__(name, laboratory)
        self.spec = spec
        self.copy_site = spec.site
        self._kernel = laboratory.kernel
        host = laboratory.add_host(role, self.copy_site)
        self.volume = laboratory.add_volume(f"{role}-{JOURNAL}", host, self.copy_site)
        self._link = laboratory.link_between(laboratory.mail_host_site, self.copy_site)
        self.target = TargetDriver(
            self._kernel,
            host,
            self.volume,
            group=captured.capture.group,
            session_settings=session,
            journal_settings=journal_settings(),
            observer=self,
            retention=retention_policy(spec),
        )
        self.source = SourceDriver(
            captured,
            laboratory.mail_host,
            lambda: SourceSession(view(), session),
            self._dial,
            self,
        )
        #: What the engine says of its own health.
        self.health = HealthWatch(self.source, self.target, bookmarks)
        #: (instant, end, error) of every failure that the engine told of.
        self.failures: list[tuple[int, End, EngineError]] = []
        self.after_action: Callable[[End, Action], None] | None = None

    # --- what is asked ------------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """The copy's journal; raises PointUnavailable while its server is down."""
        if self.target.session is None:
            failure = self.target.failure
            what = f"the copy of {self.name} at {self.copy_site} is down"
            raise PointUnavailable(
                what if failure is None else f"{what}: {failure.message}",
                "bring its server up" if failure is None else failure.hint,
            )
        return self.target.session.journal

    def stages(self) -> Stages:
        """Return how far the stream has come now."""
        session, target = self.source.session, self.target.session
        journal = None if target is None else target.journal
        return Stages(
            captured=self.source.capture.newest.sequence,
            sent=0 if session is None else session.sent_sequence,
            received=0 if journal is None else journal.received.sequence,
            durable=0 if journal is None else journal.durable.sequence,
        )

    def reported_rpo_ns(self, consistency: PointClass) -> int | None:
        """Return the age of the newest durable point, as the engine publishes it."""
        now_ns = self._kernel.now_ns
        if consistency == "any" and self.target.session is not None:
            return RecoveryPoints(self.target.session.journal).reported_rpo_ns(now_ns)
        history = self.durable[consistency]
        return now_ns - history[-1][1] if history else None

    # --- EngineObserver -----------------------------------------------------------------------

    def source_acted(self, action: Action) -> None:
        """Let a test stop the source after this action."""
        if self.after_action is not None:
            self.after_action("source", action)

    def target_acted(self, action: Action) -> None:
        """Let a test stop the target after this action."""
        if self.after_action is not None:
            self.after_action("target", action)

    def source_notice(self, notice: Notice) -> None:
        """Keep errors, and let the health look."""
        self._note_failure("source", notice)
        self.health.noticed(notice)

    def target_notice(self, notice: Notice) -> None:
        """Keep the history of what is durable, and errors."""
        self._note_failure("target", notice)
        self.health.noticed(notice)
        if isinstance(notice, DurableAdvanced):
            self.advanced(notice, self.health.newest_ns)
            sequence = notice.cursor.sequence
            self._laboratory.trace.record("cdp.durable", name=self.name, sequence=sequence)

    # --- inside -------------------------------------------------------------------------------

    def _dial(self, stands: Callable[[Endpoint], None]) -> None:
        """Connect after one round trip; over a dead line or to a dead host nothing answers."""
        host = self._laboratory.mail_host
        host.call_after(2 * self._link.latency_ns, self._connect, stands)

    def _connect(self, stands: Callable[[Endpoint], None]) -> None:
        if not self._link.is_up or not self.target.host.up:
            return
        connection = self._link.connect(self._laboratory.mail_host, self.target.host)
        self.target.accept(connection.right)
        stands(connection.left)

    def _note_failure(self, end: End, notice: Notice) -> None:
        if isinstance(notice, SessionFailed):
            self.failures.append((self._kernel.now_ns, end, notice.error))
            self._laboratory.trace.record(
                "cdp.error", name=self.name, end=end, error=type(notice.error).__name__
            )
