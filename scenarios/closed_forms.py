"""Promises that cannot hold, by the closed forms of protection.md 5.

With c written in a second, b the line's bytes in a second and S what can wait at the source: the
line keeps up only if c < b; an outage of L keeps the order only if c L <= S; catching up then takes
c L / (b - c). Points every D are D + d old before the next is there, d the line's delay.
"""

from collections.abc import Iterator

from scenarios.doubts import Doubt, Doubted
from scenarios.draft import Draft
from scenarios.faults import AnyFault, LinkOneWay, LinkOutage, ServiceStop
from scenarios.phases import Span
from scenarios.protections import ContinuousDataProtection
from scenarios.quantities import SECOND_NS, spell_duration
from scenarios.sizing import SOURCE, WIRE_PER_BYTE, Churn, churn_of
from scenarios.world import Link


def closed_form_doubts(draft: Draft) -> Iterator[Doubt]:
    """Everything that churn, bandwidth and room say against the scenario."""
    churn = churn_of(draft)
    if churn is None or draft.duration_ns is None:
        return
    run = Span(0, draft.duration_ns)
    for name, protection in draft.protections.items():
        if not isinstance(protection, ContinuousDataProtection):
            continue
        for number, link in draft.links.items():
            if link.schedule or not _carries(draft, protection, link):
                continue
            slow = list(_slow_line(churn, run, number, link))
            yield from slow
            for index, fault in draft.faults.items():
                if (outage := _outage(draft, fault, name, link)) is not None:
                    yield from _overrun(churn, outage, index, name, protection)
                    if not slow:
                        yield from _late(churn, outage, index, link, run)


def _carries(draft: Draft, protection: ContinuousDataProtection, link: Link) -> bool:
    home = draft.exchange_site
    return home is not None and any(link.connects(home, copy.site) for copy in protection.copies)


def _slow_line(churn: Churn, run: Span, number: int, link: Link) -> Iterator[Doubt]:
    """C < b."""
    written = churn.busiest_bytes_s(run)
    wire = int(written * WIRE_PER_BYTE)
    carried = link.bandwidth_bit_s // 8
    if wire >= carried:
        message = (
            f"the line cannot keep up in the busiest hour: {churn.mailboxes:,} mailboxes write "
            f"{_told(written)} a second, {_told(wire)} when compressed, and it carries "
            f"{_told(carried)}"
        )
        needed = -(-wire * 8 // 10**5) / 10
        hint = f"{SOURCE}: 'bandwidth: {needed:g} Mbit/s' would just do"
        yield Doubt(Doubted.LINE_TOO_SLOW, ("links", number, "bandwidth"), message, hint)


def _outage(draft: Draft, fault: AnyFault, name: str, link: Link) -> Span | None:
    """When nothing leaves the source because of a fault, at the earliest; None if it does."""
    match fault:
        case LinkOutage() | LinkOneWay():
            if not link.connects(*fault.between):
                return None
        case ServiceStop():
            if fault.protection != name:
                return None
        case _:
            return None
    span = draft.span_of(fault)
    if span is None or not span.length_ns or draft.duration_ns is None:
        return None
    end_ns = span.start_ns + fault.duration_ns
    if fault.phase is not None:
        end_ns = min(end_ns, draft.phase_spans[fault.phase].end_ns)
    return Span(span.start_ns, min(end_ns, draft.duration_ns))


def _overrun(
    churn: Churn, outage: Span, index: int, name: str, protection: ContinuousDataProtection
) -> Iterator[Doubt]:
    """C L <= S."""
    written = churn.written_bytes(outage)
    spills = protection.overflow == "spill"
    room = protection.pool_bytes + (protection.spool_bytes if spills else 0)
    if written <= room:
        return
    after_ns = outage.length_ns * room // written
    place = "pool and spool" if spills else "the pool"
    then = "order is given up" if spills else "the mail server's writes wait"
    message = (
        f"{place} of {name}, {_told(room)}, would be full after some {_rounded(after_ns)}, and "
        f"{then}: about {_told(written)} are written in {spell_duration(outage.length_ns)}"
    )
    key = "spool" if spills else "pool"
    needed = (written - protection.pool_bytes if spills else written) * 5 // 4
    hint = f"{SOURCE}: '{key}: {(needed >> 20) + 1} MiB' would leave a fifth"
    yield Doubt(Doubted.SPOOL_OVERRUN, ("faults", index, "duration"), message, hint)


def _late(churn: Churn, outage: Span, index: int, link: Link, run: Span) -> Iterator[Doubt]:
    """C L / (b - c)."""
    waiting = int(churn.written_bytes(outage) * WIRE_PER_BYTE)
    rest = Span(outage.end_ns, run.end_ns)
    if not rest.length_ns:
        return
    free = link.bandwidth_bit_s // 8 - int(churn.busiest_bytes_s(rest) * WIRE_PER_BYTE)
    needed_ns = waiting * SECOND_NS // max(free, 1)
    if needed_ns > rest.length_ns:
        message = (
            f"catching up would take some {_rounded(needed_ns)}, and the run ends "
            f"{_rounded(rest.length_ns)} after the outage: {_told(waiting)} wait then, and the "
            f"line has {_told(free)} a second to spare"
        )
        hint = f"{SOURCE}: let the run last longer, or give the line more"
        yield Doubt(Doubted.CATCH_UP_TOO_LONG, ("faults", index, "duration"), message, hint)


def _told(size: int) -> str:
    for unit, worth in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= worth:
            return f"{size / worth:.3g} {unit}"
    return f"{size} B"


def _rounded(length_ns: int) -> str:
    """A length in whole seconds, or whole minutes where it is long."""
    grain = 60 * SECOND_NS if length_ns >= 600 * SECOND_NS else SECOND_NS
    return spell_duration(max(round(length_ns / grain), 1) * grain)
