"""One copy of what is protected: its server and journal, and the session that feeds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine import Capture, HealthSettings, Journal, RecoveryPoints, SessionSettings, SourceSession
from engine.basics.errors import EngineError
from engine.contract.actions import (
    Action,
    DurableAdvanced,
    HistoryShortened,
    Notice,
    SessionFailed,
)
from engine.copies.fanout import CopyDetached
from reports import duration_text, size_text
from reports.records import SECOND_NS
from rpolab.laboratory.world import JOURNAL, Laboratory
from rpolab.protections.base import PointClass, PointUnavailable
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.copy_points import CopyPoints
from rpolab.protections.ese_checker import EseChecker
from rpolab.protections.health_watch import HealthWatch
from rpolab.protections.session_settings import journal_settings, retention_policy
from rpolab.protections.source_driver import SourceDriver
from rpolab.protections.stages import Stages
from rpolab.protections.target_driver import TargetDriver
from rpolab.protections.verification import Verification
from scenarios import Bookmarks, Verify
from scenarios import Copy as CopySettings
from sim.link import Endpoint

End = Literal["source", "target"]


@dataclass(slots=True)
class ReseedFigures:
    """One copy made from another: when it began and was level, and what went over the line."""

    sister: str
    began_ns: int
    level_ns: int | None = None
    bytes_shipped: int = 0


class KeptCopy(CopyPoints):
    """One copy.

    Args:
        name: what the trace calls it, which is its protection's name where that has one copy.
        role: what its machine and its volume are called.
        spec: its settings.
        captured: what is captured at the mail server.
        laboratory: the world.
        session: times and bounds of its sessions.
        bookmarks: how often one is due, None for no bookmarks.
        promises: what its health watches.
        verify: how its points are opened in the background, None where they are not.
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
        promises: HealthSettings,
        verify: Verify | None,
        view: Callable[[], Capture],
    ) -> None:
        super().__init__(name, laboratory)
        self.title = spec.title
        self.spec = spec
        self.copy_site = spec.site
        self.bookmark_interval_ns = None if bookmarks is None else bookmarks.every_ns
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
            journal_settings=journal_settings(spec),
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
        self.health = HealthWatch(self.source, self.target, promises)
        if verify is not None:
            self.target.verification = self._make_verification(verify)
        #: (instant, end, error) of every failure that the engine told of.
        self.failures: list[tuple[int, End, EngineError]] = []
        self.after_action: Callable[[End, Action], None] | None = None
        #: Whether it follows the capture; not while it is detached, or made anew.
        self.is_fed = True
        #: How long its promotion took, None where it was not promoted.
        self.promotion_ns: int | None = None
        #: (instant, what) each time that it was detached, and made anew.
        self.events: list[tuple[int, str]] = []

    # --- what is asked ------------------------------------------------------------------------

    @property
    def is_local(self) -> bool:
        """Whether it stands at the mail server's site, and is lost with it."""
        return self.copy_site == self._laboratory.mail_host_site

    @property
    def state(self) -> Literal["fed", "detached", "lost"]:
        """What has become of it."""
        if self.volume.lost:
            return "lost"
        return "fed" if self.is_fed else "detached"

    @property
    def journal(self) -> Journal:
        """The copy's journal; raises PointUnavailable while its server is down."""
        if self.target.session is None:
            failure = self.target.failure
            what = f"the copy of {self.name} at {self.copy_site} is down"
            if self.volume.lost:
                hint = "use another copy"
                raise PointUnavailable(
                    f"the copy of {self.name} was lost with {self.copy_site}", hint
                )
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

    # --- what happens -------------------------------------------------------------------------

    def detached(self, notice: CopyDetached) -> None:
        """Follow the capture no more; what it has stays usable."""
        self.source.crash()
        self.is_fed = False
        now_ns = self._kernel.now_ns
        text = (
            f"detached, {notice.behind_bytes} bytes behind; it will be brought level from a sister"
        )
        self.events.append((now_ns, text))
        self._laboratory.trace.record(
            "cdp.detached", name=self.name, sequence=notice.cursor.sequence
        )

    def reseeded(self, figures: ReseedFigures) -> None:
        """Note that it was made anew, and follows the capture again."""
        self.is_fed = True
        assert figures.level_ns is not None, "it is level"
        took = duration_text((figures.level_ns - figures.began_ns) / SECOND_NS)
        text = f"level with {figures.sister} again after {took}, {size_text(figures.bytes_shipped)}"
        self.events.append((figures.level_ns, text))

    def tell(self, text: str) -> None:
        """Tell the operator."""
        self.events.append((self._kernel.now_ns, text))

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
        if isinstance(notice, HistoryShortened):
            count = notice.points_given_up
            text = f"the history was shortened for want of space, by {count} points. {notice.hint}"
            self.events.append((self._kernel.now_ns, text))
        if isinstance(notice, DurableAdvanced):
            self.advanced(notice, self.health.newest_ns)
            sequence = notice.cursor.sequence
            self._laboratory.trace.record("cdp.durable", name=self.name, sequence=sequence)

    # --- inside -------------------------------------------------------------------------------

    def _make_verification(self, verify: Verify) -> Verification:
        laboratory = self._laboratory
        checker = EseChecker(lambda: laboratory.groups, self.labels, self.take_damage)
        return Verification(
            self._kernel,
            self.target.host,
            self.volume,
            checker=checker,
            draws=laboratory.streams.stream(f"{self.name}:verifier"),
            every_ns=verify.every_ns,
            told=self.health.looked,
        )

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
