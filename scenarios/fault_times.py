"""When a fault comes: at an instant, in a window, at a rate, when something becomes true.

What is drawn is drawn from random streams of the fault's own; this module says from which stretch
of the run. All stretches are in nanoseconds after the run's start.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from scenarios.conditions import When
from scenarios.fields import At, Interval, Name, Pulse, Share, Strict, refusal, setting, spoken
from scenarios.grammar import NUMBER, QuantityError
from scenarios.moments import Moment, parse_moment
from scenarios.phases import Span
from scenarios.quantities import DAY_NS, DURATION, HOUR_NS, MINUTE_NS, SECOND_NS
from scenarios.wording import quoted

COUNT_MAX = 1_000
"""A fault comes at most that often in one run."""

_RATE = re.compile(rf"\s*({NUMBER})\s*(?:per|an|a|/)\s*(\S.*?)\s*")
_PER = {"day": DAY_NS, "hour": HOUR_NS, "minute": MINUTE_NS}
_UNITS = "|".join((*_PER, *DURATION.units))
RATE_PATTERN = rf"^{NUMBER} *(per|an|a|/) *({_UNITS}|{DURATION.pattern[1:-1]})$"
WINDOW_PATTERN = r"^[0-9].*\S *- *[0-9].*$"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the run as written: `10:00-11:00`, or `10 min - 20 min` after its start."""

    start: Moment
    end: Moment
    text: str

    def span(self, start_of_day_ns: int) -> Span:
        """Where it lies; a run that starts inside a window of the clock is in it at once."""
        start_ns = self.start.after_start_ns(start_of_day_ns)
        end_ns = self.end.after_start_ns(start_of_day_ns)
        return Span(start_ns if start_ns < end_ns else 0, end_ns)


@dataclass(frozen=True, slots=True)
class FaultRate:
    """How often a fault comes in the mean: `count` times in `per_ns`."""

    count: Fraction
    per_ns: int
    text: str

    @property
    def interval_ns(self) -> Fraction:
        """The mean time from one to the next."""
        return self.per_ns / self.count


def parse_window(read: object) -> Window:
    """Reads `10:00-11:00` or `10 min - 20 min`.

    Raises:
        QuantityError: not two instants of one kind in order.
    """
    hint = "write for example '10:00-11:00', or '10 min - 20 min' after the start"
    parts = read.split("-") if isinstance(read, str) else []
    if len(parts) != 2:
        raise QuantityError(f"{quoted(read)} is not a window of time", hint)
    start, end = (parse_moment(part.strip()) for part in parts)
    if start.on_the_clock != end.on_the_clock:
        raise QuantityError(f"{quoted(read)} is a time of day and a duration", hint)
    if start.value_ns == end.value_ns or (not start.on_the_clock and end.value_ns < start.value_ns):
        raise QuantityError(f"{quoted(read)} does not end after it begins", hint)
    return Window(start, end, "-".join(" ".join(part.split()) for part in parts))


def parse_rate(read: object) -> FaultRate:
    """Reads `3 per day`, `0.5 per hour`, `2 per 90 min`.

    Raises:
        QuantityError: not a rate, none at all, or more than one a second.
    """
    hint = "write for example '3 per day', '0.5 per hour' or '2 per 90 min'"
    match = _RATE.fullmatch(read) if isinstance(read, str) and len(read) <= 200 else None
    if match is None:
        raise QuantityError(f"{quoted(read)} is not a rate of faults", hint)
    per_ns = _PER.get(match[2]) or DURATION.units.get(match[2]) or DURATION.parse(match[2])
    count = Fraction(match[1])
    if not count or not per_ns:
        raise QuantityError(f"{quoted(read)} is never, or always", hint)
    if per_ns / count < SECOND_NS:
        raise QuantityError(f"{quoted(read)} is more than one a second", hint)
    return FaultRate(count, per_ns, f"{match[1]} per {match[2]}")


Within = Annotated[
    Window,
    PlainValidator(spoken(parse_window)),
    PlainSerializer(lambda window: window.text),
    WithJsonSchema({"type": "string", "pattern": WINDOW_PATTERN, "examples": ["10:00-11:00"]}),
]
PerTime = Annotated[
    FaultRate,
    PlainValidator(spoken(parse_rate)),
    PlainSerializer(lambda rate: rate.text),
    WithJsonSchema({"type": "string", "pattern": RATE_PATTERN, "examples": ["3 per day"]}),
]


class FaultTimes(Strict):
    """When a fault comes; exactly one of `at`, `within`, `rate` and `when`, or a phase alone."""

    at: At | None = Field(
        None,
        description="A time of day inside the run, or a duration after its start; with 'phase', "
        "after the start of the phase.",
        examples=["10:30"],
    )
    within: Within | None = Field(
        None,
        description="A stretch of the run: the fault comes once, at an instant drawn from it; "
        "beside 'rate' or 'when', it comes in this stretch only.",
        examples=["10:00-11:00"],
    )
    rate: PerTime | None = Field(
        None,
        description="How often it comes in the mean, at independent instants (Poisson); one that "
        "would come while the last still lasts is left out.",
        examples=["3 per day"],
    )
    when: When | None = Field(
        None,
        description="It comes when this becomes true of the run: backlog, backlog_age, pool, rpo, "
        "app_rpo, bookmarks or mode of a protection.",
        examples=["cdp.backlog > 1 GiB"],
    )
    phase: Name | None = Field(
        None,
        description="The phase of the run that it comes in, and is lifted at the end of; without "
        "another time, at an instant drawn from it.",
        examples=["chaos"],
    )
    limit: int | None = Field(
        None, description="How often it comes at most.", examples=[5], ge=1, le=COUNT_MAX
    )
    again_after_ns: Interval | None = Field(
        None,
        alias="again_after",
        description="How long after it came it may come again, when the condition holds; once only "
        "when left out.",
        examples=["30 min"],
    )
    look_every_ns: Pulse = setting(
        "1 s", key="look_every", description="Time from one look at the condition to the next."
    )
    probability: Share = setting(
        "100 %",
        key="probability",
        description="Chance that the fault happens at all; with 'rate', of each time.",
    )

    @model_validator(mode="after")
    def _check_one_time(self) -> Self:
        written = {
            "at": self.at,
            "within": self.within,
            "rate": self.rate,
            "when": self.when,
            "phase": self.phase,
            "limit": self.limit,
            "again_after": self.again_after_ns,
        }
        _check_times({key for key, value in written.items() if value is not None})
        return self

    @property
    def timing(self) -> str:
        """The time as written, for the report; empty for an instant."""
        parts = [] if self.rate is None else [self.rate.text]
        parts += [] if self.when is None else [f"when {self.when.text}"]
        parts += [] if self.within is None else [f"within {self.within.text}"]
        parts += [] if self.phase is None else [f"in phase {self.phase}"]
        return "" if self.at is not None else ", ".join(parts)

    @property
    def count_max(self) -> int:
        """How often it comes at most."""
        is_repeated = self.rate is not None or self.again_after_ns is not None
        return (self.limit or COUNT_MAX) if is_repeated else 1

    def span(self, start_of_day_ns: int, duration_ns: int, phases: Mapping[str, Span]) -> Span:
        """The stretch of the run in which it may come; empty when it never can.

        Args:
            start_of_day_ns: the run's start in nanoseconds after midnight.
            duration_ns: the run's length.
            phases: the run's phases; `phase` is one of them.
        """
        run = Span(0, duration_ns)
        phase = run if self.phase is None else phases[self.phase].within(run)
        if self.at is not None:
            after_ns = self.at.after_start_ns(start_of_day_ns)
            at_ns = after_ns if self.at.on_the_clock else phase.start_ns + after_ns
            return Span(at_ns, at_ns + 1).within(phase)
        if self.within is None:
            return phase
        window = self.within.span(start_of_day_ns)
        if not self.within.start.on_the_clock:
            shift_ns = phase.start_ns
            window = Span(window.start_ns + shift_ns, window.end_ns + shift_ns)
        return window.within(phase)


_TIMES = ("at", "within", "rate", "when")


def _check_times(given: AbstractSet[str]) -> None:
    """Refuse two times, none, and keys that say something about another kind of time."""
    times = [key for key in _TIMES if key in given]
    if not times and "phase" not in given:
        hint = "add for example 'at: 10:30'; or 'within', 'rate', 'when' or 'phase'"
        raise refusal("the key 'at' is missing", hint)
    alone = [key for key in times if key != "within"]
    if len(alone) > 1 or {"at", "within"} <= given:
        message = f"both '{times[0]}' and '{times[-1]}' say when the fault comes"
        raise refusal(message, "keep one of them", at=times[-1])
    for key, owners in (("limit", ("rate", "again_after")), ("again_after", ("when",))):
        if key in given and given.isdisjoint(owners):
            needed = " or ".join(f"'{owner}'" for owner in owners)
            raise refusal(f"'{key}' says nothing without {needed}", "remove it", at=key)
