"""Hours of the day on some days of the week, as schedules write them."""

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from scenarios.fields import Strict, TimeOfDay, refusal, setting
from scenarios.quantities import DAY_NS
from scenarios.wording import quoted

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = (1 << len(WEEKDAYS)) - 1
_DAY = "|".join(WEEKDAYS)
DAYS_PATTERN = rf"^(daily|({_DAY})(-({_DAY}))?(, ?({_DAY})(-({_DAY}))?)*)$"
_HINT = "write for example 'mon-fri', 'sat, sun' or 'daily'"


def parse_days(read: object) -> int:
    """Reads `mon-fri` or `sat, sun` as bits, Monday the lowest; `fri-mon` goes over the weekend.

    Raises:
        PydanticCustomError: not days of the week.
    """
    if not isinstance(read, str) or re.fullmatch(DAYS_PATTERN, read) is None:
        raise refusal(f"{quoted(read)} names no days of the week", _HINT)
    if read == "daily":
        return EVERY_DAY
    bits = 0
    for part in read.split(","):
        first, _, last = part.strip().partition("-")
        day, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        bits |= 1 << day
        while day != end:
            day = (day + 1) % len(WEEKDAYS)
            bits |= 1 << day
    return bits


Days = Annotated[
    int,
    BeforeValidator(parse_days),
    WithJsonSchema({"type": "string", "pattern": DAYS_PATTERN, "examples": ["mon-fri"]}),
]


class Hours(Strict):
    """From a time of the day to another, the end excluded; over midnight where it is earlier."""

    from_ns: TimeOfDay = Field(alias="from", description="When they begin.", examples=["08:00"])
    to_ns: TimeOfDay = setting(
        "00:00", key="to", description="When they end; 00:00 is the end of the day."
    )
    days: Days = setting("daily", key="days", description="On which days they begin.")

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.from_ns == self.to_ns and self.from_ns:
            raise refusal("these hours end when they begin", "write a later end", at="to")
        return self

    @property
    def length_ns(self) -> int:
        """How long they last; 00:00 to 00:00 is the whole day."""
        return (self.to_ns - self.from_ns) % DAY_NS or DAY_NS
