"""The working day: what share of a day's mail falls into which hour.

Assumption (exchange.md 5.4: the true hourly shares of the 2007 calculator are not known): two
humps, one before and one after lunch, on a low base of night traffic; 80-90 % of the mail in the
ten hours from 08:00, and a busiest hour of 10-14 %.
"""

import math
from dataclasses import dataclass

__all__ = ["PARTS", "WORKING_DAY", "DayCurve", "two_humps"]

PARTS = 1_000_000
"""Shares are whole parts per million, so that they sum to exactly one."""

HOURS = 24


@dataclass(frozen=True, slots=True)
class DayCurve:
    """24 shares of a day in parts per million, hour 0 first; they sum to `PARTS`."""

    shares: tuple[int, ...]

    def __post_init__(self) -> None:
        assert len(self.shares) == HOURS
        assert all(share >= 0 for share in self.shares)
        assert sum(self.shares) == PARTS

    @property
    def peak_hour(self) -> int:
        """The busiest hour; the earliest of equals."""
        return self.shares.index(max(self.shares))

    def share(self, hour: int) -> float:
        """Return the share of the day's mail that falls into `hour`, 0 to 1."""
        return self.shares[hour] / PARTS


def two_humps(
    *,
    morning_peak_hour: float = 9.5,
    afternoon_peak_hour: float = 14.0,
    hump_width_h: float = 1.7,
    afternoon_height: float = 0.85,
    night_height: float = 0.06,
) -> DayCurve:
    """Return the curve of two bell-shaped humps on a constant base.

    Times are hours of the day and refer to the middle of an hour's slot; heights are relative
    to the morning hump. The rounding goes to the largest remainders, so the sum is exact.
    """
    weights = [
        night_height
        + _bell(hour, morning_peak_hour, hump_width_h)
        + afternoon_height * _bell(hour, afternoon_peak_hour, hump_width_h)
        for hour in range(HOURS)
    ]
    scale = PARTS / math.fsum(weights)
    exact = [weight * scale for weight in weights]
    shares = [math.floor(value) for value in exact]
    missing = PARTS - sum(shares)
    by_remainder = sorted(range(HOURS), key=lambda hour: (shares[hour] - exact[hour], hour))
    for hour in by_remainder[:missing]:
        shares[hour] += 1
    return DayCurve(tuple(shares))


def _bell(hour: int, peak: float, width: float) -> float:
    return math.exp(-(((hour - peak) / width) ** 2) / 2)


WORKING_DAY = two_humps()
