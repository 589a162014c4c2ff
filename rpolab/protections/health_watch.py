"""Follows what the engine says of its own health in simulation, for the report of the run.

It looks whenever either end has something to tell, and asks for no event of its own: a run is the
same with it and without. Between two such moments nothing changes but ages, which are exact, and
alarms, which are raised at the next one.
"""

from engine import (
    Consistency,
    CopyHealth,
    Health,
    HealthSettings,
    SourceHealth,
    SourceSession,
    TargetSession,
)
from engine.contract.actions import HistoryShortened, Notice
from engine.health.stages import Stage
from rpolab.protections.source_driver import SourceDriver
from rpolab.protections.target_driver import TargetDriver


class HealthWatch:
    """The health of one copy, over all its sessions.

    Args:
        source: the source's driver.
        target: the copy's driver.
        settings: what was promised.
    """

    def __init__(
        self, source: SourceDriver, target: TargetDriver, settings: HealthSettings
    ) -> None:
        self._source = source
        self._target = target
        self._settings = settings
        self._source_health = SourceHealth(source.capture, source.kernel.now_ns)
        self._source_session: SourceSession | None = None
        self._target_session: TargetSession | None = None
        self._health: CopyHealth | None = None
        self._disaster: Health | None = None
        #: (instant, bytes) of what waited at the source, whenever it was asked for.
        self.backlog: list[tuple[int, int]] = []

    def noticed(self, notice: Notice) -> None:
        """Look at both ends, now that one of them has told something."""
        now_ns = self._source.kernel.now_ns
        if (health := self._attached(now_ns)) is not None:
            self._source_health.observe(now_ns)
            health.observe(now_ns)
            if isinstance(notice, HistoryShortened):
                health.retention.cut()
            health.notice(notice, now_ns)
            health.tick(now_ns)

    def looked(self) -> None:
        """Look at what the verifier has found."""
        now_ns = self._source.kernel.now_ns
        if (health := self._attached(now_ns)) is not None:
            health.tick(now_ns)

    @property
    def newest_ns(self) -> int | None:
        """Return the source time of the newest durable point, outside of any gap."""
        if self._health is None:
            return None
        return self._health.board.curve(Stage.RECEIVED, Consistency.WRITE).newest_ns

    def note_backlog(self) -> None:
        """Note how much waits at the source now; not after a disaster, which has ended it."""
        if self._disaster is None:
            now_ns = self._source.kernel.now_ns
            figures = self._source.capture.figures(now_ns)
            self.backlog.append((now_ns, figures.pool_bytes + figures.spool_bytes))
            if self._health is not None and (space := self._target.space) is not None:
                self._health.retention.space(*space, now_ns)

    def note_disaster(self) -> None:
        """Keep the report of this instant: what comes later is no protection any more."""
        self._disaster = self._disaster or self.report()

    def forget_disaster(self) -> None:
        """Go on: the mail server has come back."""
        self._disaster = None

    def report(self) -> Health | None:
        """Return the report of the disaster, else that of now; None where the copy never ran."""
        if self._disaster is not None:
            return self._disaster
        now_ns = self._source.kernel.now_ns
        if (health := self._attached(now_ns)) is None:
            return None
        health.tick(now_ns)
        return health.report(now_ns)

    def _attached(self, now_ns: int) -> CopyHealth | None:
        """Return the health, following the sessions that run now; the last ones while none do."""
        source, target = self._source.session, self._target.session
        if source is not None and source is not self._source_session:
            self._source_session = source
            self._source_health.attach(source, now_ns)
        if target is not None and target is not self._target_session:
            self._target_session = target
            verification = self._target.verification
            verifier = None if verification is None else verification.verifier
            if self._health is None:
                self._health = CopyHealth(
                    target,
                    now_ns,
                    self._settings,
                    source=self._source_health,
                    verifier=verifier,
                )
            else:
                self._health.attach(target, verifier, now_ns)
        return self._health
