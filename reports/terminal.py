"""The result on a terminal, in a pipe, or in a log: 80 columns, with or without colour.

Fixed wording is ASCII; text from the run passes `printable` and is never read as markup.
"""

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import TextIO

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from reports.chart import rpo_chart, step_bars
from reports.copy_rows import copy_rows
from reports.durations import count_text, duration_text, size_text
from reports.groups import group_rows
from reports.headline import (
    drill_sentences,
    recovery_sentences,
    strictness_note,
    value_text,
    when_text,
)
from reports.losses import loss_sentences
from reports.model import ProtectionResult, Result
from reports.recoveries import LostMessage, Recovery
from reports.sheet import STYLES, Sheet, print_sheet, verdict_text
from reports.text import fitted, printable
from reports.verdicts import Verdict
from reports.violations import violation_sentences

LOST_TEXT_COLUMNS_MAX = 120
NOTICES_SHOWN = 12
LOST_MESSAGES_SHOWN = 10
_CHART_COLUMNS_MAX = 64
_CHART_ROWS = 5


def print_result(result: Result, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Prints a result, in colour where the file is a terminal that has it.

    Args:
        result: what to print.
        file: where to; standard output when left out.
        width: columns; the terminal's own, or 80 in a pipe, when left out.
    """
    print_sheet(lambda console: _Rendering(console, result).print(), file=file, width=width)


def render_text(result: Result, *, width: int = 80, encoding: str = "utf-8") -> str:
    """The result as plain text, as a pipe of that encoding would receive it."""
    file = _EncodedText(encoding)
    print_result(result, file=file, width=width)
    return file.getvalue()


class _EncodedText(StringIO):
    """A text buffer that names the encoding its text is for."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # StringIO's own is None
        return self._encoding


class _Rendering(Sheet):
    """One result on one console."""

    def __init__(self, console: Console, result: Result) -> None:
        super().__init__(console)
        self._result = result
        self._ascii_only = not console.encoding.lower().startswith("utf")

    def print(self) -> None:
        self._print_title()
        self._print_thresholds()
        self._print_faults()
        self._print_notices()
        for protection in self._result.protections:
            self._print_protection(protection)
        self._print_assumptions()
        self._print_provenance()

    def _print_title(self) -> None:
        result = self._result
        verdict = self.text(verdict_text(result.verdict).upper(), STYLES[result.verdict])
        title = self.text(f"  {result.scenario.title}", "bold")
        self.console.print(Text.assemble(verdict, title))
        run = f"seed {result.seed}, {duration_text(result.simulated_s)} simulated"
        self.console.print(self.text(run, "dim"))

    def _print_thresholds(self) -> None:
        self.heading("Thresholds")
        if not self._result.thresholds:
            self.line("The scenario has none: nothing was judged.", "yellow")
            return
        table = self.table(
            ("verdict", ""),
            ("metric", ""),
            ("limit", ""),
            ("observed", "right"),
            ("n", "right"),
            ("line", "right"),
        )
        for threshold in self._result.thresholds:
            table.add_row(
                self.text(verdict_text(threshold.verdict), STYLES[threshold.verdict]),
                self.text(threshold.metric),
                self.text(threshold.expr),
                self.text(value_text(threshold.observed, threshold.unit)),
                f"{threshold.n:,}",
                self.text(threshold.place),
            )
        self.print_table(table)
        for threshold in self._result.thresholds:
            if threshold.note:
                self.line(f"{threshold.metric}: {threshold.note}", "dim")
        note = strictness_note(self._result.thresholds)
        if note:
            self.line(note, "dim")

    def _print_faults(self) -> None:
        if not self._result.faults:
            return
        self.heading("Faults")
        table = self.table(("", ""), ("", ""), ("", ""), ("", ""))
        table.show_header = False
        for fault in self._result.faults:
            table.add_row(
                self.text(
                    fault.told,
                    "" if fault.fired or not fault.chosen else STYLES[Verdict.NOT_EXERCISED],
                ),
                self.text(fault.kind),
                self.text(when_text(self._result.scenario, fault.at_s)),
                self.text(fault.evidence),
            )
        self.print_table(table)

    def _print_notices(self) -> None:
        notices = self._result.notices
        if not notices:
            return
        self.heading("Notices")
        table = self.table(("", ""), ("", ""), ("", ""))
        table.show_header = False
        for notice in notices[:NOTICES_SHOWN]:
            table.add_row(
                self.text(when_text(self._result.scenario, notice.at_s)),
                self.text(notice.source),
                self.text(notice.text),
            )
        self.print_table(table)
        if len(notices) > NOTICES_SHOWN:
            self.line(f"and {count_text(len(notices) - NOTICES_SHOWN, 'notice')} more", "dim")

    def _print_protection(self, protection: ProtectionResult) -> None:
        self.heading(f"{protection.name} ({protection.kind})")
        disasters = [found for found in protection.recoveries if found.cause == "disaster"]
        for recovery in disasters:
            for sentence in recovery_sentences(self._result, protection, recovery):
                self.line(sentence)
            self._print_groups("By storage group", [recovery])
        for sentence in drill_sentences(self._result, protection):
            self.line(sentence)
        drills = [found for found in protection.recoveries if found.cause == "drill"]
        self._print_groups("By storage group, the worst of its drills", drills)
        if not protection.recoveries:
            self.line("Nothing was recovered in this run.", "yellow")
        self._print_copies(protection)
        self._print_rpo(protection)
        for recovery in disasters:
            self._print_steps(recovery)
            self._print_lost(recovery)

    def _print_copies(self, protection: ProtectionResult) -> None:
        if not protection.copies:
            return
        self.console.print()
        self.line("Its copies, and what each could have given")
        table = self.table(
            ("copy", ""),
            ("site", ""),
            ("state", ""),
            ("in the disaster", ""),
            ("worst RPO", "right"),
            ("covered", "right"),
        )
        for row in copy_rows(protection.copies):
            table.add_row(*map(self.text, row))
        self.print_table(table)

    def _print_groups(self, title: str, recoveries: Sequence[Recovery]) -> None:
        rows = list(group_rows(recoveries))
        if not rows:
            return
        self.console.print()
        self.line(title)
        table = self.table(
            ("group", ""), ("outcome", ""), ("lost", "right"), ("size", "right"), ("logs", "right")
        )
        for name, outcome, lost in rows:
            amounts = ("", "", "")
            if lost is not None:
                amounts = (f"{lost.messages:,}", size_text(lost.bytes), f"{lost.logs:,}")
            table.add_row(self.text(name), self.text(outcome), *amounts)
        self.print_table(table)
        self.console.print()

    def _print_rpo(self, protection: ProtectionResult) -> None:
        shown = (
            ("any point", protection.rpo, protection.curve),
            ("application-consistent", protection.app_rpo, protection.app_curve),
        )
        for name, statistics, points in shown:
            if statistics is None:
                continue
            self.console.print()
            self.line(
                f"RPO over the run, {name}: mean {duration_text(statistics.mean_s)}, "
                f"p95 {duration_text(statistics.p95_s)}, p99 {duration_text(statistics.p99_s)}, "
                f"max {duration_text(statistics.max_s)}"
            )
            if points:
                for line in self._chart(points):
                    self.console.print(Text(f"  {line}", no_wrap=True))

        for sentence in violation_sentences(self._result, protection):
            self.line(sentence, "yellow")

    def _chart(self, points: Sequence[tuple[float, float]]) -> list[str]:
        scenario = self._result.scenario
        return rpo_chart(
            points,
            columns=max(10, min(_CHART_COLUMNS_MAX, self.console.width - 16)),
            rows=_CHART_ROWS,
            left=when_text(scenario, points[0][0]).removeprefix("at "),
            right=when_text(scenario, points[-1][0]).removeprefix("at "),
            ascii_only=self._ascii_only,
        )

    def _print_steps(self, recovery: Recovery) -> None:
        if not recovery.rto_steps:
            return
        self.console.print()
        self.line("Until mail was back")
        table = self.table(("step", ""), ("time", "right"), ("", "bar"), ("known by", ""))
        columns = max(8, min(32, self.console.width - 48))
        bars = step_bars(recovery.rto_steps, columns, ascii_only=self._ascii_only)
        for step, bar in zip(recovery.rto_steps, bars, strict=True):
            table.add_row(
                self.text(step.step),
                duration_text(step.seconds),
                Text(bar.ljust(columns)),
                self.text(step.basis),
            )
        table.add_row(
            Text("total"), duration_text(sum(step.seconds for step in recovery.rto_steps))
        )
        self.print_table(table)

    def _print_lost(self, recovery: Recovery) -> None:
        lost = recovery.lost.messages if recovery.lost is not None else 0
        if lost == 0:
            return
        self.console.print()
        self.line("Lost messages")
        shown = list(islice(recovery.lost_messages_list, LOST_MESSAGES_SHOWN))
        if shown:
            self.print_table(self._lost_table(shown))
        if lost > len(shown):
            self.line(f"and {count_text(lost - len(shown), 'message')} more", "dim", indent=4)
        for sentence in loss_sentences(recovery):
            self.line(sentence)

    def _lost_table(self, messages: Sequence[LostMessage]) -> Table:
        table = self.table(
            ("mailbox", ""), ("subject", ""), ("sent", ""), ("size", "right"), ("was in", "")
        )
        for message in messages:
            table.add_row(
                self._cut(message.mailbox, LOST_TEXT_COLUMNS_MAX),
                self._cut(message.subject or "(no subject)", LOST_TEXT_COLUMNS_MAX),
                when_text(self._result.scenario, message.acknowledged_s).removeprefix("at "),
                size_text(message.bytes),
                self._cut(message.stage, 24),
            )
        return table

    def _cut(self, text: str, width: int) -> Text:
        return Text(fitted(printable(text, self.console.encoding), width))

    def _print_assumptions(self) -> None:
        if not self._result.assumptions:
            return
        table = self.table(("figure", ""), ("value", ""), ("basis", ""), ("source", ""))
        for assumption in self._result.assumptions:
            table.add_row(
                self.text(assumption.name),
                self.text(assumption.value),
                self.text(assumption.basis),
                self.text(assumption.source),
            )
        self.console.print()
        self.console.print(Panel(table, title="Assumptions", box=box.ROUNDED, title_align="left"))

    def _print_provenance(self) -> None:
        self.console.print()
        for line in _provenance(self._result):
            self.console.print(self.text(line, "dim"))
        if self._result.replay:
            # Not folded: a command is copied as one line.
            self.console.print(self.text(f"replay   {self._result.replay}"), soft_wrap=True)


def _provenance(result: Result) -> Iterator[str]:
    if result.wall_s:
        yield (
            f"speed    {result.speed:,.0f} simulated seconds a second, "
            f"{result.events_per_s:,.0f} events a second"
        )
    yield f"run      {count_text(result.events, 'event')} in {duration_text(result.wall_s)}"
    yield f"effects  {result.digests.effects}"
    yield f"full     {result.digests.full}"
