"""What must agree between the parts of a scenario: names, places, times, lengths."""

from collections.abc import Iterator

from scenarios.draft import Draft
from scenarios.exchange_checks import check_exchange
from scenarios.fault_checks import check_faults, check_in_run, unknown_site
from scenarios.findings import Finding, Path
from scenarios.mail_checks import check_mail
from scenarios.threshold_checks import check_thresholds
from scenarios.wording import nearest, quoted

REPEATS_MAX = 100_000


def check(draft: Draft) -> Iterator[Finding]:
    """Everything that contradicts something else in the scenario."""
    yield from check_mail(draft)
    yield from check_exchange(draft)
    yield from _check_exchange_site(draft)
    yield from _check_links(draft)
    yield from _check_copies(draft)
    yield from check_faults(draft)
    yield from _check_drills(draft)
    yield from check_thresholds(draft)


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
            yield from unknown_site(draft, (*path, end), site)
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
            unknown = list(unknown_site(draft, (*path, "site"), copy.site))
            yield from unknown or _check_reachable(draft, (*path, "site"), copy.site)
        failover = getattr(protection, "failover", None)
        if failover is not None:
            witness: Path = ("protect", name, "failover", "witness")
            yield from unknown_site(draft, witness, failover.witness)


def _check_reachable(draft: Draft, path: Path, site: str) -> Iterator[Finding]:
    home = draft.exchange_site
    if home is None or draft.sites is None or home not in draft.sites:
        return
    if site == home:
        return  # over the site's own network
    if draft.links_are_complete and not any(
        link.connects(home, site) for link in draft.links.values()
    ):
        message = f"the copy's site {quoted(site)} is unreachable: no link between it and {home}"
        yield Finding(path, message, f"add a link 'between: [{home}, {site}]'")


def _check_drills(draft: Draft) -> Iterator[Finding]:
    if draft.drills is not None:
        for index, moment in enumerate(draft.drills.at):
            yield from check_in_run(draft, ("drills", "at", index), moment, "the drill")
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
