"""What both ends of a session have in common: one connection at a time, frames, clocks, a timer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from engine.basics.errors import (
    EngineError,
    LocalProtocolError,
    RemoteProtocolError,
    ResyncRequired,
)
from engine.basics.settings import SessionSettings
from engine.contract.actions import Action, Notice, Notify, SendBytes, WakeAt
from engine.contract.events import BytesReceived
from engine.contract.timers import Wakeup
from engine.formats.frame_parser import FrameParser
from engine.formats.wire import Frame
from engine.session.clock import SessionClock

_Event = TypeVar("_Event")


class Endpoint(ABC, Generic[_Event]):
    """One end of a session: give events to `handle`, carry out what it returns.

    Args:
        settings: Bounds and times.
    """

    def __init__(self, settings: SessionSettings | None) -> None:
        self.settings = settings or SessionSettings()
        #: The error that halted this session, if any.
        self.fatal_error: EngineError | None = None
        self._connection = 0  # the one in use or being made; 0 is none
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._actions: list[Action] = []
        self._wakeup = Wakeup()
        self._sent_at_ns = 0
        self._heard_at_ns = 0
        self._clock = SessionClock(self.settings)
        self._handlers: dict[type, Callable[..., None]] = {}

    def handle(self, event: _Event, now_ns: int) -> list[Action]:
        """Take one event and return what is to be done, in order.

        Raises:
            LocalProtocolError: The driver gave an event that this state cannot have.
        """
        assert not self._actions, "handle is not re-entrant"
        self._notify(self._clock.own(self._own_offset_ns()))
        self._handlers[type(event)](event, now_ns)
        self._after(now_ns)
        if (wake := self._wakeup.plan(self._next_deadline_ns())) is not None:
            self._actions.append(WakeAt(wake))
        actions, self._actions = self._actions, []
        return actions

    @property
    def clock_offset_ns(self) -> int | None:
        """Return the other end's wall clock minus this host's, None while nobody knows."""
        return self._clock.offset_ns()

    def clock_error_ns(self, now_ns: int) -> int | None:
        """Return by how much `clock_offset_ns` can be wrong, either way."""
        return self._clock.error_ns(now_ns)

    # --- what each end does in its own way ------------------------------------------------------

    @abstractmethod
    def _own_offset_ns(self) -> int:
        """Return the wall clock of this host minus the clock of `now_ns`."""

    @abstractmethod
    def _take_frame(self, frame: Frame, now_ns: int) -> None:
        """Take one frame of the other end."""

    @abstractmethod
    def _fail(self, error: EngineError, now_ns: int) -> None:
        """End the connection over an error."""

    @abstractmethod
    def _after(self, now_ns: int) -> None:
        """Do what may be due after any event."""

    @abstractmethod
    def _next_deadline_ns(self) -> int | None:
        """Return when a timer is needed next, None for never."""

    # --- a connection ---------------------------------------------------------------------------

    def _begin(self, connection: int, now_ns: int) -> None:
        """Begin a connection: nothing of another one counts."""
        self._connection = connection
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._heard_at_ns = now_ns
        self._clock.begin()

    def _is_current(self, connection: int) -> bool:
        if not connection:
            raise LocalProtocolError("Connections are numbered from 1")
        return connection == self._connection

    def _on_bytes(self, event: BytesReceived, now_ns: int) -> None:
        if not self._is_current(event.connection):
            return
        self._heard_at_ns = now_ns
        self._parser.receive(event.data)
        try:
            while self._is_current(event.connection):
                if (frame := self._parser.next_frame()) is None:
                    break
                self._take_frame(frame, now_ns)
        except (RemoteProtocolError, ResyncRequired) as error:
            self._fail(error, now_ns)

    def _send(self, data: bytes, now_ns: int, raw_bytes: int = 0) -> None:
        """Send a frame that stands for so many raw bytes, or for as many as it has."""
        self._sent_at_ns = now_ns
        self._actions.append(SendBytes(self._connection, data, max(raw_bytes, len(data))))

    def _notify(self, notice: Notice | None) -> None:
        if notice is not None:
            self._actions.append(Notify(notice))
