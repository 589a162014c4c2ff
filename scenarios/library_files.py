"""Finds scenario files: by path, or by name in the library, which has a folder for each group."""

from functools import cache
from pathlib import Path

from scenarios.errors import Problem
from scenarios.wording import quoted, suggestion

SUFFIXES = (".yaml", ".yml")


def library_folder() -> Path:
    """The folder of the library; each group has a folder in it."""
    return Path(__file__).with_name("library")


def starter_path() -> Path:
    """The file that a new scenario begins as."""
    return library_folder().with_name("starter.yaml")


def library_names() -> list[str]:
    """The names of the library's scenarios, sorted; a name does not tell the group."""
    return sorted(_paths())


def library_path(name: str) -> Path | None:
    """The file of a scenario of the library, None if there is none of that name."""
    return _paths().get(name)


@cache
def _paths() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(library_folder().rglob("*.yaml")):
        assert path.stem not in found, f"two scenarios of the library are called {path.stem}"
        found[path.stem] = path
    return found


def find(name: str | Path) -> Path | Problem:
    """The file that a name stands for: an existing path, or a scenario of the library."""
    path, text = Path(name), str(name)
    if "\0" in text:
        return Problem(quoted(text), 0, 0, "", "this is not a file name", "write a path")
    try:
        if path.exists():
            return path
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"this cannot be a file: {reason or error}"
        return Problem(quoted(text), 0, 0, "", message, "write a path")
    return library_path(text) or Problem(text, 0, 0, "", *nothing_found(text))


def nothing_found(text: str) -> tuple[str, str]:
    """Message and hint for a name that is neither a file nor a scenario of the library."""
    known = library_names()
    if text.endswith(SUFFIXES) or len(Path(text).parts) > 1:
        return "there is no such file", f"library: {', '.join(known)}"
    hint = suggestion(text, known, what="scenarios")
    return "there is neither such a file nor a scenario in the library", hint
