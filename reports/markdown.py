"""Markdown for a CI job's summary, cut by us before the whole would be thrown away."""

import re
from collections.abc import Iterable, Iterator, Sequence

from reports.attainment import SHARES_PERCENT, attainments
from reports.clock import Clock
from reports.durations import count_text, duration_text, size_text
from reports.headline import (
    answer_text,
    drill_sentences,
    interval_text,
    recovery_sentences,
    strictness_note,
    value_text,
)
from reports.losses import by_stage, telling_recoveries
from reports.model import ProtectionResult, Result, unfired
from reports.study import Cell, Study
from reports.text import printable
from reports.verdicts import ThresholdResult, Verdict

SIZE_MAX = 1 << 20
"""GitHub drops a job summary that is larger, bytes."""
_ROOM = 4_096
_LOST_SHOWN = 20
_NOTICES_SHOWN = 10
_SIGNS = {
    Verdict.MET: "\u2705",
    Verdict.MISSED: "\u274c",
    Verdict.INCONCLUSIVE: "\u2754",
    Verdict.NOT_EXERCISED: "\u26aa",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!~|-])")


def markdown_report(documents: Sequence[Result | Study], size_max: int = SIZE_MAX) -> str:
    """The summary as text; what does not fit into `size_max` bytes is left out, and that is said.

    Text from outside is escaped, so that no subject is taken for a link or for HTML.
    """
    blocks = [block for document in documents for block in _blocks(document)]
    return _cut(blocks, size_max)


def _cut(blocks: Sequence[str], size_max: int) -> str:
    """The first blocks that fit, whole, with the number of those left out."""
    kept, size = [], 0
    for block in blocks:
        size += len(block.encode("utf-8", "replace")) + 2
        if size > size_max - _ROOM:
            break
        kept.append(block)
    if len(kept) < len(blocks):
        kept.append(
            f"> **Cut here**: {len(blocks) - len(kept)} of {len(blocks)} parts would make this "
            f"summary larger than {size_text(size_max)}; the JSON and HTML reports have them."
        )
    return "\n\n".join(kept) + "\n"


def _blocks(document: Result | Study) -> Iterator[str]:
    verdict = document.verdict
    yield f"## {_SIGNS[verdict]} {_word(verdict).upper()}: {escaped(document.scenario.title)}"
    if isinstance(document, Study):
        yield from _study_blocks(document)
    else:
        yield f"{answer_text(verdict, document.thresholds)}."
        yield from _threshold_blocks(document.thresholds)
        yield from _run_blocks(document)
    yield _provenance(document)


def _run_blocks(result: Result) -> Iterator[str]:
    missing = [fault.kind for fault in unfired(result.faults)]
    if missing:
        yield f"**Did not fire**: {escaped(', '.join(missing))}"
    for protection in result.protections:
        yield f"### {escaped(protection.name)}"
        sentences = [
            sentence
            for recovery in protection.recoveries
            if recovery.cause == "disaster"
            for sentence in recovery_sentences(result, protection, recovery)
        ]
        sentences += drill_sentences(result, protection)
        told = sentences or ["Nothing was recovered in this run."]
        yield "\n".join(f"- {escaped(sentence)}" for sentence in told)
        yield from _loss_blocks(result, protection)
    clock = Clock(result.scenario, result.simulated_s)
    if result.notices:
        told = [
            f"- {clock.text(item.at_s)} {escaped(item.source)}: {escaped(item.text)}"
            for item in result.notices[:_NOTICES_SHOWN]
        ]
        rest = len(result.notices) - len(told)
        yield "\n".join(["**Notices**", "", *told, *([f"- and {rest} more"] if rest else [])])


def _loss_blocks(result: Result, protection: ProtectionResult) -> Iterator[str]:
    clock = Clock(result.scenario, result.simulated_s)
    for recovery in telling_recoveries(protection):
        if recovery.lost is None or not recovery.lost.messages:
            continue
        stages = [
            (row.stage, f"{row.messages:,}", size_text(row.bytes))
            for row in by_stage(recovery.lost_messages_list)
        ]
        yield _table(("Lost mail was", ">messages", ">size"), stages)
        shown = recovery.lost_messages_list[:_LOST_SHOWN]
        rows = [
            (
                message.subject or "(no subject)",
                message.mailbox,
                clock.text(message.acknowledged_s),
                size_text(message.bytes),
                message.stage,
            )
            for message in shown
        ]
        rest = recovery.lost.messages - len(shown)
        told = count_text(recovery.lost.messages, "lost message")
        first = f"the first {len(shown)} of {told}" if rest else told
        names = ("subject", "mailbox", "sent", ">size", "was in")
        yield f"<details><summary>{first}</summary>\n\n{_table(names, rows)}\n\n</details>"


def _study_blocks(study: Study) -> Iterator[str]:
    runs = count_text(len(list(study.runs)), "run")
    yield f"{runs} in {count_text(len(study.cells), 'cell')}."
    if len(study.cells) > 1:
        rows = [
            (item.target or "all targets",
             *("; ".join(item.meeting(share)) or "none" for share in SHARES_PERCENT))
            for item in attainments(study)
        ]  # fmt: skip
        yield _table(("target", *(f"in {share} % of cases" for share in SHARES_PERCENT)), rows)
    for cell in study.cells:
        yield _cell_heading(study, cell)
        yield from _threshold_blocks(cell.thresholds)


def _cell_heading(study: Study, cell: Cell) -> str:
    name = escaped(cell.name) if len(study.cells) > 1 and cell.name else "All runs together"
    return f"### {_SIGNS[cell.verdict]} {name}: {cell.runs_met} of {len(cell.runs)} runs met all"


def _threshold_blocks(thresholds: Sequence[ThresholdResult]) -> Iterator[str]:
    if not thresholds:
        yield "The scenario has no thresholds: nothing was judged."
        return
    rows = [
        (
            f"{_SIGNS[item.verdict]} {_word(item.verdict)}",
            item.metric,
            item.expr,
            _observed_text(item),
            f"{item.n:,}",
            item.place,
        )
        for item in thresholds
    ]
    yield _table(("verdict", "metric", "limit", ">observed", ">n", ">line"), rows)
    notes = [f"- {escaped(item.metric)}: {escaped(item.note)}" for item in thresholds if item.note]
    if notes:
        yield "\n".join(notes)
    if strict := strictness_note(thresholds):
        yield escaped(strict)


def _observed_text(item: ThresholdResult) -> str:
    value, interval = value_text(item.observed, item.unit), interval_text(item)
    return f"{value} ({interval})" if interval else value


def _provenance(document: Result | Study) -> str:
    program = document.program or "rpolab"
    lines = [f"{escaped(program)}, effects digest `{document.digests.effects}`"]
    if isinstance(document, Result):
        lines[0] += f", seed {document.seed}, {duration_text(document.simulated_s)} simulated"
    if document.replay:
        # Indented code: nothing in a command can end it but a line's end, which it has not.
        lines += ["", f"    {printable(document.replay)}"]
    return "\n".join(lines)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns whose name begins with '>' hold figures."""
    lines = [
        "| " + " | ".join(escaped(name.removeprefix(">")) for name in names) + " |",
        "|" + "|".join("---:" if name.startswith(">") else "---" for name in names) + "|",
    ]
    lines += ["| " + " | ".join(map(escaped, row)) + " |" for row in rows]
    return "\n".join(lines)


def _word(verdict: Verdict) -> str:
    return verdict.value.replace("_", " ")


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, no link, no mention, no table of its own."""
    shown = _SPECIAL.sub(r"\\\1", printable(text))
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "&#64;")):
        shown = shown.replace(letter, entity)
    return shown.replace("://", ":&#47;/").replace("www.", "www&#46;")
