"""What a scenario's thresholds promise of a copy, as the engine's health watches it."""

from engine import Consistency, HealthSettings
from scenarios import Bookmarks, Scenario
from scenarios import Copy as CopySettings

CLASS_OF_METRIC = {"rpo": Consistency.WRITE, "app_rpo": Consistency.APP}


def health_settings(
    scenario: Scenario, protection: str, copy: CopySettings, bookmarks: Bookmarks | None
) -> HealthSettings:
    """Return the promises of one copy.

    The strictest upper limit that a threshold sets on the protection's RPO, or on this copy's, is
    promised. The retention is not: its coverage says more than an alarm over the first write.

    Args:
        scenario: what to try.
        protection: the protection's name.
        copy: the copy.
        bookmarks: how often one is due, None for no bookmarks.
    """
    targets_ns: dict[Consistency, int] = {}
    for threshold in scenario.threshold_list():
        point_class = CLASS_OF_METRIC.get(threshold.metric)
        limit = threshold.expression.limit
        is_promise = threshold.protection in (protection, f"{protection}@{copy.title}")
        if (
            point_class is None
            or not is_promise
            or threshold.expression.operator not in ("<", "<=")
        ):
            continue
        targets_ns[point_class] = min(limit, targets_ns.get(point_class, limit))
    return HealthSettings(
        rpo_targets_ns={key: limit for key, limit in targets_ns.items() if limit > 0},
        bookmark_interval_ns=None if bookmarks is None else bookmarks.every_ns,
    )
