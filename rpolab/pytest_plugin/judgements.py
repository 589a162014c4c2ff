"""What a result, or a study, says of one threshold, in the words of a failing test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

CONTEXT_LINES = 2


class Judged(NamedTuple):
    """One threshold as it was judged; the fields are those of the result."""

    metric: str
    expr: str
    observed: float | None
    unit: str
    n: int
    verdict: str
    line: int
    note: str
    file: str
    low: float | None
    high: float | None
    runs_needed: int | None
    cell: str | None


def judged(document: dict[str, Any], cell: str | None, index: int) -> Judged:
    """The threshold of that number, in the cell of that name where the scenario has cells."""
    place = document
    if document.get("kind") == "study":
        place = next(item for item in document["cells"] if cell in (None, item["name"]))
    found = place["thresholds"][index]
    return Judged(
        metric=found["metric"],
        expr=found["expr"],
        observed=found["observed"],
        unit=found["unit"],
        n=found["n"],
        verdict=found["verdict"],
        line=found["line"],
        note=found["note"],
        file=found.get("file", ""),
        low=found.get("low"),
        high=found.get("high"),
        runs_needed=found.get("runs_needed"),
        cell=cell,
    )


def runs_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a document: the only one, or those of all cells of a study."""
    if document.get("kind") != "study":
        return [document]
    return [run for cell in document["cells"] for run in cell["runs"]]


def seed_of(document: dict[str, Any]) -> str:
    """The seed, or the first and the last of a study's."""
    seeds = [run["seed"] for run in runs_of(document)]
    return str(seeds[0]) if len(set(seeds)) == 1 else f"{min(seeds)} to {max(seeds)}"


def told_unfired(document: dict[str, Any]) -> list[str]:
    """The faults that were drawn and never fired, a line each, with the run."""
    return [
        f"{fault['kind']} at {fault['at_s']:g} s (seed {run['seed']}): {fault['evidence']}"
        for run in runs_of(document)
        for fault in _unfired(run["faults"])
    ]


def _unfired(faults: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of a fault that may come often, once is enough."""
    came = {fault.get("number") for fault in faults if fault["fired"]} - {None}
    for fault in faults:
        chosen = fault.get("chosen", fault["evidence"] != "not drawn")
        if chosen and not fault["fired"] and fault.get("number") not in came:
            yield fault


def value_text(found: Judged) -> str:
    """What was observed, with its unit."""
    return "nothing" if found.observed is None else _quantity(found.observed, found.unit)


def missed_text(path: Path, told: str, found: Judged, document: dict[str, Any]) -> str:
    """The report of a threshold that is not met: the lines of the file, and the figures.

    Args:
        path: the file that has the threshold: the scenario's, or one that it extends.
        told: what to call the scenario's own.
        found: the threshold.
        document: what it was found in.
    """
    file = found.file or told
    where = f"{file}:{found.line}" if found.line else file
    verdict = found.verdict.replace("_", " ")
    cell = f" [{found.cell}]" if found.cell else ""
    head = f"{where}: {found.metric}: {found.expr}{cell}: {verdict}"
    return "\n".join([head, "", *_lines(path, found.line), "", *_figures(found, document)])


def _lines(path: Path, line: int) -> Iterator[str]:
    """The line of the file with its neighbours; nothing where it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if line else []
    except (OSError, ValueError):
        return
    first = max(line - CONTEXT_LINES, 1)
    for number, text in enumerate(lines[first - 1 : line + CONTEXT_LINES], first):
        yield f"{'>' if number == line else ' '} {number:4d} | {text}"


def _figures(found: Judged, document: dict[str, Any]) -> Iterator[str]:
    yield f"limit     {found.expr}{_strictness(found.expr)}"
    yield f"observed  {value_text(found)}"
    if found.low is not None and found.high is not None:
        low, high = (_quantity(end, found.unit) for end in (found.low, found.high))
        yield f"interval  {low} to {high}"
    yield f"samples   n = {found.n}"
    yield f"verdict   {found.verdict.replace('_', ' ')}"
    if found.note:
        yield f"note      {found.note}"
    if found.runs_needed is not None:
        yield f"to settle {found.runs_needed} more runs"
    yield f"seed      {seed_of(document)}"
    yield f"replay    {document.get('replay', '')}"


def _strictness(expr: str) -> str:
    """Whether the limit itself would do: the difference of `<` and `<=` is easily overlooked."""
    if "==" in expr:
        return ""
    return " (the limit itself meets it)" if "=" in expr else " (the limit itself misses it)"


def _quantity(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value * 100:.6g} %"
    return f"{value:,.0f}" if unit == "count" else f"{value:,.9g} {unit}"
