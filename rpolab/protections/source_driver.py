"""Carries the engine's source side in simulation: filter, capture, session, connections.

The capture stands for the driver in the host's kernel: it is made once and ends with the host.
The session stands for a service: `crash` ends it after any action, `start` makes it anew.
"""

from collections.abc import Callable, Sequence
from functools import partial

from engine import Admission, Capture, Change, RecordType, Segments, SourceSession, Waiting
from engine.contract.actions import (
    Action,
    FileAction,
    Notify,
    OpenConnection,
    ReadSource,
    ReleaseWriters,
)
from engine.contract.events import Captured, Connected, SourceEvent, SourceRead, Started
from rpolab.protections.capture_driver import CaptureDriver
from rpolab.protections.observers import EngineObserver
from rpolab.protections.session_driver import SessionDriver, SessionEvent
from sim.host import Host
from sim.kernel import Kernel, Signal
from sim.link import Endpoint
from sim.volume import Kind, Operation, Volume

Dial = Callable[[Callable[[Endpoint], None]], None]
"""Asks for a connection; the given function is called when, and if, it stands."""

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


class SourceDriver(SessionDriver):
    """The source side of one protected group.

    Args:
        kernel: simulated time.
        host: the protected server.
        capture: the group's capture.
        make_session: makes a session on that capture.
        dial: asks the link for a connection to the target.
        observer: told of every action, and of notices.
        spool: the volume of the capture's spool, None without one.
    """

    def __init__(
        self,
        kernel: Kernel,
        host: Host,
        capture: Capture,
        make_session: Callable[[Capture], SourceSession],
        dial: Dial,
        observer: EngineObserver,
        spool: Volume | None = None,
    ) -> None:
        super().__init__(kernel, host)
        self.capture = capture
        self._make_session = make_session
        self._dial = dial
        self._observer = observer
        self.session: SourceSession | None = None
        self._waiting: dict[int, Signal] = {}
        self._disks = CaptureDriver(
            kernel, capture, spool, observer.source_notice, partial(self._handle, Captured())
        )

    def protect(self, label: str, volume: Volume) -> None:
        """Attach the filter to the volume that the engine is to call `label`."""

        def show(operation: Operation) -> Signal | None:
            return self._admit(change_of(operation, label))

        volume.attach(show)
        self._disks.protect(label, volume)

    def live_files(self) -> dict[str, int]:
        """Return all protected files, as the engine calls them, and their sizes."""
        return self._disks.live_files()

    def begin_anew(self, capture: Capture, clearing: Sequence[FileAction]) -> None:
        """Start with another capture after the host stopped without warning: the old one is gone.

        Who waited for room in the old one has gone with the host; `clearing` clears its spool.
        """
        self.crash()
        self._waiting.clear()
        self.capture = capture
        self._disks.take(capture, clearing)
        for label, volume in self._disks.volumes.items():
            self.protect(label, volume)  # its filters went with the host's memory
        self.start()

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

    def start(self) -> None:
        """Start the session's service."""
        assert self.session is None, "the session runs already"
        self.session = self._make_session(self.capture)
        self._handle(Started())

    def crash(self) -> None:
        """End the session's service at once; the capture stays."""
        self.session = None
        self.drop_all()
        # What the capture had released is the kernel's to complete, with or without a service.
        self._release()

    def handle_common(self, event: SessionEvent) -> None:
        """Give the session an event that both ends know."""
        self._handle(event)

    def carry_out_own(self, action: Action) -> None:
        """Carry out an action that only the source has."""
        if isinstance(action, ReleaseWriters):
            self._release()
        elif isinstance(action, OpenConnection):
            self._open(action.connection)
        elif isinstance(action, ReadSource):
            self._disks.read(action, partial(self._answer, self.session, action.token))
        elif isinstance(action, Notify):
            self._observer.source_notice(action.notice)

    def acted(self, action: Action) -> None:
        """Tell the observer."""
        self._observer.source_acted(action)

    def _admit(self, change: Change) -> Signal | None:
        admission = self.capture.admit(change, self.kernel.now_ns)
        signal = None
        if isinstance(admission, Waiting):
            signal = self._waiting[admission.ticket] = self.kernel.signal()
        self._handle(Captured())
        return signal

    def _captured(self, admission: Admission) -> Admission:
        self._handle(Captured())
        return admission

    def _handle(self, event: SourceEvent) -> None:
        if self.session is not None:
            self.carry_out_all(self.session.handle(event, self.kernel.now_ns))
        self._disks.carry_out()

    def _answer(self, asked: SourceSession | None, token: int, data: Segments | None) -> None:
        if self.session is asked:
            self._handle(SourceRead(token, data))

    def _release(self) -> None:
        for ticket in self.capture.take_released():
            self._waiting.pop(ticket).fire()

    def _open(self, connection: int) -> None:
        session = self.session

        def stands(endpoint: Endpoint) -> None:
            if self.session is not session:
                endpoint.close()
                return
            self.attach(connection, endpoint)
            self._handle(Connected(connection))

        self._dial(stands)
