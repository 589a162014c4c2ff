"""What many runs say together: which choice meets the targets, and how the runs differ."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from markupsafe import Markup

from reports.attainment import SHARES_PERCENT, Attainment, attainments, runs_to_tell
from reports.durations import duration_text
from reports.html import svg
from reports.html.parts import Figure, Part, Prose, Section, Table, columns, joined, markup
from reports.html.targets import target_parts
from reports.model import ProtectionResult, Result
from reports.study import Cell, Study
from reports.verdicts import Verdict

_HEIGHT = 24.0
CELLS_SHOWN = 60


def study_sections(study: Study) -> Iterator[Section]:
    """Yield what a study answers first: which targets were met, and by which choice."""
    yield Section("targets", "Targets and what was achieved", tuple(_cell_targets(study)))
    yield Section("planning", _planning_title(study), tuple(_planning(study)))


def distribution_section(study: Study) -> Section:
    """Return how the figures spread over the runs of each cell."""
    return Section("distribution", "How the runs differ", tuple(_distributions(study)))


def worst_run(study: Study) -> tuple[Cell, Result]:
    """Return the run that came off worst: by its verdict, then by its highest RPO."""
    every = [(cell, run) for cell in study.cells for run in cell.runs]
    return max(every, key=lambda pair: (_SEVERITY[pair[1].verdict], _rpo_max_s(pair[1])))


_SEVERITY = {
    Verdict.MET: 0,
    Verdict.NOT_EXERCISED: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.MISSED: 3,
}


def _rpo_max_s(run: Result) -> float:
    """The worst of what a recovery lost, else of what one would have lost."""
    recovered = [
        item.rpo_s for kept in run.protections for item in kept.recoveries if item.rpo_s is not None
    ]
    curves = [kept.rpo.max_s for kept in run.protections if kept.rpo is not None]
    return max([*recovered, *curves], default=0.0)


def _cell_targets(study: Study) -> Iterator[Part]:
    for cell in study.cells[:CELLS_SHOWN]:
        name = f"{cell.name}: " if cell.name else ""
        caption = f"{name}{cell.runs_met} of {len(cell.runs)} runs met every target"
        yield from target_parts(cell.thresholds, caption)
    if len(study.cells) > CELLS_SHOWN:
        yield Prose((f"{len(study.cells) - CELLS_SHOWN} more cells are in the JSON document.",))


def _planning_title(study: Study) -> str:
    if not study.varied:
        return "In how many cases the targets are met"
    return f"Which {' and '.join(study.varied)} meets the targets"


def _planning(study: Study) -> Iterator[Part]:
    runs_min = min(len(cell.runs) for cell in study.cells)
    note = ""
    if untold := [share for share in SHARES_PERCENT if runs_to_tell(share) > runs_min]:
        told = ", ".join(f"{share} %" for share in untold)
        note = (
            f"{runs_min} runs a choice cannot tell {told} from 100 %: that takes "
            f"{max(map(runs_to_tell, untold))} runs."
        )
    found = list(attainments(study))
    rows = tuple(
        (
            item.target or "all targets",
            *(_values_text(study, item.meeting(share)) for share in SHARES_PERCENT),
        )
        for item in found
    )
    if len(study.cells) > 1:
        names = [f"~In {share} % of cases" for share in SHARES_PERCENT]
        yield Table("What meets the target", columns("~Target", *names), rows, note)
    for item in found:
        yield _cells_table(item)


def _values_text(study: Study, names: Sequence[str]) -> str:
    """Cells by their value alone where one path was varied, else by their names."""
    values = {cell.name: ", ".join(cell.settings.values()) for cell in study.cells}
    shown = [values[name] if len(study.varied) == 1 else name for name in names]
    return "; ".join(shown) or "none of these"


def _cells_table(item: Attainment) -> Table:
    has_time = any(cell.within is not None for cell in item.cells)
    names = ["~Choice", ">Runs that met it", ">Share of runs"] + [">Share of time"] * has_time
    rows = tuple(
        (
            cell.cell or "as written",
            f"{cell.met} of {cell.runs}",
            f"{cell.met / cell.runs:.0%}",
            *([f"{cell.within:.2%}" if cell.within is not None else ""] if has_time else []),
        )
        for cell in item.cells[:CELLS_SHOWN]
    )
    note = "The share of time is that in which RPO(t) kept to the limit." if has_time else ""
    return Table(f"By choice: {item.target or 'all targets'}", columns(*names), rows, note)


class _Measure(NamedTuple):
    """A figure of each run; None where it has none."""

    name: str
    value: Callable[[ProtectionResult], float | None]
    text: Callable[[float], str]


def _distributions(study: Study) -> Iterator[Part]:
    if all(len(cell.runs) == 1 for cell in study.cells) and len(study.cells) == 1:
        yield Prose(("There is one run only.",))
        return
    names = list(dict.fromkeys(kept.name for run in study.runs for kept in run.protections))
    for place, name in enumerate(names):
        for number, measure in enumerate(_MEASURES):
            rows = [(cell, _values(cell, name, measure)) for cell in study.cells[:CELLS_SHOWN]]
            if any(values for _, values in rows):
                yield _distribution(f"spread-{place}-{number}", name, measure, rows)


def _values(cell: Cell, name: str, measure: _Measure) -> list[float]:
    found = [
        measure.value(kept) for run in cell.runs for kept in run.protections if kept.name == name
    ]
    return sorted(value for value in found if value is not None)


def _distribution(
    key: str, name: str, measure: _Measure, rows: Sequence[tuple[Cell, list[float]]]
) -> Figure:
    top = max(value for _, values in rows for value in values) or 1.0
    strips = joined(
        _strip(cell.name or "as written", values, top, measure, f"{key}-{number}")
        for number, (cell, values) in enumerate(rows)
        if values
    )
    ends = markup(
        '<div class="ends"><span>{}</span><span>{}</span></div>', measure.text(0), measure.text(top)
    )
    cells = tuple(
        (
            cell.name or "as written",
            f"{len(values):,}",
            *(measure.text(_quantile(values, share)) for share in (0, 50, 95, 100)),
        )
        for cell, values in rows
        if values
    )
    names = columns("~Choice", ">Runs", ">Least", ">Median", ">p95", ">Most")
    caption = f"{name}: {measure.name}, one stroke a run"
    body = markup('<div class="spread">{}{}</div>', strips, ends)
    return Figure(key, caption, body, Table("The spread in figures", names, cells))


def _strip(label: str, values: list[float], top: float, measure: _Measure, key: str) -> Markup:
    def x(value: float) -> float:
        return 4 + (svg.WIDTH - 8) * value / top

    shapes = [
        svg.line(0, _HEIGHT - 2, svg.WIDTH, _HEIGHT - 2, "grid"),
        svg.rectangle(x(values[0]), 10, x(values[-1]) - x(values[0]), 8, "range"),
        *(svg.line(x(value), 4, x(value), _HEIGHT - 2, "run") for value in values),
    ]
    told = f"median {measure.text(_quantile(values, 50))}, most {measure.text(values[-1])}"
    return markup(
        '<div class="strip"><p class="label">{} <span>{}</span></p>{}</div>',
        *(label, told, svg.drawing(key, label, told, _HEIGHT, shapes)),
    )


def _quantile(values: list[float], percent: int) -> float:
    """The nearest rank of sorted values."""
    return values[max(0, ceil(percent * len(values) / 100) - 1)]


def _highest_rpo(kept: ProtectionResult) -> float | None:
    return None if kept.rpo is None else kept.rpo.max_s


def _disaster_rpo(kept: ProtectionResult) -> float | None:
    return max((item.rpo_s for item in kept.recoveries if item.rpo_s is not None), default=None)


def _most_lost(kept: ProtectionResult) -> float | None:
    return max((item.lost.messages for item in kept.recoveries if item.lost), default=None)


def _longest_rto(kept: ProtectionResult) -> float | None:
    return max((item.rto_s for item in kept.recoveries if item.rto_s is not None), default=None)


_MEASURES = (
    _Measure("highest RPO of the run", _highest_rpo, duration_text),
    _Measure("worst RPO of a recovery", _disaster_rpo, duration_text),
    _Measure("most messages lost in a recovery", _most_lost, lambda value: f"{value:,.0f}"),
    _Measure("longest time until mail was back", _longest_rto, duration_text),
)
