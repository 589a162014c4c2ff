"""Hours of the week in calendar time: when a rule of the scenario holds, and when that changes.

Calendar time is nanoseconds since 1970, in the scenario's own time of day; that day was a Thursday.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TypeVar

from scenarios import Hours
from scenarios.hours import WEEKDAYS
from scenarios.quantities import DAY_NS

DAYS_PER_WEEK = 7
FIRST_WEEKDAY = 3
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

SomeHours = TypeVar("SomeHours", bound=Hours)


def calendar_ns(moment: dt.datetime) -> int:
    """Return a date and time without a zone as calendar time."""
    since = moment.replace(tzinfo=dt.UTC) - EPOCH
    return since // dt.timedelta(microseconds=1) * 1_000


def days_text(days: int) -> str:
    """Return days of the week as a scenario writes them."""
    return ", ".join(name for number, name in enumerate(WEEKDAYS) if days & 1 << number)


def weekday(calendar_ns: int) -> int:
    """Return the day of the week, Monday 0."""
    return (calendar_ns // DAY_NS + FIRST_WEEKDAY) % DAYS_PER_WEEK


def holds(hours: Hours, calendar_ns: int) -> bool:
    """Return whether the hours are now; those over midnight belong to the day they begin on."""
    clock_ns, today = calendar_ns % DAY_NS, weekday(calendar_ns)
    since_ns = (clock_ns - hours.from_ns) % DAY_NS
    begun = today if clock_ns >= hours.from_ns else (today - 1) % DAYS_PER_WEEK
    return since_ns < hours.length_ns and bool(hours.days & 1 << begun)


def first_of(rules: Sequence[SomeHours], calendar_ns: int) -> SomeHours | None:
    """Return the first rule that holds now, None where none does."""
    return next((rule for rule in rules if holds(rule, calendar_ns)), None)


def changes(rules: Iterable[Hours], start_ns: int, end_ns: int) -> list[int]:
    """Return the instants between two at which a rule may begin or end, ascending."""
    rules = tuple(rules)
    days = range(start_ns // DAY_NS, end_ns // DAY_NS + 1)
    found = {
        day * DAY_NS + (hours.from_ns + after_ns) % DAY_NS
        for day in days
        for hours in rules
        for after_ns in (0, hours.length_ns)
    }
    return sorted(at_ns for at_ns in found if start_ns < at_ns < end_ns)
