"""The faults of a scenario: what breaks, where, and when."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.fields import At, Name, PositiveDuration, Rate, Share, Strict, setting
from scenarios.hooks import Brought, settings_of
from scenarios.world import SitePair


class _Fault(Strict):
    at: At = Field(
        description="A time of day inside the run, or a duration after its start.",
        examples=["10:30"],
    )
    probability: Share = setting(
        "100 %", key="probability", description="Chance that the fault happens at all."
    )


class SiteLoss(_Fault):
    """A site is gone for good, with its hosts, disks and the mail on them."""

    kind: Literal["site_loss"]
    site: Name = Field(description="The site that is lost.", examples=["primary"])


class LinkOutage(_Fault):
    """A link carries nothing for a while."""

    kind: Literal["link_outage"]
    between: SitePair = Field(
        description="The two sites of the link.", examples=["[primary, recovery]"]
    )
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it is down.", examples=["20 min"]
    )


class LinkSlow(_Fault):
    """A link has less bandwidth for a while."""

    kind: Literal["link_slow"]
    between: SitePair = Field(
        description="The two sites of the link.", examples=["[primary, recovery]"]
    )
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it is slow.", examples=["20 min"]
    )
    bandwidth_bit_s: Rate = Field(
        alias="bandwidth", description="Bits a second while it is slow.", examples=["1 Mbit/s"]
    )


class PowerCut(_Fault):
    """The hosts of a site lose power; the disks keep what was flushed."""

    kind: Literal["power_cut"]
    site: Name = Field(description="The site whose power is cut.", examples=["primary"])


class _VolumeFault(_Fault):
    site: Name = Field(description="The site of the volume.", examples=["primary"])
    volume: Literal["logs", "database", "journal"] = Field(
        description="Exchange's logs or databases, or the engine's journal.", examples=["logs"]
    )
    group: Name | None = Field(
        None,
        description="The storage group whose logs or databases these are; the first if left out.",
        examples=["SG2"],
    )


class DiskStall(_VolumeFault):
    """A volume answers nothing for a while."""

    kind: Literal["disk_stall"]
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it stalls.", examples=["30 s"]
    )


class DiskFull(_VolumeFault):
    """A volume has no room left."""

    kind: Literal["disk_full"]


class LostLog(_Fault):
    """A log file that the recovery needs is missing from a protection's copy."""

    kind: Literal["lost_log"]
    protection: Name = Field(description="The protection that loses it.", examples=["cdp"])
    which: Literal["required", "current"] = Field(
        description="Which log: the oldest that a database's header requires, or the newest, "
        "which is still being written (E00.log).",
        examples=["required"],
    )
    group: Name | None = Field(
        None,
        description="The storage group whose log it is; the first if left out.",
        examples=["SG2"],
    )


class OwnFault(_Fault):
    """A fault that another package brings; its model adds the keys."""

    kind: str


KnownFault = Annotated[
    SiteLoss | LinkOutage | LinkSlow | PowerCut | DiskStall | DiskFull | LostLog,
    Field(discriminator="kind"),
]
FAULT_KINDS = (
    "site_loss",
    "link_outage",
    "link_slow",
    "power_cut",
    "disk_stall",
    "disk_full",
    "lost_log",
)


def _known_or_own(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Lets the package that brings a kind answer for its keys."""
    if isinstance(read, dict) and "kind" in read and read["kind"] not in FAULT_KINDS:
        return settings_of(read, "fault", OwnFault, FAULT_KINDS)
    return handler(read)


if TYPE_CHECKING:
    Fault = SiteLoss | LinkOutage | LinkSlow | PowerCut | DiskStall | DiskFull | LostLog | OwnFault
else:
    Fault = SerializeAsAny[
        Annotated[KnownFault, WrapValidator(_known_or_own), Brought("fault", OwnFault)]
    ]
