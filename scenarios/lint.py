"""Doubts about a scenario that can be run: what will probably not do what was meant."""

from collections.abc import Iterator

from scenarios.closed_forms import closed_form_doubts
from scenarios.draft import Draft
from scenarios.faults import LostLog, SiteLoss
from scenarios.findings import Finding, Path
from scenarios.mail_checks import doubts_about_mail
from scenarios.quantities import spell_duration
from scenarios.reach import fault_doubts, threshold_doubts


def lint(draft: Draft) -> Iterator[Finding]:
    """Everything doubtful; each finding is a warning."""
    for path, message, hint in (*_intervals(draft), *_judgements(draft), *_idle_keys(draft)):
        yield Finding(path, message, hint, is_warning=True)
    accepted = draft.plain.get("accepts")
    for doubt in (*closed_form_doubts(draft), *fault_doubts(draft), *threshold_doubts(draft)):
        if not isinstance(accepted, tuple) or doubt.kind not in accepted:
            yield doubt.finding()


def _intervals(draft: Draft) -> Iterator[tuple[Path, str, str]]:
    if draft.duration_ns is None:
        return
    intervals: list[tuple[Path, int, str]] = [
        (("protect", name, "bookmarks", "every"), protection.bookmarks.every_ns, "bookmark")
        for name, protection in draft.protections.items()
        if protection is not None and protection.bookmarks is not None
    ]
    if draft.drills is not None and draft.drills.every_ns is not None:
        intervals.append((("drills", "every"), draft.drills.every_ns, "drill"))
    for path, every_ns, what in intervals:
        if every_ns > draft.duration_ns:
            message = f"no {what} will happen: the interval is longer than the run"
            yield path, message, f"the run lasts {spell_duration(draft.duration_ns)}"


def _judgements(draft: Draft) -> Iterator[tuple[Path, str, str]]:
    thresholds = draft.plain.get("thresholds") or {}
    if not thresholds:
        hint = "add for example 'thresholds: {cdp.rpo: [max < 60 s]}'"
        yield (), "nothing is judged: there are no thresholds", hint
    if draft.drills is None and not _has_disaster(draft):
        hint = "add 'drills: {every: 5 min}' or a site_loss"
        yield (), "nothing is recovered: there are neither drills nor a site loss", hint
    for name in thresholds:
        owner, _, metric = name.partition(".")
        protection = draft.protections.get(owner)
        if metric == "app_rpo" and protection is not None and protection.bookmarks is None:
            hint = "add 'bookmarks: {every: 15 min}' to the protection"
            yield ("thresholds", name), f"{owner} makes no application-consistent points", hint


def _has_disaster(draft: Draft) -> bool:
    return any(isinstance(fault, SiteLoss | LostLog) for fault in draft.faults.values())


def _idle_keys(draft: Draft) -> Iterator[tuple[Path, str, str]]:
    for index, fault in draft.faults.items():
        if fault.probability == 0:
            path: Path = ("faults", index, "probability")
            yield path, "the fault never happens", "write more than '0 %', or remove it"
    yield from doubts_about_mail(draft)
