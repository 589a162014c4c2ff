"""Figures as people read them in messages: durations rounded, points in time exact."""

from engine.basics.settings import MILLISECOND_NS, SECOND_NS

_MICROSECOND_NS = 1_000
_MINUTE_NS = 60 * SECOND_NS
_HOUR_NS = 60 * _MINUTE_NS
_UNITS = ((SECOND_NS, "s"), (MILLISECOND_NS, "ms"), (_MICROSECOND_NS, "µs"))


def duration_text(duration_ns: int) -> str:
    """Return a duration in the unit that fits it, such as '4 s', '1.5 ms' or '2 h 5 min'.

    Three decimals at most below a minute, whole seconds below an hour, whole minutes above: what
    an operator compares with a setting. Rounded down, so that 'for 20 s' was never less.
    """
    if duration_ns < 0:
        return f"-{duration_text(-duration_ns)}"
    if duration_ns >= _HOUR_NS:
        return _two_units(duration_ns, _HOUR_NS, "h", _MINUTE_NS, "min")
    if duration_ns >= _MINUTE_NS:
        return _two_units(duration_ns, _MINUTE_NS, "min", SECOND_NS, "s")
    for unit_ns, unit in _UNITS:
        if duration_ns >= unit_ns:
            return f"{_decimal(duration_ns * 1_000 // unit_ns, 3)} {unit}"
    return f"{duration_ns} ns"


def time_text(time_ns: int) -> str:
    """Return a point in time in seconds, such as '12.345 s', with every digit that differs.

    Two different times never read alike: a message that compares them must make sense.
    """
    sign = "-" if time_ns < 0 else ""
    return f"{sign}{_decimal(abs(time_ns), 9)} s"


def _two_units(duration_ns: int, large_ns: int, large: str, small_ns: int, small: str) -> str:
    count, rest_ns = divmod(duration_ns, large_ns)
    text = f"{count} {large}"
    return f"{text} {rest_ns // small_ns} {small}" if rest_ns >= small_ns else text


def _decimal(number: int, places: int) -> str:
    """Return number / 10**places, without zeros at the end."""
    whole, fraction = divmod(number, 10**places)
    digits = f"{fraction:0{places}}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
