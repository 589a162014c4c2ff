"""From a document to the catalogue's rows, and back from rows to records."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert

from reports.figures import figures_of, name_of
from reports.model import Result
from reports.placed_runs import PlacedRun, placed_runs
from reports.store import tables
from reports.store.records import Entry, Origin, StoredFigure, identity_of
from reports.study import STUDY_KIND, Study

Rows = list[dict[str, Any]]


def entry_row(entry_id: str, document: Result | Study, origin: Origin) -> dict[str, Any]:
    """The row of an entry."""
    runs = placed_runs(document)
    return {
        "entry_id": entry_id,
        "identity": identity_of(origin, document.program, runs),
        "kind": STUDY_KIND if isinstance(document, Study) else "result",
        "kept_at_ns": origin.kept_at_ns,
        "scenario": origin.scenario,
        "title": document.scenario.title,
        "scenario_digest": origin.scenario_digest,
        "program": document.program,
        "verdict": document.verdict.value,
        "commit_id": origin.commit,
        "branch": origin.branch,
        "is_dirty": origin.is_dirty,
    }


def insert_runs(connection: Connection, entry_id: str, runs: Sequence[PlacedRun]) -> None:
    """Writes the rows of an entry's runs, and of their figures."""
    run_rows: Rows = []
    figure_rows: Rows = []
    for number, run in enumerate(runs):
        run_rows.append(_run_row(entry_id, number, run))
        figure_rows += _figure_rows(entry_id, number, run.result)
    connection.execute(insert(tables.runs), run_rows)
    connection.execute(insert(tables.figures), figure_rows)


def _run_row(entry_id: str, number: int, run: PlacedRun) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "number": number,
        "cell": run.cell,
        "settings": json.dumps(run.settings, sort_keys=True),
        "seed": str(run.result.seed),
        "effects": run.result.digests.effects,
        "verdict": run.result.verdict.value,
    }


def _figure_rows(entry_id: str, number: int, result: Result) -> Rows:
    limited = {name_of(threshold) for threshold in result.thresholds}
    return [
        {
            "entry_id": entry_id,
            "number": number,
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "better": figure.better.value,
            "is_limited": figure.name in limited,
        }
        for figure in figures_of(result)
    ]


def entry_of(row: Row[Any]) -> Entry:
    """The record of an entry's row."""
    return Entry(
        entry_id=row.entry_id,
        identity=row.identity,
        kind=row.kind,
        kept_at_ns=row.kept_at_ns,
        scenario=row.scenario,
        title=row.title,
        scenario_digest=row.scenario_digest,
        program=row.program,
        verdict=row.verdict,
        commit=row.commit_id,
        branch=row.branch,
        is_dirty=row.is_dirty,
    )


def figure_of(row: Row[Any]) -> StoredFigure:
    """The record of a figure's row."""
    return StoredFigure(row.name, row.value, row.unit, row.better, row.is_limited)
