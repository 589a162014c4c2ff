"""The user profile that a scenario names, or whose figures it gives, as the emulator knows it."""

from fractions import Fraction

from emulators.exchange.arrivals import INBOUND_SHARE
from emulators.exchange.log_rates import curve_of
from emulators.exchange.profiles import Basis, Profile, profile_named
from emulators.exchange.user_actions import UserActions
from emulators.exchange.working_day import WORKING_DAY, DayCurve
from reports import Assumption
from scenarios import Exchange, MailProfile

OWN = "own"
OWN_SOURCE = "scenario"
NO_SOURCE = "no public source"


def profile_of(exchange: Exchange, written: str | MailProfile) -> Profile:
    """Return the profile of a storage group's users."""
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
        source=OWN_SOURCE,
    )


def day_curve(written: str | MailProfile) -> DayCurve:
    """Return the hours of a profile's day, scaled to a whole one; else the assumed working day."""
    if isinstance(written, str) or written.hours is None:
        return WORKING_DAY
    return curve_of([Fraction(share) for share in written.hours])


def mail_assumptions(
    written: str | MailProfile, profile: Profile, curve: DayCurve, hours_source: str = ""
) -> list[Assumption]:
    """Return what drawn mail rests on.

    Args:
        written: the scenario's profile.
        profile: the same, as the emulator knows it.
        curve: the hours of the day.
        hours_source: where they come from, if not from the profile.
    """
    is_own = isinstance(written, MailProfile)
    own_or_none = OWN_SOURCE if is_own else NO_SOURCE
    if not hours_source:
        is_written = isinstance(written, MailProfile) and written.hours is not None
        hours_source = OWN_SOURCE if is_written else NO_SOURCE
    return [
        Assumption(
            name="day of a user" if is_own else f"day of a {profile.name} user",
            value=f"{profile.sent_per_day} sent, {profile.received_per_day} received",
            basis=profile.basis.value,
            source=own_or_none if profile.basis is Basis.ASSUMPTION else profile.source,
        ),
        Assumption(
            name="size of a message",
            value=f"{profile.message_bytes_mean / 1024:g} KiB on average",
            basis="assumption",
            source=own_or_none,
        ),
        Assumption(
            name="hours of the day",
            value=f"{curve.share(curve.peak_hour):.1%} of a day at {curve.peak_hour}:00",
            basis="assumption",
            source=hours_source,
        ),
        Assumption(
            name="mail from outside",
            value=f"{INBOUND_SHARE:.0%} of what is received",
            basis="assumption",
            source=NO_SOURCE,
        ),
    ]


def action_assumptions(actions: UserActions) -> list[Assumption]:
    """Return what users are taken to do with their mail beside sending it."""
    return [
        Assumption(
            name=f"users: {name}",
            value=f"{figure.value:g} {figure.unit}",
            basis="assumption",
            source=NO_SOURCE,
        )
        for name, figure in actions.rows()
    ]
