"""The health of one copy: follows its session, raises alarms, and makes the report.

    the copy's driver --observe after every event, notice, tick--> CopyHealth --> HealthEvents
                                                                       |
                                     Verifier --its results------------+--> Health (the report)

Fault model. What is followed here is lost with the process; a new CopyHealth finds the points
again in the journal, and begins its curves and counts anew. Promised: O(1) work per event and
memory that does not grow; no age is better than the journal's durable records allow (I8).
"""

from engine.basics import invariants
from engine.basics.figures import duration_text
from engine.contract.actions import ClockJumped, HistoryRewound, Notice, SessionFailed
from engine.formats.records import RecordType
from engine.health.alarms import AlarmBoard, Change, HealthEvent, Severity
from engine.health.checks import Outcome
from engine.health.report import (
    ClockFigures,
    Health,
    PointFigures,
    StandingAlarm,
    VerificationFigures,
)
from engine.health.retention import RetentionWatch
from engine.health.rules import rules_of
from engine.health.settings import HealthSettings
from engine.health.source import SourceHealth
from engine.health.stages import RpoBoard, Stage
from engine.health.state import CopyState
from engine.health.values import bad_detail, values_of
from engine.health.verifier import Verifier
from engine.points.recovery_points import Consistency, RecoveryPoints
from engine.session.target import TargetSession


class CopyHealth:
    """Follows one copy over all its sessions.

    Args:
        session: The copy's session now.
        now_ns: The driver's steady clock.
        settings: Promises and thresholds.
        source: The source's half where it is known here, as in a laboratory.
        verifier: The copy's verifier, which its driver steps.
    """

    def __init__(
        self,
        session: TargetSession,
        now_ns: int,
        settings: HealthSettings | None = None,
        *,
        source: SourceHealth | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self.settings = settings or HealthSettings()
        self.alarms = AlarmBoard(rules_of(self.settings))
        self._state = CopyState(session, now_ns, self.settings, source, verifier)
        self._due_ns = now_ns

    @property
    def board(self) -> RpoBoard:
        """Return the curves."""
        return self._state.board

    @property
    def retention(self) -> RetentionWatch:
        """Return what is told of the space."""
        return self._state.retention

    # --- what happens ---------------------------------------------------------------------------

    def attach(self, session: TargetSession, verifier: Verifier | None, now_ns: int) -> None:
        """Follow another session, as after a restart; curves and counts go on."""
        self._state.verifier = verifier
        self._state.attach(session, now_ns)

    def observe(self, now_ns: int) -> None:
        """Look at the session after it has handled an event."""
        self._state.observe(now_ns)

    def notice(self, notice: Notice, now_ns: int) -> list[HealthEvent]:
        """Take what a session of this group has told; return what an operator is told."""
        if isinstance(notice, ClockJumped):
            text = f"The {notice.clock} wall clock was stepped by {duration_text(notice.step_ns)}"
            hint = "Points by time may be off around this moment; see who sets that clock."
            return self._note(now_ns, "clock_jump", text, hint)
        if isinstance(notice, HistoryRewound):
            text = f"The source lost all after record {notice.sequence}: {notice.reason}"
            hint = "Bookmarks after it are no points; see why the spool failed."
            return self._note(now_ns, "history_rewound", text, hint)
        if isinstance(notice, SessionFailed) and notice.is_fatal:
            return self.alarms.look("halted", 1, notice.error.message, now_ns)
        return []

    def tick(self, now_ns: int) -> list[HealthEvent]:
        """Look at all values if it is time, at new checks at once; return what is to be told."""
        events = self._take_checks(now_ns)
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + self.settings.look_interval_ns
            self._state.observe(now_ns)
            for name, value, detail in values_of(self._state, now_ns):
                events += self.alarms.look(name, value, detail, now_ns)
        return events

    def due_ns(self) -> int:
        """Return when `tick` should be called at the latest."""
        return self._due_ns

    def _take_checks(self, now_ns: int) -> list[HealthEvent]:
        """Take the verifier's new results; each point that turned bad is told at once."""
        verifier, events = self._state.verifier, list[HealthEvent]()
        results = verifier.take_results() if verifier is not None else []
        self._state.observe_checks(now_ns)
        for result in results:
            if verifier is None or result.outcome is not Outcome.BAD or result.was_bad:
                continue
            detail = bad_detail(verifier, result)
            events += self.alarms.look("verification", 1, detail, now_ns) or self._note(
                now_ns,
                "verification",
                f"Another point cannot be recovered: {detail}",
                "Recover the point that is named instead; repair this journal from another copy.",
                Severity.CRITICAL,
            )
        return events

    def _note(
        self,
        now_ns: int,
        name: str,
        message: str,
        hint: str,
        severity: Severity = Severity.WARNING,
    ) -> list[HealthEvent]:
        """Tell of something that has happened and is over."""
        return self.alarms.tell(HealthEvent(now_ns, name, Change.NOTED, severity, message, hint))

    # --- the report -----------------------------------------------------------------------------

    def report(self, now_ns: int) -> Health:
        """Return everything, as of now."""
        state = self._state
        state.observe(now_ns)
        state.observe_checks(now_ns)
        rpo = state.board.figures(now_ns)
        durable_time_ns = state.session.journal.durable_time_ns
        if durable_time_ns is not None:
            invariants.reported_rpo_is_not_optimistic(
                rpo[Stage.RECEIVED, Consistency.WRITE].age_ns,
                now_ns + state.board.offset_ns,
                durable_time_ns,
            )
        points = self._points()
        return Health(
            at_ns=now_ns,
            severity=self.alarms.severity,
            rpo=rpo,
            rpo_targets_ns=self.settings.rpo_targets_ns,
            clock=ClockFigures(state.clock_error_ns(now_ns), state.clock_error_max_ns),
            points=points,
            bookmarks=state.bookmarks(now_ns),
            retention=state.retention.figures(points.oldest, points.newest[Consistency.WRITE]),
            verification=self._verification(),
            source=None if state.source is None else state.source.figures(now_ns),
            is_connected=state.is_connected,
            alarms=tuple(
                StandingAlarm(alarm.rule.name, alarm.severity, alarm.message, alarm.rule.hint)
                for alarm in self.alarms.standing()
            ),
            events=tuple(self.alarms.events),
        )

    def _points(self) -> PointFigures:
        state, journal = self._state, self._state.session.journal
        points = RecoveryPoints(journal)
        gaps = [gap for gap in journal.index.gaps if gap.opened <= journal.durable.sequence]
        return PointFigures(
            available={
                Consistency.CRASH: len(points.crash_points()),
                Consistency.APP: len(points.app_points()),
            },
            oldest=state.oldest(),
            newest=state.newest,
            gap_count=len(gaps),
            resync_count=sum(gap.kind == RecordType.RESYNC_BEGIN for gap in gaps),
            gap_open_sequence=None if state.gap is None else state.gap.opened,
        )

    def _verification(self) -> VerificationFigures | None:
        if (verifier := self._state.verifier) is None:
            return None
        checked = verifier.checked
        bad = tuple(result.point for result in checked.with_outcome(Outcome.BAD))
        newest_bad = max(bad, key=lambda point: point.sequence, default=None)
        return VerificationFigures(
            checks=dict(checked.counts),
            verified_until_ns=checked.newest_ns()[Consistency.WRITE],
            bad=bad,
            offered=None if newest_bad is None else verifier.next_older_good(newest_bad),
        )
