"""What must agree between the parts of a scenario: names, places, times, lengths."""

from collections.abc import Iterator

from scenarios.draft import Draft
from scenarios.exchange_checks import check_exchange, group_names
from scenarios.expressions import METRICS, parse_expression
from scenarios.faults import (
    DiskFull,
    DiskStall,
    LinkOutage,
    LinkSlow,
    LostLog,
    PowerCut,
    SiteLoss,
)
from scenarios.findings import Finding, Path
from scenarios.grammar import QuantityError
from scenarios.mail_checks import check_mail
from scenarios.moments import Moment
from scenarios.protections import OwnProtection
from scenarios.quantities import spell_duration
from scenarios.wording import listed, nearest, quoted, suggestion

REPEATS_MAX = 100_000


def check(draft: Draft) -> Iterator[Finding]:
    """Everything that contradicts something else in the scenario."""
    yield from check_mail(draft)
    yield from check_exchange(draft)
    yield from _check_exchange_site(draft)
    yield from _check_links(draft)
    yield from _check_copies(draft)
    yield from _check_faults(draft)
    yield from _check_drills(draft)
    yield from _check_thresholds(draft)


def _unknown_site(draft: Draft, path: Path, site: str) -> Iterator[Finding]:
    if draft.sites is not None and site not in draft.sites:
        hint = suggestion(site, draft.sites, what="sites")
        yield Finding(path, f"there is no site {quoted(site)}", hint)


def _check_exchange_site(draft: Draft) -> Iterator[Finding]:
    exchange = draft.plain.get("exchange")
    if draft.exchange_site is None or not isinstance(exchange, dict):
        return
    path: Path = ("exchange", "site") if "site" in exchange else ("exchange",)
    if draft.sites is None or draft.exchange_site in draft.sites:
        return
    likely = nearest(draft.exchange_site, draft.sites)
    meant = likely or draft.sites[0]
    message = f"there is no site {quoted(draft.exchange_site)} for Exchange to stand in"
    yield Finding(path, message, f"write 'site: {meant}', or add the site under 'sites'")


def _check_links(draft: Draft) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], int] = {}
    for index, link in draft.links.items():
        path: Path = ("links", index, "between")
        for end, site in enumerate(link.between):
            yield from _unknown_site(draft, (*path, end), site)
        pair = tuple(sorted(link.between))
        if pair in seen:
            message = f"a second link between {' and '.join(link.between)}"
            yield Finding(path, message, f"links[{seen[pair]}] is the first; keep one")
        seen.setdefault(pair, index)


def _check_copies(draft: Draft) -> Iterator[Finding]:
    for name, protection in draft.protections.items():
        if protection is None:
            continue
        for index, copy in enumerate(protection.copies):
            path: Path = ("protect", name, "copies", index)
            unknown = list(_unknown_site(draft, (*path, "site"), copy.site))
            yield from unknown or _check_reachable(draft, (*path, "site"), copy.site)


def _check_reachable(draft: Draft, path: Path, site: str) -> Iterator[Finding]:
    home = draft.exchange_site
    if home is None or draft.sites is None or home not in draft.sites:
        return
    if site == home:
        message = f"the copy's site {quoted(site)} is Exchange's own"
        yield Finding(path, message, "the copy of this version is at another site")
        return
    if draft.links_are_complete and not any(
        link.connects(home, site) for link in draft.links.values()
    ):
        message = f"the copy's site {quoted(site)} is unreachable: no link between it and {home}"
        yield Finding(path, message, f"add a link 'between: [{home}, {site}]'")


def _check_faults(draft: Draft) -> Iterator[Finding]:
    for index, fault in draft.faults.items():
        path: Path = ("faults", index)
        yield from _check_in_run(draft, (*path, "at"), fault.at, "the fault")
        match fault:
            case SiteLoss() | PowerCut():
                yield from _unknown_site(draft, (*path, "site"), fault.site)
            case LinkOutage() | LinkSlow():
                yield from _check_fault_link(draft, (*path, "between"), fault)
            case DiskStall() | DiskFull():
                yield from _check_fault_volume(draft, path, fault)
                yield from _check_fault_group(draft, path, fault)
            case LostLog():
                yield from _check_fault_protection(draft, (*path, "protection"), fault)
                yield from _check_fault_group(draft, path, fault)


def _check_in_run(draft: Draft, path: Path, moment: Moment, what: str) -> Iterator[Finding]:
    if draft.duration_ns is None or draft.start_ns is None:
        return
    if draft.replayed is not None and moment.on_the_clock:
        return  # the mail decides where the clock stands
    offset_ns = moment.after_start_ns(draft.start_ns)
    if offset_ns >= draft.duration_ns:
        message = f"{what} is outside the run, {spell_duration(offset_ns)} after its start"
        hint = f"the run lasts {draft.duration_text}"
        if "start" in draft.plain and draft.replayed is None:
            hint += f" from {draft.plain['start']}"
        yield Finding(path, message, hint)


def _check_fault_link(draft: Draft, path: Path, fault: LinkOutage | LinkSlow) -> Iterator[Finding]:
    one, other = fault.between
    unknown = [
        finding
        for end, site in enumerate(fault.between)
        for finding in _unknown_site(draft, (*path, end), site)
    ]
    yield from unknown
    exists = any(link.connects(one, other) for link in draft.links.values())
    if unknown or exists or not draft.links_are_complete:
        return
    known = listed(" and ".join(link.between) for link in draft.links.values())
    hint = f"links are between {known}" if known else "the scenario has no links"
    yield Finding(path, f"there is no link between {one} and {other}", hint)


def _check_fault_volume(draft: Draft, path: Path, fault: DiskStall | DiskFull) -> Iterator[Finding]:
    unknown = list(_unknown_site(draft, (*path, "site"), fault.site))
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


def _check_fault_group(
    draft: Draft, path: Path, fault: DiskStall | DiskFull | LostLog
) -> Iterator[Finding]:
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


def _check_fault_protection(draft: Draft, path: Path, fault: LostLog) -> Iterator[Finding]:
    if draft.protections and fault.protection not in draft.protections:
        hint = suggestion(fault.protection, draft.protections, what="protections")
        yield Finding(path, f"there is no protection {quoted(fault.protection)}", hint)
    elif isinstance(draft.protections.get(fault.protection), OwnProtection):
        message = f"{quoted(fault.protection)} has no journal that could lose a log"
        yield Finding(path, message, "name a protection with 'kind: cdp'")


def _check_drills(draft: Draft) -> Iterator[Finding]:
    if draft.drills is not None:
        for index, moment in enumerate(draft.drills.at):
            yield from _check_in_run(draft, ("drills", "at", index), moment, "the drill")
        if draft.drills.every_ns is not None:
            yield from _check_repeats(draft, ("drills", "every"), draft.drills.every_ns, "drills")
    for name, protection in draft.protections.items():
        if protection is not None and protection.bookmarks is not None:
            path: Path = ("protect", name, "bookmarks", "every")
            yield from _check_repeats(draft, path, protection.bookmarks.every_ns, "bookmarks")


def _check_repeats(draft: Draft, path: Path, every_ns: int, what: str) -> Iterator[Finding]:
    if draft.duration_ns is not None and draft.duration_ns // every_ns > REPEATS_MAX:
        message = f"that would be {draft.duration_ns // every_ns:,} {what} in the run"
        yield Finding(path, message, f"at most {REPEATS_MAX:,}: write a longer interval")


def _check_thresholds(draft: Draft) -> Iterator[Finding]:
    thresholds = draft.plain.get("thresholds")
    if not isinstance(thresholds, dict):
        return
    for name, expressions in thresholds.items():
        path: Path = ("thresholds", name)
        unknown = list(_check_metric_name(draft, path, name))
        yield from unknown
        if isinstance(expressions, tuple) and not expressions:
            yield Finding(path, "the metric has no threshold", "write for example ['max < 60 s']")
        if unknown or not isinstance(expressions, tuple):
            continue
        for index, expression in enumerate(expressions):
            yield from _check_limit((*path, index), name.partition(".")[2], expression)


def _check_metric_name(draft: Draft, path: Path, name: str) -> Iterator[Finding]:
    protection, _, metric = name.partition(".")
    known = [f"{owner}.{measure}" for owner in draft.protections for measure in METRICS]
    if name in known or not draft.protections:
        return
    if metric in METRICS:
        hint = suggestion(protection, draft.protections, what="protections")
        message = f"there is no protection {quoted(protection)} to measure"
    elif protection in draft.protections:
        hint = suggestion(metric, METRICS, what="metrics")
        message = f"{quoted(metric)} is not a metric"
    else:
        hint = suggestion(name, known, what="metrics")
        message = f"{quoted(name)} is not a metric"
    yield Finding(path, message, hint, at_key=True)


def _check_limit(path: Path, metric: str, read: object) -> Iterator[Finding]:
    if metric not in METRICS:
        return  # without any protection, nothing is known of its metrics
    try:
        expression = parse_expression(read)
    except QuantityError:
        return  # reported as a value
    try:
        expression.check_metric(metric)
    except QuantityError as error:
        yield Finding(path, str(error), error.hint)
