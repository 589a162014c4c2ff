"""The files of a volume by name: what an operation does when its turn has come.

Every operation either takes effect as a whole or raises and changes nothing.
"""

from collections.abc import Callable

from sim.operation import Kind, Pending
from sim.snapshot import Snapshot
from sim.stored_file import Fate, StoredFile, Torn, UnflushedWrite
from sim.volume_errors import DiskFull, FileExists, FileMissing

__all__ = ["FileTable"]


class FileTable:
    """The files of one volume.

    Attributes:
        capacity_bytes: What the sizes of all files, and the reserve, may add up to.
        reserved_bytes: Room that the files cannot have.
    """

    __slots__ = ("_effects", "_file_bytes", "_files", "_volume", "capacity_bytes", "reserved_bytes")

    def __init__(self, volume: str, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.reserved_bytes = 0
        self._volume = volume
        self._files: dict[str, StoredFile] = {}
        self._file_bytes = 0
        self._effects: dict[Kind, Callable[[Pending], object]] = {
            Kind.CREATE: self._create,
            Kind.WRITE: self._write,
            Kind.TRUNCATE: self._truncate,
            Kind.RENAME: self._rename,
            Kind.REPLACE: self._replace,
            Kind.DELETE: self._delete,
            Kind.FLUSH: self._flush,
            Kind.READ: self._read,
        }

    @property
    def used_bytes(self) -> int:
        """What the files and the reserve take."""
        return self._file_bytes + self.reserved_bytes

    @property
    def free_bytes(self) -> int:
        """What the files may grow by."""
        return max(self.capacity_bytes - self.used_bytes, 0)

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(self._files)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return name in self._files

    def get(self, name: str) -> StoredFile:
        """Return a file; raises FileMissing."""
        file = self._files.get(name)
        if file is None:
            raise FileMissing(self._volume, name)
        return file

    def snapshot(self) -> Snapshot:
        """Return all files as they are now."""
        return Snapshot(self._volume, {name: file.content for name, file in self._files.items()})

    def restore(self, snapshot: Snapshot) -> None:
        """Put the files back as they were in a snapshot, durably."""
        self._files = {name: StoredFile() for name in snapshot.names()}
        for name, file in self._files.items():
            size = snapshot.size(name)
            file.content.write(0, snapshot.read(name, 0, size))
            file.content.truncate(size)
            file.flush()
        self._file_bytes = sum(file.content.size for file in self._files.values())

    def apply(self, pending: Pending) -> object:
        """Carry an operation out; returns what its signal fires with."""
        return self._effects[pending.kind](pending)

    def power_cut(
        self, fate_of: Callable[[UnflushedWrite], Fate | Torn]
    ) -> list[tuple[UnflushedWrite, Fate | Torn]]:
        """Let every unflushed write meet its fate, in the order of names, then of writes."""
        fates: list[tuple[UnflushedWrite, Fate | Torn]] = []
        for name in self.names():
            fates += self._files[name].power_cut(name, fate_of)
        self._file_bytes = sum(file.content.size for file in self._files.values())
        return fates

    def clear(self) -> int:
        """Lose every file; returns the bytes lost."""
        lost_bytes, self._file_bytes = self._file_bytes, 0
        self._files.clear()
        return lost_bytes

    def _create(self, pending: Pending) -> None:
        self._require_free_name(pending.file)
        self._files[pending.file] = StoredFile()

    def _write(self, pending: Pending) -> int:
        file = self.get(pending.file)
        old_size = file.content.size
        offset = old_size if pending.offset < 0 else pending.offset
        growth = offset + pending.size - old_size
        if growth > 0 and pending.size:
            self._require_room(pending.file, growth)
            self._file_bytes += growth
        if pending.size:
            file.write(offset, pending.payload, pending.size)
        pending.offset = offset
        return offset

    def _truncate(self, pending: Pending) -> None:
        file = self.get(pending.file)
        growth = pending.size - file.content.size
        if growth > 0:
            self._require_room(pending.file, growth)
        file.truncate(pending.size)
        self._file_bytes += growth

    def _rename(self, pending: Pending) -> None:
        file = self.get(pending.file)
        self._require_free_name(pending.new_name)
        del self._files[pending.file]
        self._files[pending.new_name] = file

    def _replace(self, pending: Pending) -> None:
        file = self.get(pending.file)
        del self._files[pending.file]
        replaced = self._files.get(pending.new_name)
        if replaced is not None:
            self._file_bytes -= replaced.content.size
        self._files[pending.new_name] = file

    def _delete(self, pending: Pending) -> None:
        self._file_bytes -= self.get(pending.file).content.size
        del self._files[pending.file]

    def _flush(self, pending: Pending) -> None:
        self.get(pending.file).flush()

    def _read(self, pending: Pending) -> object:
        return self.get(pending.file).content.read(pending.offset, pending.size)

    def _require_free_name(self, name: str) -> None:
        if name in self._files:
            raise FileExists(self._volume, name)

    def _require_room(self, name: str, growth: int) -> None:
        if growth > self.free_bytes:
            raise DiskFull(self._volume, name, growth, self.free_bytes)
