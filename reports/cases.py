"""A document as judged cases, one for each threshold: what CI systems are told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.durations import count_text
from reports.headline import value_text
from reports.model import Result
from reports.study import Study
from reports.verdicts import ThresholdResult, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """One threshold of one document; `cell` is empty where there is one cell only."""

    document: Result | Study
    cell: str
    seeds: Sequence[int]
    threshold: ThresholdResult

    @property
    def name(self) -> str:
        """The threshold as it is written: 'cdp.rpo: max < 60 s'."""
        return f"{self.threshold.metric}: {self.threshold.expr}"

    @property
    def file(self) -> str:
        """The file that the threshold stands in; empty where it comes from no file."""
        return self.threshold.file or self.document.scenario.file

    @property
    def place(self) -> str:
        """The file with its line."""
        line = f":{self.threshold.line}" if self.threshold.line else ""
        return f"{self.file}{line}"

    @property
    def seed_text(self) -> str:
        """The seed, or the first and the last."""
        first, last = self.seeds[0], self.seeds[-1]
        return str(first) if first == last else f"{first}-{last}"

    @property
    def observed_text(self) -> str:
        """The observed value with its unit."""
        return value_text(self.threshold.observed, self.threshold.unit)

    @property
    def sentence(self) -> str:
        """The outcome in a sentence."""
        found = self.threshold
        verdict = found.verdict.value.replace("_", " ")
        where = f" ({self.cell})" if self.cell else ""
        text = f"{found.metric}{where}: {verdict}: {found.expr}, observed {self.observed_text}"
        text += f" over {count_text(found.n, 'sample')}, seed {self.seed_text}"
        return f"{text}; {found.note}" if found.note else text


def cases_of(document: Result | Study) -> Iterator[Case]:
    """Yield the thresholds of a document, cell by cell, as they are written."""
    if isinstance(document, Result):
        for threshold in document.thresholds:
            yield Case(document, "", (document.seed,), threshold)
        return
    for cell in document.cells:
        for threshold in cell.thresholds:
            name = cell.name if len(document.cells) > 1 else ""
            yield Case(document, name, tuple(run.seed for run in cell.runs), threshold)


def missed_cases(documents: Sequence[Result | Study]) -> list[Case]:
    """The missed thresholds of some documents."""
    return [
        case
        for document in documents
        for case in cases_of(document)
        if case.threshold.verdict is Verdict.MISSED
    ]
