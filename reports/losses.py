"""Lost mail summed up: where it was when disaster struck, and whose it was."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reports.durations import size_text
from reports.model import ProtectionResult
from reports.recoveries import LostMessage, Recovery

_MANY = 10
_MOST_TOLD = 3


class StageRow(NamedTuple):
    """Lost messages that were at one stage; `came_back` of them by another way."""

    stage: str
    messages: int
    bytes: int
    came_back: int = 0


def by_stage(messages: Iterable[LostMessage]) -> list[StageRow]:
    """Rows of lost messages by the stage where they were, the most first."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for message in messages:
        counts[message.stage] += 1
        sizes[message.stage] += message.bytes
    return [StageRow(stage, count, sizes[stage]) for stage, count in counts.most_common()]


def top_mailboxes(messages: Iterable[LostMessage], shown_max: int) -> list[tuple[str, int, int]]:
    """The mailboxes that lost most: name, messages, bytes; at most so many."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for message in messages:
        counts[message.mailbox] += 1
        sizes[message.mailbox] += message.bytes
    ordered = sorted(counts, key=lambda mailbox: (-counts[mailbox], -sizes[mailbox], mailbox))
    return [(mailbox, counts[mailbox], sizes[mailbox]) for mailbox in ordered[:shown_max]]


def source_text(protection: ProtectionResult, recovery: Recovery) -> str:
    """The protection, with the copy that a recovery came from where there are several."""
    return f"{protection.name}@{recovery.copy_name}" if recovery.copy_name else protection.name


def loss_sentences(recovery: Recovery) -> Iterator[str]:
    """Yield where the lost mail was, and of many lost messages whose they were."""
    messages = recovery.lost_messages_list
    stages = [
        f"{row.stage} {row.messages:,} ({size_text(row.bytes)})" for row in by_stage(messages)
    ]
    if stages:
        yield f"Where they were: {', '.join(stages)}."
    if len(messages) > _MANY:
        most = [f"{name} {count:,}" for name, count, _ in top_mailboxes(messages, _MOST_TOLD)]
        yield f"Most lost: {', '.join(most)}."


def telling_recoveries(protection: ProtectionResult) -> Sequence[Recovery]:
    """The recoveries whose losses a report lists: all after a disaster, else the worst drill."""
    disasters = [item for item in protection.recoveries if item.cause == "disaster"]
    if disasters:
        return disasters
    drills = [item for item in protection.recoveries if item.lost is not None]
    return [max(drills, key=_lost_count)] if drills else []


def _lost_count(recovery: Recovery) -> int:
    return 0 if recovery.lost is None else recovery.lost.messages
