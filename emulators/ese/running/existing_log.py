"""What lies on the log volume when a storage group starts: nothing, or a stream to go on with.

Fault model: a crash may have torn the end of the current log, which the next flush repairs, or
have fallen between the two renames of a roll, which is then completed. Whether databases need logs
is not asked here: a database must be clean before it is mounted.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.checkpoint import CHECKPOINT_BYTES, Checkpoint
from emulators.ese.formats.format import (
    LOG_HEADER_BYTES,
    Format,
    archive_generation,
    checkpoint_name,
    current_name,
    temporary_name,
)
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame
from sim.volume import Volume


class ExistingLog(NamedTuple):
    """The current log: its header, and its stream to be continued."""

    header: LogHeader
    frame: LogFrame


def find_log(
    volume: Volume, prefix: str, log_format: Format
) -> Generator[Any, Any, ExistingLog | None]:
    """Return the log to go on with, None where there is no log at all (exchange.md R3).

    Raises:
        EseError: -528 when archives are there and no current log, -541 or -514 for a log of
            another size or version, -501 for a damaged one.
    """
    name = current_name(prefix)
    if not volume.exists(name):
        if not _archives(volume, prefix, log_format):
            return None
        yield from _complete_roll(volume, prefix, log_format)
    yield volume.read(name, 0, volume.size(name))
    content = volume.peek(name, 0, volume.size(name))
    header = LogHeader.unpack(content, log_format, name)
    return ExistingLog(header, LogFrame.resume(content))


def read_checkpoint(volume: Volume, prefix: str) -> Checkpoint | None:
    """Return what the checkpoint file says, None where it is missing or damaged (R4)."""
    name = checkpoint_name(prefix)
    if not volume.exists(name):
        return None
    try:
        return Checkpoint.unpack(volume.peek(name, 0, CHECKPOINT_BYTES), name)
    except EseError:
        return None


def _archives(volume: Volume, prefix: str, log_format: Format) -> list[int]:
    found = (archive_generation(name, prefix, log_format) for name in volume.names())
    return [generation for generation in found if generation is not None]


def _complete_roll(volume: Volume, prefix: str, log_format: Format) -> Generator[Any, Any, None]:
    """Make E00tmp.log current where it is the log after the archives (R1).

    Raises:
        EseError: -528: it is not there, or is another one.
    """
    last = max(_archives(volume, prefix, log_format))
    if _temporary_generation(volume, prefix, log_format) == last + 1:
        yield volume.rename(temporary_name(prefix), current_name(prefix))
        return
    hint = "bring the log back, or move all logs away if every database is clean"
    raise ese_error(-528, f"{current_name(prefix)} is missing after generation {last}", hint)


def _temporary_generation(volume: Volume, prefix: str, log_format: Format) -> int | None:
    """Return the generation of E00tmp.log, None where it is missing or not made to its end."""
    name = temporary_name(prefix)
    if not volume.exists(name):
        return None
    try:
        return LogHeader.unpack(volume.peek(name, 0, LOG_HEADER_BYTES), log_format, name).generation
    except EseError:
        return None
