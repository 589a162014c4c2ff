"""Where a run's documents go: checked before the run, written whole or not at all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpolab.terminal import say_bytes
from scenarios import Scenario

if TYPE_CHECKING:
    from rpolab.keeping import Keeping

STANDARD_OUTPUT = "-"


class OutputError(click.ClickException):
    """An output cannot be written where it was asked for."""

    def __init__(self, option: str, path: str | Path, problem: str, hint: str) -> None:
        super().__init__(f"{option} {path}: {problem} ({hint})")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file to write, and the option that asked for it; without a path, standard output."""

    option: str
    path: Path | None

    def named(self, ending: str) -> "TextFile":
        """The file beside it whose name has such an ending before the suffix."""
        if self.path is None or not ending:
            return self
        return replace(self, path=self.path.with_stem(f"{self.path.stem}{ending}"))

    def write(self, text: str) -> None:
        """Writes the whole text, or leaves what was there.

        Raises:
            OutputError: the disk is full, or the folder has gone.
        """
        if self.path is None:
            say_bytes(text.encode())
            return
        try:
            _replace(self.path, text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            hint = "free some space, or name another file, and run again"
            raise OutputError(self.option, self.path, _reason(error), hint) from error


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one run writes."""

    json: TextFile | None = None
    trace: TextFile | None = None
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario to run, the name it was asked for by, what to write, and who keeps it."""

    name: str
    scenario: Scenario
    outputs: Outputs
    keeping: "Keeping | None" = None


def plan_outputs(
    names: Sequence[str], *, json: str | None, keep: str | None, trace: str | None
) -> list[Outputs]:
    """Decides what each scenario writes, and makes sure that it can be written.

    Args:
        names: the scenarios as they were named on the command line.
        json: the option --json; '-' is standard output.
        keep: the option --keep.
        trace: the option --trace.

    Raises:
        OutputError: a folder is missing, cannot be written to, or is not empty.
    """
    stems = list(_stems(names))
    if json == STANDARD_OUTPUT:
        jsons = _standard_output("--json", stems)
    else:
        jsons = _text_files("--json", _path("--json", json), stems, ".json")
    traces = _text_files("--trace", _path("--trace", trace), stems, ".trace")
    keeps = _keep_folders(_path("--keep", keep), stems)
    return [Outputs(*files) for files in zip(jsons, traces, keeps, strict=True)]


def text_files(
    option: str, value: str | None, names: Sequence[str], suffix: str
) -> list[TextFile | None]:
    """A file for each scenario, in a folder where there are several; none without the option.

    Raises:
        OutputError: as `plan_outputs`.
    """
    stems = list(_stems(names))
    if value == STANDARD_OUTPUT:
        return _standard_output(option, stems)
    return _text_files(option, _path(option, value), stems, suffix)


def one_file(option: str, value: str | None) -> TextFile | None:
    """One file for all scenarios; '-' is standard output.

    Raises:
        OutputError: as `plan_outputs`.
    """
    path = _path(option, value)
    if path is None:
        return None
    if value == STANDARD_OUTPUT:
        return TextFile(option, None)
    _check_writable(option, path)
    return TextFile(option, path)


def _path(option: str, value: str | None) -> Path | None:
    if value == "":
        raise OutputError(option, "''", "the name is missing", "an unset variable, perhaps")
    return None if value is None else Path(value)


def _standard_output(option: str, stems: Sequence[str]) -> list[TextFile | None]:
    if len(stems) > 1:
        problem = f"{len(stems)} results cannot share standard output"
        raise OutputError(option, STANDARD_OUTPUT, problem, "name an existing folder")
    return [TextFile(option, None)]


def _stems(names: Sequence[str]) -> Iterator[str]:
    """File names for the scenarios, each its own."""
    taken: set[str] = set()
    for name in names:
        path = Path(name)
        stem = path.stem if path.suffix in (".yaml", ".yml", ".json") else path.name
        candidate, number = stem, 1
        while candidate in taken:
            number += 1
            candidate = f"{stem}-{number}"
        taken.add(candidate)
        yield candidate


def _text_files(
    option: str, path: Path | None, stems: Sequence[str], suffix: str
) -> list[TextFile | None]:
    if path is None:
        return [None] * len(stems)
    if path.is_dir():
        paths = [path / f"{stem}{suffix}" for stem in stems]
    elif len(stems) > 1:
        problem = f"{len(stems)} scenarios cannot share one file"
        raise OutputError(option, path, problem, "name an existing folder")
    else:
        paths = [path]
    for file in paths:
        _check_writable(option, file)
    return [TextFile(option, file) for file in paths]


def _check_writable(option: str, path: Path) -> None:
    """Makes sure, by trying, that the file can be put into place later."""
    if path.is_dir():
        raise OutputError(option, path, "this is a folder", "name a file")
    folder = path.resolve().parent
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        hint = "make it first, or name another file"
        raise OutputError(option, path, f"the folder {folder} {problem}", hint)
    try:
        if _is_special(path):
            path.open("ab").close()
        else:
            descriptor = _create(_temporary(path))
            os.close(descriptor)
            _temporary(path).unlink()
    except OSError as error:
        hint = "name a file in a folder of yours"
        raise OutputError(option, path, _reason(error), hint) from error


def _keep_folders(keep: Path | None, stems: Sequence[str]) -> list[Path | None]:
    """One folder for each scenario, made and empty."""
    if keep is None:
        return [None] * len(stems)
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            hint = "name a new folder, or empty this one: recovered files are never mixed"
            raise OutputError("--keep", keep, "the folder is not empty", hint)
        if len(stems) == 1:
            _check_writable("--keep", keep / stems[0])
            return [keep]
        folders = [keep / stem for stem in stems]
        for folder in folders:
            folder.mkdir()
    except OSError as error:
        raise OutputError("--keep", keep, _reason(error), "name another folder") from error
    return list(folders)


def _replace(path: Path, content: bytes) -> None:
    """Puts a file into place in one step, so that no reader ever sees half of it."""
    if _is_special(path):
        path.write_bytes(content)
        return
    temporary = _temporary(path)
    descriptor = _create(temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path.resolve())
    except BaseException:  # Ctrl-C too must leave nothing behind
        with suppress(OSError):
            temporary.unlink()
        raise


def _is_special(path: Path) -> bool:
    """Whether the path is a device or a pipe, which must not be replaced by a file."""
    return path.exists() and not path.is_file()


def _temporary(path: Path) -> Path:
    """A name beside the file itself (not beside a link to it), of this process only."""
    target = path.resolve()
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _reason(error: OSError) -> str:
    return f"cannot be written: {error.strerror or error}"
