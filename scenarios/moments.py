"""Instants of a run, as a time of day (`10:30`) or a duration after the start; and dates."""

import datetime as dt
import re
from dataclasses import dataclass

from scenarios.grammar import QuantityError
from scenarios.quantities import DAY_NS, DURATION, HOUR_NS, MINUTE_NS, SECOND_NS
from scenarios.wording import quoted

TIME_OF_DAY_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
MOMENT_PATTERN = rf"({TIME_OF_DAY_PATTERN})|({DURATION.pattern})"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_LOOSE_CLOCK = re.compile(
    r"([0-9]{1,2})[:.h]([0-9]{2})(?:[:.]([0-9]{2}))?\s*(am|pm)?", re.IGNORECASE
)
_CLOCK_HINT = "write a time of day on the 24-hour clock, such as '10:30' or '10:30:15'"


def parse_time_of_day(read: object) -> int:
    """Reads `10:30` or `10:30:15` as nanoseconds after midnight.

    Raises:
        QuantityError: not a time of day between 00:00 and 23:59:59.
    """
    text = read.strip() if isinstance(read, str) else str(read)
    match = _CLOCK.fullmatch(text) if isinstance(read, str) else None
    if match is None:
        raise QuantityError(f"{quoted(read)} is not a time of day", _clock_hint(text))
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise QuantityError(f"{quoted(read)} is not on the clock", _CLOCK_HINT)
    return hour * HOUR_NS + minute * MINUTE_NS + second * SECOND_NS


def _clock_hint(text: str) -> str:
    loose = _LOOSE_CLOCK.fullmatch(text.strip())
    if loose is None:
        return _CLOCK_HINT
    hour = int(loose[1])
    if loose[4]:
        hour = hour % 12 + (12 if loose[4].lower() == "pm" else 0)
    seconds = f":{loose[3]}" if loose[3] else ""
    candidate = f"{hour:02}:{loose[2]}{seconds}"
    return f"write '{candidate}'" if re.match(TIME_OF_DAY_PATTERN, candidate) else _CLOCK_HINT


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant of a run as written: on the clock, or after the start."""

    value_ns: int
    on_the_clock: bool

    def after_start_ns(self, start_ns: int) -> int:
        """Nanoseconds after the run's start; a time of day is its first occurrence in the run.

        Args:
            start_ns: the run's start in nanoseconds after midnight.
        """
        if not self.on_the_clock:
            return self.value_ns
        return (self.value_ns - start_ns) % DAY_NS


def parse_moment(read: object) -> Moment:
    """Reads a time of day inside the run, or a duration after its start.

    Raises:
        QuantityError: neither of the two.
    """
    if isinstance(read, str) and re.match(r"\s*[0-9]+:", read):
        return Moment(parse_time_of_day(read), on_the_clock=True)
    if isinstance(read, float) and read >= 0:
        hint = f"{_clock_hint(f'{read:.2f}')}, or a duration after the start such as '30 min'"
        raise QuantityError(f"{quoted(read)} is neither a time of day nor a duration", hint)
    return Moment(DURATION.parse(read), on_the_clock=False)


def parse_date(read: object) -> dt.date:
    """Reads `2007-06-04`.

    Raises:
        QuantityError: not a date of the calendar in this form.
    """
    hint = "write year-month-day, such as '2007-06-04'"
    if isinstance(read, dt.date):
        return read
    if not isinstance(read, str) or re.fullmatch(DATE_PATTERN, read.strip()) is None:
        raise QuantityError(f"{quoted(read)} is not a date", hint)
    try:
        date = dt.date.fromisoformat(read.strip())
    except ValueError:
        raise QuantityError(f"{quoted(read)} is not in the calendar", hint) from None
    if not 1970 <= date.year <= 2100:
        raise QuantityError(f"{quoted(read)} is out of range", "write a year from 1970 to 2100")
    return date
