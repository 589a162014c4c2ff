"""The report of one copy: all columns of MaxRep's health report (protection.md 1.6), and ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.basics.settings import SECOND_NS
from engine.health.alarms import HealthEvent, Severity
from engine.health.bookmarks import BookmarkFigures
from engine.health.checks import Outcome
from engine.health.rpo import RpoFigures
from engine.health.source import SourceFigures
from engine.health.stages import Stage
from engine.points.recovery_points import Consistency, RecoveryPoint

_HOUR_NS = 3_600 * SECOND_NS


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """How wrong the ages may be because two clocks were compared.

    Attributes:
        error_ns: The bound now, either way; None where they were never compared.
        error_max_ns: The worst bound so far.
    """

    error_ns: int | None
    error_max_ns: int | None


@dataclass(frozen=True, slots=True)
class PointFigures:
    """What can be recovered.

    Attributes:
        available: Points with a tag, by what they promise (MaxRep's 'available consistency
            points'); an application-consistent one counts under APP alone.
        oldest: The oldest point of any kind, None without any.
        newest: The newest point of each class.
        gap_count: Gaps in the stream, resyncs included.
        resync_count: How many of them were resyncs, where nobody knows what came when.
        gap_open_sequence: Where the gap that is open now began.
    """

    available: Mapping[Consistency, int]
    oldest: RecoveryPoint | None
    newest: Mapping[Consistency, RecoveryPoint | None]
    gap_count: int
    resync_count: int
    gap_open_sequence: int | None


@dataclass(frozen=True, slots=True)
class RetentionFigures:
    """How far back points reach, and how long the space will do.

    Attributes:
        window_ns: From the oldest point to the newest.
        promised_ns: What was promised, None for nothing.
        missing_ns: What the window lacks of the promise, though the protection is old enough.
        used_bytes: What the journal takes, None where nobody told.
        limit_bytes: What it may take, None for no limit.
        left_ns: When the limit is reached at the mean growth so far; None where it is not known.
        cut_count: How often the space limit has shortened the window (MaxRep's 'retention log
            reset').
    """

    window_ns: int
    promised_ns: int | None
    missing_ns: int
    used_bytes: int | None
    limit_bytes: int | None
    left_ns: int | None
    cut_count: int


@dataclass(frozen=True, slots=True)
class VerificationFigures:
    """What the verifier has found.

    Attributes:
        checks: How many checks ended how.
        verified_until_ns: Source time of the newest point that was opened and found good.
        bad: The points that were found bad, newest check last.
        offered: The newest point found good that is older than the newest bad one.
    """

    checks: Mapping[Outcome, int]
    verified_until_ns: int | None
    bad: tuple[RecoveryPoint, ...]
    offered: RecoveryPoint | None


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that is raised."""

    name: str
    severity: Severity
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Health:
    """How one copy fares.

    Attributes:
        at_ns: The driver's steady clock when this was made.
        severity: The worst alarm's.
        rpo: The nine curves.
        rpo_targets_ns: What was promised, by class.
        clock: How wrong the ages may be.
        points: What can be recovered.
        bookmarks: None where none are due.
        retention: How far back, and for how long.
        verification: None without a verifier.
        source: The other half, None where only the copy is known.
        is_connected: Whether records flow.
        alarms: Those that are raised, worst first.
        events: The newest, oldest first.
    """

    at_ns: int
    severity: Severity
    rpo: Mapping[tuple[Stage, Consistency], RpoFigures]
    rpo_targets_ns: Mapping[Consistency, int]
    clock: ClockFigures
    points: PointFigures
    bookmarks: BookmarkFigures | None
    retention: RetentionFigures
    verification: VerificationFigures | None
    source: SourceFigures | None
    is_connected: bool
    alarms: tuple[StandingAlarm, ...]
    events: tuple[HealthEvent, ...]

    def hours_rpo_not_met(
        self, point_class: Consistency, stage: Stage = Stage.RECEIVED
    ) -> Fraction:
        """Return MaxRep's 'hours RPO not met'; 0 without a promise."""
        return Fraction(self.rpo[stage, point_class].not_met_ns or 0, _HOUR_NS)

    def promised_age_ns(self, point_class: Consistency, stage: Stage) -> int | None:
        """Return the age that can be promised now: with the clocks' error, None if unbounded."""
        error_ns = self.clock.error_ns
        return None if error_ns is None else self.rpo[stage, point_class].age_ns + error_ns
