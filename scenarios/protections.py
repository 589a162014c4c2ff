"""How the mail is protected; in this version by continuous data protection."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SerializeAsAny, WrapValidator, model_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.copies import Copy, SomeCopies, check_titles
from scenarios.fields import (
    AT_LEAST_ONE,
    Duration,
    Interval,
    Name,
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


class Verify(Strict):
    """Points are opened all the time: what was never opened is not known to be good."""

    every_ns: Interval = setting(
        "10 min", key="every", description="How often an old point is drawn and opened."
    )


class Failover(Strict):
    """After a disaster the best copy is promoted under a new epoch, which fences the old server."""

    witness: Name = Field(
        description="The site of the machine that keeps the register of epochs.",
        examples=["recovery"],
    )


class ContinuousDataProtection(Strict):
    """Every write is captured in order, shipped, and kept in a journal."""

    kind: Literal["cdp"] = Field(description="The kind of protection.", examples=["cdp"])
    copies: Annotated[tuple[Copy, ...], SomeCopies, AfterValidator(check_titles)] = Field(
        description="The copies, local and remote; each is fed, kept and recovered from by itself.",
        examples=["[{site: recovery, retention: 48 h}]"],
        json_schema_extra=AT_LEAST_ONE,
    )
    bookmarks: Bookmarks | None = Field(
        None, description="Application-consistent points; none when left out."
    )
    verify: Verify | None = Field(
        None,
        description=(
            "Whether each copy opens its points in the background, with the mail server's own "
            "tools: the newest bookmark at once, and old points now and then."
        ),
    )
    failover: Failover | None = Field(
        None,
        description="How a copy becomes the primary after a disaster; by hand when left out.",
    )
    heartbeat_ns: Pulse = setting(
        "1 s", key="heartbeat", description="Time between signs of life when nothing is written."
    )
    pool_bytes: Size = setting(
        "64 MiB", key="pool", description="Memory for captured writes that are not yet safe."
    )
    overflow: Literal["push_back", "spill", "break"] = Field(
        "push_back",
        description=(
            "What happens when the pool is full: push_back lets the mail server's writes wait; "
            "spill keeps them in the spool and, when that is full, gives up their order until the "
            "line has caught up; break gives the protection up until both ends were compared "
            "(see 'resync')."
        ),
        examples=["spill"],
    )
    spool_bytes: Size = setting(
        "1 GiB", key="spool", description="Disk at the mail server for what the pool cannot hold."
    )
    resync: Literal["operator", "automatic", "hours"] = Field(
        "operator",
        description=(
            "When both ends are compared after the mail server's machine stopped without warning, "
            "or the protection broke off: on the operator's word (which no run gives), at once, or "
            "in the hours of 'resync_hours'."
        ),
    )
    resync_hours: tuple[Hours, ...] = Field(
        (), description="The hours in which both ends may be compared, where 'resync' is hours."
    )
    batch_linger_ns: Duration = setting(
        "200 ms", key="batch_linger", description="Longest wait of a write for its batch to fill."
    )
    recover: Literal["latest", "application"] = Field(
        "latest", description="The point that a disaster is recovered to."
    )

    @model_validator(mode="after")
    def _check_resync(self) -> Self:
        if (self.resync == "hours") != bool(self.resync_hours):
            hint = "write for example 'resync_hours: [{from: 22:00, to: 06:00}]'"
            at = "resync" if self.resync == "hours" else "resync_hours"
            raise refusal("'resync: hours' and 'resync_hours' belong together", hint, at=at)
        return self


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
