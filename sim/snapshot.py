"""Snapshots: a volume's files, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.content import Block, Content, read_blocks
from sim.payload import Segments
from sim.volume_errors import FileMissing

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class _FrozenFile:
    """A file's size and blocks."""

    size: int
    blocks: Mapping[int, Block]


class Snapshot:
    """The files of a volume at one instant; later changes of the volume do not show."""

    __slots__ = ("_files", "volume")

    def __init__(self, volume: str, contents: Mapping[str, Content]) -> None:
        self.volume = volume
        self._files = {
            name: _FrozenFile(contents[name].size, dict(contents[name].blocks))
            for name in sorted(contents)
        }

    def names(self) -> list[str]:
        """Return the names of the files, sorted."""
        return list(self._files)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return name in self._files

    def size(self, name: str) -> int:
        """Return a file's size in bytes; raises FileMissing."""
        return self._get(name).size

    def read(self, name: str, offset: int, length: int) -> Segments:
        """Return a part of a file, fewer bytes at its end; raises FileMissing."""
        file = self._get(name)
        return read_blocks(file.blocks, file.size, offset, length)

    def _get(self, name: str) -> _FrozenFile:
        """Return a file."""
        file = self._files.get(name)
        if file is None:
            raise FileMissing(self.volume, name)
        return file
