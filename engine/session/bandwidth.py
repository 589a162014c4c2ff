"""The bandwidth limit: a token bucket whose rate follows a schedule, in integers throughout.

Which rule holds is a question for the source's wall clock, how much flowed since is one for its
steady clock. So a step of the wall clock changes the rule from that moment on, and never gives or
takes tokens for time that did not pass.

Promised: in any stretch of time no more is sent than the rates of its rules allow, plus one burst
and one batch (whose size is known only when it is compressed). A limit makes batches small enough
that the line stays shared fairly.
"""

from engine.basics.settings import SECOND_NS, BandwidthRule

DAY_NS = 24 * 3600 * SECOND_NS
#: 1970-01-01 was a Thursday; Monday is day 0.
_WEEKDAY_OF_EPOCH = 3
#: How much of a rule's rate may be saved up, and how large a batch may be under it. Assumption.
BURST_NS = SECOND_NS // 4
#: Whatever the rate: smaller batches would be mostly frames.
BATCH_BYTES_MIN = 16 << 10


class BandwidthLimit:
    """Says when the next batch may go.

    Args:
        rules: The schedule; the first rule that fits holds, without one there is no limit.
    """

    def __init__(self, rules: tuple[BandwidthRule, ...]) -> None:
        self._rules = rules
        #: Tokens in units of a byte-nanosecond per second: an integer whatever the rate.
        self._level = 0
        self._filled_at_ns: int | None = None

    def rule_at(self, wall_ns: int) -> BandwidthRule | None:
        """Return the rule that holds at a time of the wall clock, None for no limit."""
        day, time_ns = divmod(wall_ns, DAY_NS)
        weekday = 1 << (day + _WEEKDAY_OF_EPOCH) % 7
        for rule in self._rules:
            if rule.weekdays & weekday and rule.from_ns <= time_ns < rule.until_ns:
                return rule
        return None

    def batch_bytes_max(self, wall_ns: int, batch_bytes_max: int) -> int:
        """Return how large a batch may be now."""
        if (rule := self.rule_at(wall_ns)) is None:
            return batch_bytes_max
        return min(batch_bytes_max, max(_burst(rule) // SECOND_NS, BATCH_BYTES_MIN))

    def free_at_ns(self, now_ns: int, wall_offset_ns: int) -> int:
        """Return when something may be sent: `now_ns` itself, or a later time to ask again."""
        if not self._rules:
            return now_ns
        self._fill(now_ns, wall_offset_ns)
        wall_ns = now_ns + wall_offset_ns
        if (rule := self.rule_at(wall_ns)) is None or self._level > 0:
            return now_ns
        changes_at_ns = self._next_change(wall_ns) - wall_offset_ns
        if not rule.bytes_per_s:
            return changes_at_ns
        return min(changes_at_ns, now_ns + -self._level // rule.bytes_per_s + 1)

    def spend(self, sent_bytes: int) -> None:
        """Take what was sent from the bucket, which may go into debt."""
        if self._rules:
            self._level -= sent_bytes * SECOND_NS

    def _fill(self, now_ns: int, wall_offset_ns: int) -> None:
        """Add what the rules have allowed since the last time, rule by rule."""
        time_ns, self._filled_at_ns = self._filled_at_ns, now_ns
        if time_ns is None:
            rule = self.rule_at(now_ns + wall_offset_ns)
            self._level = _burst(rule) if rule else 0
            return
        # A week has every rule; what lies further back cannot matter but for the burst.
        time_ns = max(time_ns, now_ns - 8 * DAY_NS)
        while time_ns < now_ns:
            wall_ns = time_ns + wall_offset_ns
            until_ns = min(now_ns, self._next_change(wall_ns) - wall_offset_ns)
            rule = self.rule_at(wall_ns)
            if rule is None:
                self._level = max(self._level, 0)  # no limit: every debt is paid
            else:
                filled = self._level + (until_ns - time_ns) * rule.bytes_per_s
                self._level = min(filled, _burst(rule))
            time_ns = until_ns

    def _next_change(self, wall_ns: int) -> int:
        """Return the first time after `wall_ns` at which another rule may hold."""
        day, time_ns = divmod(wall_ns, DAY_NS)
        edges = [edge for rule in self._rules for edge in (rule.from_ns, rule.until_ns)]
        return day * DAY_NS + min((edge for edge in edges if edge > time_ns), default=DAY_NS)


def _burst(rule: BandwidthRule) -> int:
    return rule.bytes_per_s * BURST_NS
