"""Alarms: raised once, told again only when they grow or shrink a level, cleared once.

A value is looked at from time to time. It must stay at or above a level for `hold_ns` before the
alarm says so, and below that level's `clear` for `quiet_ns` before it takes it back: between the
two a value may wander for ever and nobody hears of it. A value that nobody knows changes nothing.
An alarm that comes back soon after it was cleared was cleared too soon: it waits twice as long the
next time, up to `DAMPING_MAX` times, until it has been away for long.

    clear --at a level for hold_ns--> RAISED --at a higher one for hold_ns--> RAISED (worse)
      ^                                 |
      +--- below every clear, quiet_ns -+--- below the upper clear, quiet_ns --> EASED
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

#: How many events are kept. ASR shows those of 72 hours (protection.md 5); ours are rare.
EVENTS_MAX = 256
#: What `quiet_ns` may grow to, in multiples, while an alarm keeps coming back; it has been away for
#: long after so many of its waits. Assumptions.
DAMPING_MAX = 32
DAMPING_MEMORY = 8


class Severity(IntEnum):
    """How bad it is (protection.md 1.6: ASR's healthy, warning, critical)."""

    HEALTHY = 0
    WARNING = 1
    CRITICAL = 2


class Change(Enum):
    """What became of an alarm."""

    RAISED = "raised"
    EASED = "eased"
    CLEARED = "cleared"
    #: It has happened and is over: nothing stands.
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Level:
    """From `at` on it is this bad, until it falls below `clear`."""

    severity: Severity
    at: int
    clear: int

    def __post_init__(self) -> None:
        assert self.severity is not Severity.HEALTHY, "a level is above healthy"
        assert self.clear <= self.at, "an alarm that clears above its level would flap"


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alarm is raised.

    Attributes:
        name: Of the alarm, as monitoring systems know it; it never changes its meaning.
        says: What is the matter, for the operator, without the value.
        hint: What can be done.
        levels: Mildest first.
        hold_ns: For how long the value must be that bad.
        quiet_ns: For how long it must be good again.
    """

    name: str
    says: str
    hint: str
    levels: tuple[Level, ...]
    hold_ns: int = 0
    quiet_ns: int = 0

    def __post_init__(self) -> None:
        assert self.levels, f"{self.name}: a rule has a level"
        for lower, upper in zip(self.levels, self.levels[1:], strict=False):
            assert lower.severity < upper.severity, f"{self.name}: levels get worse"
            assert lower.at <= upper.at, f"{self.name}: levels get higher"
            assert lower.clear <= upper.clear, f"{self.name}: a worse level clears first"


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """One thing that an operator is told; `severity` is how bad it is from now on."""

    at_ns: int
    name: str
    change: Change
    severity: Severity
    message: str
    hint: str

    def __str__(self) -> str:
        hint = f" Hint: {self.hint}" if self.hint and self.change is not Change.CLEARED else ""
        return (
            f"[{self.severity.name.lower()}] {self.name} {self.change.value}: {self.message}.{hint}"
        )


class Alarm:
    """One rule and how bad it is."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.severity = Severity.HEALTHY
        #: The message of the newest event, '' while healthy.
        self.message = ""
        self._bad_since_ns: dict[Severity, int] = {}
        self._good_since_ns: dict[Severity, int] = {}
        self._damping = 1
        self._cleared_at_ns: int | None = None

    def look(self, value: int | None, detail: str, now_ns: int) -> HealthEvent | None:
        """Take the value of now; return what is to be told, if anything."""
        if value is None:
            return None
        after = self.severity
        for level in self.rule.levels:
            if level.severity > self.severity:
                if self._lasts(self._bad_since_ns, level, now_ns, is_so=value >= level.at):
                    after = max(after, level.severity)
            elif self._lasts(self._good_since_ns, level, now_ns, is_so=value < level.clear):
                after = min(after, self._below(level))
        if after == self.severity:
            return None
        return self._move(after, detail, now_ns)

    def _lasts(
        self, since_ns: dict[Severity, int], level: Level, now_ns: int, *, is_so: bool
    ) -> bool:
        """Tell whether something has been so for as long as the rule wants it to be."""
        if not is_so:
            since_ns.pop(level.severity, None)
            return False
        is_bad = since_ns is self._bad_since_ns
        wanted_ns = self.rule.hold_ns if is_bad else self.rule.quiet_ns * self._damping
        return now_ns - since_ns.setdefault(level.severity, now_ns) >= wanted_ns

    def _below(self, level: Level) -> Severity:
        lower = [other.severity for other in self.rule.levels if other.severity < level.severity]
        return max(lower, default=Severity.HEALTHY)

    def _move(self, after: Severity, detail: str, now_ns: int) -> HealthEvent:
        if after > self.severity:
            change = Change.RAISED
        else:
            change = Change.EASED if after else Change.CLEARED
        if not self.severity:
            self._damp(now_ns)
        if not after:
            self._cleared_at_ns = now_ns
        self.severity = after
        self._bad_since_ns.clear()
        self._good_since_ns.clear()
        if not after:
            detail = "no longer"
        message = f"{self.rule.says}: {detail}" if detail else self.rule.says
        self.message = message if after else ""
        return HealthEvent(now_ns, self.rule.name, change, after, message, self.rule.hint)

    def _damp(self, now_ns: int) -> None:
        """Wait longer before the next clearing if the last one did not hold."""
        if self._cleared_at_ns is None:
            return
        away_ns = now_ns - self._cleared_at_ns
        if away_ns > DAMPING_MEMORY * self._damping * self.rule.quiet_ns:
            self._damping = 1
        else:
            self._damping = min(2 * self._damping, DAMPING_MAX)


class AlarmBoard:
    """All alarms of a copy, and the newest events.

    Args:
        rules: One for each alarm, in the order in which reports list them.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._alarms = {rule.name: Alarm(rule) for rule in rules}
        assert len(self._alarms) == len(rules), "two rules have one name"
        #: The newest events, oldest first.
        self.events: deque[HealthEvent] = deque(maxlen=EVENTS_MAX)

    @property
    def severity(self) -> Severity:
        """Return how bad the worst alarm is."""
        return max((alarm.severity for alarm in self._alarms.values()), default=Severity.HEALTHY)

    def standing(self) -> list[Alarm]:
        """Return the alarms that are raised, worst first."""
        raised = [alarm for alarm in self._alarms.values() if alarm.severity]
        return sorted(raised, key=lambda alarm: -alarm.severity)

    def look(self, name: str, value: int | None, detail: str, now_ns: int) -> list[HealthEvent]:
        """Take the value of an alarm as it is now; return what is to be told."""
        event = self._alarms[name].look(value, detail, now_ns)
        return [] if event is None else self.tell(event)

    def tell(self, event: HealthEvent) -> list[HealthEvent]:
        """Keep an event that has happened."""
        self.events.append(event)
        return [event]
