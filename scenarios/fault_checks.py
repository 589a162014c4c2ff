"""What must agree about faults: their times, phases and conditions, and what they strike."""

from collections.abc import Iterator

from scenarios.draft import Draft
from scenarios.exchange_checks import group_names
from scenarios.faults import (
    AnyFault,
    DiskFull,
    DiskLoss,
    LinkFault,
    LinkOneWay,
    LostLog,
    PowerCut,
    ServiceStop,
    SiteLoss,
    VolumeFault,
)
from scenarios.findings import Finding, Path
from scenarios.moments import Moment
from scenarios.protections import OwnProtection
from scenarios.quantities import spell_duration
from scenarios.wording import listed, quoted, suggestion


def check_faults(draft: Draft) -> Iterator[Finding]:
    """Everything about a fault that contradicts something else."""
    yield from _check_phases(draft)
    for index, fault in draft.faults.items():
        path: Path = ("faults", index)
        yield from _check_times(draft, path, fault)
        match fault:
            case SiteLoss() | PowerCut():
                yield from unknown_site(draft, (*path, "site"), fault.site)
            case LinkFault():
                yield from _check_link(draft, path, fault)
            case VolumeFault():
                yield from _check_volume(draft, path, fault)
                yield from _check_group(draft, path, fault)
            case LostLog():
                yield from _check_protection(draft, path, fault)
                yield from _check_group(draft, path, fault)
            case ServiceStop():
                yield from _check_protection(draft, path, fault)


def unknown_site(draft: Draft, path: Path, site: str) -> Iterator[Finding]:
    """A finding where no site has that name."""
    if draft.sites is not None and site not in draft.sites:
        hint = suggestion(site, draft.sites, what="sites")
        yield Finding(path, f"there is no site {quoted(site)}", hint)


def unknown_protection(draft: Draft, path: Path, name: str, copy: str = "") -> Iterator[Finding]:
    """A finding where no protection, or none of its copies, has that name."""
    if draft.protections and name not in draft.protections:
        hint = suggestion(name, draft.protections, what="protections")
        yield Finding(path, f"there is no protection {quoted(name)}", hint)
        return
    copies = draft.copy_names(name)
    if copy and copies is not None and copy not in copies:
        hint = suggestion(copy, copies, what="copies")
        yield Finding(path, f"{name} has no copy {quoted(copy)}", hint)


def check_in_run(draft: Draft, path: Path, moment: Moment, what: str) -> Iterator[Finding]:
    """A finding where an instant is after the end of the run, or before its start."""
    if draft.duration_ns is None or draft.start_ns is None:
        return
    if draft.replayed is not None and moment.on_the_clock:
        return  # the mail decides where the clock stands
    offset_ns = moment.after_start_ns(draft.start_ns)
    if offset_ns >= draft.duration_ns:
        message = f"{what} is outside the run, {spell_duration(offset_ns)} after its start"
        yield Finding(path, message, _run_told(draft))


def _run_told(draft: Draft) -> str:
    told = f"the run lasts {draft.duration_text}"
    if "start" in draft.plain and draft.replayed is None:
        told += f" from {draft.plain['start']}"
    return told


def _check_phases(draft: Draft) -> Iterator[Finding]:
    seen: set[str] = set()
    end_ns = 0
    for index, phase in draft.phases.items():
        if phase.name in seen:
            message = f"a second phase is called {quoted(phase.name)}"
            yield Finding(("phases", index, "name"), message, "give each a name of its own")
        seen.add(phase.name)
        end_ns += phase.duration_ns
        if draft.duration_ns is not None and end_ns > draft.duration_ns:
            message = f"the phases up to this one last {spell_duration(end_ns)}"
            yield Finding(("phases", index, "duration"), message, _run_told(draft))
            return


def _check_times(draft: Draft, path: Path, fault: AnyFault) -> Iterator[Finding]:
    if fault.when is not None:
        condition = fault.when
        name, copy = condition.protection, condition.copy
        yield from unknown_protection(draft, (*path, "when"), name, copy)
        if isinstance(draft.protections.get(name), OwnProtection):
            message = f"{quoted(name)} tells no '{condition.quantity.name}' while it runs"
            yield Finding((*path, "when"), message, "watch a protection with 'kind: cdp'")
    if fault.phase is not None and fault.phase not in draft.phase_spans:
        if draft.phases_are_complete:
            hint = suggestion(fault.phase, draft.phase_spans, what="phases")
            yield Finding((*path, "phase"), f"there is no phase {quoted(fault.phase)}", hint)
        return
    if fault.at is not None and fault.phase is None:
        yield from check_in_run(draft, (*path, "at"), fault.at, "the fault")
    else:
        yield from _check_span(draft, path, fault)


def _check_span(draft: Draft, path: Path, fault: AnyFault) -> Iterator[Finding]:
    """A fault whose stretch of the run is empty can never come."""
    key = next((key for key in ("at", "within") if getattr(fault, key) is not None), None)
    if key is None or (span := draft.span_of(fault)) is None or span.length_ns:
        return
    where = "the run" if fault.phase is None else f"the phase {quoted(fault.phase)}"
    hint = _run_told(draft)
    if fault.phase is not None:
        phase = draft.phase_spans[fault.phase]
        ends = f"{spell_duration(phase.start_ns)} to {spell_duration(phase.end_ns)}"
        hint = f"{fault.phase} is from {ends} after the start"
    yield Finding((*path, key), f"the fault is outside {where}: it can never come", hint)


def _check_link(draft: Draft, path: Path, fault: LinkFault) -> Iterator[Finding]:
    one, other = fault.between
    if isinstance(fault, LinkOneWay) and fault.blocked_from not in fault.between:
        message = f"{quoted(fault.blocked_from)} is not an end of this link"
        yield Finding((*path, "blocked_from"), message, f"write {listed(fault.between)}")
    path = (*path, "between")
    unknown = [
        finding
        for end, site in enumerate(fault.between)
        for finding in unknown_site(draft, (*path, end), site)
    ]
    yield from unknown
    exists = any(link.connects(one, other) for link in draft.links.values())
    if unknown or exists or not draft.links_are_complete:
        return
    known = listed(" and ".join(link.between) for link in draft.links.values())
    hint = f"links are between {known}" if known else "the scenario has no links"
    yield Finding(path, f"there is no link between {one} and {other}", hint)


def _check_protection(draft: Draft, path: Path, fault: LostLog | ServiceStop) -> Iterator[Finding]:
    path, name = (*path, "protection"), fault.protection
    yield from unknown_protection(draft, path, name)
    if isinstance(draft.protections.get(name), OwnProtection):
        lost = "journal that could lose a log" if isinstance(fault, LostLog) else "service to stop"
        message = f"{quoted(name)} has no {lost}"
        yield Finding(path, message, "name a protection with 'kind: cdp'")


def _check_volume(draft: Draft, path: Path, fault: VolumeFault) -> Iterator[Finding]:
    unknown = list(unknown_site(draft, (*path, "site"), fault.site))
    yield from unknown
    if unknown:
        return
    copy_sites = _copy_sites(draft)
    if fault.volume == "journal":
        if copy_sites is not None and fault.site not in copy_sites:
            message = f"there is no journal at {quoted(fault.site)}"
            yield Finding((*path, "volume"), message, f"journals are at {listed(copy_sites)}")
    elif draft.exchange_site is not None and fault.site != draft.exchange_site:
        message = f"Exchange's {fault.volume} volume is not at {quoted(fault.site)}"
        yield Finding((*path, "volume"), message, f"Exchange stands at {draft.exchange_site}")


def _check_group(draft: Draft, path: Path, fault: VolumeFault | LostLog) -> Iterator[Finding]:
    if fault.group is None:
        return
    path = (*path, "group")
    known = group_names(draft)
    if known and fault.group not in known:
        hint = suggestion(fault.group, known, what="storage groups")
        yield Finding(path, f"there is no storage group {quoted(fault.group)}", hint)
    if not isinstance(fault, LostLog) and fault.volume == "journal":
        message = "a journal belongs to no storage group: it holds the writes of all"
        yield Finding(path, message, "remove 'group'", at_key=True)


def _copy_sites(draft: Draft) -> list[str] | None:
    if any(protection is None for protection in draft.protections.values()):
        return None
    sites = [
        copy.site
        for protection in draft.protections.values()
        if protection is not None
        for copy in protection.copies
    ]
    return sorted(dict.fromkeys(sites)) or None


def is_for_good(fault: AnyFault) -> bool:
    """Whether nobody lifts the fault before the end of the run."""
    match fault:
        case SiteLoss() | LostLog() | DiskLoss():
            return True
        case DiskFull():
            return fault.duration_ns is None
        case PowerCut():
            return fault.back_after_ns is None
    return False
