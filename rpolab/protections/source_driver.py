"""Carries the source's end of one copy's session in simulation.

The session stands for a service of the mail server's machine: `crash` ends it after any action,
`start` makes it anew; the capture stays (`rpolab.protections.capture_host`).
"""

from collections.abc import Callable
from functools import partial

from engine import Capture, Segments, SourceSession
from engine.contract.actions import Action, Notify, OpenConnection, ReadSource, ReleaseWriters
from engine.contract.events import Captured, Connected, SourceEvent, SourceRead, Started
from rpolab.protections.capture_host import CaptureHost
from rpolab.protections.observers import EngineObserver
from rpolab.protections.session_driver import SessionDriver, SessionEvent
from sim.host import Host
from sim.link import Endpoint

Dial = Callable[[Callable[[Endpoint], None]], None]
"""Asks for a connection; the given function is called when, and if, it stands."""


class SourceDriver(SessionDriver):
    """The source side of one copy.

    Args:
        captured: the capture, which outlives sessions.
        host: the machine that the session runs on.
        make_session: makes a session on the capture as this copy is to see it.
        dial: asks the link for a connection to the target.
        observer: told of every action, and of notices.
    """

    def __init__(
        self,
        captured: CaptureHost,
        host: Host,
        make_session: Callable[[], SourceSession],
        dial: Dial,
        observer: EngineObserver,
    ) -> None:
        super().__init__(captured.kernel, host)
        self._captured = captured
        self._make_session = make_session
        self._dial = dial
        self._observer = observer
        self.session: SourceSession | None = None

    @property
    def capture(self) -> Capture:
        """What is shipped."""
        return self._captured.capture

    def start(self) -> None:
        """Start the session's service."""
        assert self.session is None, "the session runs already"
        self.session = self._make_session()
        self._handle(Started())

    def crash(self) -> None:
        """End the session's service at once; the capture stays."""
        self.session = None
        self.drop_all()
        # What the capture had released is the kernel's to complete, with or without a service.
        self._captured.release()

    def ship(self) -> None:
        """Let the session ship what was captured."""
        self._give(Captured())

    def handle_common(self, event: SessionEvent) -> None:
        """Give the session an event that both ends know."""
        self._handle(event)

    def carry_out_own(self, action: Action) -> None:
        """Carry out an action that only the source has."""
        if isinstance(action, ReleaseWriters):
            self._captured.release()
        elif isinstance(action, OpenConnection):
            self._open(action.connection)
        elif isinstance(action, ReadSource):
            answer = partial(self._answer, self.session, action.token)
            self._captured.disks.read(action, answer)
        elif isinstance(action, Notify):
            self._observer.source_notice(action.notice)

    def acted(self, action: Action) -> None:
        """Tell the observer."""
        self._observer.source_acted(action)

    def _handle(self, event: SourceEvent) -> None:
        self._give(event)
        self._captured.disks.carry_out()

    def _give(self, event: SourceEvent) -> None:
        if self.session is not None:
            self.carry_out_all(self.session.handle(event, self.kernel.now_ns))

    def _answer(self, asked: SourceSession | None, token: int, data: Segments | None) -> None:
        if self.session is asked:
            self._handle(SourceRead(token, data))

    def _open(self, connection: int) -> None:
        session = self.session

        def stands(endpoint: Endpoint) -> None:
            if self.session is not session:
                endpoint.close()
                return
            self.attach(connection, endpoint)
            self._handle(Connected(connection))

        self._dial(stands)
