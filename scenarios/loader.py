"""Reads scenarios: from a file, from the library, or from plain values.

All problems of a scenario are found in one reading and given with file, line and column.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from scenarios.checks import check as cross_check
from scenarios.composition import compose
from scenarios.document import FILE_BYTES_MAX, DocumentError, read_document
from scenarios.draft import Parts, draft_of
from scenarios.errors import Problem, ScenarioError
from scenarios.findings import Finding, dotted, findings_of
from scenarios.library_files import find
from scenarios.lint import lint
from scenarios.matrix import RUNS_MAX, Choice, choices_of, with_vary
from scenarios.model import Scenario, Source, Variant
from scenarios.named_lists import with_lists
from scenarios.nodes import Mark, Node, mark_of, node_of
from scenarios.settings import assigned, resolved, with_settings
from scenarios.wording import quoted, visible


@dataclass(frozen=True, slots=True)
class Checked:
    """A reading's outcome: a scenario, or the problems that stand against it; and warnings."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a scenario is read from."""

    file: str
    folder: FilePath | None
    options: tuple[str, ...] = ()


def load(name: str | FilePath, settings: Sequence[str] = ()) -> Scenario:
    """Reads a scenario from a file, or from the library by its name.

    Args:
        name: a path, or a name of the library.
        settings: values in place of the file's, such as 'link.bandwidth=5 Mbit/s'.

    Raises:
        ScenarioError: every problem of the file, with line, column and a hint.
    """
    return _valid(check(name, settings))


def parse(
    values: Mapping[str, Any], *, folder: FilePath | None = None, settings: Sequence[str] = ()
) -> Scenario:
    """Makes a scenario of plain values (as a YAML reader would give them).

    Args:
        values: the scenario's keys; lists or tuples for sequences.
        folder: where a relative path starts; the current folder when left out.
        settings: as for `load`.

    Raises:
        ScenarioError: every problem, without lines.
    """
    root = node_of(values, Mark("scenario"))
    return _valid(_check(root, _Origin("scenario", folder or FilePath(), tuple(settings))))


def with_keys(scenario: Scenario, keys: Mapping[str, Any]) -> Scenario:
    """Makes a scenario anew with other values of whole keys; None removes a key.

    Raises:
        ScenarioError: every problem of the changed scenario.
    """
    root, source = _root_of(scenario), scenario.source
    for key, value in keys.items():
        mark = Mark(f"with_({key}=...)")
        root = root.without(key) if value is None else root.with_child(key, node_of(value, mark))
    return _valid(_check(root, _Origin(source.file, source.folder)))


def with_values(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Makes a scenario anew with other values at some places; only the whole must be valid.

    Raises:
        ScenarioError: there is no such place, or the changed scenario is wrong.
    """
    root, source = _root_of(scenario), scenario.source
    try:
        for path, value in values.items():
            mark = Mark(f"set({path!r})")
            root = assigned(root, resolved(root, path, mark), node_of(value, mark))
    except DocumentError as error:
        raise ScenarioError(_refused(error).problems) from None
    return _valid(_check(root, _Origin(source.file, source.folder)))


def _root_of(scenario: Scenario) -> Node:
    root = scenario.source.root
    assert root is not None, "a scenario comes from load, build or parse"
    return root


def check(name: str | FilePath, settings: Sequence[str] = ()) -> Checked:
    """Reads a scenario as `load` does, and returns problems and warnings instead of raising."""
    path = find(name)
    if isinstance(path, Problem):
        return Checked(None, (path,), ())
    if not path.is_file():
        return _no_file(path)
    return check_bytes(_read(path), str(path), path.parent, settings)


def check_text(
    text: str,
    file: str = "scenario.yaml",
    folder: FilePath | None = None,
    settings: Sequence[str] = (),
) -> Checked:
    """Reads a scenario from text; `file` is what its problems name."""
    return check_bytes(text.encode("utf-8", "surrogatepass"), file, folder, settings)


def check_bytes(
    content: bytes | OSError, file: str, folder: FilePath | None, settings: Sequence[str] = ()
) -> Checked:
    """Reads a scenario from a file's content, or reports why there is none."""
    if isinstance(content, OSError):
        message = f"the file cannot be read: {content.strerror or content}"
        return Checked(None, (Problem(file, 0, 0, "", message, "check its permissions"),), ())
    try:
        root = read_document(content, file)
    except DocumentError as error:
        return _refused(error)
    return _check(root, _Origin(file, folder, tuple(settings)))


def _valid(checked: Checked) -> Scenario:
    if checked.scenario is None:
        raise ScenarioError(checked.problems)
    return checked.scenario


def _read(path: FilePath) -> bytes | OSError:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return error


def _no_file(path: FilePath) -> Checked:
    fault = "this is a folder" if path.is_dir() else "this is not a regular file"
    return Checked(None, (Problem(str(path), 0, 0, "", fault, "name a scenario file"),), ())


def _refused(error: DocumentError) -> Checked:
    mark, message, hint = error.mark, visible(str(error)), visible(error.hint)
    return Checked(None, (Problem(mark.file, mark.line, mark.column, "", message, hint),), ())


def _check(root: Node, origin: _Origin) -> Checked:
    if not isinstance(root.value, dict):
        hint = "a scenario is a mapping: it begins with 'title: ...' at the margin"
        read = quoted(root.plain())
        finding = Finding((), f"a mapping of keys to values is expected, read {read}", hint)
        return Checked(None, (_problem(finding, root),), ())
    try:
        root = with_lists(compose(root, origin.folder, FilePath(origin.file)))
        root, settings = with_settings(root, origin.options)
        root = with_vary(with_lists(root), settings)
        checked = _check_one(root, origin)
        if checked.scenario is None or not checked.scenario.vary:
            return checked
        return _check_cells(root, origin, checked, choices_of(root))
    except DocumentError as error:
        return _refused(error)


def _check_one(root: Node, origin: _Origin) -> Checked:
    """Checks one run's scenario, or the one from which all cells are made."""
    plain = root.plain()
    scenario, findings = _validate(plain)
    parts = None if scenario is None else _parts_of_valid(scenario)
    draft = draft_of(plain, origin.folder, parts)
    told = {finding.path for finding in findings}
    findings += [finding for finding in cross_check(draft) if finding.path not in told]
    problems = _sorted(_problem(finding, root) for finding in findings)
    if problems or scenario is None:
        return Checked(None, problems, ())
    warnings = _sorted(_problem(finding, root) for finding in lint(draft))
    marks = dict(_threshold_marks(root))
    scenario.attach(Source(origin.file, origin.folder, marks, warnings, origin.options, root))
    return Checked(scenario, (), warnings)


def _check_cells(root: Node, origin: _Origin, base: Checked, choices: list[Choice]) -> Checked:
    """Checks each choice of values; what is wrong with several of them is told once."""
    assert base.scenario is not None, "the cells are made from a valid scenario"
    runs = len(choices) * len(base.scenario.seeds)
    if runs > RUNS_MAX:
        message = f"{runs:,} runs: {len(choices)} combinations of values, each with all seeds"
        hint = f"at most {RUNS_MAX:,}: vary less, or replicate less"
        return Checked(None, (_problem(Finding(("vary",), message, hint), root),), ())
    checked = [(choice, _check_one(choice.applied(root), origin)) for choice in choices]
    problems = _told_once((choice, cell.problems) for choice, cell in checked)
    if problems:
        return Checked(None, problems, ())
    warnings = _doubts([(choice, cell.warnings) for choice, cell in checked])
    variants = tuple(
        Variant(choice.name, choice.texts, cell.scenario)
        for choice, cell in checked
        if cell.scenario is not None
    )
    source = replace(base.scenario.source, warnings=warnings)
    base.scenario.attach(source, variants)
    return Checked(base.scenario, (), warnings)


def _told_once(
    cells: Iterable[tuple[Choice, tuple[Problem, ...]]], told: Iterable[Problem] = ()
) -> tuple[Problem, ...]:
    """What is found in cells and not told yet, each with the first cell that has it."""
    known = set(told)
    found = []
    for choice, problems in cells:
        for problem in problems:
            if problem not in known:
                known.add(problem)
                found.append(replace(problem, message=f"with {choice.name}: {problem.message}"))
    return _sorted(found)


def _doubts(cells: list[tuple[Choice, tuple[Problem, ...]]]) -> tuple[Problem, ...]:
    """What is doubtful in all cells, as it stands; and what is in some, with the first of them."""
    _, first = cells[0]
    common = [doubt for doubt in first if all(doubt in doubts for _, doubts in cells)]
    return _sorted([*common, *_told_once(cells, common)])


def _parts_of_valid(scenario: Scenario) -> Parts:
    return Parts(
        links=dict(enumerate(scenario.links)),
        protections=dict(scenario.protect),
        faults=dict(enumerate(scenario.faults)),
        drills=scenario.drills,
        phases=dict(enumerate(scenario.phases)),
    )


def _validate(plain: dict[str, Any]) -> tuple[Scenario | None, list[Finding]]:
    try:
        return Scenario.model_validate(plain), []
    except ValidationError as error:
        return None, findings_of(error, Scenario, plain)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(problems)))


def _problem(finding: Finding, root: Node) -> Problem:
    mark = mark_of(root, finding.path, at_key=finding.at_key)
    place, message, hint = dotted(finding.path), finding.message, finding.hint
    return Problem(*mark, visible(place), visible(message), visible(hint))


def _threshold_marks(root: Node) -> Iterator[tuple[tuple[str, int], Mark]]:
    thresholds = root.child("thresholds")
    for name, items in (thresholds.value if thresholds is not None else {}).items():
        for index, item in enumerate(items.value):
            yield (name, index), item.mark
