"""The date of an mbox separator line."""

import calendar
import re
from datetime import UTC, datetime

__all__ = ["InvalidDate", "separator_time_ns"]

NS_PER_S = 10**9
_YEAR_MIN, _YEAR_MAX = 1970, 2100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FORM = re.compile(
    r"(?P<weekday>[A-Za-z]{3}) +(?P<month>[A-Za-z]{3}) +(?P<day>\d{1,2})"
    r" +(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?: +(?:(?P<zone>[+-]\d{4})|[A-Z]{1,5}))? +(?P<year>\d{4})"
)


class InvalidDate(ValueError):  # noqa: N818 - it describes the text, the caller makes the error
    """The text has the form of a separator's date, but there is no such date."""


def separator_time_ns(text: str) -> int:
    """Return the time of an asctime-like date in nanoseconds since 1970-01-01 UTC.

    A numeric zone is applied. A zone's name is not: the time is then read as UTC, as it is where
    there is no zone. The weekday is not checked against the date.

    Raises:
        InvalidDate: the form is wrong, or there is no such day, time, or plausible year.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidDate(f"'{text}' is not a date like 'Fri Jun  1 00:04:24 2007'")
    month = match["month"].lower()
    if month not in _MONTHS:
        raise InvalidDate(f"there is no month '{match['month']}' in the date '{text}'")
    year = int(match["year"])
    if not _YEAR_MIN <= year <= _YEAR_MAX:
        raise InvalidDate(f"the year of '{text}' is not between {_YEAR_MIN} and {_YEAR_MAX}")
    try:
        moment = datetime(
            year,
            _MONTHS.index(month) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"] or 0),
            tzinfo=UTC,
        )
    except ValueError as error:
        raise InvalidDate(f"there is no such time as '{text}': {error}") from error
    return (calendar.timegm(moment.timetuple()) - _zone_s(match["zone"])) * NS_PER_S


def _zone_s(zone: str | None) -> int:
    """Return how many seconds a zone such as '+0200' is ahead of UTC."""
    if zone is None:
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
    return -seconds if zone[0] == "-" else seconds
