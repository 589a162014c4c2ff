"""Carries the engine's capture in simulation: filters, writers that wait, tags, the spool.

It stands for the driver in the kernel of the mail server's machine: it is made once and ends with
the host. What ships the changes are sessions, one for each copy, that come and go.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from engine import Admission, Capture, Change, RecordType, Waiting
from engine.contract.actions import FileAction, Notice
from rpolab.protections.capture_driver import CaptureDriver
from sim.kernel import Kernel, Signal
from sim.volume import Kind, Operation, Volume

RECORD_TYPES = {
    Kind.CREATE: RecordType.CREATE,
    Kind.WRITE: RecordType.WRITE,
    Kind.TRUNCATE: RecordType.TRUNCATE,
    Kind.RENAME: RecordType.RENAME,
    Kind.DELETE: RecordType.DELETE,
    Kind.FLUSH: RecordType.FLUSH,
}


def change_of(operation: Operation, label: str) -> Change:
    """Return the engine's view of a completed operation on the volume called `label`."""
    is_truncate = operation.kind is Kind.TRUNCATE
    return Change(
        kind=RECORD_TYPES[operation.kind],
        file=f"{label}/{operation.file}",
        offset=operation.size if is_truncate else operation.offset,
        payload=operation.payload,
        new_name=f"{label}/{operation.new_name}" if operation.new_name else "",
    )


class CaptureObserver(Protocol):
    """Told of what the capture says, and when it has something to ship."""

    def capture_notice(self, notice: Notice) -> None:
        """Take note of what the capture says about itself."""

    def captured_more(self) -> None:
        """Let the sessions ship what is there."""


class CaptureHost:
    """The capture of the mail server's volumes, and all that stands on its machine with it.

    Args:
        kernel: simulated time.
        capture: what is captured.
        observer: told of notices, and when there is something to ship.
        spool: the volume of the capture's spool, None without one.
    """

    def __init__(
        self, kernel: Kernel, capture: Capture, observer: CaptureObserver, spool: Volume | None
    ) -> None:
        self.kernel = kernel
        self.capture = capture
        self._observer = observer
        self._waiting: dict[int, Signal] = {}
        self.disks = CaptureDriver(
            kernel, capture, spool, observer.capture_notice, observer.captured_more
        )

    def protect(self, label: str, volume: Volume) -> None:
        """Attach the filter to the volume that the engine is to call `label`."""
        volume.attach(partial(self._show, label))
        self.disks.protect(label, volume)

    def live_files(self) -> dict[str, int]:
        """Return all protected files, as the engine calls them, and their sizes."""
        return self.disks.live_files()

    def begin_anew(self, capture: Capture, clearing: Sequence[FileAction]) -> None:
        """Capture anew after the host stopped without warning: the old capture is gone.

        Who waited for room in the old one has gone with the host; `clearing` clears its spool.
        """
        self._waiting.clear()
        self.capture = capture
        self.disks.take(capture, clearing)
        for label, volume in self.disks.volumes.items():
            self.protect(label, volume)  # its filters went with the host's memory

    def insert_tag(self, kind: RecordType, label: str) -> Admission:
        """Put a tag into the stream, between the writes before and after this instant.

        It is a point only after `commit_tag`.
        """
        change = Change(kind, "", payload=(label.encode(),), is_pending=True)
        return self._captured(self.capture.admit(change, self.kernel.now_ns))

    def commit_tag(self, sequence: int) -> Admission:
        """Make an inserted tag a point."""
        return self._captured(self.capture.commit_tag(sequence, self.kernel.now_ns))

    def revoke_tag(self, sequence: int) -> Admission:
        """Withdraw an inserted tag."""
        return self._captured(self.capture.revoke_tag(sequence, self.kernel.now_ns))

    def release(self) -> None:
        """Complete the writes that there is room for now."""
        for ticket in self.capture.take_released():
            self._waiting.pop(ticket).fire()

    def _show(self, label: str, operation: Operation) -> Signal | None:
        admission = self.capture.admit(change_of(operation, label), self.kernel.now_ns)
        signal = None
        if isinstance(admission, Waiting):
            signal = self._waiting[admission.ticket] = self.kernel.signal()
        self._observer.captured_more()
        return signal

    def _captured(self, admission: Admission) -> Admission:
        self._observer.captured_more()
        return admission
