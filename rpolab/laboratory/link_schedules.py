"""Lets the bandwidth of a link follow the hours that the scenario gives it."""

from rpolab.laboratory.weekly import changes, first_of
from scenarios import Link as LinkSettings
from sim.kernel import Kernel
from sim.link import Link


def follow_schedule(
    kernel: Kernel, link: Link, settings: LinkSettings, starts_ns: int, duration_ns: int
) -> None:
    """Set the bandwidth of the first hour, and plan every change of it until the run's end.

    Args:
        kernel: simulated time, at its beginning.
        link: the link.
        settings: as it is written.
        starts_ns: calendar time of the run's start, since 1970.
        duration_ns: the run's length.
    """

    def set_to(calendar_ns: int) -> None:
        rule = first_of(settings.schedule, calendar_ns)
        link.set_bandwidth(settings.bandwidth_bit_s if rule is None else rule.bandwidth_bit_s)

    if settings.schedule:
        set_to(starts_ns)
        for calendar_ns in changes(settings.schedule, starts_ns, starts_ns + duration_ns):
            kernel.call_at(calendar_ns - starts_ns, set_to, calendar_ns)
