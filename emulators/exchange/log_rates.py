"""From counted transaction logs to mail: an hour-of-day curve and how often users send.

The model (all of it an assumption, as nothing in the file says what the logs hold):

* An interval's logs are spread evenly over it; an hour's rate is all logs that fall into that hour
  of the day by all time observed in it. Days are not told apart. Hours never observed get the
  shape of the assumed working day, at the level of the observed hours.
* Every log is full, 1 MiB (exchange.md F1). Logs that an idle server closes early (exchange.md
  1.3) count like full ones, so that a server with four logs an hour or fewer has less mail.
* All log is mail, and what users do with it (`user_actions`). A message that is sent makes
  `SENT.bytes_per_byte` bytes of log for each of its own, as it is saved while it is written, and
  `SENT.bytes_more` beyond; one that is received likewise. The figures are measured of the emulated
  store and its users, whose amplification is calibrated to that of the sizing table (exchange.md
  5.3). So the run's log stream, which is what a protection must carry, follows the file. Logs that
  the run's own bookmarks close early come on top.
"""

import datetime as dt
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from emulators.ese.formats.format import EXCHANGE_2007
from emulators.exchange.log_stats import LogIntervals
from emulators.exchange.profiles import Profile
from emulators.exchange.working_day import HOURS, PARTS, WORKING_DAY, DayCurve

__all__ = ["LOG_BYTES", "RECEIVED", "SENT", "LogRates", "curve_of", "log_rates"]

LOG_BYTES = EXCHANGE_2007.log_bytes


class LogOfMessage(NamedTuple):
    """Log that a message makes: for each byte of its size, and beyond, in bytes."""

    bytes_per_byte: float
    bytes_more: int

    def of(self, size_bytes: float) -> float:
        """Return the log of a message of that size, in bytes."""
        return self.bytes_per_byte * size_bytes + self.bytes_more


SENT = LogOfMessage(8.2, 45_000)
RECEIVED = LogOfMessage(3.4, 13_000)
"""Straight lines through days of users who only send, or only receive, messages of 8, 50 and
100 KiB on average, which are within a twentieth of them. What a colleague receives is received."""

HOUR = dt.timedelta(hours=1)
_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class LogRates:
    """How much transaction log a database makes.

    `logs_per_day` is that of a whole day, `curve` its hours; `hours_unobserved` were assumed.
    """

    logs_per_day: float
    curve: DayCurve
    hours_unobserved: tuple[int, ...]

    def scale(self, profile: Profile, mailboxes: int) -> float:
        """Return how much more than the profile says the mailboxes must send and receive."""
        size_bytes = profile.message_bytes_mean
        sent, received = profile.sent_per_day, profile.received_per_day
        log_bytes = mailboxes * (sent * SENT.of(size_bytes) + received * RECEIVED.of(size_bytes))
        return self.logs_per_day * LOG_BYTES / log_bytes


def log_rates(intervals: LogIntervals) -> LogRates:
    """Return the rates by hour of the day that the intervals of a database say."""
    logs, observed_s = _by_hour(intervals)
    rates = [
        logs[hour] * 3600 / observed_s[hour] if observed_s[hour] else None for hour in range(HOURS)
    ]
    level = _level(rates)
    filled = [
        level * WORKING_DAY.shares[hour] if rate is None else rate
        for hour, rate in enumerate(rates)
    ]
    unobserved = tuple(hour for hour, rate in enumerate(rates) if rate is None)
    return LogRates(float(sum(filled)), curve_of(filled), unobserved)


def curve_of(weights: list[Fraction]) -> DayCurve:
    """Return the curve with those 24 weights; the rounding goes to the largest remainders."""
    total = sum(weights)
    assert total > 0, "some hour has a share"
    exact = [weight * PARTS / total for weight in weights]
    shares = [math.floor(value) for value in exact]
    missing = PARTS - sum(shares)
    by_remainder = sorted(range(HOURS), key=lambda hour: (shares[hour] - exact[hour], hour))
    for hour in by_remainder[:missing]:
        shares[hour] += 1
    return DayCurve(tuple(shares))


def _by_hour(intervals: LogIntervals) -> tuple[list[Fraction], list[int]]:
    """Return logs, and seconds observed, of each hour of the day."""
    logs = [Fraction(0)] * HOURS
    observed_s = [0] * HOURS
    for earlier, later in intervals.pairs:
        made = later.generation - earlier.generation
        length_s = (later.time - earlier.time) // _SECOND
        begins = earlier.time
        while begins < later.time:
            ends = min(begins.replace(minute=0, second=0) + HOUR, later.time)
            part_s = (ends - begins) // _SECOND
            logs[begins.hour] += Fraction(made * part_s, length_s)
            observed_s[begins.hour] += part_s
            begins = ends
    return logs, observed_s


def _level(rates: list[Fraction | None]) -> Fraction:
    """Return logs an hour by part of the assumed day, over the hours observed."""
    known = [
        (rate, WORKING_DAY.shares[hour]) for hour, rate in enumerate(rates) if rate is not None
    ]
    return sum((rate for rate, _ in known), Fraction(0)) / sum(share for _, share in known)
