"""A journal on a real directory: the only module of the engine that touches files.

Fault model: the operating system's. An append may be lost or torn until `fsync` returned; a
created file is durable because its directory is synced as well. Promised: actions are carried out
in the order given, and a failure is returned as ActionFailed, after which nothing more is tried.
Not checked: disks that lie about their cache.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from engine.contract.actions import Action, AppendFile, CreateFile, SyncFile, TruncateFile
from engine.contract.events import ActionFailed, SyncDone


class JournalDirectory:
    """Reads, and carries out file actions on, one directory; also a `Storage`.

    Args:
        path: An existing directory that holds nothing but this journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptors: dict[str, int] = {}
        self._failure: ActionFailed | None = None

    # --- Storage ------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all plain files, sorted."""
        return sorted(item.name for item in self._path.iterdir() if item.is_file())

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._path / name).stat().st_size

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on."""
        return os.pread(self._descriptor(name), length, offset)

    # --- carrying actions out -------------------------------------------------------------------

    def carry_out(self, actions: Iterable[Action]) -> list[SyncDone | ActionFailed]:
        """Carry out the file actions among these, in order; return what is to be told.

        Actions of other kinds are the driver's business and are passed over.
        """
        events: list[SyncDone | ActionFailed] = []
        for action in actions:
            if self._failure is not None:
                break
            if not isinstance(action, CreateFile | AppendFile | TruncateFile | SyncFile):
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

    def _carry_out(self, action: CreateFile | AppendFile | TruncateFile | SyncFile) -> None:
        if isinstance(action, AppendFile):
            self._append(action)
        elif isinstance(action, SyncFile):
            os.fsync(self._descriptor(action.name))
        elif isinstance(action, CreateFile):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            self._descriptors[action.name] = os.open(self._path / action.name, flags, 0o640)
            self._sync_directory()
        else:
            descriptor = self._descriptor(action.name)
            os.ftruncate(descriptor, action.size)
            os.fsync(descriptor)

    def _append(self, action: AppendFile) -> None:
        descriptor = self._descriptor(action.name)
        if (size := os.fstat(descriptor).st_size) != action.offset:
            raise OSError(f"the file has {size} bytes, the append belongs at {action.offset}")
        view, offset = memoryview(action.data), action.offset
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written

    def _descriptor(self, name: str) -> int:
        if name not in self._descriptors:
            self._descriptors[name] = os.open(self._path / name, os.O_RDWR)
        return self._descriptors[name]

    def _sync_directory(self) -> None:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
