"""The result on a terminal, in a pipe, or in a log: 80 columns, with or without colour.

Fixed wording is ASCII; text from the run passes `printable` and is never read as markup.
"""

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import TextIO

from rich import box
from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from reports.chart import rpo_chart, step_bars
from reports.durations import count_text, duration_text, size_text
from reports.groups import group_rows
from reports.headline import (
    drill_sentences,
    recovery_sentences,
    strictness_note,
    value_text,
    when_text,
)
from reports.model import ProtectionResult, Result
from reports.recoveries import LostMessage, Recovery
from reports.text import fitted, printable
from reports.verdicts import Verdict

LOST_TEXT_COLUMNS_MAX = 120
NOTICES_SHOWN = 12
LOST_MESSAGES_SHOWN = 10
_CHART_COLUMNS_MAX = 64
_CHART_ROWS = 5
_STYLES = {
    Verdict.MET: "bold green",
    Verdict.MISSED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.NOT_EXERCISED: "bold magenta",
}


def verdict_text(verdict: Verdict) -> str:
    """A verdict in words: 'not exercised'."""
    return verdict.value.replace("_", " ")


def print_result(result: Result, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Prints a result, in colour where the file is a terminal that has it.

    Args:
        result: what to print.
        file: where to; standard output when left out.
        width: columns; the terminal's own, or 80 in a pipe, when left out.
    """
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        _Rendering(console, result).print()
        return
    with console.capture() as capture:
        _Rendering(console, result).print()
    lines = (line.rstrip() for line in capture.get().splitlines())
    console.file.write("\n".join(lines) + "\n")


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


class _Rendering:
    """One result on one console."""

    def __init__(self, console: Console, result: Result) -> None:
        self._console = console
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

    def _text(self, text: str, style: str = "") -> Text:
        return Text(printable(text, self._console.encoding), style=style)

    def _line(self, text: str, style: str = "", indent: int = 2) -> None:
        self._console.print(Padding(self._text(text, style), (0, 0, 0, indent), expand=False))

    def _heading(self, text: str) -> None:
        self._console.print()
        self._console.print(self._text(text, "bold"))

    def _table(self, *columns: tuple[str, str]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name, justify in columns:
            if justify == "bar":
                table.add_column(name, no_wrap=True, overflow="crop")
            else:
                side: JustifyMethod = "right" if justify == "right" else "left"
                table.add_column(name, justify=side, overflow="fold")
        return table

    def _print_table(self, table: Table) -> None:
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def _print_title(self) -> None:
        result = self._result
        verdict = self._text(verdict_text(result.verdict).upper(), _STYLES[result.verdict])
        title = self._text(f"  {result.scenario.title}", "bold")
        self._console.print(Text.assemble(verdict, title))
        run = f"seed {result.seed}, {duration_text(result.simulated_s)} simulated"
        self._console.print(self._text(run, "dim"))

    def _print_thresholds(self) -> None:
        self._heading("Thresholds")
        if not self._result.thresholds:
            self._line("The scenario has none: nothing was judged.", "yellow")
            return
        table = self._table(
            ("verdict", ""),
            ("metric", ""),
            ("limit", ""),
            ("observed", "right"),
            ("n", "right"),
            ("line", "right"),
        )
        for threshold in self._result.thresholds:
            table.add_row(
                self._text(verdict_text(threshold.verdict), _STYLES[threshold.verdict]),
                self._text(threshold.metric),
                self._text(threshold.expr),
                self._text(value_text(threshold.observed, threshold.unit)),
                f"{threshold.n:,}",
                str(threshold.line) if threshold.line else "",
            )
        self._print_table(table)
        for threshold in self._result.thresholds:
            if threshold.note:
                self._line(f"{threshold.metric}: {threshold.note}", "dim")
        note = strictness_note(self._result.thresholds)
        if note:
            self._line(note, "dim")

    def _print_faults(self) -> None:
        if not self._result.faults:
            return
        self._heading("Faults")
        table = self._table(("", ""), ("", ""), ("", ""), ("", ""))
        table.show_header = False
        for fault in self._result.faults:
            table.add_row(
                self._text(
                    "fired" if fault.fired else "did not fire",
                    "" if fault.fired else _STYLES[Verdict.NOT_EXERCISED],
                ),
                self._text(fault.kind),
                self._text(when_text(self._result.scenario, fault.at_s)),
                self._text(fault.evidence),
            )
        self._print_table(table)

    def _print_notices(self) -> None:
        notices = self._result.notices
        if not notices:
            return
        self._heading("Notices")
        table = self._table(("", ""), ("", ""), ("", ""))
        table.show_header = False
        for notice in notices[:NOTICES_SHOWN]:
            table.add_row(
                self._text(when_text(self._result.scenario, notice.at_s)),
                self._text(notice.source),
                self._text(notice.text),
            )
        self._print_table(table)
        if len(notices) > NOTICES_SHOWN:
            self._line(f"and {count_text(len(notices) - NOTICES_SHOWN, 'notice')} more", "dim")

    def _print_protection(self, protection: ProtectionResult) -> None:
        self._heading(f"{protection.name} ({protection.kind})")
        disasters = [found for found in protection.recoveries if found.cause == "disaster"]
        for recovery in disasters:
            for sentence in recovery_sentences(self._result, protection, recovery):
                self._line(sentence)
            self._print_groups("By storage group", [recovery])
        for sentence in drill_sentences(self._result, protection):
            self._line(sentence)
        drills = [found for found in protection.recoveries if found.cause == "drill"]
        self._print_groups("By storage group, the worst of its drills", drills)
        if not protection.recoveries:
            self._line("Nothing was recovered in this run.", "yellow")
        self._print_rpo(protection)
        for recovery in disasters:
            self._print_steps(recovery)
            self._print_lost(recovery)

    def _print_groups(self, title: str, recoveries: Sequence[Recovery]) -> None:
        rows = list(group_rows(recoveries))
        if not rows:
            return
        self._console.print()
        self._line(title)
        table = self._table(
            ("group", ""), ("outcome", ""), ("lost", "right"), ("size", "right"), ("logs", "right")
        )
        for name, outcome, lost in rows:
            amounts = ("", "", "")
            if lost is not None:
                amounts = (f"{lost.messages:,}", size_text(lost.bytes), f"{lost.logs:,}")
            table.add_row(self._text(name), self._text(outcome), *amounts)
        self._print_table(table)
        self._console.print()

    def _print_rpo(self, protection: ProtectionResult) -> None:
        shown = (
            ("any point", protection.rpo, protection.curve),
            ("application-consistent", protection.app_rpo, protection.app_curve),
        )
        for name, statistics, points in shown:
            if statistics is None:
                continue
            self._console.print()
            self._line(
                f"RPO over the run, {name}: mean {duration_text(statistics.mean_s)}, "
                f"p95 {duration_text(statistics.p95_s)}, p99 {duration_text(statistics.p99_s)}, "
                f"max {duration_text(statistics.max_s)}"
            )
            if points:
                for line in self._chart(points):
                    self._console.print(Text(f"  {line}", no_wrap=True))

    def _chart(self, points: Sequence[tuple[float, float]]) -> list[str]:
        scenario = self._result.scenario
        return rpo_chart(
            points,
            columns=max(10, min(_CHART_COLUMNS_MAX, self._console.width - 16)),
            rows=_CHART_ROWS,
            left=when_text(scenario, points[0][0]).removeprefix("at "),
            right=when_text(scenario, points[-1][0]).removeprefix("at "),
            ascii_only=self._ascii_only,
        )

    def _print_steps(self, recovery: Recovery) -> None:
        if not recovery.rto_steps:
            return
        self._console.print()
        self._line("Until mail was back")
        table = self._table(("step", ""), ("time", "right"), ("", "bar"), ("known by", ""))
        columns = max(8, min(32, self._console.width - 48))
        bars = step_bars(recovery.rto_steps, columns, ascii_only=self._ascii_only)
        for step, bar in zip(recovery.rto_steps, bars, strict=True):
            table.add_row(
                self._text(step.step),
                duration_text(step.seconds),
                Text(bar.ljust(columns)),
                self._text(step.basis),
            )
        table.add_row(
            Text("total"), duration_text(sum(step.seconds for step in recovery.rto_steps))
        )
        self._print_table(table)

    def _print_lost(self, recovery: Recovery) -> None:
        lost = recovery.lost.messages if recovery.lost is not None else 0
        if lost == 0:
            return
        self._console.print()
        self._line("Lost messages")
        shown = list(islice(recovery.lost_messages_list, LOST_MESSAGES_SHOWN))
        if shown:
            self._print_table(self._lost_table(shown))
        if lost > len(shown):
            self._line(f"and {count_text(lost - len(shown), 'message')} more", "dim", indent=4)

    def _lost_table(self, messages: Sequence[LostMessage]) -> Table:
        table = self._table(
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
        return Text(fitted(printable(text, self._console.encoding), width))

    def _print_assumptions(self) -> None:
        if not self._result.assumptions:
            return
        table = self._table(("figure", ""), ("value", ""), ("basis", ""), ("source", ""))
        for assumption in self._result.assumptions:
            table.add_row(
                self._text(assumption.name),
                self._text(assumption.value),
                self._text(assumption.basis),
                self._text(assumption.source),
            )
        self._console.print()
        self._console.print(Panel(table, title="Assumptions", box=box.ROUNDED, title_align="left"))

    def _print_provenance(self) -> None:
        self._console.print()
        for line in _provenance(self._result):
            self._console.print(self._text(line, "dim"))
        if self._result.replay:
            # Not folded: a command is copied as one line.
            self._console.print(self._text(f"replay   {self._result.replay}"), soft_wrap=True)


def _provenance(result: Result) -> Iterator[str]:
    if result.wall_s:
        yield (
            f"speed    {result.speed:,.0f} simulated seconds a second, "
            f"{result.events_per_s:,.0f} events a second"
        )
    yield f"run      {count_text(result.events, 'event')} in {duration_text(result.wall_s)}"
    yield f"effects  {result.digests.effects}"
    yield f"full     {result.digests.full}"
