"""The files of a recovered image: made from the engine's image, and damaged on purpose."""

from dataclasses import dataclass

from emulators.ese.errors import EseError
from emulators.ese.file_set import FileSet, MemoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.formats.format import LOG_HEADER_BYTES, archive_name, current_name
from emulators.ese.formats.log_file import LogHeader
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


@dataclass(frozen=True, slots=True)
class LostLogFile:
    """One generation of one log stream that a copy has lost, under whatever name it had."""

    generation: int
    archive_name: str
    current_name: str

    def remove_from(self, files: MemoryFiles) -> None:
        """Delete the generation from an image, if the image has it."""
        if files.exists(self.archive_name):
            files.delete(self.archive_name)
        elif files.exists(self.current_name):
            block = files.read(self.current_name, 0, LOG_HEADER_BYTES)
            if LogHeader.unpack(block).generation == self.generation:
                files.delete(self.current_name)


def required_log(files: FileSet, parameters: Parameters, database: str) -> LostLogFile | None:
    """Return the lowest log that an image's database requires; None when it requires none."""
    if not files.exists(database):
        return None
    try:
        header = read_header(files, database, parameters.file_format)
    except EseError:
        return None
    if header.state is not DatabaseState.DIRTY_SHUTDOWN:
        return None
    generation = header.generation_min_required
    prefix = parameters.prefix
    name = archive_name(prefix, generation, parameters.file_format)
    return LostLogFile(generation, name, current_name(prefix))
