"""What each edition of Exchange allows (exchange.md 5.1), and the refusal of what it does not.

Sourced: the counts of storage groups and databases of all four editions, one database per group
with continuous replication, 16 GB (RTM and SP1), 18 GB (SP2, by default) and 75 GB (SP2, by the
registry) of 2003 Standard, 8,000 GB of 2003 Enterprise, 16 TB of 2007 Enterprise. From memory, and
so an assumption: that 2003 Standard has one storage group, and that 2007 Standard has no hard limit
but one in the registry of 50 GB at RTM and 250 GB later, which is why it is not enforced here.

Not sourced: when the limit is looked at. Here a database is dismounted, clean, as soon as a
transaction has made its file larger than the limit, and is not mounted while it is; real servers
of SP2 look once a day and warn before. A recovery storage group is not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

GIB = 1 << 30
TIB = 1 << 40
SP2 = 2
LIMIT_RTM_GIB = 16
LIMIT_SP2_GIB = 18
LIMIT_SP2_REGISTRY_GIB = 75


class Confidence(StrEnum):
    """How well a limit is sourced."""

    SOURCED = "sourced"
    ASSUMED = "assumption"


class EditionError(ValueError):
    """A server that its edition does not allow.

    Args:
        what: what was asked for, and what is allowed.
        hint: what the administrator can do.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}: {self.hint}"


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition and its limits.

    `database_bytes_max` is None where nothing is enforced.
    """

    name: str
    storage_groups_max: int
    databases_per_group_max: int
    databases_max: int
    database_bytes_max: int | None
    groups_confidence: Confidence
    size_confidence: Confidence
    replicates: bool


STANDARD_2003 = Edition(
    "Exchange 2003 Standard",
    storage_groups_max=1,
    databases_per_group_max=2,
    databases_max=2,
    database_bytes_max=LIMIT_RTM_GIB * GIB,
    groups_confidence=Confidence.ASSUMED,
    size_confidence=Confidence.SOURCED,
    replicates=False,
)
ENTERPRISE_2003 = Edition(
    "Exchange 2003 Enterprise",
    storage_groups_max=4,
    databases_per_group_max=5,
    databases_max=20,
    database_bytes_max=8_000 * GIB,
    groups_confidence=Confidence.SOURCED,
    size_confidence=Confidence.SOURCED,
    replicates=False,
)
STANDARD_2007 = Edition(
    "Exchange 2007 Standard",
    storage_groups_max=5,
    databases_per_group_max=5,
    databases_max=5,
    database_bytes_max=None,
    groups_confidence=Confidence.SOURCED,
    size_confidence=Confidence.ASSUMED,
    replicates=True,
)
ENTERPRISE_2007 = Edition(
    "Exchange 2007 Enterprise",
    storage_groups_max=50,
    databases_per_group_max=5,
    databases_max=50,
    database_bytes_max=16 * TIB,
    groups_confidence=Confidence.SOURCED,
    size_confidence=Confidence.SOURCED,
    replicates=True,
)
EDITIONS = (STANDARD_2003, ENTERPRISE_2003, STANDARD_2007, ENTERPRISE_2007)


def with_service_pack(
    edition: Edition, service_pack: int, *, registry_limit_gib: int | None = None
) -> Edition:
    """Return an edition at a service pack: 2003 Standard's size limit depends on it.

    Args:
        edition: as released.
        service_pack: its number, 0 for none.
        registry_limit_gib: the limit that an administrator has set, which SP2 brought.

    Raises:
        EditionError: that limit cannot be set.
    """
    if edition != STANDARD_2003:
        return edition
    if registry_limit_gib is None:
        limit_gib = LIMIT_SP2_GIB if service_pack >= SP2 else LIMIT_RTM_GIB
        return replace(edition, database_bytes_max=limit_gib * GIB)
    if service_pack < SP2:
        what = f"{edition.name} takes no size limit from the registry before SP2"
        raise EditionError(what, "install SP2")
    if not 1 <= registry_limit_gib <= LIMIT_SP2_REGISTRY_GIB:
        what = f"a size limit of {registry_limit_gib} GB, and {edition.name} takes 1 to 75 GB"
        raise EditionError(what, "set a limit within that, or use the Enterprise edition")
    return replace(edition, database_bytes_max=registry_limit_gib * GIB)


def require_allowed(edition: Edition, databases_of_groups: Sequence[int]) -> None:
    """Refuse a server with more groups or databases than its edition allows.

    Args:
        edition: of the server.
        databases_of_groups: how many databases each storage group has.

    Raises:
        EditionError: naming the limit that is exceeded.
    """
    counts = list(databases_of_groups)
    _require(edition, "storage groups", len(counts), edition.storage_groups_max)
    largest = max(counts, default=0)
    _require(edition, "databases in one group", largest, edition.databases_per_group_max)
    _require(edition, "databases", sum(counts), edition.databases_max)


def require_replicable(edition: Edition, group: str, databases: int) -> None:
    """Refuse continuous replication where the product does: it takes one database per group.

    Raises:
        EditionError: the edition has none, or the group has several databases.
    """
    if not edition.replicates:
        what = f"{edition.name} has no continuous replication"
        raise EditionError(what, "use Exchange 2007, or protect the server by other means")
    if databases != 1:
        what = f"{group} has {databases} databases, and continuous replication takes one per group"
        raise EditionError(what, "give each database a storage group of its own")


def _require(edition: Edition, what: str, count: int, count_max: int) -> None:
    if count > count_max:
        text = f"{count} {what}, and {edition.name} allows {count_max}"
        raise EditionError(text, "use fewer, another edition, or more servers")
