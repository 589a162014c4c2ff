"""The tests of a scenario file: one for each threshold, one for its faults, one for its errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpolab.pytest_plugin.children import ChildFailed, Run, last_lines
from rpolab.pytest_plugin.judgements import (
    Judged,
    judged,
    missed_text,
    runs_of,
    seed_of,
    told_unfired,
    value_text,
)
from rpolab.pytest_plugin.session import session_of

WITH_RESULT = (0, 1, 4)
"""The exit codes of a run that came to a verdict (see `rpolab --help`)."""

NO_ERROR = "no error"
FAULTS_FIRED = "every fault fired"


class NotMet(Exception):  # noqa: N818 - a finding, not an error
    """A threshold is not met, or a fault has not fired; the text is the whole report."""


class ScenarioFile(pytest.File):
    """A scenario file; its run is made when the first of its tests is set up."""

    is_study = False

    def collect(self) -> Iterator[pytest.Item]:
        """Reads the scenario in a child, and yields its tests."""
        session = session_of(self.config)
        try:
            read = session.reader.read(session.told(self.path))
        except ChildFailed as error:
            raise self.CollectError(str(error)) from None
        if read["problems"]:
            raise self.CollectError("\n".join(read["problems"]))
        self.is_study = read["is_study"]
        for item in self._items(read):
            item.add_marker("rpolab")
            for marker in read["markers"]:
                item.add_marker(marker)
            if self.config.pluginmanager.hasplugin("xdist"):  # for its --dist loadgroup
                item.add_marker(pytest.mark.xdist_group(str(self.path)))
            yield item

    def run(self) -> Run:
        """The scenario's run.

        One that crashed, took too long or came to no verdict fails the test with its output.
        """
        session = session_of(self.config)
        run = session.run(self.path, is_study=self.is_study)
        if run.code in WITH_RESULT and run.document is not None:
            return run
        how = "took too long and was ended" if run.code is None else f"ended with code {run.code}"
        message = f"{session.told(self.path)}: the run {how}, without a verdict"
        pytest.fail(f"{message}\n{last_lines(run.output)}".rstrip(), pytrace=False)

    def _items(self, read: dict[str, Any]) -> Iterator["ScenarioItem"]:
        taken: set[str] = set()
        for cell in read["cells"]:
            for index, threshold in enumerate(read["thresholds"]):
                name = f"{threshold['metric']}: {threshold['expr']}"
                name = name if cell is None else f"{name}[{cell}]"
                name = f"{name} (line {threshold['line']})" if name in taken else name
                taken.add(name)
                yield ThresholdItem.from_parent(
                    self, name=name, line=threshold["line"], cell=cell, index=index
                )
        if read["has_faults"]:
            yield FaultsItem.from_parent(self, name=FAULTS_FIRED)
        yield ErrorsItem.from_parent(self, name=NO_ERROR)


class ScenarioItem(pytest.Item):
    """A test of a scenario file; it stands at a line of it."""

    def __init__(self, *, line: int = 0, **rest: Any) -> None:
        super().__init__(**rest)
        self.line = line

    @property
    def file(self) -> ScenarioFile:
        """The scenario file."""
        assert isinstance(self.parent, ScenarioFile), "it was made by one"
        return self.parent

    def setup(self) -> None:
        """Makes the run: without one the test is an error, not a failure."""
        self.file.run()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report of a finding is its text; where it was raised tells nobody anything."""
        if isinstance(excinfo.value, NotMet):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File and line, as editors and reports name them."""
        if not self.line:
            return self.path, None, self.name
        return self.path, self.line - 1, f"{self.name} (line {self.line})"


class ThresholdItem(ScenarioItem):
    """A threshold, in one cell of a matrix where there is one."""

    def __init__(self, *, cell: str | None, index: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.cell = cell
        self.index = index

    def runtest(self) -> None:
        """Holds the threshold against the run."""
        document = self.file.run().document
        assert document is not None, "the run came to a verdict"
        found = judged(document, self.cell, self.index)
        self._note(found, document)
        if found.verdict == "met":
            return
        source = self.config.rootpath / found.file if found.file else self.path
        text = missed_text(source, session_of(self.config).told(self.path), found, document)
        if found.verdict == "inconclusive":
            chosen = self.config.getini("rpolab_inconclusive")
            if chosen == "xfail":
                pytest.xfail(text)
            if chosen == "skip":
                pytest.skip(text)
        raise NotMet(text)

    def _note(self, found: Judged, document: dict[str, Any]) -> None:
        """Gives JUnit, and whoever else asks, the figures."""
        self.user_properties += [
            ("metric", found.metric),
            ("limit", found.expr),
            ("value", value_text(found)),
            ("n", found.n),
            ("verdict", found.verdict),
            ("seed", seed_of(document)),
            ("replay", document.get("replay", "")),
        ]


class FaultsItem(ScenarioItem):
    """Every fault that was drawn has fired: a threshold met without it says nothing."""

    def runtest(self) -> None:
        """Looks at what became of each fault in each run."""
        document = self.file.run().document
        assert document is not None, "the run came to a verdict"
        unfired = told_unfired(document)
        if unfired:
            raise NotMet("\n".join(["not every fault fired", *unfired]))


class ErrorsItem(ScenarioItem):
    """The run came to its end and judged something."""

    def runtest(self) -> None:
        """Looks for a threshold: without any, the other tests are none."""
        document = self.file.run().document
        assert document is not None, "the run came to a verdict"
        if not any(run["thresholds"] for run in runs_of(document)):
            raise NotMet("nothing was judged: the scenario has no thresholds")
