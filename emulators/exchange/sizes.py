"""How large a message is: a clipped lognormal with exactly the mean that the profile states.

Assumption: neither the lognormal nor its spread is sourced; only the mean is (exchange.md 5.3,
itself an assumption). The spread chosen puts the median near a third of the mean, as mail with a
few large attachments has it.
"""

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.streams import Stream

__all__ = ["MessageSizes"]

SIGMA = 1.5
BYTES_MIN = 1024
BYTES_MAX = 10 * 1024 * 1024

_NORMAL = NormalDist()
_UNIFORM_MIN = 2.0**-53
_BISECTIONS = 80


class MessageSizes:
    """Draws message sizes in bytes from a lognormal clipped to [bytes_min, bytes_max].

    `mean_bytes` is the mean *after* clipping, so the traffic of a profile is what it says.
    """

    def __init__(
        self,
        mean_bytes: int,
        *,
        sigma: float = SIGMA,
        bytes_min: int = BYTES_MIN,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        assert sigma > 0
        assert 0 < bytes_min < mean_bytes < bytes_max
        self.mean_bytes = mean_bytes
        self._sigma = sigma
        self._bytes_min = bytes_min
        self._bytes_max = bytes_max
        self._mu = self._location()

    def draw(self, stream: "Stream") -> int:
        """Return one size in bytes; one draw of the stream, whatever comes out."""
        # inv_cdf is undefined at 0, which random() may return.
        z = _NORMAL.inv_cdf(max(stream.random(), _UNIFORM_MIN))
        size = round(math.exp(self._mu + self._sigma * z))
        return min(max(size, self._bytes_min), self._bytes_max)

    def clipped_mean(self, mu: float) -> float:
        """Return the mean in bytes of exp(N(mu, sigma)) clipped to the limits."""
        sigma = self._sigma
        low = (math.log(self._bytes_min) - mu) / sigma
        high = (math.log(self._bytes_max) - mu) / sigma
        inside = math.exp(mu + sigma * sigma / 2) * (
            _NORMAL.cdf(high - sigma) - _NORMAL.cdf(low - sigma)
        )
        below = self._bytes_min * _NORMAL.cdf(low)
        above = self._bytes_max * (1 - _NORMAL.cdf(high))
        return inside + below + above

    def _location(self) -> float:
        """Find mu by bisection: the clipped mean rises with it."""
        low, high = math.log(self._bytes_min) - 5, math.log(self._bytes_max) + 5
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self.clipped_mean(middle) < self.mean_bytes:
                low = middle
            else:
                high = middle
        return (low + high) / 2
