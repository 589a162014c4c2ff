"""User profiles, message sizes and the shape of the working day.

The tables are those of exchange.md 5.2 and 5.3. Each row says on what it rests: the figures of
Exchange 2003 are sourced, those of Exchange 2007 and everything about sizes and hours are
assumptions, and a report that uses them lists them as such.

Not modelled: weekends and holidays (every day is a working day), and users who differ from the mean
of their profile. What users do with their mail is in `user_actions`.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "PROFILES",
    "Basis",
    "Profile",
    "UnknownProfile",
    "profile_named",
]

_KIB = 1024
_MIB = 1024 * _KIB

MESSAGE_BYTES_MEAN = 50 * _KIB
"""The '50 KB average' of exchange.md 5.3; that it means KiB, and that it holds for 2003 too,
is an assumption."""

CACHE_BYTES_2003 = 384 * _KIB
"""Database cache for each mailbox of Exchange 2003, an assumption from memory: the store of a
32-bit system has 1.2 GB of it at most, and a large server three thousand mailboxes."""


class Basis(StrEnum):
    """What a figure rests on."""

    SOURCED = "sourced"
    ASSUMPTION = "assumption"


class UnknownProfile(LookupError):  # noqa: N818 - named by what the reader got wrong
    """No such user profile exists for that version of Exchange."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one mailbox of a kind of user does in a day.

    `log_bytes_per_day` is what the sizing guidance expects of transaction logs (0 where the
    guidance gives none); it is a figure to compare with, the emulated store makes its own logs.
    """

    name: str
    exchange_version: int
    sent_per_day: int
    received_per_day: int
    message_bytes_mean: int
    log_bytes_per_day: int
    database_iops: float
    mailbox_bytes: int
    cache_bytes: int
    basis: Basis
    source: str


def _profile_2003(name: str, iops: float, sent: int, received: int, mailbox_mib: int) -> Profile:
    return Profile(
        name=name,
        exchange_version=2003,
        sent_per_day=sent,
        received_per_day=received,
        message_bytes_mean=MESSAGE_BYTES_MEAN,
        log_bytes_per_day=0,
        database_iops=iops,
        mailbox_bytes=mailbox_mib * _MIB,
        cache_bytes=CACHE_BYTES_2003,
        basis=Basis.SOURCED,
        source="exchange.md 5.2 (IO03); message size and cache are assumptions",
    )


def _profile_2007(
    name: str, iops: float, sent: int, received: int, *, log_mib: int, cache_kib: int
) -> Profile:
    return Profile(
        name=name,
        exchange_version=2007,
        sent_per_day=sent,
        received_per_day=received,
        message_bytes_mean=MESSAGE_BYTES_MEAN,
        log_bytes_per_day=log_mib * _MIB,
        database_iops=iops,
        mailbox_bytes=0,
        cache_bytes=cache_kib * _KIB,
        basis=Basis.ASSUMPTION,
        source="exchange.md 5.3",
    )


PROFILES: dict[tuple[int, str], Profile] = {
    (profile.exchange_version, profile.name): profile
    for profile in (
        # exchange.md 5.2: IOPS, sent, received, mailbox size in MB.
        _profile_2003("light", 0.5, 20, 50, 50),
        _profile_2003("average", 0.75, 30, 75, 100),
        _profile_2003("heavy", 1.0, 40, 100, 200),
        _profile_2003("large", 1.5, 60, 150, 500),
        # exchange.md 5.3: IOPS, sent, received, 1 MB logs, cache. All of it an assumption.
        _profile_2007("light", 0.11, 5, 20, log_mib=6, cache_kib=2048),
        _profile_2007("average", 0.18, 10, 40, log_mib=12, cache_kib=3584),
        _profile_2007("heavy", 0.32, 20, 80, log_mib=24, cache_kib=5120),
        _profile_2007("very_heavy", 0.48, 30, 120, log_mib=36, cache_kib=5120),
        _profile_2007("extra_heavy", 0.64, 40, 160, log_mib=48, cache_kib=5120),
    )
}


def profile_named(exchange_version: int, name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        UnknownProfile: the version has no such profile; the message lists those it has.
    """
    found = PROFILES.get((exchange_version, name))
    if found is None:
        known = ", ".join(n for version, n in PROFILES if version == exchange_version)
        raise UnknownProfile(
            f"Exchange {exchange_version} has no user profile '{name}' "
            f"(hint: it has {known or 'none; the versions are 2003 and 2007'})"
        )
    return found
