"""The faults of a scenario: what breaks, and where; when, is in fault_times."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, SerializeAsAny, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from scenarios.fault_times import FaultTimes
from scenarios.fields import Duration, Name, PositiveDuration, Rate, Share, Throughput
from scenarios.hooks import Brought, settings_of
from scenarios.world import SitePair


class SiteLoss(FaultTimes):
    """A site is gone for good, with its hosts, disks and the mail on them."""

    kind: Literal["site_loss"]
    site: Name = Field(description="The site that is lost.", examples=["primary"])


class PowerCut(FaultTimes):
    """The hosts of a site lose power; the disks keep what was flushed."""

    kind: Literal["power_cut"]
    site: Name = Field(description="The site whose power is cut.", examples=["primary"])
    back_after_ns: PositiveDuration | None = Field(
        None,
        alias="back_after",
        description="When the power comes back; never when left out.",
        examples=["10 min"],
    )


class LinkFault(FaultTimes):
    """What strikes a link for a while."""

    between: SitePair = Field(
        description="The two sites of the link.", examples=["[primary, recovery]"]
    )
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it lasts.", examples=["20 min"]
    )


class LinkOutage(LinkFault):
    """A link carries nothing for a while."""

    kind: Literal["link_outage"]


class LinkOneWay(LinkFault):
    """A link carries nothing from one of its sites for a while; the other way all arrives."""

    kind: Literal["link_one_way"]
    blocked_from: Name = Field(
        description="The site from which nothing comes through.", examples=["recovery"]
    )


class LinkSlow(LinkFault):
    """A link has less bandwidth for a while."""

    kind: Literal["link_slow"]
    bandwidth_bit_s: Rate = Field(
        alias="bandwidth", description="Bits a second while it is slow.", examples=["1 Mbit/s"]
    )


class LinkLossy(LinkFault):
    """A link loses more packets for a while."""

    kind: Literal["link_lossy"]
    loss: Share = Field(description="Share of packets that are lost.", examples=["5 %"])


class LinkDelayed(LinkFault):
    """A link is a longer way for a while."""

    kind: Literal["link_delayed"]
    latency_ns: Duration = Field(
        alias="latency", description="One-way delay of a packet.", examples=["600 ms"]
    )


class VolumeFault(FaultTimes):
    """What strikes a volume."""

    site: Name = Field(description="The site of the volume.", examples=["primary"])
    volume: Literal["logs", "database", "journal"] = Field(
        description="Exchange's logs or databases, or the engine's journal.", examples=["logs"]
    )
    group: Name | None = Field(
        None,
        description="The storage group whose logs or databases these are; the first if left out.",
        examples=["SG2"],
    )


class LastingVolumeFault(VolumeFault):
    """What strikes a volume for a while."""

    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long it lasts.", examples=["30 s"]
    )


class DiskStall(LastingVolumeFault):
    """A volume answers nothing for a while."""

    kind: Literal["disk_stall"]


class DiskSlow(LastingVolumeFault):
    """A volume's disk moves fewer bytes a second for a while."""

    kind: Literal["disk_slow"]
    throughput_bytes_s: Throughput = Field(
        alias="throughput", description="Bytes a second while it is slow.", examples=["1 MiB/s"]
    )


class InputOutputErrors(LastingVolumeFault):
    """Every read, write and flush of a volume fails for a while."""

    kind: Literal["io_error"]


class DiskFull(VolumeFault):
    """A volume has no room left."""

    kind: Literal["disk_full"]
    duration_ns: PositiveDuration | None = Field(
        None,
        alias="duration",
        description="When there is room again; never when left out.",
        examples=["10 min"],
    )


class DiskLoss(VolumeFault):
    """A volume loses everything for good, while its machine runs on."""

    kind: Literal["disk_loss"]


class BitRot(VolumeFault):
    """One stored bit flips, unseen; each byte of the volume's files is equally likely."""

    kind: Literal["bit_rot"]


class LostWrite(VolumeFault):
    """The next write to a volume is acknowledged, and never reaches the medium."""

    kind: Literal["lost_write"]


class MisdirectedWrite(VolumeFault):
    """The next write to a volume lands at another place of its file, and is acknowledged."""

    kind: Literal["misdirected_write"]


class StaleSnapshot(VolumeFault):
    """A volume is put back to what it was some time before, and its machine started on that."""

    kind: Literal["stale_snapshot"]
    age_ns: PositiveDuration = Field(
        alias="age", description="How old what is restored is.", examples=["10 min"]
    )


class ServiceStop(FaultTimes):
    """The engine's service at one end is killed, and started again; the machine runs on."""

    kind: Literal["service_stop"]
    protection: Name = Field(description="The protection whose service it is.", examples=["cdp"])
    end: Literal["source", "copy"] = Field(
        description="At the mail server, or at the copy.", examples=["source"]
    )
    duration_ns: PositiveDuration = Field(
        alias="duration", description="When it is started again.", examples=["2 min"]
    )


class LostLog(FaultTimes):
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


class OwnFault(FaultTimes):
    """A fault that another package brings; its model adds the keys."""

    kind: str


KnownFault = (
    SiteLoss
    | PowerCut
    | LinkOutage
    | LinkOneWay
    | LinkSlow
    | LinkLossy
    | LinkDelayed
    | DiskStall
    | DiskSlow
    | DiskFull
    | DiskLoss
    | InputOutputErrors
    | BitRot
    | LostWrite
    | MisdirectedWrite
    | StaleSnapshot
    | ServiceStop
    | LostLog
)
FAULT_KINDS: tuple[str, ...] = tuple(
    get_args(member.model_fields["kind"].annotation)[0] for member in get_args(KnownFault)
)


def _known_or_own(read: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Lets the package that brings a kind answer for its keys."""
    if isinstance(read, dict) and "kind" in read and read["kind"] not in FAULT_KINDS:
        return settings_of(read, "fault", OwnFault, FAULT_KINDS)
    return handler(read)


AnyFault = KnownFault | OwnFault
if TYPE_CHECKING:
    Fault = AnyFault
else:
    Fault = SerializeAsAny[
        Annotated[
            Annotated[KnownFault, Field(discriminator="kind")],
            WrapValidator(_known_or_own),
            Brought("fault", OwnFault),
        ]
    ]
