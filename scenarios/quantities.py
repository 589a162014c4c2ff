"""Durations, sizes, rates, throughputs and shares as an operator writes them."""

import re
from fractions import Fraction

from scenarios.grammar import NUMBER, Grammar, QuantityError
from scenarios.wording import quoted

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
DURATION_NS_MAX = 100 * 365 * DAY_NS
SIZE_BYTES_MAX = 2**60
RATE_BIT_S_MAX = 10**15


def _spelled(meant: str, *spellings: str) -> dict[str, str]:
    return dict.fromkeys(spellings, meant)


_CALENDAR = "months and years have no fixed length: write days, such as '30 d'"

DURATION = Grammar(
    name="a duration",
    base="nanoseconds",
    example="15 min",
    units={
        "ns": 1,
        "us": 1_000,
        "\u00b5s": 1_000,
        "ms": MILLISECOND_NS,
        "s": SECOND_NS,
        "min": MINUTE_NS,
        "h": HOUR_NS,
        "d": DAY_NS,
    },
    corrections={
        **_spelled("ns", "nsec", "nanosecond", "nanoseconds"),
        **_spelled("us", "\u03bcs", "usec", "microsecond", "microseconds"),
        **_spelled("ms", "msec", "millisecond", "milliseconds"),
        **_spelled("s", "S", "sec", "secs", "second", "seconds"),
        **_spelled("min", "m", "M", "mins", "minute", "minutes"),
        **_spelled("h", "H", "hr", "hrs", "hour", "hours"),
        **_spelled("d", "D", "day", "days"),
        **_spelled("write days: one week is '7 d'", "w", "wk", "week", "weeks"),
        **_spelled(_CALENDAR, "mo", "month", "months", "y", "yr", "year", "years"),
    },
    largest=DURATION_NS_MAX,
    largest_text="100 years",
    compound=True,
    ambiguous=_spelled("could be a minute, a month or a metre", "m", "M"),
)

_SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "PiB": 2**50,
    "EiB": 2**60,
}
_SIZE_CORRECTIONS = {
    **_spelled("B", "b", "byte", "bytes", "Byte", "Bytes"),
    **_spelled("KiB", "K", "k", "KB", "Kb", "kb", "kib", "Ki"),
    **_spelled("MiB", "M", "m", "Mb", "mb", "mib", "Mi"),
    **_spelled("GiB", "G", "g", "Gb", "gb", "gib", "Gi"),
    **_spelled("TiB", "T", "t", "Tb", "tb", "tib", "Ti"),
}

SIZE = Grammar(
    name="a size",
    base="bytes",
    example="1 GiB",
    units=_SIZE_UNITS,
    corrections=_SIZE_CORRECTIONS,
    largest=SIZE_BYTES_MAX,
    largest_text="1 EiB",
)

_IN_BITS = "a link's rate is in bits: 8 bits to the byte, so '10 MB/s' is '80 Mbit/s'"

RATE = Grammar(
    name="a rate",
    base="bits a second",
    example="10 Mbit/s",
    units={
        "bit/s": 1,
        "kbit/s": 10**3,
        "Mbit/s": 10**6,
        "Gbit/s": 10**9,
        "Tbit/s": 10**12,
    },
    corrections={
        **_spelled("bit/s", "bps", "b/s", "bits/s", "bit"),
        **_spelled("kbit/s", "kbps", "Kbps", "kb/s", "Kb/s", "Kbit/s", "k", "K", "kbit"),
        **_spelled("Mbit/s", "Mbps", "mbps", "MBPS", "Mb/s", "mb/s", "mbit/s", "M", "Mbit"),
        **_spelled("Gbit/s", "Gbps", "gbps", "Gb/s", "gb/s", "gbit/s", "G", "Gbit"),
        **_spelled(_IN_BITS, *(f"{unit}/s" for unit in _SIZE_UNITS)),
    },
    largest=RATE_BIT_S_MAX,
    largest_text="1,000 Tbit/s",
)

THROUGHPUT = Grammar(
    name="a throughput",
    base="bytes a second",
    example="60 MiB/s",
    units={f"{unit}/s": worth for unit, worth in _SIZE_UNITS.items()},
    corrections={
        **{f"{wrong}/s": f"{unit}/s" for wrong, unit in _SIZE_CORRECTIONS.items()},
        **{unit: f"{unit}/s" for unit in _SIZE_UNITS},
        **_spelled("a disk's throughput is in bytes: write for example '60 MiB/s'", *RATE.units),
    },
    largest=SIZE_BYTES_MAX,
    largest_text="1 EiB a second",
)

_SHARE = re.compile(rf"({NUMBER})\s*%")
SHARE_PATTERN = rf"^{NUMBER} *%$"


def parse_share(read: object) -> Fraction:
    """Reads a percentage (`0.1 %`) as an exact share between 0 and 1.

    Raises:
        QuantityError: no percent sign, negative, more than 100 %, or not a number.
    """
    if isinstance(read, int | float) and not isinstance(read, bool):
        raise QuantityError(f"{quoted(read)} has no unit", "write a percentage such as '0.1 %'")
    if not isinstance(read, str):
        message = f"a percentage is expected, read {quoted(read)}"
        raise QuantityError(message, "write for example '0.1 %'")
    text = read.strip()
    if text.startswith(("-", "\u2212")):
        raise QuantityError(f"{quoted(text)} is negative", "write between '0 %' and '100 %'")
    match = _SHARE.fullmatch(text)
    if match is None:
        hint = f"write '{text} %'" if re.fullmatch(NUMBER, text) else "write for example '0.1 %'"
        raise QuantityError(f"{quoted(text)} is not a percentage", hint)
    share = Fraction(match[1]) / 100
    if share > 1:
        raise QuantityError(f"{quoted(text)} is more than 100 %", "write at most '100 %'")
    return share


def spell_duration(duration_ns: int) -> str:
    """Writes a duration exactly as the scenario language reads it: '1 h 30 min'."""
    assert duration_ns >= 0, duration_ns
    parts, rest = [], duration_ns
    for unit in ("d", "h", "min", "s", "ms", "us", "ns"):
        count, rest = divmod(rest, DURATION.units[unit])
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
