"""When a resync may begin: at once, within some hours, or on the operator's word."""

from collections.abc import Iterator

from engine.basics.settings import SECOND_NS, DailyHours, ResyncSettings

_DAY_NS = 24 * 3600 * SECOND_NS
#: 1970-01-01 was a Thursday; Monday is day 0.
_WEEKDAY_OF_EPOCH = 3


def begins_at_ns(settings: ResyncSettings, wall_ns: int, *, is_ordered: bool) -> int | None:
    """Return when a resync that is needed may begin, by the wall clock: `wall_ns` for at once.

    None where nobody has allowed it.
    """
    if is_ordered or settings.policy == "automatic":
        return wall_ns
    if settings.policy == "operator":
        return None
    return min(start for hours in settings.hours for start in _starts(hours, wall_ns))


def _starts(hours: DailyHours, wall_ns: int) -> Iterator[int]:
    """Yield the moments from `wall_ns` on at which these hours hold or begin, for a week."""
    today = wall_ns // _DAY_NS
    for day in range(today, today + 8):
        if hours.weekdays & 1 << (day + _WEEKDAY_OF_EPOCH) % 7:
            midnight_ns = day * _DAY_NS
            if wall_ns < midnight_ns + hours.until_ns:
                yield max(wall_ns, midnight_ns + hours.from_ns)
