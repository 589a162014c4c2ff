"""The copies of what is protected: where each is, how it is fed, and what it keeps for how long."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WrapValidator, model_validator
from pydantic_core.core_schema import CoreSchema, ValidatorFunctionWrapHandler

from scenarios.fields import (
    Name,
    PositiveDuration,
    Rate,
    Size,
    Strict,
    refusal,
    setting,
)
from scenarios.grammar import QuantityError
from scenarios.hours import Hours
from scenarios.quantities import DAY_NS, DURATION, HOUR_NS, spell_duration

BEHIND_DEFAULT = "48 MiB"


class Retention(Strict):
    """Every write up to an age, then bookmarks, then one point an hour, then one a day."""

    every_write_ns: PositiveDuration = Field(
        alias="every_write", description="Up to this age every write is kept.", examples=["4 h"]
    )
    bookmarks_ns: PositiveDuration | None = Field(
        None, alias="bookmarks", description="Up to this age every bookmark is kept."
    )
    hourly_ns: PositiveDuration | None = Field(
        None, alias="hourly", description="Up to this age one point an hour is kept."
    )
    daily_ns: PositiveDuration | None = Field(
        None, alias="daily", description="Up to this age one point a day is kept."
    )
    space_bytes: Size | None = Field(
        None, alias="space", description="What the copy may take on its disk; any if left out."
    )
    when_full: Literal["purge_oldest", "coarsen_first"] = Field(
        "purge_oldest",
        description=(
            "What gives when the space is full: the oldest points, or the finer windows, which "
            "are halved until there is room."
        ),
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        before, name = self.every_write_ns, "every_write"
        for key, length_ns, _ in self.windows():
            if length_ns < before:
                message = f"'{key}' ends at an age of {spell_duration(length_ns)}, before '{name}'"
                raise refusal(message, f"write at least {spell_duration(before)}", at=key)
            before, name = length_ns, key
        return self

    def windows(self) -> list[tuple[str, int, int]]:
        """The coarser windows: the key, up to which age, one point in which time (0: bookmarks)."""
        written = (
            ("bookmarks", self.bookmarks_ns, 0),
            ("hourly", self.hourly_ns, HOUR_NS),
            ("daily", self.daily_ns, DAY_NS),
        )
        return [(key, age_ns, every_ns) for key, age_ns, every_ns in written if age_ns is not None]

    @property
    def reach_ns(self) -> int:
        """The age at which the last point leaves."""
        windows = self.windows()
        return windows[-1][1] if windows else self.every_write_ns


def _read_retention(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Takes the short form, a duration, for the window in which every write is kept."""
    if isinstance(read, dict | Retention):
        return handler(read)
    try:
        length_ns = DURATION.parse(read)
    except QuantityError as error:
        raise refusal(str(error), error.hint) from None
    if not length_ns:
        raise refusal("nothing would be kept", "write for example '48 h'")
    return handler({"every_write": read})


class _TwoForms:
    """Shows both forms of a retention to editors."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        short = {"type": "string", "pattern": DURATION.pattern, "examples": ["48 h"]}
        return {"anyOf": [short, handler(core_schema)]}


RetentionForms = Annotated[Retention, WrapValidator(_read_retention), _TwoForms()]


class BandwidthHours(Hours):
    """Hours in which a copy may take so much of the line, and no more."""

    at_most_bit_s: Rate = Field(
        alias="at_most", description="Bits a second that may be sent.", examples=["2 Mbit/s"]
    )


class Copy(Strict):
    """Where the engine keeps a journal, how it is fed, and for how long it keeps what."""

    name: Name | None = Field(
        None, description="What the report calls it; the site's name if left out."
    )
    site: Name = Field(
        description="The site of the copy; Exchange's own for a local one.", examples=["recovery"]
    )
    retention: RetentionForms = Field(
        description=(
            "How long every write is kept (of what is older, the newest bookmark alone), or an age "
            "for each kind of points."
        ),
        examples=["48 h", "{every_write: 4 h, bookmarks: 2 d, hourly: 7 d, daily: 30 d}"],
    )
    bandwidth: tuple[BandwidthHours, ...] = Field(
        (), description="What may be sent to this copy, by hours; the first that fit hold."
    )
    compression: bool = Field(True, description="Whether what is sent is compressed where it pays.")
    behind_bytes: Size = setting(
        BEHIND_DEFAULT,
        key="behind",
        description=(
            "How much this copy alone may hold back of the pool, where there are several; then "
            "it is detached, and later made anew from another."
        ),
    )

    @property
    def retention_ns(self) -> int:
        """The age at which the last point leaves."""
        return self.retention.reach_ns

    @property
    def title(self) -> str:
        """What the report calls it."""
        return self.name or self.site


def _check_some_copies(read: object) -> object:
    if isinstance(read, tuple) and not read:
        message = "0 copies are written"
        raise refusal(message, "write for example 'copies: [{site: recovery, retention: 48 h}]'")
    return read


def check_titles(copies: tuple[Copy, ...]) -> tuple[Copy, ...]:
    """Refuse two copies of one name."""
    seen: list[str] = []
    for copy in copies:
        if copy.title in seen:
            hint = "give each a name: '{name: near, site: ...}'"
            raise refusal(f"two copies are called '{copy.title}'", hint)
        seen.append(copy.title)
    return copies


SomeCopies = BeforeValidator(_check_some_copies)
