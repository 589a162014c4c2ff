"""What a scenario runs in: Exchange, its mail, the sites and the links between them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from scenarios.fields import (
    EXACTLY_ONE,
    Capacity,
    Duration,
    Name,
    Rate,
    Share,
    Strict,
    Throughput,
    one_of,
    refusal,
    setting,
)
from scenarios.mail import Profile

VERSIONS_LATER = (2003,)
MAILBOXES_MAX = 100_000


def _check_version(read: object) -> object:
    if read in VERSIONS_LATER and not isinstance(read, bool):
        raise refusal(f"Exchange {read} is not yet in this version", "write 'version: 2007'")
    if isinstance(read, bool) or read != 2007:
        raise one_of(read, ("2007",), "versions")
    return read


def _check_one_group(read: object) -> object:
    if isinstance(read, tuple) and len(read) != 1:
        message = f"{len(read)} storage groups are written; this version runs exactly one"
        raise refusal(message, "describe one storage group with one database")
    return read


def _check_one_database(read: object) -> object:
    if isinstance(read, tuple) and len(read) != 1:
        message = f"{len(read)} databases are written; this version runs one per storage group"
        raise refusal(message, "name one database, such as 'databases: [MDB1]'")
    return read


class StorageGroup(Strict):
    """A storage group: the unit that shares one series of transaction logs."""

    name: Name = Field(description="Name of the storage group.", examples=["SG1"])
    databases: Annotated[tuple[Name, ...], BeforeValidator(_check_one_database)] = Field(
        description="Names of its databases; exactly one in this version.",
        examples=["[MDB1]"],
        json_schema_extra=EXACTLY_ONE,
    )
    mailboxes: int = Field(
        description="Number of mailboxes in the storage group.",
        examples=[250],
        ge=1,
        le=MAILBOXES_MAX,
    )
    profile: Profile = Field(
        "average",
        description="How much mail each mailbox sends and receives in a day: a name, or figures "
        "such as '{sent: 25, received: 100, size: 60 KiB}'.",
    )


class Exchange(Strict):
    """The mail server that is protected."""

    version: Annotated[Literal[2007], BeforeValidator(_check_version)] = Field(
        description="Exchange version; 2007 in this version of the laboratory.", examples=[2007]
    )
    site: Name = Field("primary", description="The site where the mail server stands.")
    storage_groups: Annotated[tuple[StorageGroup, ...], BeforeValidator(_check_one_group)] = Field(
        description="The storage groups; exactly one in this version.",
        examples=["[{name: SG1, databases: [MDB1], mailboxes: 250, profile: heavy}]"],
        json_schema_extra=EXACTLY_ONE,
    )


class Disk(Strict):
    """The disks of a site, as one queue.

    The defaults are assumptions: a small array of 2007 that streams 60 MiB/s at 8 ms a request.
    """

    throughput_bytes_s: Throughput = setting(
        "60 MiB/s", key="throughput", description="Bytes that the disk moves in a second."
    )
    latency_ns: Duration = setting(
        "8 ms", key="latency", description="Time of one request before its first byte."
    )


def _empty_for_nothing(read: object) -> object:
    return {} if read is None else read


class Site(Strict):
    """A place with hosts and disks; `name: {}` is a site with everything assumed."""

    disk: Disk = Field(default_factory=lambda: Disk.model_validate({}), description="Its disks.")
    capacity_bytes: Capacity = setting(
        "1 TiB", key="capacity", description="Room on each volume of the site (an assumption)."
    )


SiteOrNothing = Annotated[Site, BeforeValidator(_empty_for_nothing)]


def _check_pair(read: Any) -> Any:
    if isinstance(read, tuple):
        if len(read) != 2:
            message = f"a link is between two sites, read {len(read)}"
            raise refusal(message, "write for example 'between: [primary, recovery]'")
        if read[0] == read[1]:
            raise refusal(f"a link from '{read[0]}' to itself", "name two different sites")
    return read


SitePair = Annotated[tuple[Name, Name], BeforeValidator(_check_pair)]


class Link(Strict):
    """A full-duplex link between two sites."""

    between: SitePair = Field(
        description="The two sites it connects.", examples=["[primary, recovery]"]
    )
    bandwidth_bit_s: Rate = Field(
        alias="bandwidth", description="Bits a second, each way.", examples=["10 Mbit/s"]
    )
    latency_ns: Duration = Field(
        alias="latency", description="One-way delay of a packet.", examples=["20 ms"]
    )
    jitter_ns: Duration = setting(
        "0 ms", key="jitter", description="Largest random addition to the delay."
    )
    loss: Share = setting("0 %", key="loss", description="Share of packets that are lost.")

    def connects(self, one: str, other: str) -> bool:
        """Whether the link is between these two sites, in either order."""
        return {one, other} == set(self.between)
