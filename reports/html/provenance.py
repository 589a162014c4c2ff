"""What the figures rest on: assumptions, the run's own marks, and the command that repeats it."""

from collections.abc import Iterator

from reports.durations import count_text, duration_text
from reports.html.parts import Command, Part, Prose, Table, columns, markup
from reports.model import Assumption, Result
from reports.study import Study


def assumption_parts(assumptions: tuple[Assumption, ...]) -> Iterator[Part]:
    """Yield the table of what was not measured."""
    if not assumptions:
        yield Prose(("Nothing was assumed.",))
        return
    rows = tuple((item.name, item.value, item.basis, item.source) for item in assumptions)
    names = columns("~Figure", "~Value", "Basis", "~Source")
    yield Table("Figures that the run did not measure", names, rows)


def provenance_parts(document: Result | Study) -> Iterator[Part]:
    """Yield which program, scenario, seed and bytes this report is of."""
    rows = [
        ("Program", document.program or "unknown"),
        ("Scenario", document.scenario.file or document.scenario.title),
        ("Simulated start", document.scenario.starts_at or "none"),
        *(_of_run(document) if isinstance(document, Result) else _of_study(document)),
        ("Effects digest", markup("<code>{}</code>", document.digests.effects)),
        ("Full digest", markup("<code>{}</code>", document.digests.full)),
    ]
    note = "The same seed gives the same digests, on any machine."
    yield Table("Where this report is from", columns("Mark", "~Value"), tuple(rows), note)


def _of_run(result: Result) -> Iterator[tuple[str, str]]:
    yield "Seed", f"{result.seed}"
    yield "Simulated time", duration_text(result.simulated_s)
    yield "Run", f"{count_text(result.events, 'event')} in {duration_text(result.wall_s)}"


def _of_study(study: Study) -> Iterator[tuple[str, str]]:
    runs = list(study.runs)
    seeds = sorted({run.seed for run in runs})
    yield "Seeds", f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    yield "Runs", f"{count_text(len(runs), 'run')} in {count_text(len(study.cells), 'cell')}"
    if study.wall_s:
        yield "Real time", duration_text(study.wall_s)


def replay_parts(document: Result | Study) -> Iterator[Part]:
    """Yield the command that repeats the run."""
    if document.replay:
        yield Command(document.replay)
    else:
        yield Prose(("The run was not started by a command, so there is none to repeat it.",))
