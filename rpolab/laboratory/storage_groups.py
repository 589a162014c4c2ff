"""The storage groups of a scenario as ESE knows them: prefixes, files, volumes, parameters.

Each group has a volume for its logs and one for its databases. Those of the first group are called
'logs' and 'database'; those of every other have the group's name behind: 'logs-SG2'.
"""

import scenarios
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, Format
from emulators.ese.running.parameters import Parameters, waypoint_depth_of
from emulators.exchange.editions import (
    ENTERPRISE_2003,
    ENTERPRISE_2007,
    STANDARD_2003,
    STANDARD_2007,
    Edition,
    EditionError,
    require_allowed,
    with_service_pack,
)

LOGS = "logs"
DATABASE = "database"

FORMATS: dict[int, Format] = {2003: EXCHANGE_2003, 2007: EXCHANGE_2007}
EDITIONS = {
    (2003, "standard"): STANDARD_2003,
    (2003, "enterprise"): ENTERPRISE_2003,
    (2007, "standard"): STANDARD_2007,
    (2007, "enterprise"): ENTERPRISE_2007,
}


def edition_of(exchange: scenarios.Exchange) -> Edition:
    """Return the edition of a scenario's server, with its limits at that service pack."""
    edition = EDITIONS[exchange.version, exchange.edition]
    return with_service_pack(edition, exchange.service_pack)


def require_edition(exchange: scenarios.Exchange) -> None:
    """Refuse a server that its edition does not allow.

    One that was read from a file was refused with its line; this is for one made in Python.

    Raises:
        ScenarioError: naming the limit that is exceeded.
    """
    databases = [len(group.databases) for group in exchange.storage_groups]
    try:
        require_allowed(edition_of(exchange), databases)
    except EditionError as refused:
        path = "exchange.storage_groups"
        problem = scenarios.Problem("scenario", 0, 0, path, refused.what, refused.hint)
        raise scenarios.ScenarioError((problem,)) from refused


def parameters_of(exchange: scenarios.Exchange, number: int) -> Parameters:
    """Return the settings of the server's storage group with that number, from 0.

    Its prefix is a hexadecimal counter (exchange.md F6), its depth of lost log resilience that of a
    stand-alone server.
    """
    file_format = FORMATS[exchange.version]
    service_pack = exchange.service_pack
    return Parameters(
        prefix=f"E{number:02X}",
        file_format=file_format,
        waypoint_depth=waypoint_depth_of(file_format, dial=None, service_pack=service_pack),
        database_bytes_max=edition_of(exchange).database_bytes_max,
        circular_logging=exchange.storage_groups[number].circular_logging,
    )


def database_files(group: scenarios.StorageGroup) -> list[str]:
    """Return the file names of a group's databases."""
    return [f"{name}.edb" for name in group.databases]


def volume_purpose(exchange: scenarios.Exchange, purpose: str, group: str | None) -> str:
    """Return what a volume of a storage group is for, which is the first part of its name.

    Args:
        exchange: the server.
        purpose: LOGS or DATABASE.
        group: the name of the storage group; the first where None.
    """
    first = exchange.storage_groups[0].name
    return purpose if group in (None, first) else f"{purpose}-{group}"
