"""The user profile that a scenario names, or whose figures it gives, as the emulator knows it."""

from fractions import Fraction

from emulators.exchange.log_rates import curve_of
from emulators.exchange.profiles import Basis, Profile, profile_named
from emulators.exchange.working_day import WORKING_DAY, DayCurve
from reports import Assumption
from scenarios import MailProfile, Scenario

OWN = "own"


def profile_of(scenario: Scenario) -> Profile:
    """Return the profile of the storage group's users."""
    exchange = scenario.exchange
    written = exchange.storage_groups[0].profile
    if isinstance(written, str):
        return profile_named(exchange.version, written)
    return Profile(
        name=OWN,
        exchange_version=exchange.version,
        sent_per_day=written.sent,
        received_per_day=written.received,
        message_bytes_mean=written.size_bytes,
        log_bytes_per_day=0,
        database_iops=0.0,
        mailbox_bytes=0,
        cache_bytes=0,
        basis=Basis.ASSUMPTION,
        source="scenario",
    )


def day_curve(written: str | MailProfile) -> DayCurve:
    """Return the hours of a profile's day, scaled to a whole one; else the assumed working day."""
    if isinstance(written, str) or written.hours is None:
        return WORKING_DAY
    return curve_of([Fraction(share) for share in written.hours])


def day_of_a_user(written: str | MailProfile, profile: Profile) -> Assumption:
    """Return the row of the report's assumptions about a user's day."""
    value = f"{profile.sent_per_day} sent, {profile.received_per_day} received"
    if not isinstance(written, str):
        value += f", {profile.message_bytes_mean:,} bytes in the mean"
    return Assumption(
        name=f"day of a {profile.name} user" if isinstance(written, str) else "day of a user",
        value=value,
        basis=profile.basis.value,
        source=profile.source,
    )
