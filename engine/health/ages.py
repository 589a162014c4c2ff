"""For how long a rising age had which value: exact sums, percentiles in bounded memory.

An age grows by one nanosecond a nanosecond between events, so one rise passes every value between
its ends and stays one nanosecond at each. The time spent in the values of a bucket is therefore
the width of the bucket for each rise that crosses it, and what the ends of rises leave over. Both
cost O(1) per rise: crossings are counted as differences, summed up only when somebody asks.
"""

from array import array

#: About a millisecond: what no operator tells apart.
_UNIT_BITS = 20
#: So many buckets per power of two: a percentile is too high by less than 1 % (never too low).
_SHARE_BITS = 7


def _bucket_of(age_ns: int) -> int:
    units = age_ns >> _UNIT_BITS
    shift = max(0, units.bit_length() - _SHARE_BITS - 1)
    return (shift << _SHARE_BITS) + (units >> shift)


def _low_of(bucket: int) -> int:
    """Return the lowest age of a bucket; its end is the lowest of the next one."""
    shift = max(0, (bucket >> _SHARE_BITS) - 1)
    return (bucket - (shift << _SHARE_BITS)) << shift + _UNIT_BITS


class AgeHistogram:
    """The time spent at each age."""

    def __init__(self) -> None:
        self.total_ns = 0
        self._partial_ns = array("q", [0])
        self._crossings = array("q", [0])  # as differences: their running sum counts rises

    def rise(self, low_ns: int, high_ns: int) -> None:
        """Add one rise of the age from `low_ns` to `high_ns`."""
        assert 0 <= low_ns <= high_ns, "an age rises"
        first, last = _bucket_of(low_ns), _bucket_of(high_ns)
        self._reach(last)
        self.total_ns += high_ns - low_ns
        if first == last:
            self._partial_ns[first] += high_ns - low_ns
            return
        self._partial_ns[first] += _low_of(first + 1) - low_ns
        self._partial_ns[last] += high_ns - _low_of(last)
        self._crossings[first + 1] += 1
        self._crossings[last] -= 1

    def rest(self, duration_ns: int) -> None:
        """Add time at age zero: the newest point bears a time that has not come yet."""
        assert duration_ns >= 0, "time does not run backward"
        self.total_ns += duration_ns
        self._partial_ns[0] += duration_ns

    def quantile_ns(self, per_mille: int) -> int | None:
        """Return an age that was not exceeded for this share of the time, None without any time.

        It is the end of a bucket: never less than the exact quantile, and by 1 % more at most
        (a millisecond for the smallest).
        """
        assert 0 < per_mille <= 1_000, per_mille
        if not self.total_ns:
            return None
        wanted_ns, spent_ns, crossing = self.total_ns * per_mille, 0, 0
        for bucket, partial_ns in enumerate(self._partial_ns):
            crossing += self._crossings[bucket]
            end_ns = _low_of(bucket + 1)
            spent_ns += partial_ns + crossing * (end_ns - _low_of(bucket))
            if spent_ns * 1_000 >= wanted_ns:
                return end_ns
        raise AssertionError("all of the time was spent in some bucket")

    def _reach(self, bucket: int) -> None:
        if (missing := bucket + 1 - len(self._partial_ns)) > 0:
            self._partial_ns.extend([0] * missing)
            self._crossings.extend([0] * missing)
