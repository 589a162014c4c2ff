"""Durations, sizes and counts for people: short, with a unit, never more exact than useful."""

# Unit, its seconds, the unit below it, that one's seconds, and the grain at which a value that
# is just short of the unit would be written: 23 h 59.9 min is a day.
_UNITS = (("d", 86_400, "h", 3_600, 60), ("h", 3_600, "min", 60, 1), ("min", 60, "s", 1, 1))


def duration_text(seconds: float) -> str:
    """A duration in at most two units: '1 h 12 min', '2.4 s', '35 ms', '0 s'.

    Two units are whole; a value that rounds up to the next unit is written in it.
    """
    if seconds < 0:
        return "-" + duration_text(-seconds)
    text = _below_a_minute(seconds) if seconds < 60 else None
    if text is not None:
        return text
    for unit, size_s, smaller, smaller_s, grain_s in _UNITS:
        if round(seconds / grain_s) * grain_s >= size_s:
            first, rest = divmod(round(seconds / smaller_s), size_s // smaller_s)
            return f"{first:,} {unit} {rest} {smaller}" if rest else f"{first:,} {unit}"
    return "1 min"


def exact_duration_text(seconds: float) -> str:
    """A duration to the millisecond, for comparing with a limit: '1 min 0.3 s', '1 h 0.002 s'."""
    if seconds < 0:
        return "-" + exact_duration_text(-seconds)
    milliseconds = round(seconds * 1_000)
    if milliseconds < 1_000:
        return duration_text(seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours:,} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    parts += [f"{rest / 1_000:g} s"] * (rest > 0)
    return " ".join(parts)


def _below_a_minute(seconds: float) -> str | None:
    if seconds == 0:
        return "0 s"
    for factor, unit, limit in ((1e9, "ns", 1e-6), (1e6, "us", 1e-3), (1e3, "ms", 1.0)):
        if seconds < limit:
            value = float(f"{seconds * factor:.3g}")
            if value < 1_000:
                return f"{value:g} {unit}"
    value = float(f"{seconds:.3g}")
    return f"{value:g} s" if value < 60 else None


def size_text(size_bytes: float) -> str:
    """A size in binary units: '3.4 MiB', '812 B'."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1_000 or unit == "TiB":
            return f"{value:,.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"
        value /= 1_024
    raise AssertionError("the last unit takes every size")


def count_text(count: int, one: str, many: str = "") -> str:
    """A number of things: '1 message', '1,204 messages'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def clock_text(seconds_of_day: float) -> str:
    """A time of day, with the second only where it is not zero: '10:30', '10:30:15'."""
    whole = int(seconds_of_day) % 86_400
    hour, minute, second = whole // 3_600, whole // 60 % 60, whole % 60
    return f"{hour:02}:{minute:02}:{second:02}" if second else f"{hour:02}:{minute:02}"
