"""Reads scenarios: from a file, from the library, or from plain values.

All problems of a scenario are found in one reading and given with file, line and column.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from scenarios.checks import check as cross_check
from scenarios.document import FILE_BYTES_MAX, DocumentError, Node, read_document
from scenarios.draft import draft_of
from scenarios.errors import Problem, ScenarioError
from scenarios.findings import Finding, Path, dotted, findings_of
from scenarios.lint import lint
from scenarios.model import Scenario, Source
from scenarios.wording import quoted, suggestion, visible

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Checked:
    """A reading's outcome: a scenario, or the problems that stand against it; and warnings."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def load(name: str | FilePath) -> Scenario:
    """Reads a scenario from a file, or from the library by its name.

    Raises:
        ScenarioError: every problem of the file, with line, column and a hint.
    """
    checked = check(name)
    if checked.scenario is None:
        raise ScenarioError(checked.problems)
    return checked.scenario


def parse(values: Mapping[str, Any], *, folder: FilePath | None = None) -> Scenario:
    """Makes a scenario of plain values (as a YAML reader would give them).

    Args:
        values: the scenario's keys; lists or tuples for sequences.
        folder: where a relative mbox path starts; the current folder when left out.

    Raises:
        ScenarioError: every problem, without lines.
    """
    checked = _check_plain(_as_plain(values), None, "scenario", folder or FilePath())
    if checked.scenario is None:
        raise ScenarioError(checked.problems)
    return checked.scenario


def check(name: str | FilePath) -> Checked:
    """Reads a scenario as `load` does, and returns problems and warnings instead of raising."""
    path = find(name)
    if isinstance(path, Problem):
        return Checked(None, (path,), ())
    return check_bytes(_read(path), str(path), path.parent) if path.is_file() else _no_file(path)


def check_text(text: str, file: str = "scenario.yaml", folder: FilePath | None = None) -> Checked:
    """Reads a scenario from text; `file` is what its problems name."""
    return check_bytes(text.encode("utf-8", "surrogatepass"), file, folder)


def check_bytes(content: bytes | OSError, file: str, folder: FilePath | None) -> Checked:
    """Reads a scenario from a file's content, or reports why there is none."""
    if isinstance(content, OSError):
        message = f"the file cannot be read: {content.strerror or content}"
        return Checked(None, (Problem(file, 0, 0, "", message, "check its permissions"),), ())
    try:
        document = read_document(content)
    except DocumentError as error:
        message, hint = visible(str(error)), visible(error.hint)
        problem = Problem(file, error.line, error.column, "", message, hint)
        return Checked(None, (problem,), ())
    return _check_plain(document.plain(), document, file, folder)


def library_names() -> list[str]:
    """The names of the library's scenarios, sorted."""
    return sorted(path.stem for path in library_folder().glob("*.yaml"))


def library_folder() -> FilePath:
    """The folder of the library's files."""
    return FilePath(str(resources.files("scenarios"))) / "library"


def find(name: str | FilePath) -> FilePath | Problem:
    """The file that a name stands for: an existing path, or a scenario of the library."""
    path, text = FilePath(name), str(name)
    if "\0" in text:
        return Problem(quoted(text), 0, 0, "", "this is not a file name", "write a path")
    try:
        if path.exists():
            return path
    except OSError as error:
        message = f"this cannot be a file: {error.strerror or error}"
        return Problem(quoted(text), 0, 0, "", message, "write a path")
    known = library_names()
    if text in known:
        return library_folder() / f"{text}.yaml"
    if text.endswith(_SUFFIXES) or len(path.parts) > 1:
        hint = f"library: {', '.join(known)}"
        return Problem(text, 0, 0, "", "there is no such file", hint)
    hint = suggestion(text, known, what="scenarios")
    return Problem(
        text, 0, 0, "", "there is neither such a file nor a scenario in the library", hint
    )


def _read(path: FilePath) -> bytes | OSError:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return error


def _no_file(path: FilePath) -> Checked:
    fault = "this is a folder" if path.is_dir() else "this is not a regular file"
    return Checked(None, (Problem(str(path), 0, 0, "", fault, "name a scenario file"),), ())


def _check_plain(plain: Any, document: Node | None, file: str, folder: FilePath | None) -> Checked:
    if not isinstance(plain, dict):
        hint = "a scenario is a mapping: it begins with 'title: ...' at the margin"
        finding = Finding(
            (), f"a mapping of keys to values is expected, read {quoted(plain)}", hint
        )
        return Checked(None, (_problem(finding, document, file),), ())
    scenario, findings = _validate(plain)
    draft = draft_of(plain, folder)
    told = {finding.path for finding in findings}
    findings += [finding for finding in cross_check(draft) if finding.path not in told]
    problems = _sorted(_problem(finding, document, file) for finding in findings)
    if problems or scenario is None:
        return Checked(None, problems, ())
    warnings = _sorted(_problem(finding, document, file) for finding in lint(draft))
    scenario.attach(Source(file, folder, _threshold_lines(document), warnings))
    return Checked(scenario, (), warnings)


def _validate(plain: dict[str, Any]) -> tuple[Scenario | None, list[Finding]]:
    try:
        return Scenario.model_validate(plain), []
    except ValidationError as error:
        return None, findings_of(error, Scenario, plain)


def _as_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_as_plain(item) for item in value)
    return value


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(problems)))


def _problem(finding: Finding, document: Node | None, file: str) -> Problem:
    line, column = (0, 0)
    if document is not None:
        line, column = _position(document, finding.path, at_key=finding.at_key)
    place, message, hint = dotted(finding.path), finding.message, finding.hint
    return Problem(file, line, column, visible(place), visible(message), visible(hint))


def _position(document: Node, path: Path, *, at_key: bool) -> tuple[int, int]:
    """Line and column of the value at a path, or of its key; of the nearest parent if absent."""
    node, place = document, (document.line, document.column)
    for index, step in enumerate(path):
        if isinstance(node.value, dict) and step in node.value:
            key_place = node.keys[str(step)]
            node = node.value[step]
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            key_place = (node.line, node.column)
        else:
            break
        last = index == len(path) - 1
        place = key_place if last and at_key else (node.line, node.column)
    return place


def _threshold_lines(document: Node | None) -> dict[tuple[str, int], int]:
    thresholds = document.value.get("thresholds") if document is not None else None
    if thresholds is None or not isinstance(thresholds.value, dict):
        return {}
    return {
        (name, index): item.line
        for name, items in thresholds.value.items()
        for index, item in enumerate(items.value)
    }
