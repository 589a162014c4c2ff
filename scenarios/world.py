"""What a scenario runs in: Exchange, its mail, the sites and the links between them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from scenarios.fields import (
    AT_LEAST_ONE,
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
from scenarios.hours import Days, Hours
from scenarios.mail import Profile

VERSIONS = (2003, 2007)
EDITIONS = ("standard", "enterprise")
SERVICE_PACK_MAX = 3
MAILBOXES_MAX = 100_000


def _check_version(read: object) -> object:
    if not isinstance(read, int) or isinstance(read, bool) or read not in VERSIONS:
        raise one_of(read, tuple(str(version) for version in VERSIONS), "versions")
    return read


def _check_edition(read: object) -> object:
    if read not in EDITIONS:
        raise one_of(read, EDITIONS, "editions")
    return read


def _check_some_groups(read: object) -> object:
    if read == ():
        raise refusal("0 storage groups are written", "describe at least one storage group")
    return read


def _check_some_databases(read: object) -> object:
    if read == ():
        message = "0 databases are written"
        raise refusal(message, "name at least one database, such as 'databases: [MDB1]'")
    return read


class MailDays(Strict):
    """How much mail there is on some days of the week."""

    days: Days = Field(description="The days.", examples=["sat, sun"])
    mail: Share = Field(description="Share of a working day's mail.", examples=["10 %"])


class StorageGroup(Strict):
    """A storage group: the unit that shares one series of transaction logs."""

    name: Name = Field(description="Name of the storage group.", examples=["SG1"])
    databases: Annotated[tuple[Name, ...], BeforeValidator(_check_some_databases)] = Field(
        description="Names of its databases; as many as the edition allows.",
        examples=["[MDB1]", "[MDB1, MDB2]"],
        json_schema_extra=AT_LEAST_ONE,
    )
    mailboxes: int = Field(
        description="Number of mailboxes in the storage group, spread over its databases.",
        examples=[250],
        ge=1,
        le=MAILBOXES_MAX,
    )
    profile: Profile = Field(
        "average",
        description="How much mail each mailbox sends and receives in a day: a name, or figures "
        "such as '{sent: 25, received: 100, size: 60 KiB}'.",
    )
    mail_days: tuple[MailDays, ...] = Field(
        (),
        description="Days on which there is less mail than the profile says, such as the weekend; "
        "the first that holds counts.",
        examples=["[{days: 'sat, sun', mail: 10 %}]"],
    )
    circular_logging: bool = Field(
        False, description="Whether logs that no database requires are deleted at once."
    )


class Exchange(Strict):
    """The mail server that is protected."""

    version: Annotated[Literal[2003, 2007], BeforeValidator(_check_version)] = Field(
        description="Exchange version.", examples=[2007]
    )
    edition: Annotated[Literal["standard", "enterprise"], BeforeValidator(_check_edition)] = Field(
        "enterprise",
        description="Edition: how many storage groups and databases there may be, and how large.",
    )
    service_pack: int = Field(
        0,
        description="Service pack; that of 2003 Standard decides how large a database may be.",
        ge=0,
        le=SERVICE_PACK_MAX,
    )
    site: Name = Field("primary", description="The site where the mail server stands.")
    storage_groups: Annotated[tuple[StorageGroup, ...], BeforeValidator(_check_some_groups)] = (
        Field(
            description="The storage groups; as many as the edition allows.",
            examples=["[{name: SG1, databases: [MDB1], mailboxes: 250, profile: heavy}]"],
            json_schema_extra=AT_LEAST_ONE,
        )
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


class LinkHours(Hours):
    """Hours in which a link has another bandwidth."""

    bandwidth_bit_s: Rate = Field(
        alias="bandwidth", description="Bits a second, each way.", examples=["2 Mbit/s"]
    )


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
    schedule: tuple[LinkHours, ...] = Field(
        (),
        description="Another bandwidth in some hours; the first of them that holds counts.",
        examples=["[{from: 08:00, to: 18:00, days: mon-fri, bandwidth: 2 Mbit/s}]"],
    )

    def connects(self, one: str, other: str) -> bool:
        """Whether the link is between these two sites, in either order."""
        return {one, other} == set(self.between)
