"""How many storage groups and databases an edition of Exchange allows (exchange.md 5.1)."""

from typing import NamedTuple


class EditionLimits(NamedTuple):
    """The limits of one edition of one version.

    `databases_max` is that of the whole server. `service_pack_last` is the newest there was.
    """

    storage_groups_max: int
    databases_per_group_max: int
    databases_max: int
    service_pack_last: int


EDITION_LIMITS = {
    (2003, "standard"): EditionLimits(1, 2, 2, 2),
    (2003, "enterprise"): EditionLimits(4, 5, 20, 2),
    (2007, "standard"): EditionLimits(5, 5, 5, 3),
    (2007, "enterprise"): EditionLimits(50, 5, 50, 3),
}
