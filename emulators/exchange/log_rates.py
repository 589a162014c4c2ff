"""From counted transaction logs to mail: an hour-of-day curve and how often users send.

The model (all of it an assumption, as nothing in the file says what the logs hold):

* An interval's logs are spread evenly over it; an hour's rate is all logs that fall into that hour
  of the day by all time observed in it. Days are not told apart. Hours never observed get the
  shape of the assumed working day, at the level of the observed hours.
* Every log is full, 1 MiB (exchange.md F1). Logs that an idle server closes early (exchange.md
  1.3) count like full ones, so that a server with four logs an hour or fewer has less mail.
* All log is mail. A delivery, in an Inbox or in Sent Items, makes log for the message's bytes and
  `LOG_OVERHEAD_BYTES` more: a figure measured of the emulated store, not of Exchange, whose logs
  hold several times the mail (exchange.md 5.3). So the run's log stream, which is what a protection
  must carry, follows the file; the number of messages is then higher than the real users' was.
  Logs that the run's own bookmarks close early come on top.
"""

import datetime as dt
import math
from dataclasses import dataclass
from fractions import Fraction

from emulators.ese.formats.format import EXCHANGE_2007
from emulators.exchange.log_stats import LogIntervals
from emulators.exchange.profiles import Profile
from emulators.exchange.working_day import HOURS, PARTS, WORKING_DAY, DayCurve

__all__ = ["LOG_BYTES", "LOG_OVERHEAD_BYTES", "LogRates", "curve_of", "log_rates"]

LOG_BYTES = EXCHANGE_2007.log_bytes
LOG_OVERHEAD_BYTES = 2_400
"""Log bytes of a delivery beyond the message's own, measured of the emulated store."""

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
        deliveries = mailboxes * (profile.sent_per_day + profile.received_per_day)
        log_bytes = deliveries * (profile.message_bytes_mean + LOG_OVERHEAD_BYTES)
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
