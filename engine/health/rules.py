"""Which alarms there are. Values that have no unit of their own are counts or per cent."""

from engine.health.alarms import Level, Rule, Severity
from engine.health.settings import HealthSettings

_WARNING, _CRITICAL = Severity.WARNING, Severity.CRITICAL
_RPO_HINT = "See the backlog and the link; enlarge the bandwidth, or promise what it can keep."
#: In per cent of the target: Acronis calls an RPO met below 1, critically missed above 4
#: (protection.md 5).
_RPO_LEVELS = (Level(_WARNING, 100, 90), Level(_CRITICAL, 400, 300))


def rules_of(settings: HealthSettings) -> list[Rule]:
    """Return all rules, in the order of reports."""
    return [
        *_rules_of_points(settings),
        *_rules_of_the_stream(settings),
        *_rules_of_what_is_kept(settings),
    ]


def _rules_of_points(settings: HealthSettings) -> list[Rule]:
    hour, quiet_ns = settings.point_age_max_ns, settings.quiet_ns
    lost = settings.bookmarks_lost_max
    return [
        Rule("rpo_any", "The RPO of any point is not met", _RPO_HINT, _RPO_LEVELS, 0, quiet_ns),
        Rule(
            "rpo_crash", "The RPO of tagged points is not met", _RPO_HINT, _RPO_LEVELS, 0, quiet_ns
        ),
        Rule(
            "rpo_app",
            "The RPO of application-consistent points is not met",
            "See the bookmarks: what refuses or revokes them, and how often they are made.",
            _RPO_LEVELS,
            0,
            quiet_ns,
        ),
        Rule(
            "no_point",
            "No crash-consistent point",
            "Check that the source runs, that its link is up, and that no gap is open.",
            (Level(_CRITICAL, hour, hour // 2),),
            0,
            quiet_ns,
        ),
        Rule(
            "bookmarks_lost",
            "Bookmarks are missing and will not come",
            "See the application's snapshot service and whether the capture refuses tags.",
            (Level(_WARNING, lost, 1),),
            0,
            quiet_ns,
        ),
        Rule(
            "gap",
            "Order is lost: nothing is a point until the gap is closed",
            "Wait for the drain or the resync; the points before the gap can be recovered.",
            (Level(_WARNING, 1, 1),),
            0,
            quiet_ns,
        ),
    ]


def _rules_of_the_stream(settings: HealthSettings) -> list[Rule]:
    quiet_ns, old_ns = settings.quiet_ns, settings.backlog_age_max_ns
    stuck_ns, error_ns = settings.backlog_stuck_ns, settings.clock_error_max_ns
    return [
        Rule(
            "halted",
            "The session has halted",
            "See the error and its hint: nothing is protected until somebody acts.",
            (Level(_CRITICAL, 1, 1),),
        ),
        Rule(
            "disconnected",
            "The source is not connected",
            "Check the link, and that the source runs; the session reconnects by itself.",
            (Level(_WARNING, settings.disconnected_max_ns, 1),),
            0,
            quiet_ns,
        ),
        Rule(
            "backlog",
            "The backlog at the source is old",
            "See when it will be drained; enlarge the bandwidth if it grows.",
            (Level(_WARNING, old_ns, old_ns // 2),),
            0,
            quiet_ns,
        ),
        Rule(
            "backlog_stuck",
            "The backlog at the source does not move",
            "Check the link, the bandwidth schedule, and the disk of the copy.",
            (Level(_CRITICAL, stuck_ns, stuck_ns // 2),),
            0,
            quiet_ns,
        ),
        Rule(
            "clock",
            "The clocks of both ends are compared badly: the RPO may be off by as much",
            "Check the link's delay, and how long ago the source was heard of.",
            (Level(_WARNING, error_ns, error_ns // 2),),
            0,
            quiet_ns,
        ),
    ]


def _rules_of_what_is_kept(settings: HealthSettings) -> list[Rule]:
    quiet_ns, full = settings.quiet_ns, settings.retention_space_percent
    stale_ns = settings.verified_age_max_ns
    nearly = (full + 100) // 2
    return [
        Rule(
            "retention_window",
            "The retention period is not met",
            "Enlarge the space of the journal, or promise a shorter window.",
            (Level(_WARNING, 1, 1),),
            0,
            quiet_ns,
        ),
        Rule(
            "retention_space",
            "The space for the journal runs out",
            "Enlarge it, or shorten the retention before the policy for a full journal does.",
            (Level(_WARNING, full, full - 5), Level(_CRITICAL, nearly, nearly - 5)),
            0,
            quiet_ns,
        ),
        Rule(
            "verification",
            "A point cannot be recovered",
            "Recover the point that is named instead; repair this journal from another copy.",
            (Level(_CRITICAL, 1, 1),),
        ),
        Rule(
            "verification_age",
            "No point was opened and found good for long",
            "See whether the verifier runs, and how long one check takes.",
            (Level(_WARNING, stale_ns, stale_ns // 2),),
            0,
            quiet_ns,
        ),
    ]
