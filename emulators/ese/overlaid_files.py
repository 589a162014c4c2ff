"""Files as code sees them that changes them, while the changes are only noted.

What the code reads back includes its own changes. They are carried out later, in order, in the
way that the files demand: `staged_files` takes simulated time, `deferred_files` does it at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulators.ese.file_set import file_exists, file_not_found

ReadBase = Callable[[str, int, int], bytes]


@dataclass(slots=True)
class _File:
    """A file as the code sees it: what lies below under `base`, and what was written since.

    Bytes from `base_bytes` on are not those from below.
    """

    size: int
    base: str | None
    base_bytes: int
    writes: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation to be carried out; `other` is the new name of a rename."""

    kind: str
    name: str
    offset: int = 0
    size: int = 0
    data: bytes = b""
    other: str = ""


class OverlaidFiles:
    """A file set whose changes are noted in `steps`, and with them the reads from below.

    Args:
        sizes: of the files below, in bytes, by name.
        read_base: reads a file below, by the name that it has there: offset and length in bytes.
    """

    def __init__(self, sizes: Mapping[str, int], read_base: ReadBase) -> None:
        self._files = {name: _File(size, name, size) for name, size in sizes.items()}
        self._read_base = read_base
        self.steps: list[Step] = []

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._files)

    def exists(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return name in self._files

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""
        return self._file(name).size

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        file = self._file(name)
        length = max(min(length, file.size - offset), 0)
        data = bytearray(length)
        if file.base is not None and offset < file.base_bytes:
            count = min(length, file.base_bytes - offset)
            found = self._read_base(file.base, offset, count)
            data[: len(found)] = found
            self.steps.append(Step("read", name, offset, count))
        for start, written in file.writes:
            low, high = max(start, offset), min(start + len(written), offset + length)
            if low < high:
                data[low - offset : high - offset] = written[low - start : high - start]
        return bytes(data)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`."""
        file = self._file(name)
        if data:
            file.writes.append((offset, bytes(data)))
            file.size = max(file.size, offset + len(data))
            self.steps.append(Step("write", name, offset, len(data), bytes(data)))

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        self._must_be_free(name)
        self._files[name] = _File(size, None, 0)
        self.steps.append(Step("create", name))
        if size:
            self.steps.append(Step("truncate", name, size=size))

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        file = self._file(name)
        file.base_bytes = min(file.base_bytes, size)
        file.writes = [(start, data[: size - start]) for start, data in file.writes if start < size]
        file.size = size
        self.steps.append(Step("truncate", name, size=size))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._must_be_free(new)
        self._file(old)
        self._files[new] = self._files.pop(old)
        self.steps.append(Step("rename", old, other=new))

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._file(name)
        del self._files[name]
        self.steps.append(Step("delete", name))

    def flush(self, name: str) -> None:
        """Have all that was written to the file on disk before anything that follows."""
        self._file(name)
        self.steps.append(Step("flush", name))

    def _file(self, name: str) -> _File:
        if name not in self._files:
            raise file_not_found(name)
        return self._files[name]

    def _must_be_free(self, name: str) -> None:
        if name in self._files:
            raise file_exists(name)
