"""The files of a recovered image: made from the engine's image, and damaged on purpose."""

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet, MemoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.running.parameters import Parameters
from engine import Image
from rpolab.protections.base import ImageFiles


def materialise(image: Image) -> ImageFiles:
    """Copy all files of an image into memory; volumes are put together into one folder."""
    files = MemoryFiles()
    bytes_read = 0
    for name in image.names():
        plain = name.split("/", 1)[1]
        files.create(plain, image.size(name))
        for offset, segments in image.pieces(name):
            position = offset
            for segment in segments:
                if isinstance(segment, int):
                    position += segment
                else:
                    files.write(plain, position, segment)
                    position += len(segment)
            bytes_read += position - offset
    return ImageFiles(files, bytes_read)


def remove_log(files: FileSet, parameters: Parameters, generation: int) -> None:
    """Delete a generation from an image, whatever its name there, if the image has it."""
    logs = LogSet(files, parameters.prefix, parameters.file_format)
    found = logs.file_of(generation)
    if found is not None:
        files.delete(found.name)


def required_generation(files: FileSet, parameters: Parameters, database: str) -> int | None:
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
