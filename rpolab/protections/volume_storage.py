"""What the engine reads of a simulated volume: its storage protocol."""

from sim.volume import Volume


class VolumeStorage:
    """Reads the journal's files from a simulated volume, as far as they have completed."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def names(self) -> list[str]:
        """Return the names of all files."""
        return self._volume.names()

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return self._volume.exists(name)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return self._volume.size(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return bytes of a file, fewer at its end, none where there is no such file."""
        if not self._volume.exists(name):
            return b""
        return self._volume.peek(name, offset, length)
