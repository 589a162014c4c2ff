"""The face of the emulated eseutil: banner, modes and endings (exchange.md 2.1).

Modes that look at one file are here; those that change a database (`/d`, `/p`) are in
`maintenance_modes`, recovery (`/r`) is in `recovery`. A mode returns its text and the
error that ended it, if any; `report` puts banner and ending around that.
"""

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet
from emulators.ese.formats.detection import detect_log, detect_log_set
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.tools.checksum_mode import verify_checksums
from emulators.ese.tools.dump import Report, dump_checkpoint, dump_header
from emulators.ese.tools.dump_log import PREFIX_LENGTH, dump_log, dump_log_set
from emulators.ese.tools.dump_objects import dump_metadata, dump_space
from emulators.ese.tools.integrity_mode import check_integrity

__all__ = [
    "BANNER",
    "MODES",
    "ending",
    "file_dump",
    "report",
    "verify_checksums",
]

BANNER = "Extensible Storage Engine Utilities for Microsoft(R) Exchange Server"

MODES = {
    "/mh": "FILE DUMP",
    "/ml": "FILE DUMP",
    "/mk": "FILE DUMP",
    "/ms": "FILE DUMP",
    "/mm": "FILE DUMP",
    "/k": "CHECKSUM",
    "/r": "RECOVERY",
    "/cm": "RESTORE",
    "/cc": "RESTORE",
    "/p": "REPAIR",
    "/d": "DEFRAGMENTATION",
    "/g": "INTEGRITY",
}
"""What each mode calls itself."""

_DATABASE_MODES = {"/g": check_integrity, "/ms": dump_space, "/mm": dump_metadata}
"""Modes that look at the structure of a database."""


def file_dump(
    mode: str,
    files: FileSet,
    name: str,
    file_format: Format | None = None,
    *,
    ignores_streaming_file: bool = False,
) -> Report:
    """Return text and error of `/mh`, `/ml`, `/mk`, `/ms`, `/mm`, `/k` or `/g`.

    Args:
        mode: one of these.
        files: where the file lies.
        name: the file; for `/ml` and `/k` also a base name such as 'E00'.
        file_format: sizes and versions expected; None for what the file says.
        ignores_streaming_file: whether `/k` takes a database without its streaming file.
    """
    if mode == "/mh":
        return dump_header(files, name, file_format)
    if mode == "/mk":
        return dump_checkpoint(files, name)
    if mode == "/k":
        return verify_checksums(
            files, name, file_format, ignores_streaming_file=ignores_streaming_file
        )
    if mode in _DATABASE_MODES:
        return _DATABASE_MODES[mode](files, name, file_format)
    assert mode == "/ml", f"{mode} is not a mode that dumps files"
    if len(name) == PREFIX_LENGTH:
        found = file_format or detect_log_set(files, name) or EXCHANGE_2007
        return dump_log_set(files, name, found)
    return dump_log(files, name, file_format or detect_log(files, name) or EXCHANGE_2007)


def ending(error: EseError | None, seconds: float) -> str:
    """Return the last line of every mode; a warning is a success that says what it is."""
    if error is None:
        return f"Operation completed successfully in {seconds:.3f} seconds."
    code = f"{error.code} ({error.name}, {error.text})"
    if error.code > 0:
        return f"Operation completed successfully with {code} after {seconds:.3f} seconds."
    return f"Operation terminated with error {code} after {seconds:.3f} seconds."


def report(mode: str, text: str, error: EseError | None, seconds: float) -> str:
    """Return the whole output of a mode, from banner to ending.

    Args:
        mode: such as '/mh'.
        text: what the mode returned.
        error: what ended it, or the warning that it ended with, or None.
        seconds: how long it took.
    """
    lines = [BANNER, "", f"Initiating {MODES[mode]} mode...", text]
    if error is not None:
        lines += [f"{error.where}: {error.hint}", ""]
    return "\n".join([*lines, ending(error, seconds)]) + "\n"
