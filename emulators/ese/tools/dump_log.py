"""The texts of `eseutil /ml`: one log file, or all logs of a base name (exchange.md 2.3).

A log that is still being written may end in a torn write, which recovery repairs (exchange.md R16);
in a closed log the same is damage (-501).
"""

from collections.abc import Iterator
from typing import NamedTuple

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import (
    EXCHANGE_2007,
    Format,
    archive_generation,
    archive_name,
    current_name,
    temporary_name,
)
from emulators.ese.formats.log_file import (
    FLAG_CIRCULAR_BEFORE,
    FLAG_CIRCULAR_NOW,
    FLAG_RESERVE_LOG,
    LogHeader,
)
from emulators.ese.formats.log_scan import LogScan, LogState, scan_log
from emulators.ese.tools.dump import Report, environment_lines

PREFIX_LENGTH = 3
HINT_DAMAGED = "recover from another copy of this log, or to before it"


class CheckedLog(NamedTuple):
    """A log file that was read: what is known of it, and what is wrong with it."""

    name: str
    header: LogHeader | None
    scan: LogScan | None
    error: EseError | None


def check_log(files: FileSet, name: str, log_format: Format = EXCHANGE_2007) -> CheckedLog:
    """Read a log file and check its size, header and stream."""
    try:
        image = files.read(name, 0, files.size(name))
        header = LogHeader.unpack(image, log_format, name)
    except EseError as error:
        return CheckedLog(name, None, None, error)
    scan = scan_log(image, header.generation)
    return CheckedLog(name, header, scan, _stream_error(name, len(image), scan, log_format))


def dump_log(files: FileSet, name: str, log_format: Format = EXCHANGE_2007) -> Report:
    """Return the text of `eseutil /ml` for one log file."""
    checked = check_log(files, name, log_format)
    lines = [f"      Base name: {name[:PREFIX_LENGTH]}", f"      Log file: {name}"]
    if checked.header is not None and checked.scan is not None:
        lines += _header_lines(checked.header)
        lines += ["", f"      Last Lgpos: {checked.scan.last_lgpos}", ""]
    if checked.error is None:
        lines.append(f"Integrity check passed for log file: {name}")
    else:
        lines.append(_damage_line(checked))
    return "\n".join(lines) + "\n", checked.error


def dump_log_set(files: FileSet, prefix: str, log_format: Format = EXCHANGE_2007) -> Report:
    """Return the text of `eseutil /ml E00`: every log of the base name, and their sequence."""
    lines = ["Verifying log files...", f"     Base name: {prefix}", ""]
    first: EseError | None = None
    for line, error in _set_lines(files, prefix, log_format):
        lines.append(line)
        first = first or error
    if first is None:
        lines += ["", "No damaged log files were found."]
    return "\n".join(lines) + "\n", first


def _set_lines(
    files: FileSet, prefix: str, log_format: Format
) -> Iterator[tuple[str, EseError | None]]:
    previous: LogHeader | None = None
    for name, expected in _names(files, prefix, log_format):
        if previous is not None and expected is not None and expected > previous.generation + 1:
            yield _missing(prefix, previous.generation + 1, expected - 1, log_format)
            previous = None
        checked = check_log(files, name, log_format)
        if checked.header is None:
            yield f"      Log file: {name}", None
            yield f"                {_damage_line(checked)}", checked.error
            previous = None
            continue
        found = checked.header.generation
        if expected is None and previous is not None and found > previous.generation + 1:
            yield _missing(prefix, previous.generation + 1, found - 1, log_format)
            previous = None
        error = _sequence_error(checked.header, expected, previous) or checked.error
        yield _verdict_line(checked, error), error
        previous = checked.header
    current = current_name(prefix)
    if not files.exists(current) and not files.exists(temporary_name(prefix)):
        hint = "restore the current log, or run eseutil /r with /a and lose what it held"
        yield f"      Missing log file(s): {current}", ese_error(-528, current, hint)


def _names(files: FileSet, prefix: str, log_format: Format) -> Iterator[tuple[str, int | None]]:
    """Yield the closed logs with the generation of their name, then the current one."""
    archives = []
    for name in files.names():
        generation = archive_generation(name, prefix, log_format)
        if generation is not None:
            archives.append((generation, name))
    for generation, name in sorted(archives):
        yield name, generation
    if files.exists(current_name(prefix)):
        yield current_name(prefix), None


def _missing(prefix: str, low: int, high: int, log_format: Format) -> tuple[str, EseError]:
    digits = log_format.generation_digits
    span = f"{prefix}{{{low:0{digits}X} - {high:0{digits}X}}}.log"
    where = f"{archive_name(prefix, low, log_format)} to generation {high:#x}"
    error = ese_error(-528, where, "copy the missing logs back from a backup or another copy")
    return f"      Missing log file(s): {span}", error


def _sequence_error(
    header: LogHeader, expected: int | None, previous: LogHeader | None
) -> EseError | None:
    """Return why a log does not follow the one before it (exchange.md F14)."""
    where = f"generation {header.generation:#x}"
    hint = "remove the logs that are not of this set, or copy the right ones back"
    if expected is not None and header.generation != expected:
        return ese_error(-515, f"{where}: its name says {expected:#x}", hint)
    if previous is None:
        return None
    if header.signature != previous.signature:
        return ese_error(-530, f"{where}: its signature is not that of the log before it", hint)
    if header.generation != previous.generation + 1:
        return ese_error(-515, f"{where}: it follows {previous.generation:#x}", hint)
    if header.previous_created != previous.created:
        times = f"it follows a log created {header.previous_created}, not {previous.created}"
        return ese_error(-515, f"{where}: {times}", hint)
    return None


def _verdict_line(checked: CheckedLog, error: EseError | None) -> str:
    line = f"      Log file: {checked.name}"
    if error is None:
        return f"{line} - OK"
    if error is checked.error:
        return f"{line}\n                {_damage_line(checked)}"
    return f"{line}\n                ERROR: Invalid log sequence. {error.where}."


def _damage_line(checked: CheckedLog) -> str:
    assert checked.error is not None, f"{checked.name} is not damaged"
    if checked.scan is None:
        return f"ERROR: Cannot read log file header. {checked.error.where}."
    return f"ERROR: Log damaged (unusable). Last Lgpos: {checked.scan.last_lgpos}."


def _stream_error(name: str, size: int, scan: LogScan, log_format: Format) -> EseError | None:
    if size != log_format.log_bytes:
        where = f"{name}: {size} bytes instead of {log_format.log_bytes}"
        return ese_error(-541, where, HINT_DAMAGED)
    is_current = name == current_name(name[:PREFIX_LENGTH])
    if scan.state is LogState.CLEAN or (scan.state is LogState.TORN and is_current):
        return None
    where = f"{name}, offset {scan.damage_offset:#x}" if scan.damage_offset else name
    return ese_error(-501, where, HINT_DAMAGED)


def _header_lines(header: LogHeader) -> list[str]:
    written, engine = (
        f"({major}.{minor}.{update})"
        for major, minor, update in (header.version, header.log_format.log_version)
    )
    circular = {False: "off", True: "on"}
    fields: tuple[tuple[str, object], ...] = (
        ("lGeneration", f"{header.generation} (0x{header.generation:X})"),
        ("Checkpoint", header.checkpoint),
        ("creation time", header.created),
        ("prev gen time", header.previous_created),
        ("Format LGVersion", written),
        ("Engine LGVersion", engine),
        ("Signature", header.signature),
        ("Env SystemPath", header.parameters.system_path),
        ("Env LogFilePath", header.parameters.log_path),
        ("Env Log Sec size", 512),
    )
    flags = header.flags
    return [
        *(f"      {label}: {value}" for label, value in fields),
        *environment_lines(header.parameters),
        f"      Using Reserved Log File: {str(bool(flags & FLAG_RESERVE_LOG)).lower()}",
        f"      Circular Logging Flag (current file): {circular[bool(flags & FLAG_CIRCULAR_NOW)]}",
        f"      Circular Logging Flag (past files): {circular[bool(flags & FLAG_CIRCULAR_BEFORE)]}",
    ]
