"""The source session: carries the pool's records to the target, and survives nothing itself.

Fault model. The session may be dropped after any action and made anew on the same capture: all
that must last lies in the capture. The connection may end at any byte; the peer may be silent,
wrong or of another history. Promised: records are sent in sequence, never before the target has
said where it stands; the pool is freed on a durable acknowledgement only; every misuse ends in a
named error, a closed connection and a retry, or a halt where a retry could only fail again.
"""

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    CursorNeverSent,
    EngineError,
    FrameUnexpected,
    PeerTimedOut,
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
    SessionFailed,
)
from engine.contract.events import (
    BytesReceived,
    Captured,
    Connected,
    ConnectFailed,
    Disconnected,
    ResyncOrdered,
    SourceEvent,
    SourceRead,
    Started,
    TimerFired,
)
from engine.contract.machines import next_state
from engine.formats.error_codes import FATAL
from engine.formats.wire import (
    FRAME_TYPES,
    VERSION_NEWEST,
    VERSION_OLDEST,
    Ack,
    Frame,
    Heartbeat,
    Hello,
    HelloFlag,
    PeerError,
    ResyncHashes,
    ResyncStanding,
    Welcome,
    encode_error,
    encode_heartbeat,
    encode_hello,
)
from engine.resync.source_resync import SourceResync
from engine.session.endpoint import Endpoint
from engine.session.negotiation import accept_terms, capabilities_of
from engine.session.outbox import Outbox, SendFigures
from engine.session.states import SOURCE_TRANSITIONS, SourceState, Trigger, require_source_frame


class SourceSession(Endpoint[SourceEvent]):
    """The state machine at the source: give events to `handle`, carry out what it returns.

    Args:
        capture: The group's capture; it outlives this session.
        settings: Bounds and times.
        is_orphan: The capture's epoch was superseded: bring what it had not shipped to the orphan
            tail of its branch, where it can be read.
    """

    def __init__(
        self,
        capture: Capture,
        settings: SessionSettings | None = None,
        *,
        is_orphan: bool = False,
    ) -> None:
        self.capture = capture
        super().__init__(settings)
        self.is_orphan = is_orphan
        self.state = SourceState.IDLE
        #: Up to where the target can open an image without further work, as far as it has told.
        self.applied: Cursor | None = None
        self._connections = 0
        self._delay_ns = self.settings.reconnect_delay_ns_min
        self._deadline_ns = 0  # of connecting, or of the back-off
        self._outbox = Outbox(capture, self.settings, self._send, self._clock.stamp)
        self._flags = HelloFlag(0)  # as this end has greeted
        self.resync = SourceResync(capture, self.settings.resync, self._outbox, self._clock.stamp)
        self._handlers = {
            Started: self._on_started,
            Connected: self._on_connected,
            ConnectFailed: self._on_connect_failed,
            BytesReceived: self._on_bytes,
            Disconnected: self._on_disconnected,
            TimerFired: self._on_timer,
            Captured: self._on_captured,
            SourceRead: self.resync.source_read,
            ResyncOrdered: self._on_resync_ordered,
        }

    def handle(self, event: SourceEvent, now_ns: int) -> list[Action]:
        """Take one event and return what is to be done, in order.

        While a batch gathers records, most events are one record more. Nothing is to be done then:
        the timer that ends the linger was asked for, and is not later than anything else is due.

        Raises:
            LocalProtocolError: The driver gave an event that this state cannot have.
        """
        is_one_more = type(event) is Captured and self.state is SourceState.STREAMING
        if is_one_more and self._outbox.is_gathering(now_ns) and self.capture.is_calm:
            return []
        return super().handle(event, now_ns)

    # --- what others ask ----------------------------------------------------------------------

    @property
    def sent_sequence(self) -> int:
        """Return the newest sequence sent on this connection."""
        return self._outbox.sent_sequence

    @property
    def window_bytes(self) -> int:
        """Return the raw bytes sent and not yet acknowledged."""
        return self._outbox.window_bytes

    @property
    def figures(self) -> SendFigures:
        """Return what this session has sent, and how long it was kept from sending."""
        return self._outbox.figures

    # --- events -------------------------------------------------------------------------------

    def _on_started(self, _: Started, now_ns: int) -> None:
        self._move(Trigger.START)
        self.capture.forget_reads()
        self._connect(now_ns)

    def _on_connected(self, event: Connected, now_ns: int) -> None:
        if not self._is_current(event.connection):
            # It came after its time-out; another one is or will be asked for.
            self._actions.append(CloseConnection(event.connection, "came too late"))
            return
        self._move(Trigger.CONNECTED)
        self._begin(event.connection, now_ns)
        capture = self.capture
        self._flags = HelloFlag.ORPHAN if self.is_orphan else self.resync.greeting()
        hello = Hello(
            stamp=self._clock.stamp(now_ns),
            version_oldest=VERSION_OLDEST,
            version_newest=VERSION_NEWEST,
            capabilities=capabilities_of(self.settings),
            flags=self._flags,
            group=capture.group,
            epoch=capture.epoch,
            incarnation=capture.incarnation,
            oldest=capture.oldest_sequence,
            newest=capture.newest.sequence,
            chain=capture.acknowledged.chain,
        )
        self._send(encode_hello(hello), now_ns)

    def _on_connect_failed(self, event: ConnectFailed, now_ns: int) -> None:
        if self._is_current(event.connection):
            self._lost(event.reason, now_ns)

    def _on_disconnected(self, event: Disconnected, now_ns: int) -> None:
        if self._is_current(event.connection):
            self._lost(event.reason or "disconnected", now_ns)

    def _on_captured(self, _: Captured, now_ns: int) -> None:
        """Do nothing here: `handle` pumps after every event."""

    def _on_resync_ordered(self, _: ResyncOrdered, __: int) -> None:
        self.resync.is_ordered = True

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
                sent = self.sent_sequence if state is SourceState.STREAMING else 0
                heartbeat = Heartbeat(self._clock.stamp(now_ns), sent)
                self._send(encode_heartbeat(heartbeat), now_ns)

    # --- frames -------------------------------------------------------------------------------

    def _take_frame(self, frame: Frame, now_ns: int) -> None:
        self._on_frame(frame, now_ns)
        # After each frame: how the bytes were cut must not decide what is sent when.
        self._pump(now_ns)

    def _on_frame(self, frame: Frame, now_ns: int) -> None:
        require_source_frame(self.state, FRAME_TYPES[type(frame)])
        if not isinstance(frame, PeerError):
            self._notify(self._clock.heard(frame.stamp, now_ns))
        if isinstance(frame, Welcome):
            self._on_welcome(frame, now_ns)
        elif isinstance(frame, Ack):
            self._on_ack(frame, now_ns)
        elif isinstance(frame, ResyncStanding | ResyncHashes):
            self.resync.receive(frame, now_ns)
        elif isinstance(frame, PeerError):
            self._fail(frame.error, now_ns, is_reported=True)

    def _on_welcome(self, welcome: Welcome, now_ns: int) -> None:
        capture = self.capture
        terms = accept_terms(welcome, self.settings)
        if welcome.flags != self._flags:
            raise FrameUnexpected("The target takes this source for one of another kind")
        if welcome.group != capture.group:
            raise WrongGroup(
                f"The target keeps group {welcome.group}, this source protects {capture.group}"
            )
        self.resync.welcomed(welcome, terms.version, has_resync=terms.has_resync)
        if capture.is_based:
            capture.check_welcome(welcome.cursor)
            self._acknowledge(welcome.cursor, now_ns)
        self._parser.version = terms.version
        self._outbox.begin(welcome.cursor.sequence, terms)
        self._move(Trigger.WELCOMED)
        self._actions.append(Notify(Established(welcome.cursor)))

    def _on_ack(self, ack: Ack, now_ns: int) -> None:
        durable, applied = ack.durable, ack.applied
        if durable.sequence > self.sent_sequence:
            raise CursorNeverSent(
                f"The target acknowledges sequence {durable.sequence}, {self.sent_sequence} is "
                "the newest one sent"
            )
        if applied.sequence > durable.sequence:
            raise CursorNeverSent(
                f"The target has applied sequence {applied.sequence}, but only "
                f"{durable.sequence} is durable there"
            )
        if self.capture.is_based:
            self._outbox.acknowledged(self._acknowledge(durable, now_ns))
        self.applied = applied

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

    # --- endings ------------------------------------------------------------------------------

    def _pump(self, now_ns: int) -> None:
        if self.state is SourceState.STREAMING:
            self._actions += self.resync.pump(now_ns)
            self.capture.tick(now_ns)
            self._actions += self.capture.wants_reads(now_ns)
            self._outbox.pump(now_ns)

    def _own_offset_ns(self) -> int:
        return self.capture.clock_offset_ns

    def _after(self, now_ns: int) -> None:
        self._pump(now_ns)
        if self.capture.has_released:
            self._actions.append(ReleaseWriters())

    def _connect(self, now_ns: int) -> None:
        self._deadline_ns = now_ns + self.settings.connect_timeout_ns
        self._connections += 1
        self._connection = self._connections
        self._actions.append(OpenConnection(self._connection))

    def _lost(self, reason: str, now_ns: int) -> None:
        self._move(Trigger.LOST)
        self._end(now_ns)
        self._connection = 0
        self._deadline_ns = now_ns + self._delay_ns
        self._delay_ns = min(self._delay_ns * 2, self.settings.reconnect_delay_ns_max)
        self._actions.append(Notify(ConnectionLost(reason, self._deadline_ns)))

    def _fail(self, error: EngineError, now_ns: int, *, is_reported: bool = False) -> None:
        """Close the connection over an error: halt if it is fatal, else try again later."""
        connection, is_fatal = self._connection, isinstance(error, FATAL)
        if not is_reported:
            self._send(encode_error(error), now_ns)
        self._actions.append(CloseConnection(connection, error.message))
        self._actions.append(Notify(SessionFailed(error, is_fatal)))
        if is_fatal:
            self._move(Trigger.REFUSED)
            self._end(now_ns)
            self._connection = 0
            self.fatal_error = error
        else:
            self._lost(error.message, now_ns)

    def _end(self, now_ns: int) -> None:
        self._outbox.end(now_ns)
        self.resync.disconnected()

    def _move(self, trigger: Trigger) -> None:
        self.state = next_state("The source", SOURCE_TRANSITIONS, self.state, trigger)

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
            dues = (self._outbox.due_ns(), self.capture.time_due_ns(), self.resync.due_ns)
            deadlines += [due_ns for due_ns in dues if due_ns is not None]
        return min(deadlines)
