"""The files of a recovered image: made from the engine's image, and damaged on purpose."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet, MemoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.running.parameters import Parameters
from engine import Image
from rpolab.protections.base import ImageFiles

WhichLog: TypeAlias = Literal["required", "current"]


def materialise(image: Image, groups: Mapping[str, Sequence[str]]) -> ImageFiles:
    """Copy all files of an image into memory: the volumes of each storage group into one folder.

    Args:
        image: what the engine gives.
        groups: the storage groups, and what the engine calls the volumes of each.
    """
    folders = {name: MemoryFiles() for name in groups}
    folder_of = {label: folders[name] for name, labels in groups.items() for label in labels}
    bytes_read = 0
    for name in image.names():
        label, plain = name.split("/", 1)
        bytes_read += _copy(image, name, folder_of[label], plain)
    return ImageFiles(folders, bytes_read)


def _copy(image: Image, name: str, files: MemoryFiles, plain: str) -> int:
    """Copy one file; return the bytes read."""
    files.create(plain, image.size(name))
    bytes_read = 0
    for offset, segments in image.pieces(name):
        position = offset
        for segment in segments:
            if isinstance(segment, int):
                position += segment
            else:
                files.write(plain, position, segment)
                position += len(segment)
        bytes_read += position - offset
    return bytes_read


def remove_log(files: FileSet, parameters: Parameters, generation: int) -> None:
    """Delete a generation from an image, whatever its name there, if the image has it."""
    logs = LogSet(files, parameters.prefix, parameters.file_format)
    found = logs.file_of(generation)
    if found is not None:
        files.delete(found.name)


def chosen_generation(
    files: FileSet, parameters: Parameters, databases: Sequence[str], which: WhichLog
) -> int | None:
    """Return the log of an image that a fault is to destroy; None when there is none.

    'required' is the lowest that any of the databases requires, 'current' the one being written.
    """
    if which == "current":
        current = LogSet(files, parameters.prefix, parameters.file_format).current
        header = None if current is None else current.header
        return None if header is None else header.generation
    required = [_required_generation(files, parameters, name) for name in databases]
    return min((generation for generation in required if generation is not None), default=None)


def _required_generation(files: FileSet, parameters: Parameters, database: str) -> int | None:
    """Return the lowest log that an image's database requires; None when it requires none."""
    if not files.exists(database):
        return None
    try:
        header = read_header(files, database, parameters.file_format)
    except EseError:
        return None
    if header.state is not DatabaseState.DIRTY_SHUTDOWN:
        return None
    return header.generation_min_required
