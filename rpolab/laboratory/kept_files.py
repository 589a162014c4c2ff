"""Keeps recovered files as real files, for other programs to open."""

from pathlib import Path

from emulators.ese.file_set import MemoryFiles


class FolderKeeper:
    """Writes recovered files into folders.

    Args:
        folder: where each recovery gets a folder of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, files: MemoryFiles) -> None:
        """Keep the files of a recovery of that name, which has none yet."""
        folder = self._folder / name
        folder.mkdir(parents=True)
        for file in files.names():
            (folder / file).write_bytes(files.read(file, 0, files.size(file)))
