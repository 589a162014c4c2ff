"""Paths that a person wrote on the command line."""

from pathlib import Path

import click

from rpolab.terminal import shown


def named_path(name: str) -> Path:
    """Return a path, whether something is there or not.

    Raises:
        click.UsageError: no file can have such a name: it is too long, or not text.
    """
    path = Path(name)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"{shown(name)} cannot be a file: {reason}") from None
    return path


def named_folder(switch: str, name: str | None) -> Path:
    """Return the folder that follows a switch; `name` is None where nothing does.

    Raises:
        click.UsageError: there is no such folder.
    """
    if name is None:
        raise click.UsageError(f"{switch} takes a folder")
    path = named_path(name)
    if not path.is_dir():
        raise click.UsageError(f"{switch} {shown(name)}: there is no such folder")
    return path
