"""How often and for how long the scenario's own limits of RPO were exceeded, in sentences."""

from collections.abc import Iterator

from reports.copies import Exceedance
from reports.durations import count_text, duration_text
from reports.model import ProtectionResult, Result

_METRICS = {"any": "rpo", "app": "app_rpo"}


def violation_sentences(result: Result, protection: ProtectionResult) -> Iterator[str]:
    """Yield a sentence for each of a scenario's limits that RPO(t) of a protection exceeded."""
    for item in protection.exceedances:
        if item.count and item.limit_s in _own_limits_s(result, protection, item):
            yield (
                f"{_METRICS[item.consistency]} was above {duration_text(item.limit_s)} "
                f"{_times_text(item.count)}, {duration_text(item.total_s)} in all "
                f"({item.share:.1%} of the time), {duration_text(item.longest_s)} the longest."
            )


def _own_limits_s(
    result: Result, protection: ProtectionResult, item: Exceedance
) -> set[float | None]:
    metric = f"{protection.name}.{_METRICS[item.consistency]}"
    return {found.limit for found in result.thresholds if found.metric == metric}


def _times_text(count: int) -> str:
    return "once" if count == 1 else count_text(count, "time")
