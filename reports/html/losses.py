"""Which mail was lost, and where it was at the disaster."""

from collections.abc import Iterator

from reports.clock import Clock
from reports.durations import count_text, duration_text, size_text
from reports.groups import group_rows
from reports.html.parts import Part, Prose, Table, columns
from reports.losses import StageRow, by_stage, source_text, telling_recoveries, top_mailboxes
from reports.model import ProtectionResult, Result
from reports.recoveries import Recovery

MESSAGES_SHOWN = 100
"""Of one recovery; the JSON document has them all."""
_MAILBOXES_SHOWN = 10
_MAILBOXES_FROM = 25
"""From so many lost messages on, it is also summed up whose they were."""


def loss_parts(result: Result, clock: Clock) -> Iterator[Part]:
    """Yield what each telling recovery lost: by stage, by mailbox, and the messages."""
    for protection in result.protections:
        for recovery in telling_recoveries(protection):
            yield from _of_recovery(protection, recovery, clock)
            yield from _findings(protection, recovery, clock)


def _of_recovery(protection: ProtectionResult, recovery: Recovery, clock: Clock) -> Iterator[Part]:
    what = f"{source_text(protection, recovery)}, {recovery.cause} at {clock.text(recovery.at_s)}"
    groups = tuple(
        (
            row.name,
            row.outcome,
            "" if row.lost is None else f"{row.lost.messages:,}",
            "" if row.lost is None else size_text(row.lost.bytes),
            "" if row.lost is None else f"{row.lost.logs:,}",
        )
        for row in group_rows([recovery])
    )
    if groups:
        names = columns("~Storage group", "Outcome", ">Lost", ">Size", ">Log files")
        yield Table(f"{what}: by storage group", names, groups)
    if recovery.lost is None:
        why = recovery.refusal.strip().rstrip(".")
        yield Prose((f"{what}: {recovery.outcome}, so nothing was counted: {why}.",), "warning")
        return
    if not recovery.lost.messages:
        yield Prose((f"{what}: no message was lost.",))
        return
    yield _stage_table(what, _stages(protection, recovery), recovery.lost.messages)
    if recovery.lost.messages >= _MAILBOXES_FROM:
        yield _mailbox_table(what, recovery)
    yield _message_table(what, recovery, clock)


def _findings(protection: ProtectionResult, recovery: Recovery, clock: Clock) -> Iterator[Part]:
    """What the scenario's own checkers found in the recovered mail."""
    rows = tuple(
        (item.checker, item.text, "the recovery failed for it" if item.refuses else "noted")
        for item in recovery.findings
    )
    if rows:
        rest = recovery.findings_count - len(rows)
        note = f"{count_text(rest, 'more finding')} were counted." if rest > 0 else ""
        what = (
            f"{source_text(protection, recovery)}, {recovery.cause} at {clock.text(recovery.at_s)}"
        )
        names = columns("~Checker", "~Finding", "Effect")
        yield Table(f"{what}: what checkers found", names, rows, note)


def _stages(protection: ProtectionResult, recovery: Recovery) -> list[StageRow]:
    """The laboratory's own count where it made one of this recovery, else that of the list."""
    told = protection.loss_by_stage
    disasters = [item for item in protection.recoveries if item.cause == "disaster"]
    if told and recovery is (disasters[-1] if disasters else None):
        return [StageRow(row.stage, row.messages, row.bytes, row.came_back) for row in told]
    return by_stage(recovery.lost_messages_list)


def _stage_table(what: str, stages: list[StageRow], lost: int) -> Table:
    rows = tuple(
        (
            row.stage,
            f"{row.messages:,}",
            f"{row.messages / lost:.0%}",
            size_text(row.bytes),
            f"{row.came_back:,}" if row.came_back else "",
        )
        for row in stages
    )
    names = columns("Stage", ">Messages", ">Share", ">Size", ">Came back another way")
    return Table(f"{what}: where the lost mail was", names, rows)


def _mailbox_table(what: str, recovery: Recovery) -> Table:
    rows = tuple(
        (mailbox, f"{messages:,}", size_text(size))
        for mailbox, messages, size in top_mailboxes(recovery.lost_messages_list, _MAILBOXES_SHOWN)
    )
    return Table(f"{what}: who lost most", columns("~Mailbox", ">Messages", ">Size"), rows)


def _message_table(what: str, recovery: Recovery, clock: Clock) -> Table:
    assert recovery.lost is not None, "losses were counted"
    shown = recovery.lost_messages_list[:MESSAGES_SHOWN]
    rows = tuple(
        (
            message.subject or "(no subject)",
            message.mailbox,
            clock.text(message.acknowledged_s),
            duration_text(recovery.at_s - message.acknowledged_s),
            size_text(message.bytes),
            message.stage if not message.came_back else f"{message.stage}; {message.came_back}",
        )
        for message in shown
    )
    rest, note = recovery.lost.messages - len(shown), ""
    if rest:
        note = (
            f"The first {len(shown):,} of {count_text(recovery.lost.messages, 'lost message')}; "
            f"{rest:,} more are in the JSON document."
        )
    names = columns(
        "~Subject", "~Mailbox", "Sent", f">Before the {recovery.cause}", ">Size", "Was in"
    )
    return Table(f"{what}: the lost messages", names, rows, note)
