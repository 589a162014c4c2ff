"""Why a copy may not be promoted: what it knows itself, before the authority is asked."""

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    CopyInGap,
    CopyOutdated,
    EngineError,
    LeaseMissing,
    WitnessDisagrees,
)
from engine.basics.register import Register
from engine.failover.detector import Detector, Lease
from engine.journal.journal import Journal
from engine.points.recovery_points import RecoveryPoints


def base_for(journal: Journal, sequence: int | None) -> Cursor:
    """Return where a branch would begin: at a sequence, or at the newest point of all.

    Raises:
        CopyInGap: The newest state is asked for, and order is lost there.
        PointRefused: The sequence is no point of this journal.
    """
    points, newest, base = RecoveryPoints(journal), journal.durable.sequence, journal.manifest.base
    if newest == base.cursor.sequence and newest and sequence in (None, newest):
        return base.cursor  # a branch in which nothing was written yet
    if sequence is not None:
        return journal.standing_at(points.at_sequence(sequence).sequence).cursor
    if (gap := journal.index.gap_at(newest)) is not None:
        raise CopyInGap(f"Order is lost from sequence {gap.opened} on, the gap is still open")
    return journal.standing_at(points.latest().sequence).cursor


def refusal_of_register(
    register: Register, journal: Journal, holder: int, *, is_forced: bool
) -> EngineError | None:
    """Return why this copy is outdated, None where it is not.

    An epoch that was granted to this copy itself, and never taken up because the answer was lost,
    does not make it so.
    """
    newest, epoch = register.newest, journal.durable.epoch
    if newest is None or is_forced or newest.epoch <= epoch or newest.holder == holder:
        return None
    return CopyOutdated(
        f"This copy is of epoch {epoch}; epoch {newest.epoch} was given to copy {newest.holder}"
    )


def refusal_of_automatic(
    detector: Detector | None, lease: Lease | None, now_ns: int
) -> EngineError | None:
    """Return why no automatic failover may begin, None where it may."""
    if detector is None or not detector.is_silent(now_ns):
        return WitnessDisagrees("The source is not given up at this copy")
    if lease is None or not lease.holds(now_ns):
        return LeaseMissing("This copy does not hold the lease")
    return None
