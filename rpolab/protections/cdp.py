"""Continuous data protection: the engine in the simulated world, with bookmarks through VSS."""

from engine import Capture, ResyncSettings
from engine.basics.errors import EngineError
from engine.contract.actions import CaptureModeChanged, HistoryRewound, Notice
from rpolab.protections.base import ProtectedPoint
from rpolab.protections.bookmarks import BookmarkMaker
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.captures import Captures
from rpolab.protections.kept_copy import KeptCopy
from rpolab.protections.session_settings import session_settings
from rpolab.protections.stages import Stages
from rpolab.world import Laboratory
from scenarios import ContinuousDataProtection
from sim.volume import Volume

SPOOL = "spool"


class Cdp:
    """One continuous data protection of the mail server.

    Args:
        name: its name in the scenario.
        spec: its settings.
        laboratory: the world it protects.
        resync: when both ends are compared after the mail server's machine stopped without warning.
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
        spool = self._add_spool()
        self._captures = Captures(spec, laboratory.streams.stream(f"{name}:incarnation"), spool)
        self.captured = CaptureHost(laboratory.kernel, self._captures.first(), self, spool)
        self.copy = KeptCopy(
            name,
            name,
            spec.copies[0],
            self.captured,
            laboratory,
            session=session_settings(spec, resync or ResyncSettings()),
            bookmarks=spec.bookmarks,
            view=self._view,
        )
        self.bookmarks = BookmarkMaker(name, laboratory, self.captured, self._bookmark_made)
        laboratory.mail_host.on_power_on(self._restart_source)

    def start(self) -> None:
        """Attach the filters, open the journal, start the session and the bookmarks."""
        for group in self._laboratory.groups:
            for label, volume in self._laboratory.protected_volumes(group).items():
                self.captured.protect(label, volume)
        self.copy.target.start()
        self.copy.source.start()

    def start_bookmarks(self) -> None:
        """Begin to make application-consistent points, once the mail server runs."""
        if self.spec.bookmarks is not None:
            self.bookmarks.start(self.spec.bookmarks)

    @property
    def copies(self) -> tuple[KeptCopy, ...]:
        """Its copies."""
        return (self.copy,)

    def stages(self) -> Stages:
        """Return how far the stream has come now."""
        return self.copy.stages()

    @property
    def errors(self) -> list[EngineError]:
        """Every failure that the engine told of."""
        return [error for _, _, error in self.copy.failures]

    # --- CaptureObserver ----------------------------------------------------------------------

    def capture_notice(self, notice: Notice) -> None:
        """Drop bookmarks that never left the host; all goes to the trace."""
        self.copy.source_notice(notice)
        if isinstance(notice, HistoryRewound):
            self.copy.forget_tags(above=notice.sequence)
        if isinstance(notice, CaptureModeChanged):
            before, after = notice.before, notice.after
            self._laboratory.trace.record("cdp.mode", name=self.name, before=before, after=after)

    def captured_more(self) -> None:
        """Let the sessions ship what was captured."""
        self.copy.source.ship()
        self.captured.disks.carry_out()

    # --- inside -------------------------------------------------------------------------------

    def _view(self) -> Capture:
        return self.captured.capture

    def _bookmark_made(self, sequence: int, point: ProtectedPoint) -> None:
        self.copy.tag_made(sequence, point)

    def _restart_source(self) -> None:
        """Protect the mail server's machine anew: the old capture went with its memory."""
        # A bookmark that was not durable by then is given up: its number may come again.
        self.copy.forget_tags()
        self.bookmarks.forget_pending()
        source = self.copy.source
        source.crash()
        self.captured.begin_anew(*self._captures.after_a_stop(self.captured.live_files()))
        source.start()

    def _add_spool(self) -> Volume | None:
        """Return a volume for the spool at the mail server, None where nothing spills."""
        if self.spec.overflow != "spill":
            return None
        laboratory = self._laboratory
        site = laboratory.mail_host_site
        return laboratory.add_volume(f"{self.name}-{SPOOL}", laboratory.mail_host, site)
