"""Files by name, as recovery and the tools see them: in memory, on a real disk, or counted.

Fault model: none of its own. `MemoryFiles` holds what it is given, `DirectoryFiles` passes on what
the operating system reports as EseError -1811, -1814, -1032, -1808 or -1022.
"""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from emulators.ese.errors import EseError, ese_error


class FileSet(Protocol):
    """Named files; operations complete before they return, and raise EseError."""

    def names(self) -> list[str]:
        """Return all names, sorted."""

    def exists(self, name: str) -> bool:
        """Return whether a file of that name is there."""

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end of the file."""

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`, making the file longer as needed."""

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of `size` zero bytes; -1814 when the name is taken."""

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros, to `size` bytes."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; -1814 when that is taken."""

    def delete(self, name: str) -> None:
        """Remove a file."""

    def flush(self, name: str) -> None:
        """Return when all that was written to the file is on disk."""


class MemoryFiles:
    """Files in memory.

    Args:
        contents: initial files by name.
    """

    def __init__(self, contents: dict[str, bytes] | None = None) -> None:
        self._files = {name: bytearray(data) for name, data in (contents or {}).items()}

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._files)

    def exists(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return name in self._files

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""
        return len(self._file(name))

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        return bytes(memoryview(self._file(name))[offset : offset + length])

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`."""
        file = self._file(name)
        if not data:
            return
        if offset > len(file):
            file.extend(bytes(offset - len(file)))
        file[offset : offset + len(data)] = data

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        self._must_be_free(name)
        self._files[name] = bytearray(size)

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        file = self._file(name)
        if size < len(file):
            del file[size:]
        else:
            file.extend(bytes(size - len(file)))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._must_be_free(new)
        self._files[new] = self._file(old)
        del self._files[old]

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._file(name)
        del self._files[name]

    def flush(self, name: str) -> None:
        """Check that the file is there; memory needs no flush."""
        self._file(name)

    def _file(self, name: str) -> bytearray:
        try:
            return self._files[name]
        except KeyError:
            raise file_not_found(name) from None

    def _must_be_free(self, name: str) -> None:
        if name in self._files:
            raise file_exists(name)


class DirectoryFiles:
    """The files of one directory of a real disk.

    Args:
        path: the directory; names are plain file names in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Return the names of the plain files, sorted."""
        try:
            return sorted(entry.name for entry in self._path.iterdir() if entry.is_file())
        except OSError as error:
            raise _os_error(str(self._path), error) from error

    def exists(self, name: str) -> bool:
        """Return whether a plain file of that name is there."""
        return self._at(name).is_file()

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""
        try:
            return self._at(name).stat().st_size
        except OSError as error:
            raise _os_error(name, error) from error

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        try:
            with self._at(name).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            raise _os_error(name, error) from error

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`."""
        try:
            with self._at(name).open("r+b") as file:
                file.seek(offset)
                file.write(data)
        except OSError as error:
            raise _os_error(name, error) from error

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        try:
            with self._at(name).open("xb") as file:
                file.truncate(size)
        except OSError as error:
            raise _os_error(name, error) from error

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        try:
            os.truncate(self._at(name), size)
        except OSError as error:
            raise _os_error(name, error) from error

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        if self.exists(new):
            raise file_exists(new)
        try:
            self._at(old).rename(self._at(new))
        except OSError as error:
            raise _os_error(old, error) from error

    def delete(self, name: str) -> None:
        """Remove a file."""
        try:
            self._at(name).unlink()
        except OSError as error:
            raise _os_error(name, error) from error

    def flush(self, name: str) -> None:
        """Return when the file's data is on disk."""
        try:
            with self._at(name).open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise _os_error(name, error) from error

    def _at(self, name: str) -> Path:
        assert name == Path(name).name, f"{name!r} is not a plain file name"
        return self._path / name


@dataclass(slots=True)
class FileCounts:
    """How often each kind of operation ran, and how many bytes it moved."""

    operations: dict[str, int] = field(default_factory=dict)
    bytes_moved: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, moved: int = 0) -> None:
        """Count one operation."""
        self.operations[kind] = self.operations.get(kind, 0) + 1
        self.bytes_moved[kind] = self.bytes_moved.get(kind, 0) + moved


class CountingFiles:
    """Passes operations on and counts them; the figures become simulated time.

    Kinds are 'read', 'write', 'create', 'truncate', 'rename', 'delete' and 'flush'. Looking up
    names and sizes costs nothing. An operation that fails is not counted.
    """

    def __init__(self, inner: FileSet) -> None:
        self._inner = inner
        self.counts = FileCounts()

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return self._inner.names()

    def exists(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return self._inner.exists(name)

    def size(self, name: str) -> int:
        """Return the file's length in bytes."""
        return self._inner.size(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        data = self._inner.read(name, offset, length)
        self.counts.add("read", len(data))
        return data

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes from `offset`."""
        self._inner.write(name, offset, data)
        self.counts.add("write", len(data))

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        self._inner.create(name, size)
        self.counts.add("create")

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        self._inner.truncate(name, size)
        self.counts.add("truncate")

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._inner.rename(old, new)
        self.counts.add("rename")

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._inner.delete(name)
        self.counts.add("delete")

    def flush(self, name: str) -> None:
        """Return when the file's data is on disk."""
        self._inner.flush(name)
        self.counts.add("flush")


def file_not_found(name: str) -> EseError:
    """Return the error of a file that is not there."""
    return ese_error(-1811, name, "check the name, and that the right copy is mounted")


def file_exists(name: str) -> EseError:
    """Return the error of a name that is taken."""
    return ese_error(-1814, name, "move the existing file away first")


_BY_ERRNO = {
    errno.ENOENT: -1811,
    errno.EEXIST: -1814,
    errno.EACCES: -1032,
    errno.EPERM: -1032,
    errno.ENOSPC: -1808,
}


def _os_error(name: str, error: OSError) -> EseError:
    code = _BY_ERRNO.get(error.errno or 0, -1022)
    return ese_error(
        code, f"{name}: {error.strerror}", "check the disk and the file's access rights"
    )
