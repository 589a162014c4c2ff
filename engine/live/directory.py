"""A journal on a real directory: the only module of the engine that touches files.

Fault model: the operating system's. An append may be lost or torn until `fsync` returned; a
created file is durable because its directory is synced as well; a replaced one is wholly old or
wholly new. Promised: actions are carried out in the order given, and a failure is returned as
ActionFailed, after which nothing more is tried. Not checked: disks that lie about their cache.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.contract.actions import (
    Action,
    AppendFile,
    CreateFile,
    FileAction,
    ReplaceFile,
    SyncFile,
    TruncateFile,
)
from engine.contract.events import ActionFailed, SyncDone

#: Files kept open: a journal may have many more than a process may open. Assumption.
OPEN_FILES_MAX = 64
#: What a file is called until it takes the place of the one it replaces.
NEW_SUFFIX = ".new"
#: Parts that go to the operating system in one call: IOV_MAX of Linux.
_PARTS_MAX = 1_024
#: Reads and batches are some MiB each: so much freed memory is kept for the next one. Assumption.
_KEPT_BYTES = 16 << 20


class JournalDirectory:
    """Reads, and carries out file actions on, one directory; also a `Storage`.

    Args:
        path: An existing directory that holds nothing but this journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptors: OrderedDict[str, int] = OrderedDict()
        self._unsynced: set[str] = set()  # these stay open: fsync must see their write errors
        self._failure: ActionFailed | None = None
        _keep_freed_memory()

    # --- Storage ------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all plain files, sorted."""
        with os.scandir(self._path) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())

    def exists(self, name: str) -> bool:
        """Tell whether there is a plain file of this name."""
        # pathlib takes 5 times as long, and an opening asks for each of a thousand files.
        return os.path.isfile(f"{self._path}/{name}")  # noqa: PTH113 - see above

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._path / name).stat().st_size

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on, none where there is no such file."""
        try:
            return os.pread(self._descriptor(name), length, offset)
        except FileNotFoundError:
            return b""

    # --- carrying actions out -------------------------------------------------------------------

    def carry_out(self, actions: Iterable[Action]) -> list[SyncDone | ActionFailed]:
        """Carry out the file actions among these, in order; return what is to be told.

        Actions of other kinds are the driver's business and are passed over.
        """
        events: list[SyncDone | ActionFailed] = []
        for action in actions:
            if self._failure is not None:
                break
            if not isinstance(action, FileAction):
                continue
            try:
                self._carry_out(action)
            except OSError as error:
                self._failure = ActionFailed(action.name, f"{type(action).__name__}: {error}")
                events.append(self._failure)
                break
            if isinstance(action, SyncFile):
                events.append(SyncDone(action.token))
        return events

    def close(self) -> None:
        """Close all files; appends that were not synced keep their fate."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
        self._unsynced.clear()

    def _carry_out(self, action: FileAction) -> None:
        if isinstance(action, AppendFile):
            self._append(action)
        elif isinstance(action, SyncFile):
            os.fsync(self._descriptor(action.name))
            self._unsynced.discard(action.name)
        elif isinstance(action, CreateFile):
            self._keep_open(action.name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            self._sync_directory()
        elif isinstance(action, TruncateFile):
            descriptor = self._descriptor(action.name)
            os.ftruncate(descriptor, action.size)
            os.fsync(descriptor)
        elif isinstance(action, ReplaceFile):
            self._replace(action)
        else:
            self._forget(action.name)
            (self._path / action.name).unlink(missing_ok=True)
            self._sync_directory()

    def _append(self, action: AppendFile) -> None:
        descriptor = self._descriptor(action.name)
        if (size := os.fstat(descriptor).st_size) != action.offset:
            raise OSError(f"the file has {size} bytes, the append belongs at {action.offset}")
        self._unsynced.add(action.name)
        _write_all(descriptor, action.parts, action.offset)

    def _replace(self, action: ReplaceFile) -> None:
        path = self._path / (action.name + NEW_SUFFIX)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            _write_all(descriptor, (action.data,), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._forget(action.name)
        path.replace(self._path / action.name)
        self._sync_directory()

    def _descriptor(self, name: str) -> int:
        if name in self._descriptors:
            self._descriptors.move_to_end(name)
            return self._descriptors[name]
        return self._keep_open(name, os.O_RDWR)

    def _keep_open(self, name: str, flags: int) -> int:
        descriptor = os.open(self._path / name, flags, 0o640)
        self._descriptors[name] = descriptor
        idle = [name for name in self._descriptors if name not in self._unsynced]
        for other in idle[: max(len(self._descriptors) - OPEN_FILES_MAX, 0)]:
            if other != name:
                self._forget(other)
        return descriptor

    def _forget(self, name: str) -> None:
        """Close the file: its name may soon stand for another one."""
        self._unsynced.discard(name)
        if (descriptor := self._descriptors.pop(name, None)) is not None:
            os.close(descriptor)

    def _sync_directory(self) -> None:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, parts: Sequence[bytes | memoryview], offset: int) -> None:
    """Write the parts one after the other, as they lie: nothing is joined."""
    for first in range(0, len(parts), _PARTS_MAX):
        rest = list(parts[first : first + _PARTS_MAX])
        while rest:
            written = os.pwritev(descriptor, rest, offset)
            offset += written
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if written:
                rest[0] = memoryview(rest[0])[written:]


def _keep_freed_memory() -> None:
    """Let the C library keep what is freed, instead of giving it back to the operating system.

    glibc learns from the largest block that was freed how much is worth keeping (mallopt(3),
    M_MMAP_THRESHOLD: it adjusts dynamically). Before it has, each buffer of some MiB is mapped anew
    and zeroed page by page, which takes longer than reading a file into it. The block is never
    touched, so that it costs two system calls; other libraries do not mind.
    """
    bytes(_KEPT_BYTES)
