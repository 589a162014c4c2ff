"""Carries out in simulation what a capture wants of its host: spool files, and reads of live files.

It stands for the part of the kernel's driver that has disks; it ends with the host, as the capture
does, and goes on while the session's service is down.
"""

from collections.abc import Callable, Sequence
from functools import partial

from engine import Capture
from engine.basics.payload import Segments
from engine.contract.actions import (
    AppendFile,
    CreateFile,
    DeleteFile,
    FileAction,
    Notice,
    Notify,
    ReadSource,
    SyncFile,
)
from sim.kernel import Kernel, Signal
from sim.volume import Volume


class CaptureDriver:
    """The disks of one protected group, as its capture uses them.

    Args:
        kernel: simulated time.
        capture: the group's capture.
        spool: where its spool lies; None without one.
        tell: called with each notice of the capture.
        changed: called when an answer may have changed the capture.
    """

    def __init__(
        self,
        kernel: Kernel,
        capture: Capture,
        spool: Volume | None,
        tell: Callable[[Notice], None],
        changed: Callable[[], None],
    ) -> None:
        self._kernel = kernel
        self._capture = capture
        self._spool = spool
        self._tell = tell
        self._changed = changed
        #: The protected volumes, by what the engine calls them.
        self.volumes: dict[str, Volume] = {}

    def protect(self, label: str, volume: Volume) -> None:
        """Know the volume that the engine calls `label`."""
        self.volumes[label] = volume

    def take(self, capture: Capture, clearing: Sequence[FileAction]) -> None:
        """Serve another capture from now on: the host has stopped, and started again.

        Args:
            capture: the new one.
            clearing: takes away what the old one left on the spool's disk.
        """
        self._capture = capture
        for action in clearing:
            self._file_action(action)

    def live_files(self) -> dict[str, int]:
        """Return the files of all volumes, as the engine calls them, and their sizes."""
        return {
            f"{label}/{name}": volume.size(name)
            for label, volume in self.volumes.items()
            for name in volume.names()
        }

    def carry_out(self) -> None:
        """Carry out all that the capture wants now."""
        for action in self._capture.take_actions():
            if isinstance(action, Notify):
                self._tell(action.notice)
            else:
                self._file_action(action)

    def read(self, action: ReadSource, answer: Callable[[Segments | None], None]) -> None:
        """Read a live file; the answer is None where that was not possible."""
        label, _, name = action.file.partition("/")

        def done(signal: Signal) -> None:
            answer(None if signal.error is not None else signal.value)

        self.volumes[label].read(name, action.offset, action.length).then(done)

    def _file_action(self, action: FileAction) -> None:
        spool = self._spool
        assert spool is not None, "only a capture with a spool has files"
        if isinstance(action, CreateFile):
            spool.create(action.name).then(self._check)
        elif isinstance(action, AppendFile):
            spool.write(action.name, action.offset, (action.data,)).then(self._check)
        elif isinstance(action, SyncFile):
            spool.flush(action.name).then(partial(self._written, action.token))
        elif isinstance(action, DeleteFile) and spool.exists(action.name):
            spool.delete(action.name).then(self._check)

    def _check(self, signal: Signal) -> None:
        if signal.error is not None:
            self._capture.spool_failed(str(signal.error), self._kernel.now_ns)
            self._changed()

    def _written(self, token: int, signal: Signal) -> None:
        if signal.error is None:
            self._capture.spool_written(token, self._kernel.now_ns)
            self._changed()
        else:
            self._check(signal)
