"""What became of each storage group: in one recovery, or at worst in many."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reports.records import Loss
from reports.recoveries import GroupRecovery, Recovery


class GroupRow(NamedTuple):
    """One storage group; `lost` is the most that it lost of each, None where it never opened."""

    name: str
    outcome: str
    lost: Loss | None


def group_rows(recoveries: Sequence[Recovery]) -> Iterator[GroupRow]:
    """Yield a row for each storage group of the server; none where it has one only.

    Args:
        recoveries: those that the rows sum up.
    """
    found: dict[str, list[GroupRecovery]] = {}
    for recovery in recoveries:
        for group in recovery.groups:
            found.setdefault(group.name, []).append(group)
    for name, groups in found.items():
        losses = [group.lost for group in groups if group.lost is not None]
        yield GroupRow(name, _outcome_text(groups), _worst(losses))


def _outcome_text(groups: Sequence[GroupRecovery]) -> str:
    outcomes = Counter(group.outcome for group in groups)
    if len(groups) == 1:
        return groups[0].outcome
    if len(outcomes) == 1:
        return f"all {groups[0].outcome}"
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())


def _worst(losses: Sequence[Loss]) -> Loss | None:
    if not losses:
        return None
    return Loss(
        messages=max(loss.messages for loss in losses),
        bytes=max(loss.bytes for loss in losses),
        logs=max(loss.logs for loss in losses),
    )
