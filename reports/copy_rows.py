"""The copies of a protection side by side: what became of each, and what it could have given."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reports.copies import CopyResult
from reports.durations import duration_text


class CopyRow(NamedTuple):
    """One copy in words; what it has nothing to say of is empty."""

    name: str
    site: str
    state: str
    disaster: str
    rpo_max: str
    covered: str


def copy_rows(copies: Sequence[CopyResult]) -> Iterator[CopyRow]:
    """Yield a row for each copy."""
    for copy in copies:
        covered = next((item for item in copy.coverage if item.consistency == "any"), None)
        yield CopyRow(
            copy.name,
            copy.site,
            copy.state,
            _disaster_text(copy),
            "" if copy.rpo is None else duration_text(copy.rpo.max_s),
            "" if covered is None else f"{covered.share:.2%}",
        )


def _disaster_text(copy: CopyResult) -> str:
    """Return what the copy gave at last when the mail server was lost."""
    attempts = [recovery for recovery in copy.recoveries if recovery.cause == "disaster"]
    if not attempts:
        return ""
    last = attempts[-1]
    if last.outcome != "recovered" or last.lost is None or last.rpo_s is None:
        return last.outcome
    age = duration_text(last.rpo_s)
    return f"{last.lost.messages} lost, {age} before it"
