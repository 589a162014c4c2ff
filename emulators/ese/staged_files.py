"""Files on simulated volumes for code that works on a file set: read at once, changed in time.

What the code does is noted, in order, and what it reads back includes its own changes; nothing
reaches a volume before `carry_out`, which takes simulated time and may be cut or fail at any
operation, like the code itself would be. Reads are charged then as well, between the changes.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from emulators.ese.errors import ese_error
from emulators.ese.file_set import file_exists, file_not_found
from sim.volume import DiskFull, Volume, VolumeLost

DATABASE_SUFFIXES = (".edb", ".stm")


@dataclass(slots=True)
class _File:
    """A file as the code sees it: what lies on a volume under `base`, and what was written since.

    Bytes from `base_bytes` on are not those of the volume.
    """

    size: int
    base: str | None
    base_bytes: int
    writes: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation to be carried out; `other` is the new name of a rename."""

    kind: str
    name: str
    offset: int = 0
    size: int = 0
    data: bytes = b""
    other: str = ""


class StagedFiles:
    """The files of one storage group on its log volume and its database volume.

    Args:
        logs: logs and checkpoint.
        databases: the databases; it may be the same volume.
    """

    def __init__(self, logs: Volume, databases: Volume) -> None:
        self._logs = logs
        self._databases = databases
        self._files: dict[str, _File] = {}
        self._steps: list[_Step] = []
        for volume in (logs, databases):
            for name in volume.names():
                if self._home(name) is volume:
                    size = volume.size(name)
                    self._files[name] = _File(size, name, size)

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
            found = self._home(file.base).peek(file.base, offset, count)
            data[: len(found)] = found
            self._steps.append(_Step("read", name, offset, count))
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
            self._steps.append(_Step("write", name, offset, len(data), bytes(data)))

    def create(self, name: str, size: int = 0) -> None:
        """Make a new file of zeros."""
        self._must_be_free(name)
        self._files[name] = _File(size, None, 0)
        self._steps.append(_Step("create", name))
        if size:
            self._steps.append(_Step("truncate", name, size=size))

    def truncate(self, name: str, size: int) -> None:
        """Cut the file off, or extend it with zeros."""
        file = self._file(name)
        file.base_bytes = min(file.base_bytes, size)
        file.writes = [(start, data[: size - start]) for start, data in file.writes if start < size]
        file.size = size
        self._steps.append(_Step("truncate", name, size=size))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._must_be_free(new)
        self._file(old)
        self._files[new] = self._files.pop(old)
        self._steps.append(_Step("rename", old, other=new))

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._file(name)
        del self._files[name]
        self._steps.append(_Step("delete", name))

    def flush(self, name: str) -> None:
        """Have all that was written to the file on disk before anything that follows."""
        self._file(name)
        self._steps.append(_Step("flush", name))

    def carry_out(self) -> Generator[Any, Any, None]:
        """Do what was noted, one operation after another.

        Raises:
            EseError: -529 or -1808 when a volume is full, -510 or -1022 when it is lost.
        """
        for step in self._steps:
            volume = self._home(step.name)
            try:
                yield from _do(volume, step)
            except (DiskFull, VolumeLost) as error:
                is_full, is_log = isinstance(error, DiskFull), volume is self._logs
                code = (-529 if is_log else -1808) if is_full else (-510 if is_log else -1022)
                hint = "free space on the volume" if is_full else "recover from a copy"
                raise ese_error(code, f"{step.name} ({error})", f"{hint}, then mount") from error
        self._steps = []

    def _home(self, name: str) -> Volume:
        return self._databases if name.lower().endswith(DATABASE_SUFFIXES) else self._logs

    def _file(self, name: str) -> _File:
        if name not in self._files:
            raise file_not_found(name)
        return self._files[name]

    def _must_be_free(self, name: str) -> None:
        if name in self._files:
            raise file_exists(name)


def _do(volume: Volume, step: _Step) -> Generator[Any, Any, None]:
    name = step.name
    if step.kind == "read":
        yield volume.read(name, step.offset, step.size)
    elif step.kind == "write":
        yield volume.write(name, step.offset, (step.data,))
    elif step.kind == "truncate":
        yield volume.truncate(name, step.size)
    elif step.kind == "rename":
        yield volume.rename(name, step.other)
    elif step.kind == "create":
        yield volume.create(name)
    elif step.kind == "delete":
        yield volume.delete(name)
    else:
        yield volume.flush(name)
