"""Continuous data protection: the engine in the simulated world, with bookmarks through VSS."""

from functools import partial

from engine import ResyncSettings
from engine.basics.errors import EngineError
from engine.contract.actions import CaptureModeChanged, HistoryRewound, Notice
from rpolab.laboratory.world import Laboratory
from rpolab.protections.base import ProtectedPoint
from rpolab.protections.bookmarks import BookmarkMaker
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.captures import Captures
from rpolab.protections.feeding import Feeding
from rpolab.protections.kept_copy import KeptCopy
from rpolab.protections.promises import health_settings
from rpolab.protections.promoting import Promoting
from rpolab.protections.scrubbing import Scrubbing
from rpolab.protections.session_settings import session_settings
from rpolab.protections.stages import Stages
from scenarios import ContinuousDataProtection
from scenarios import Copy as CopySettings
from sim.volume import Volume

SPOOL = "spool"


class Cdp:
    """One continuous data protection of the mail server.

    Args:
        name: its name in the scenario.
        spec: its settings.
        laboratory: the world it protects.
        resync: when both ends are compared after the mail server's machine stopped without
            warning; as the settings say where it is None.
    """

    kind = "cdp"

    def __init__(
        self,
        name: str,
        spec: ContinuousDataProtection,
        laboratory: Laboratory,
        *,
        resync: ResyncSettings | None = None,
    ) -> None:
        self.name = name
        self.spec = spec
        self._laboratory = laboratory
        self._resync = resync
        spool = self._add_spool()
        self._captures = Captures(spec, laboratory.streams.stream(f"{name}:incarnation"), spool)
        self.captured = CaptureHost(laboratory.kernel, self._captures.first(), self, spool)
        self._feeding = Feeding(self.captured, laboratory)
        self.copies = tuple(self._make_copy(copy) for copy in spec.copies)
        #: What makes a copy the primary after a disaster; None where that is done by hand.
        self.promoting: Promoting | None = None
        if spec.failover is not None:
            group = self.captured.capture.group
            self.promoting = Promoting(laboratory, name, spec.failover.witness, group)
        self._are_scrubbed = False
        self._scrubbings = [
            Scrubbing(laboratory, copy, self._feeding.sister_of, spec.verify.every_ns)
            for copy in self.copies
            if spec.verify is not None
        ]
        self.bookmarks = BookmarkMaker(name, laboratory, self.captured, self._bookmark_made)
        laboratory.mail_host.on_power_on(self._restart_source)

    def start(self) -> None:
        """Attach the filters, open the journals and start the sessions."""
        for group in self._laboratory.groups:
            for label, volume in self._laboratory.protected_volumes(group).items():
                self.captured.protect(label, volume)
        self._feeding.begin(self.copies)

    def start_bookmarks(self) -> None:
        """Begin to make application-consistent points, once the mail server runs."""
        for copy in self.copies:
            if copy.target.verification is not None:
                copy.target.verification.start()
        if not self._are_scrubbed:
            self._are_scrubbed = True
            for scrubbing in self._scrubbings:
                scrubbing.start()
        if self.spec.bookmarks is not None:
            self.bookmarks.start(self.spec.bookmarks)

    @property
    def copy(self) -> KeptCopy:
        """The first copy."""
        return self.copies[0]

    def stages(self) -> Stages:
        """Return how far the stream has come now, towards the first copy."""
        return self.copy.stages()

    @property
    def errors(self) -> list[EngineError]:
        """Every failure that the engine told of, copy by copy."""
        return [error for copy in self.copies for _, _, error in copy.failures]

    # --- CaptureObserver ----------------------------------------------------------------------

    def capture_notice(self, notice: Notice) -> None:
        """Drop bookmarks that never left the host; all goes to the trace."""
        for copy in self.copies:
            copy.source_notice(notice)
            if isinstance(notice, HistoryRewound):
                copy.forget_tags(above=notice.sequence)
        if isinstance(notice, CaptureModeChanged):
            before, after = notice.before, notice.after
            self._laboratory.trace.record("cdp.mode", name=self.name, before=before, after=after)

    def captured_more(self) -> None:
        """Let the sessions ship what was captured."""
        self._feeding.ship()
        self.captured.disks.carry_out()

    # --- inside -------------------------------------------------------------------------------

    def _make_copy(self, copy: CopySettings) -> KeptCopy:
        """Make a copy; the only one goes by its protection's name."""
        is_only, laboratory = len(self.spec.copies) == 1, self._laboratory
        name = self.name if is_only else f"{self.name}@{copy.title}"
        return KeptCopy(
            name,
            self.name if is_only else f"{self.name}-{copy.title}",
            copy,
            self.captured,
            laboratory,
            session=session_settings(self.spec, copy, laboratory.clock.starts_ns, self._resync),
            bookmarks=self.spec.bookmarks,
            promises=health_settings(laboratory.scenario, self.name, copy, self.spec.bookmarks),
            verify=self.spec.verify,
            view=partial(self._feeding.view, name),
        )

    def _bookmark_made(self, sequence: int, point: ProtectedPoint) -> None:
        for copy in self.copies:
            copy.tag_made(sequence, point)

    def _restart_source(self) -> None:
        """Protect the mail server's machine anew: the old capture went with its memory."""
        self.bookmarks.forget_pending()
        self._feeding.restart(self._capture_anew)

    def _capture_anew(self) -> None:
        self.captured.begin_anew(*self._captures.after_a_stop(self.captured.live_files()))

    def _add_spool(self) -> Volume | None:
        """Return a volume for the spool at the mail server, None where nothing spills."""
        if self.spec.overflow != "spill":
            return None
        laboratory = self._laboratory
        site = laboratory.mail_host_site
        return laboratory.add_volume(f"{self.name}-{SPOOL}", laboratory.mail_host, site)
