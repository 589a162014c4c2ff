"""`rpolab new`: a scenario to begin with."""

import os
import shlex
from pathlib import Path

import click

from rpolab.exit_codes import ExitCode
from rpolab.failures import traceback_option
from rpolab.terminal import complain, say_bytes, shown
from scenarios.library_files import library_names, library_path, starter_path
from scenarios.wording import suggestion

STANDARD_OUTPUT = "-"
_SCHEMA_COMMENT = "# yaml-language-server:"
_HEAD = (
    "# Made by `rpolab new`. For completion in an editor, write the schema beside this file with\n"
    "# `rpolab schema > scenario.schema.json`, and take the next line's first '#' away:\n"
    "## yaml-language-server: $schema=scenario.schema.json\n"
)


@click.command("new")
@click.argument("words", nargs=-1, metavar="[NAME] FILE")
@click.option("--from", "template", metavar="NAME", help="The same as NAME before the file.")
@traceback_option
def command(words: tuple[str, ...], template: str | None) -> ExitCode:
    """Write a scenario to begin with, which passes `rpolab check` and runs.

    Without NAME it is a starter with a comment on every part; with the NAME of a library scenario,
    a copy of that. FILE must not exist yet; '-' is standard output.
    """
    name, file = _chosen(words, template)
    text = _HEAD + _without_schema(_source(name).read_text(encoding="utf-8"))
    if file == STANDARD_OUTPUT:
        say_bytes(text.encode())
        return ExitCode.MET
    _write(Path(file), text)
    shell = shlex.quote(f"./{file}" if file.startswith("-") else file)
    complain(shown(f"wrote {file}; next: rpolab check {shell}, then rpolab run {shell}"))
    return ExitCode.MET


def _chosen(words: tuple[str, ...], template: str | None) -> tuple[str | None, str]:
    names = [*([] if template is None else [template]), *words[:-1]]
    if not words:
        raise click.UsageError("name the file to write, such as 'rpolab new my-plan.yaml'")
    if len(names) > 1:
        raise click.UsageError("one NAME and one FILE are expected")
    return (names[0] if names else None), words[-1]


def _source(name: str | None) -> Path:
    if name is None:
        return starter_path()
    found = library_path(name)
    if found is None:
        hint = suggestion(name, library_names(), what="scenarios")
        raise click.ClickException(f"there is no scenario {shown(name)!r} in the library ({hint})")
    return found


def _without_schema(text: str) -> str:
    """The text without the line that names the library's own schema, and what is empty after it."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_SCHEMA_COMMENT))


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        message = f"{path} is there already: it is not overwritten (name another file)"
        raise click.ClickException(shown(message)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{path} cannot be written: {reason} (name a file in a folder of yours)"
        raise click.ClickException(shown(message)) from None
