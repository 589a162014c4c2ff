"""What must agree about a run's mail: one source of it, files that exist, who decides the time."""

from collections.abc import Iterator
from typing import Any

from scenarios.draft import REPLAYED, Draft
from scenarios.findings import Finding, Path
from scenarios.grammar import QuantityError
from scenarios.mail import HOURS_SUM_TOLERANCE
from scenarios.quantities import parse_share
from scenarios.wording import quoted

SOURCES = (*REPLAYED, "log_stats")
_NOUNS = {"mbox": "mbox", "tracking_log": "tracking log", "log_stats": "file of log statistics"}
_EXACT = 1e-9


def check_mail(draft: Draft) -> Iterator[Finding]:
    """Everything about the workload that contradicts itself or something else."""
    yield from _check_duration(draft)
    if not isinstance(draft.plain.get("workload"), dict) or "kind" in draft.workload:
        return
    yield from _check_one_source(draft)
    yield from _check_database(draft)
    yield from _check_one_group(draft)
    for key in SOURCES:
        yield from _check_file(draft, key, draft.workload.get(key))


def _check_duration(draft: Draft) -> Iterator[Finding]:
    replayed = draft.replayed
    if replayed is None:
        is_open = draft.plain.get("workload") is None or not {"log_stats", "kind"}.isdisjoint(
            draft.workload
        )
        if "duration" not in draft.plain and is_open:
            hint = "add for example 'duration: 1 h', or replay an mbox"
            yield Finding((), "the key 'duration' is missing", hint)
        return
    noun = _NOUNS[replayed]
    for key in ("date", "start"):
        if key in draft.plain:
            hint = f"remove '{key}': the run starts at the hour of the first message"
            yield Finding((key,), f"'{key}' is given, and the {noun} decides it", hint, at_key=True)


def _check_one_source(draft: Draft) -> Iterator[Finding]:
    found = [key for key in draft.workload if key in SOURCES]
    if not found:
        hint = "write 'mbox: FILE', 'tracking_log: FILE' or 'log_stats: FILE, database: NAME'"
        yield Finding(("workload",), "the workload names no file", hint)
    for key in found[1:]:
        message = f"both '{found[0]}' and '{key}' are given"
        yield Finding(("workload", key), message, "keep one of them", at_key=True)


def _check_database(draft: Draft) -> Iterator[Finding]:
    if "log_stats" in draft.workload and "database" not in draft.workload:
        hint = "add for example 'database: First Storage Group'"
        yield Finding(("workload",), "the key 'database' is missing", hint)
    if "database" in draft.workload and draft.replayed is not None:
        if "log_stats" in draft.workload:
            return  # reported as a second source
        message = f"'database' says nothing beside '{draft.replayed}'"
        yield Finding(("workload", "database"), message, "remove it", at_key=True)


def _check_one_group(draft: Draft) -> Iterator[Finding]:
    exchange = draft.plain.get("exchange")
    groups = exchange.get("storage_groups") if isinstance(exchange, dict) else None
    if "log_stats" in draft.workload and isinstance(groups, tuple) and len(groups) > 1:
        message = f"log statistics are of one storage group, and {len(groups)} are written"
        yield Finding(("workload", "log_stats"), message, "describe the one that was counted")


def _check_file(draft: Draft, key: str, name: Any) -> Iterator[Finding]:
    if not isinstance(name, str) or not name or draft.folder is None:
        return
    path: Path = ("workload", key)
    try:
        file = draft.folder / name
        if file.is_file() or (key == "tracking_log" and file.is_dir()):
            return
        fault = "is not a file" if file.exists() else "does not exist"
    except (OSError, ValueError):
        fault = "is not a file name"
    hint = "the path is relative to the scenario file's folder"
    yield Finding(path, f"the {_NOUNS[key]} {quoted(name)} {fault}", hint)


def doubts_about_mail(draft: Draft) -> Iterator[tuple[Path, str, str]]:
    """What of the profile has no effect, and hours that are not exactly a day."""
    exchange = draft.plain.get("exchange")
    groups = exchange.get("storage_groups", ()) if isinstance(exchange, dict) else ()
    for index, group in enumerate(groups if isinstance(groups, tuple) else ()):
        if isinstance(group, dict) and "profile" in group:
            path: Path = ("exchange", "storage_groups", index, "profile")
            yield from _doubts_about_profile(draft, path, group["profile"])


def _doubts_about_profile(
    draft: Draft, path: Path, profile: Any
) -> Iterator[tuple[Path, str, str]]:
    if draft.replayed is not None:
        message = f"the profile has no effect: the {_NOUNS[draft.replayed]} decides the mail"
        yield path, message, "remove it"
        return
    hours = profile.get("hours") if isinstance(profile, dict) else None
    if hours is None:
        return
    if "log_stats" in draft.workload:
        message = "the hours have no effect: the log statistics decide them"
        yield (*path, "hours"), message, "remove them"
        return
    total = _sum(hours)
    if total is not None and _EXACT < abs(total - 1) <= HOURS_SUM_TOLERANCE:
        message = f"the hours sum up to {total * 100:.6g} %, and are scaled to 100 %"
        yield (*path, "hours"), message, "correct one of them"


def _sum(hours: Any) -> float | None:
    try:
        return float(sum(parse_share(share) for share in hours))
    except (QuantityError, TypeError):
        return None
