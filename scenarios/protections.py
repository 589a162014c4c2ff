"""How the mail is protected; in this version by continuous data protection."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.fields import (
    EXACTLY_ONE,
    Duration,
    Interval,
    Name,
    PositiveDuration,
    Pulse,
    Size,
    Strict,
    refusal,
    setting,
)
from scenarios.hooks import Brought, settings_of
from scenarios.hours import Hours

KINDS = ("cdp",)
KINDS_LATER = ("lcr", "ccr", "scr", "backup")


def _check_one_copy(read: object) -> object:
    if isinstance(read, tuple) and len(read) != 1:
        message = f"{len(read)} copies are written; this version keeps exactly one, remote"
        raise refusal(message, "write for example 'copies: [{site: recovery, retention: 48 h}]'")
    return read


class Copy(Strict):
    """Where the engine keeps its journal, and for how long."""

    site: Name = Field(description="The site of the copy.", examples=["recovery"])
    retention_ns: PositiveDuration = Field(
        alias="retention",
        description="How long every write is kept; of what is older, the newest bookmark alone.",
        examples=["48 h"],
    )


class Bookmarks(Strict):
    """Application-consistent points, made through VSS."""

    every_ns: Interval = Field(
        alias="every", description="Time from one bookmark to the next.", examples=["15 min"]
    )
    not_in: tuple[Hours, ...] = Field(
        (),
        description="Hours in which none is made, such as those of the nightly backup.",
        examples=["[{from: 02:00, to: 04:00}]"],
    )


class ContinuousDataProtection(Strict):
    """Every write is captured in order, shipped, and kept in a journal."""

    kind: Literal["cdp"] = Field(description="The kind of protection.", examples=["cdp"])
    copies: Annotated[tuple[Copy, ...], BeforeValidator(_check_one_copy)] = Field(
        description="The copies; exactly one, at another site, in this version.",
        examples=["[{site: recovery, retention: 48 h}]"],
        json_schema_extra=EXACTLY_ONE,
    )
    bookmarks: Bookmarks | None = Field(
        None, description="Application-consistent points; none when left out."
    )
    heartbeat_ns: Pulse = setting(
        "1 s", key="heartbeat", description="Time between signs of life when nothing is written."
    )
    pool_bytes: Size = setting(
        "64 MiB", key="pool", description="Memory for captured writes that are not yet safe."
    )
    overflow: Literal["push_back", "spill"] = Field(
        "push_back",
        description=(
            "What happens when the pool is full: push_back lets the mail server's writes wait; "
            "spill keeps them in the spool and, when that is full, gives up their order until the "
            "line has caught up."
        ),
        examples=["spill"],
    )
    spool_bytes: Size = setting(
        "1 GiB", key="spool", description="Disk at the mail server for what the pool cannot hold."
    )
    batch_linger_ns: Duration = setting(
        "200 ms", key="batch_linger", description="Longest wait of a write for its batch to fill."
    )
    recover: Literal["latest", "application"] = Field(
        "latest", description="The point that a disaster is recovered to."
    )


class OwnProtection(Strict):
    """A protection that another package brings; its model adds the keys."""

    kind: str
    recover: Literal["latest", "application"] = Field(
        "latest", description="The point that a disaster is recovered to."
    )

    @property
    def copies(self) -> tuple[Copy, ...]:
        """The copies that a journal is kept at: none that the language knows of."""
        return ()

    @property
    def bookmarks(self) -> None:
        """How often the engine makes application-consistent points: it makes none here."""
        return


def _check_kind(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Answers for the kind first, so that the keys of another kind are not all called unknown."""
    if isinstance(read, dict) and "kind" in read:
        kind = read["kind"]
        if isinstance(kind, str) and kind in KINDS_LATER:
            hint = f"write 'kind: {KINDS[0]}'"
            raise refusal(f"protection by {kind} is not yet in this version", hint, at="kind")
        if kind not in KINDS:
            return settings_of(read, "protection", OwnProtection, (*KINDS, *KINDS_LATER))
    return handler(read)


if TYPE_CHECKING:
    Protection = ContinuousDataProtection | OwnProtection
else:
    Protection = SerializeAsAny[
        Annotated[
            ContinuousDataProtection,
            WrapValidator(_check_kind),
            Brought("protection", OwnProtection),
        ]
    ]
