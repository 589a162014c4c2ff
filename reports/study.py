"""A study: one scenario run with several seeds, or with several values of what it varies.

Each cell is one choice of values, with one run for each seed. Its thresholds are judged over the
samples of all its runs together.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Literal, Self

from pydantic import Field, model_validator

from reports.model import Digests, Result, ScenarioReference
from reports.records import Record, Seconds
from reports.rows import Row
from reports.verdicts import ThresholdResult, Verdict, worst_verdict

STUDY_VERSION: Literal[1] = 1
STUDY_KIND: Literal["study"] = "study"


class Cell(Record):
    """One choice of values: its runs in the order of their seeds, and what they come to together.

    `settings` gives the value of each varied path, as it is written; none without a matrix.
    """

    name: str
    settings: dict[str, str] = Field(default_factory=dict)
    runs: tuple[Result, ...] = Field(min_length=1)
    thresholds: tuple[ThresholdResult, ...] = ()
    verdict: Verdict

    @property
    def runs_met(self) -> int:
        """How many of its runs have met all thresholds."""
        return sum(run.verdict is Verdict.MET for run in self.runs)

    @property
    def share_met(self) -> float:
        """The share of its runs that have met all thresholds."""
        return self.runs_met / len(self.runs)

    @model_validator(mode="after")
    def _check_seeds(self) -> Self:
        seeds = [run.seed for run in self.runs]
        if seeds != sorted(set(seeds)):
            raise ValueError("the runs of a cell are in the order of their seeds, each once")
        return self


class Study(Record):
    """Everything that the runs of one scenario found."""

    version: Literal[1] = STUDY_VERSION
    kind: Literal["study"] = STUDY_KIND
    program: str = Field("", description="The program and its version, such as 'rpolab 0.1.0'.")
    scenario: ScenarioReference
    verdict: Verdict = Field(description="The worst of its cells.")
    cells: tuple[Cell, ...] = Field(min_length=1)
    wall_s: Seconds = Field(0.0, ge=0, description="Real time of the whole study.")
    replay: str = Field("", description="The command that repeats the study.")

    @property
    def runs(self) -> Iterator[Result]:
        """All runs, cell by cell."""
        for cell in self.cells:
            yield from cell.runs

    def rows(self) -> list[Row]:
        """A row for each recovery of each run, with the name of its cell and its settings."""
        return [
            {"cell": cell.name, **cell.settings, **row}
            for cell in self.cells
            for run in cell.runs
            for row in run.rows()
        ]

    @property
    def digests(self) -> Digests:
        """Two fingerprints of the study, made of those of its runs in their order."""
        effects = "\n".join(run.digests.effects for run in self.runs)
        full = "\n".join(run.digests.full for run in self.runs)
        return Digests(effects=_digest(effects), full=_digest(full))

    @property
    def varied(self) -> tuple[str, ...]:
        """The paths that differ between the cells."""
        return tuple(self.cells[0].settings)

    def without_wall_clock(self) -> "Study":
        """The same study with real times set to 0: equal bytes for equal seeds."""
        cells = tuple(
            cell.model_copy(update={"runs": tuple(run.without_wall_clock() for run in cell.runs)})
            for cell in self.cells
        )
        return self.model_copy(update={"wall_s": 0.0, "cells": cells})

    def to_json(self) -> str:
        """The published document as text, indented, with a final newline."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        if len({cell.name for cell in self.cells}) != len(self.cells):
            raise ValueError("two cells have one name")
        if self.verdict is not worst_verdict(cell.verdict for cell in self.cells):
            raise ValueError(f"the verdict is {self.verdict.value} and not the worst of its cells")
        return self


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
