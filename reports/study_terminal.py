"""A study on a terminal: what each choice of values comes to, and which of them is enough.

Fixed wording is ASCII; text from the runs passes `printable` and is never read as markup.
"""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console

from reports.attainment import SHARES_PERCENT, Attainment, attainments, runs_to_tell
from reports.confidence import CONFIDENCE
from reports.durations import count_text, duration_text
from reports.headline import interval_text, strictness_note, value_text
from reports.model import Result
from reports.sheet import Sheet, print_sheet
from reports.study import Cell, Study
from reports.verdicts import Verdict

CELLS_SHOWN = 40


def print_study(study: Study, *, file: TextIO | None = None, width: int | None = None) -> None:
    """Prints a study, in colour where the file is a terminal that has it.

    Args:
        study: what to print.
        file: where to; standard output when left out.
        width: columns; the terminal's own, or 80 in a pipe, when left out.
    """
    print_sheet(lambda console: _Rendering(console, study).print(), file=file, width=width)


class _Rendering(Sheet):
    """One study on one console."""

    def __init__(self, console: Console, study: Study) -> None:
        super().__init__(console)
        self._study = study

    def print(self) -> None:
        self._print_title()
        if len(self._study.cells) > 1:
            self._print_attainment()
        for cell in self._study.cells[:CELLS_SHOWN]:
            self._print_cell(cell)
        hidden = len(self._study.cells) - CELLS_SHOWN
        if hidden > 0:
            self.line(f"and {count_text(hidden, 'choice')} more: write them with --json", "dim")
        note = strictness_note([item for cell in self._study.cells for item in cell.thresholds])
        if note:
            self.line(note, "dim")
        self._print_provenance()

    def _print_title(self) -> None:
        study = self._study
        title = self.verdict(study.verdict)
        title.plain = title.plain.upper()
        title.append_text(self.text(f"  {study.scenario.title}", "bold"))
        self.console.print(title)
        self.console.print(self.text(_extent(study), "dim"))

    def _print_attainment(self) -> None:
        self.heading("What is enough")
        together, *each = attainments(self._study)
        table = self.table(("targets met in", ""), ("with", ""))
        for percent in SHARES_PERCENT:
            table.add_row(f"{percent} % of runs", self.text(_meeting(together, percent)))
        self.print_table(table)
        runs = min(len(cell.runs) for cell in self._study.cells)
        finest = [percent for percent in SHARES_PERCENT[1:] if runs_to_tell(percent) > runs]
        if finest:
            self.line(
                f"With {count_text(runs, 'run')} each, one miss is already "
                f"{100 / runs:.3g} %: {finest[0]} % takes {runs_to_tell(finest[0])} runs.",
                "dim",
            )
        for target in each:
            best = [item for item in target.cells if item.attains(100)]
            if not best:
                self.line(f"No choice has met {target.target} in all runs.", "yellow")

    def _print_cell(self, cell: Cell) -> None:
        met = f"{cell.runs_met} of {count_text(len(cell.runs), 'run')} met all thresholds"
        self.heading(cell.name or met)
        if cell.name:
            self.line(met, "dim")
        if not cell.thresholds:
            self.line("The scenario has none: nothing was judged.", "yellow")
        self._print_thresholds(cell)
        for threshold in cell.thresholds:
            if threshold.note:
                self.line(f"{threshold.metric}: {threshold.note}", "dim")
        self._print_faults(cell)
        worst = _first_miss(cell)
        if worst is not None and worst.replay:
            self.line(f"first run that missed: seed {worst.seed}", "dim")
            self.command(f"  {worst.replay}")

    def _print_thresholds(self, cell: Cell) -> None:
        interval = f"{CONFIDENCE * 100:.0f} % interval"
        shown = any(interval_text(item) for item in cell.thresholds)
        columns = [("verdict", ""), ("metric", ""), ("limit", ""), ("observed", "right")]
        columns += [(interval, "right")] if shown else []
        table = self.table(*columns, ("n", "right"), ("line", "right"))
        for item in cell.thresholds:
            values = [value_text(item.observed, item.unit)]
            values += [interval_text(item)] if shown else []
            table.add_row(
                self.verdict(item.verdict),
                self.text(item.metric),
                self.text(item.expr),
                *(self.text(value) for value in values),
                f"{item.n:,}",
                self.text(item.place),
            )
        if cell.thresholds:
            self.print_table(table)

    def _print_faults(self, cell: Cell) -> None:
        kinds = dict.fromkeys(fault.kind for run in cell.runs for fault in run.faults)
        for kind in kinds:
            runs = sum(_fired(run, kind) for run in cell.runs)
            style = "dim" if runs else "yellow"
            self.line(f"{kind} fired in {runs} of {count_text(len(cell.runs), 'run')}", style)

    def _print_provenance(self) -> None:
        study = self._study
        self.console.print()
        for line in _provenance(study):
            self.console.print(self.text(line, "dim"))
        if study.replay:
            self.command(f"replay   {study.replay}")


def _extent(study: Study) -> str:
    runs = list(study.runs)
    parts = [count_text(len(runs), "run")]
    if len(study.cells) > 1:
        choices = count_text(len(study.cells), "choice")
        parts.append(f"{choices} of {' and '.join(study.varied)}")
    seeds = [run.seed for run in study.cells[0].runs]
    name = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    simulated_s = sum(run.simulated_s for run in runs)
    return ", ".join([*parts, name, f"{duration_text(simulated_s)} simulated"])


def _meeting(together: Attainment, percent: int) -> str:
    return ", ".join(name for name in together.meeting(percent)) or "none of them"


def _first_miss(cell: Cell) -> Result | None:
    if len(cell.runs) == 1:
        return None
    return next((run for run in cell.runs if run.verdict is Verdict.MISSED), None)


def _fired(run: Result, kind: str) -> bool:
    return any(fault.fired for fault in run.faults if fault.kind == kind)


def _provenance(study: Study) -> Iterator[str]:
    events = sum(run.events for run in study.runs)
    yield f"runs     {count_text(events, 'event')} in {duration_text(study.wall_s)}"
    yield f"effects  {study.digests.effects}"
    yield f"full     {study.digests.full}"
