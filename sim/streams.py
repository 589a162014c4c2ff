"""Named random streams: the only module of the simulation that imports `random`.

Every component draws from a stream of its own, derived from the run's seed and the component's
name, so that switching one component's faults on shifts nobody else's draws (simulation.md 4).

A stream draws only through `random()` and `getrandbits()`, whose values are the same on every
supported Python; the distributions built on them are written out here for the same reason.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Stream", "Streams"]

T = TypeVar("T")


class Streams:
    """The family of random streams of one run.

    Args:
        seed: Any integer; the same seed gives the same streams, to the bit.
    """

    __slots__ = ("_streams", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Stream] = {}

    def stream(self, name: str) -> "Stream":
        """Return the stream of that name: the same object each time, in a run."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(_substream_seed(self.seed, name))
        return stream


class Stream:
    """One sequence of pseudo-random draws."""

    __slots__ = ("bits", "random")

    def __init__(self, seed: int) -> None:
        generator = random.Random(seed)  # noqa: S311 - a reproducible run, not a secret
        # The two primitives are kept as bound methods: a call through a wrapper costs double.
        self.random = generator.random
        self.bits = generator.getrandbits

    def uniform(self, low: float, high: float) -> float:
        """Return a float in [low, high)."""
        return low + (high - low) * self.random()

    def below(self, limit: int) -> int:
        """Return an integer in [0, limit), every one equally likely."""
        assert limit > 0, f"below({limit}): there is no integer to choose"
        width = (limit - 1).bit_length()
        if width == 0:
            return 0
        while True:
            value = self.bits(width)
            if value < limit:
                return value

    def exponential(self, mean: float) -> float:
        """Return a non-negative float, exponentially distributed with that mean."""
        return -mean * math.log(1.0 - self.random())

    def triangular(self, low: float, mode: float, high: float) -> float:
        """Return a float in [low, high], triangular with its peak at `mode`."""
        assert low <= mode <= high, f"triangular({low}, {mode}, {high}): not in order"
        draw = self.random()
        span = high - low
        if span == 0:
            return low
        if draw * span < mode - low:
            return low + math.sqrt(draw * span * (mode - low))
        return high - math.sqrt((1.0 - draw) * span * (high - mode))

    def choice(self, sequence: Sequence[T]) -> T:
        """Return one element of a non-empty sequence, every one equally likely."""
        return sequence[self.below(len(sequence))]

    def weighted_index(self, cumulative: Sequence[float]) -> int:
        """Return an index by weight.

        Args:
            cumulative: Running totals of the weights, never decreasing, the last one positive.
        """
        assert cumulative, "weighted_index(): no weights"
        assert cumulative[-1] > 0, "weighted_index(): the weights sum to nothing"
        index = bisect_right(cumulative, self.random() * cumulative[-1])
        return min(index, len(cumulative) - 1)

    def bytes(self, length: int) -> bytes:
        """Return that many random bytes."""
        return self.bits(8 * length).to_bytes(length, "little") if length else b""

    def chance(self, probability: float) -> bool:
        """Return True with that probability; draws exactly once even for 0 and 1."""
        return self.random() < probability


def _substream_seed(seed: int, name: str) -> int:
    """Derive a stream's seed from the run's seed and the stream's name."""
    digest = blake2b(f"{seed}\0{name}".encode(), digest_size=32).digest()
    return int.from_bytes(digest, "little")
