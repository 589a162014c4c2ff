"""The source session: carries the pool's records to the target, and survives nothing itself.

Fault model. The session may be dropped after any action and made anew on the same capture: all
that must last lies in the capture. The connection may end at any byte; the peer may be silent,
wrong or of another history. Promised: records are sent in sequence, never before the target has
said where it stands; the pool is freed on a durable acknowledgement only; every misuse ends in a
named error, a closed connection and a retry, or a halt where a retry could only fail again.
"""

from typing import TYPE_CHECKING

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    FATAL,
    CursorNeverSent,
    EngineError,
    LocalProtocolError,
    PeerTimedOut,
    RemoteProtocolError,
    ResyncRequired,
    WrongGroup,
)
from engine.basics.figures import duration_text
from engine.basics.settings import SessionSettings
from engine.capture.capture import Capture
from engine.contract.actions import (
    Action,
    CloseConnection,
    ConnectionLost,
    DurableAdvanced,
    Established,
    Notify,
    OpenConnection,
    ReleaseWriters,
    SendBytes,
    SessionFailed,
    WakeAt,
)
from engine.contract.events import (
    BytesReceived,
    Captured,
    Connected,
    ConnectFailed,
    Disconnected,
    SourceEvent,
    Started,
    TimerFired,
)
from engine.contract.timers import Wakeup
from engine.formats.wire import (
    Ack,
    BatchEncoder,
    Frame,
    FrameParser,
    FrameType,
    Heartbeat,
    Hello,
    PeerError,
    Welcome,
    encode_error,
    encode_heartbeat,
    encode_hello,
)
from engine.session.states import SourceState, Trigger, next_source_state, require_source_frame

if TYPE_CHECKING:
    from collections.abc import Callable


_FRAME_TYPES = {
    Welcome: FrameType.WELCOME,
    Ack: FrameType.ACK,
    Heartbeat: FrameType.HEARTBEAT,
    PeerError: FrameType.ERROR,
    Hello: FrameType.HELLO,
}


class SourceSession:
    """The state machine at the source: give events to `handle`, carry out what it returns.

    Args:
        capture: The group's capture; it outlives this session.
        settings: Bounds and times.
    """

    def __init__(self, capture: Capture, settings: SessionSettings | None = None) -> None:
        self.capture = capture
        self.settings = settings or SessionSettings()
        self.state = SourceState.IDLE
        #: The newest sequence sent on this connection.
        self.sent_sequence = 0
        #: Raw bytes sent and not yet acknowledged.
        self.window_bytes = 0
        #: The error that halted this session, if any.
        self.fatal_error: EngineError | None = None
        self._connection = 0  # the one in use or being made; 0 is none
        self._connections = 0
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._encoder = BatchEncoder(self.settings.batch_compression_level)
        self._actions: list[Action] = []
        self._wakeup = Wakeup()
        self._delay_ns = self.settings.reconnect_delay_ns_min
        self._deadline_ns = 0  # of connecting, or of the back-off
        self._linger_until_ns: int | None = None
        self._sent_at_ns = 0
        self._heard_at_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            Started: self._on_started,
            Connected: self._on_connected,
            ConnectFailed: self._on_connect_failed,
            BytesReceived: self._on_bytes,
            Disconnected: self._on_disconnected,
            TimerFired: self._on_timer,
            Captured: self._on_captured,
        }

    def handle(self, event: SourceEvent, now_ns: int) -> list[Action]:
        """Take one event and return what is to be done, in order.

        Raises:
            LocalProtocolError: The driver gave an event that this state cannot have.
        """
        assert not self._actions, "handle is not re-entrant"
        self._handlers[type(event)](event, now_ns)
        if self.state is SourceState.STREAMING:
            self._pump(now_ns)
        if self.capture.has_released:
            self._actions.append(ReleaseWriters())
        if (wake := self._wakeup.plan(self._next_deadline_ns())) is not None:
            self._actions.append(WakeAt(wake))
        actions, self._actions = self._actions, []
        return actions

    # --- events -------------------------------------------------------------------------------

    def _on_started(self, _: Started, now_ns: int) -> None:
        self._move(Trigger.START)
        self._connect(now_ns)

    def _on_connected(self, event: Connected, now_ns: int) -> None:
        if not self._is_current(event.connection):
            # It came after its time-out; another one is or will be asked for.
            self._actions.append(CloseConnection(event.connection, "came too late"))
            return
        self._move(Trigger.CONNECTED)
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._heard_at_ns = now_ns
        capture = self.capture
        hello = Hello(
            group=capture.group,
            epoch=capture.epoch,
            incarnation=capture.incarnation,
            oldest=capture.oldest_sequence,
            newest=capture.newest.sequence,
            chain=capture.acknowledged.chain,
        )
        self._send(encode_hello(hello), 0, now_ns)

    def _on_connect_failed(self, event: ConnectFailed, now_ns: int) -> None:
        if self._is_current(event.connection):
            self._lost(event.reason, now_ns)

    def _on_bytes(self, event: BytesReceived, now_ns: int) -> None:
        if not self._is_current(event.connection):
            return
        self._heard_at_ns = now_ns
        self._parser.receive(event.data)
        try:
            while self._is_current(event.connection):
                if (frame := self._parser.next_frame()) is None:
                    break
                self._on_frame(frame, now_ns)
        except (RemoteProtocolError, ResyncRequired) as error:
            self._fail(error, now_ns)

    def _on_disconnected(self, event: Disconnected, now_ns: int) -> None:
        if self._is_current(event.connection):
            self._lost(event.reason or "disconnected", now_ns)

    def _on_captured(self, _: Captured, now_ns: int) -> None:
        """Do nothing here: `handle` pumps after every event."""

    def _on_timer(self, _: TimerFired, now_ns: int) -> None:
        self._wakeup.fired()
        state, settings = self.state, self.settings
        if state is SourceState.BACKING_OFF and now_ns >= self._deadline_ns:
            self._move(Trigger.RETRY)
            self._connect(now_ns)
        elif state is SourceState.CONNECTING and now_ns >= self._deadline_ns:
            limit = duration_text(settings.connect_timeout_ns)
            self._lost(f"no connection to the target within {limit}", now_ns)
        elif state in (SourceState.GREETING, SourceState.STREAMING):
            if now_ns >= self._heard_at_ns + settings.peer_timeout_ns:
                silent = duration_text(now_ns - self._heard_at_ns)
                self._fail(PeerTimedOut(f"Nothing heard from the target for {silent}"), now_ns)
            elif now_ns >= self._sent_at_ns + settings.heartbeat_interval_ns:
                self._send(encode_heartbeat(), 0, now_ns)

    # --- frames -------------------------------------------------------------------------------

    def _on_frame(self, frame: Frame, now_ns: int) -> None:
        kind = _FRAME_TYPES.get(type(frame), FrameType.BATCH)
        require_source_frame(self.state, kind)
        if isinstance(frame, Welcome):
            self._on_welcome(frame, now_ns)
        elif isinstance(frame, Ack):
            self._on_ack(frame.cursor, now_ns)
        elif isinstance(frame, PeerError):
            self._fail(frame.error, now_ns, is_reported=True)

    def _on_welcome(self, welcome: Welcome, now_ns: int) -> None:
        capture = self.capture
        if welcome.group != capture.group:
            raise WrongGroup(
                f"The target keeps group {welcome.group}, this source protects {capture.group}"
            )
        if welcome.incarnation != capture.incarnation:
            raise ResyncRequired(
                f"The target's journal was written by capture {welcome.incarnation:#x}, this is "
                f"{capture.incarnation:#x}"
            )
        capture.check_welcome(welcome.cursor)
        self._acknowledge(welcome.cursor, now_ns)
        self.sent_sequence = welcome.cursor.sequence
        self.window_bytes = 0
        self._linger_until_ns = None
        self._move(Trigger.WELCOMED)
        self._actions.append(Notify(Established(welcome.cursor)))

    def _on_ack(self, cursor: Cursor, now_ns: int) -> None:
        if cursor.sequence > self.sent_sequence:
            raise CursorNeverSent(
                f"The target acknowledges sequence {cursor.sequence}, {self.sent_sequence} is the "
                "newest one sent"
            )
        self.window_bytes -= self._acknowledge(cursor, now_ns)
        assert self.window_bytes >= 0, "the window holds sent records only"

    def _acknowledge(self, cursor: Cursor, now_ns: int) -> int:
        """Free the pool up to the cursor; return the raw bytes freed."""
        capture = self.capture
        capture.check(cursor)
        if cursor.sequence > capture.acknowledged.sequence:
            time_ns = capture.entry(cursor.sequence).source_time_ns
            self._actions.append(Notify(DurableAdvanced(cursor, time_ns)))
            # Only progress resets the back-off: a welcome that always ends in an error does not.
            self._delay_ns = self.settings.reconnect_delay_ns_min
        return capture.acknowledge(cursor, now_ns)

    # --- sending ------------------------------------------------------------------------------

    def _pump(self, now_ns: int) -> None:
        """Send what may be sent now: a full batch at once, a small one after its linger."""
        capture, settings = self.capture, self.settings
        capture.tick(now_ns)
        if self._is_lingering(now_ns):
            return
        while self.sent_sequence < capture.newest.sequence:
            last, batch_bytes, is_full = self._next_batch()
            if not last:
                break  # the window is full: the next ACK comes back here
            if not is_full and settings.batch_linger_ns:
                if self._linger_until_ns is None:
                    self._linger_until_ns = now_ns + settings.batch_linger_ns
                if now_ns < self._linger_until_ns:
                    return
            self._linger_until_ns = None
            first = self.sent_sequence + 1
            records = [capture.entry(n).record for n in range(first, last + 1)]
            self.sent_sequence = last
            self.window_bytes += batch_bytes
            self._send(self._encoder.encode(first, records), batch_bytes, now_ns)
        self._linger_until_ns = None

    def _is_lingering(self, now_ns: int) -> bool:
        """Return whether a small batch still waits: the usual answer while writes come in."""
        if self._linger_until_ns is None or now_ns >= self._linger_until_ns:
            return False
        unsent_bytes = self.capture.pool_bytes - self.window_bytes
        return unsent_bytes < self.settings.batch_bytes_max

    def _next_batch(self) -> tuple[int, int, bool]:
        """Return the last sequence (0: none fits the window), the raw bytes, and if it is full."""
        capture, settings = self.capture, self.settings
        last, total = 0, 0
        for sequence in range(self.sent_sequence + 1, capture.newest.sequence + 1):
            cost = capture.entry(sequence).cost_bytes
            # A record larger than the batch or the window goes alone, or it would never go.
            if total and total + cost > settings.batch_bytes_max:
                return last, total, True
            window = self.window_bytes + total
            if window and window + cost > settings.window_bytes_max:
                return last, total, True
            last, total = sequence, total + cost
        return last, total, total >= settings.batch_bytes_max

    def _send(self, data: bytes, raw_bytes: int, now_ns: int) -> None:
        self._sent_at_ns = now_ns
        self._actions.append(SendBytes(self._connection, data, max(raw_bytes, len(data))))

    # --- endings ------------------------------------------------------------------------------

    def _connect(self, now_ns: int) -> None:
        self._deadline_ns = now_ns + self.settings.connect_timeout_ns
        self._connections += 1
        self._connection = self._connections
        self._actions.append(OpenConnection(self._connection))

    def _lost(self, reason: str, now_ns: int) -> None:
        self._move(Trigger.LOST)
        self._connection = 0
        self._deadline_ns = now_ns + self._delay_ns
        self._delay_ns = min(self._delay_ns * 2, self.settings.reconnect_delay_ns_max)
        self._actions.append(Notify(ConnectionLost(reason, self._deadline_ns)))

    def _fail(self, error: EngineError, now_ns: int, *, is_reported: bool = False) -> None:
        """Close the connection over an error: halt if it is fatal, else try again later."""
        connection, is_fatal = self._connection, isinstance(error, FATAL)
        if not is_reported:
            self._send(encode_error(error), 0, now_ns)
        self._actions.append(CloseConnection(connection, error.message))
        self._actions.append(Notify(SessionFailed(error, is_fatal)))
        if is_fatal:
            self._move(Trigger.REFUSED)
            self._connection = 0
            self.fatal_error = error
        else:
            self._lost(error.message, now_ns)

    def _move(self, trigger: Trigger) -> None:
        self.state = next_source_state(self.state, trigger)

    def _is_current(self, connection: int) -> bool:
        if not connection:
            raise LocalProtocolError("Connections are numbered from 1")
        return connection == self._connection

    def _next_deadline_ns(self) -> int | None:
        if self.state in (SourceState.BACKING_OFF, SourceState.CONNECTING):
            return self._deadline_ns
        if self.state not in (SourceState.GREETING, SourceState.STREAMING):
            return None
        settings = self.settings
        deadlines = [
            self._heard_at_ns + settings.peer_timeout_ns,
            self._sent_at_ns + settings.heartbeat_interval_ns,
        ]
        if self.state is SourceState.STREAMING:
            if self._linger_until_ns is not None:
                deadlines.append(self._linger_until_ns)
            if (time_due := self.capture.time_due_ns()) is not None:
                deadlines.append(time_due)
        return min(deadlines)
