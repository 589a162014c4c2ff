"""What must agree about the mail server: its edition's limits, names, and its users' profiles.

An edition that does not allow what is written is refused at the place that is too much, with the
edition that would do, if there is one.
"""

from collections.abc import Iterator
from typing import Any

from scenarios.draft import Draft
from scenarios.editions import EDITION_LIMITS, EditionLimits
from scenarios.findings import Finding, Path
from scenarios.mail import PROFILES_OF_VERSION
from scenarios.wording import listed, quoted

GROUPS: Path = ("exchange", "storage_groups")


def group_names(draft: Draft) -> list[str]:
    """Return the names of the storage groups that are written, as far as they can be read."""
    return [group["name"] for _, group in _groups(draft) if isinstance(group.get("name"), str)]


def check_exchange(draft: Draft) -> Iterator[Finding]:
    """Everything about the mail server that contradicts itself."""
    yield from _check_names(draft)
    exchange = _written(draft)
    version, edition = exchange.get("version"), exchange.get("edition", "enterprise")
    if not isinstance(version, int) or not isinstance(edition, str):
        return  # reported as a value
    limits = EDITION_LIMITS.get((version, edition))
    if limits is None:
        return
    label = f"Exchange {version} {edition.capitalize()}"
    yield from _check_service_pack(exchange, version, limits)
    yield from _check_counts(draft, label, limits)
    yield from _check_profiles(draft, version)


def _check_service_pack(
    exchange: dict[str, Any], version: int, limits: EditionLimits
) -> Iterator[Finding]:
    written = exchange.get("service_pack", 0)
    if isinstance(written, int) and written > limits.service_pack_last:
        message = f"Exchange {version} has no service pack {written}"
        hint = f"its last is 'service_pack: {limits.service_pack_last}'"
        yield Finding(("exchange", "service_pack"), message, hint)


def _check_counts(draft: Draft, label: str, limits: EditionLimits) -> Iterator[Finding]:
    groups = _groups(draft)
    if len(groups) > limits.storage_groups_max:
        excess = limits.storage_groups_max
        message = f"{len(groups)} storage groups, and {label} allows {excess}"
        yield Finding((*GROUPS, groups[excess][0]), message, _other(limits))
        return
    total = 0
    for index, group in groups:
        count = len(_databases(group))
        total += count
        path = (*GROUPS, index, "databases")
        if count > limits.databases_per_group_max:
            allowed = limits.databases_per_group_max
            message = f"{count} databases in one storage group, and {label} allows {allowed}"
            yield Finding(path, message, _other(limits))
        elif total > limits.databases_max >= total - count:
            message = f"{total} databases up to here, and {label} allows {limits.databases_max}"
            yield Finding(path, message, _other(limits))


def _other(limits: EditionLimits) -> str:
    is_standard = limits in (EDITION_LIMITS[2003, "standard"], EDITION_LIMITS[2007, "standard"])
    return "write fewer, or 'edition: enterprise'" if is_standard else "write fewer"


def _check_names(draft: Draft) -> Iterator[Finding]:
    """Names of files do not tell upper from lower case, and the report tells them by name."""
    groups: dict[str, str] = {}
    databases: dict[str, str] = {}
    for index, group in _groups(draft):
        name = group.get("name")
        if isinstance(name, str):
            yield from _check_new((*GROUPS, index, "name"), name, groups, "storage group")
        for number, database in enumerate(_databases(group)):
            if isinstance(database, str):
                path = (*GROUPS, index, "databases", number)
                yield from _check_new(path, database, databases, "database")


def _check_new(path: Path, name: str, seen: dict[str, str], what: str) -> Iterator[Finding]:
    if name.lower() in seen:
        message = f"a second {what} is called {quoted(seen[name.lower()])}"
        yield Finding(path, message, "give each a name of its own")
    seen.setdefault(name.lower(), name)


def _check_profiles(draft: Draft, version: int) -> Iterator[Finding]:
    known = PROFILES_OF_VERSION[version]
    every = {name for names in PROFILES_OF_VERSION.values() for name in names}
    for index, group in _groups(draft):
        profile = group.get("profile")
        if isinstance(profile, str) and profile in every and profile not in known:
            message = f"Exchange {version} has no user profile {quoted(profile)}"
            yield Finding((*GROUPS, index, "profile"), message, f"it has {listed(known)}")


def _written(draft: Draft) -> dict[str, Any]:
    exchange = draft.plain.get("exchange")
    return exchange if isinstance(exchange, dict) else {}


def _groups(draft: Draft) -> list[tuple[int, dict[str, Any]]]:
    groups = _written(draft).get("storage_groups")
    return [
        (index, group)
        for index, group in enumerate(groups if isinstance(groups, tuple) else ())
        if isinstance(group, dict)
    ]


def _databases(group: dict[str, Any]) -> tuple[Any, ...]:
    databases = group.get("databases")
    return databases if isinstance(databases, tuple) else ()
