"""Two results, or two studies, held against each other from Python."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from reports import Result, Study, load_document
from reports.comparing import Differences, FigureChange, ThresholdChange, compare_documents

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two documents; printed, it is the table of `rpolab compare`.

    Attributes:
        names: what the two are called.
        differences: every threshold and every figure.
    """

    names: tuple[str, str]
    differences: Differences

    @property
    def thresholds(self) -> tuple[ThresholdChange, ...]:
        """Each threshold in both documents."""
        return self.differences.thresholds

    @property
    def figures(self) -> tuple[FigureChange, ...]:
        """Each figure in both documents, those of real time among them."""
        return self.differences.figures

    @property
    def is_worse(self) -> bool:
        """Whether a figure in simulated time, or a verdict, got worse."""
        return self.differences.is_worse

    def __str__(self) -> str:
        from reports.comparison_text import print_differences  # noqa: PLC0415 - with rich

        text = StringIO()
        print_differences(self.differences, self.names, file=text, width=WIDTH)
        return text.getvalue()


def compare(before: Result | Study | str | Path, after: Result | Study | str | Path) -> Comparison:
    """Compares two results, or two studies: what got better, what got worse.

    Figures in simulated time are exact for a seed: a difference has a cause. Real time is shown
    and never judged.

    Args:
        before: what the other is held against: a result, a study, or the file of one.
        after: the other.

    Raises:
        ResultError: a file is none that this version can read.
    """
    (first, first_name), (second, second_name) = _named(before), _named(after)
    return Comparison((first_name, second_name), compare_documents(first, second))


def _named(given: Result | Study | str | Path) -> tuple[Result | Study, str]:
    if isinstance(given, str | Path):
        return load_document(Path(given)), str(given)
    return given, given.scenario.title
