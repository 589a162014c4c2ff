"""The runs of a result or of a study alike, each with the cell that it belongs to."""

from typing import NamedTuple

from reports.model import Result
from reports.study import Study


class PlacedRun(NamedTuple):
    """One run of a document, and its cell: no name and no settings where there is no matrix."""

    cell: str
    settings: dict[str, str]
    result: Result


def placed_runs(document: Result | Study) -> list[PlacedRun]:
    """All runs of a document, cell by cell, by seed."""
    if isinstance(document, Result):
        return [PlacedRun("", {}, document)]
    return [
        PlacedRun(cell.name if cell.settings else "", dict(cell.settings), run)
        for cell in document.cells
        for run in cell.runs
    ]
