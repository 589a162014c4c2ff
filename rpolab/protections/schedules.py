"""The engine's weekly schedules, from hours as a scenario writes them.

The engine's wall clock in a run is the time since its start, which to the engine is a Thursday at
midnight. So the week is turned until the run's start lies there.
"""

from collections.abc import Iterable, Iterator

from engine import BandwidthRule, DailyHours
from scenarios import BandwidthHours, Hours

DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
THURSDAY_NS = 3 * DAY_NS
BITS_PER_BYTE = 8


def bandwidth_rules(written: Iterable[BandwidthHours], starts_ns: int) -> tuple[BandwidthRule, ...]:
    """Return the rules of a copy's bandwidth, in their order.

    Args:
        written: the scenario's.
        starts_ns: calendar time of the run's start, since 1970.
    """
    return tuple(
        BandwidthRule(weekdays, from_ns, until_ns, hours.at_most_bit_s // BITS_PER_BYTE)
        for hours in written
        for weekdays, from_ns, until_ns in _turned(hours, starts_ns)
    )


def daily_hours(written: Iterable[Hours], starts_ns: int) -> tuple[DailyHours, ...]:
    """Return hours for the engine; arguments as of `bandwidth_rules`."""
    return tuple(
        DailyHours(weekdays, from_ns, until_ns)
        for hours in written
        for weekdays, from_ns, until_ns in _turned(hours, starts_ns)
    )


def _turned(hours: Hours, starts_ns: int) -> Iterator[tuple[int, int, int]]:
    """Yield (weekdays, from, until), none over midnight, each time of the day once."""
    shift_ns = THURSDAY_NS - (starts_ns + THURSDAY_NS) % WEEK_NS
    weekdays: dict[tuple[int, int], int] = {}
    for day in range(7):
        if hours.days & 1 << day:
            begin_ns = (day * DAY_NS + hours.from_ns + shift_ns) % WEEK_NS
            for number, from_ns, until_ns in _cut(begin_ns, hours.length_ns):
                bits = weekdays.get((from_ns, until_ns), 0)
                weekdays[from_ns, until_ns] = bits | 1 << number
    for (from_ns, until_ns), bits in weekdays.items():
        yield bits, from_ns, until_ns


def _cut(begin_ns: int, length_ns: int) -> Iterator[tuple[int, int, int]]:
    """Yield the day, from and until of each part of hours that may go over midnight."""
    end_ns = begin_ns + length_ns
    while begin_ns < end_ns:
        day, from_ns = divmod(begin_ns, DAY_NS)
        until_ns = min(from_ns + end_ns - begin_ns, DAY_NS)
        yield day % 7, from_ns, until_ns
        begin_ns += until_ns - from_ns
