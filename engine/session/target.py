"""The target session: takes records into the journal and says what is durable.

Fault model. The process may die after any action; all that lasts lies in the journal, which is
opened anew. The source may come with another history, vanish, or come again on a new connection
before the old one is known to be dead. Promised: an ACK or WELCOME names only what was synced;
a source is refused, by name, unless it continues this journal exactly; a refused one changes
nothing. Not checked: who the source is (the live driver authenticates connections).
"""

from typing import TYPE_CHECKING

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    EngineError,
    EpochFenced,
    JournalRegressed,
    LocalProtocolError,
    PeerTimedOut,
    RecordDamaged,
    RemoteProtocolError,
    ResyncRequired,
    StorageFailed,
    WrongGroup,
)
from engine.basics.figures import duration_text
from engine.basics.settings import SessionSettings
from engine.contract.actions import (
    Action,
    CloseConnection,
    ConnectionLost,
    DurableAdvanced,
    Established,
    Notify,
    SendBytes,
    SessionFailed,
    WakeAt,
)
from engine.contract.events import (
    ActionFailed,
    BytesReceived,
    Connected,
    Disconnected,
    SyncDone,
    TargetEvent,
    TimerFired,
)
from engine.contract.timers import Wakeup
from engine.formats.wire import (
    Ack,
    Batch,
    Frame,
    FrameParser,
    FrameType,
    Heartbeat,
    Hello,
    PeerError,
    Welcome,
    encode_ack,
    encode_error,
    encode_heartbeat,
    encode_welcome,
)
from engine.journal.journal import Journal
from engine.session.states import TargetState, Trigger, next_target_state, require_target_frame

if TYPE_CHECKING:
    from collections.abc import Callable


_FRAME_TYPES = {
    Welcome: FrameType.WELCOME,
    Ack: FrameType.ACK,
    Batch: FrameType.BATCH,
    Heartbeat: FrameType.HEARTBEAT,
    PeerError: FrameType.ERROR,
    Hello: FrameType.HELLO,
}
_CONVERSING = (TargetState.GREETING, TargetState.SETTLING, TargetState.STREAMING)


class TargetSession:
    """The state machine at the target: give events to `handle`, carry out what it returns.

    Args:
        journal: The opened journal; the actions of opening go to the driver, their SyncDone here.
        settings: Bounds and times.
    """

    def __init__(self, journal: Journal, settings: SessionSettings | None = None) -> None:
        self.journal = journal
        self.settings = settings or SessionSettings()
        self.state = TargetState.LISTENING
        #: The error that halted this session, if any.
        self.fatal_error: EngineError | None = None
        self._connection = 0
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._actions: list[Action] = []
        self._wakeup = Wakeup()
        self._sent_at_ns = 0
        self._heard_at_ns = 0
        self._handlers: dict[type, Callable[..., None]] = {
            Connected: self._on_connected,
            BytesReceived: self._on_bytes,
            Disconnected: self._on_disconnected,
            TimerFired: self._on_timer,
            SyncDone: self._on_sync_done,
            ActionFailed: self._on_action_failed,
        }

    def handle(self, event: TargetEvent, now_ns: int) -> list[Action]:
        """Take one event and return what is to be done, in order.

        Raises:
            LocalProtocolError: The driver gave an event that this state cannot have.
        """
        assert not self._actions, "handle is not re-entrant"
        self._handlers[type(event)](event, now_ns)
        if self.state is TargetState.SETTLING and self.journal.is_settled:
            self._welcome(now_ns)
        if (wake := self._wakeup.plan(self._next_deadline_ns())) is not None:
            self._actions.append(WakeAt(wake))
        actions, self._actions = self._actions, []
        return actions

    # --- events -------------------------------------------------------------------------------

    def _on_connected(self, event: Connected, now_ns: int) -> None:
        if self.state is TargetState.HALTED:
            self._actions.append(CloseConnection(event.connection, "the journal has halted"))
            return
        if self._is_current(event.connection):
            raise LocalProtocolError(f"Connection {event.connection} is connected already")
        if self._connection:
            self._actions.append(CloseConnection(self._connection, "replaced by a newer one"))
        self._move(Trigger.CONNECTED)
        self._connection = event.connection
        self._parser = FrameParser(self.settings.frame_bytes_max)
        self._heard_at_ns = self._sent_at_ns = now_ns

    def _on_bytes(self, event: BytesReceived, now_ns: int) -> None:
        if not self._is_current(event.connection):
            return
        self._heard_at_ns = now_ns
        self._parser.receive(event.data)
        try:
            while self._is_current(event.connection):
                if (frame := self._parser.next_frame()) is None:
                    break
                self._on_frame(frame)
        except (RemoteProtocolError, ResyncRequired) as error:
            self._fail(error, now_ns)

    def _on_disconnected(self, event: Disconnected, _: int) -> None:
        if self._is_current(event.connection):
            self._lost(event.reason or "disconnected")

    def _on_timer(self, _: TimerFired, now_ns: int) -> None:
        self._wakeup.fired()
        if self.state not in _CONVERSING:
            return
        if now_ns >= self._heard_at_ns + self.settings.peer_timeout_ns:
            silent = duration_text(now_ns - self._heard_at_ns)
            self._fail(PeerTimedOut(f"Nothing heard from the source for {silent}"), now_ns)
        elif (due_ns := self._heartbeat_due_ns()) is not None and now_ns >= due_ns:
            self._send(encode_heartbeat(), now_ns)

    def _on_sync_done(self, event: SyncDone, now_ns: int) -> None:
        if self.state is TargetState.HALTED:
            return
        before = self.journal.durable
        self._actions += self.journal.sync_done(event.token)
        durable = self.journal.durable
        if durable == before:
            return
        time_ns = self.journal.index.source_time_ns(durable.sequence)
        self._actions.append(Notify(DurableAdvanced(durable, time_ns)))
        if self.state is TargetState.STREAMING:
            self._send(encode_ack(durable), now_ns)

    def _on_action_failed(self, event: ActionFailed, now_ns: int) -> None:
        """Halt: after a failed append or sync nobody knows what the file holds."""
        if self.state is TargetState.HALTED:
            return
        error = StorageFailed(f"The journal file {event.file!r} failed: {event.reason}")
        if self._connection:
            self._send(encode_error(error), now_ns)
            self._actions.append(CloseConnection(self._connection, error.message))
        self._actions.append(Notify(SessionFailed(error, is_fatal=True)))
        self._move(Trigger.REFUSED)
        self._connection = 0
        self.fatal_error = error

    # --- frames -------------------------------------------------------------------------------

    def _on_frame(self, frame: Frame) -> None:
        require_target_frame(self.state, _FRAME_TYPES[type(frame)])
        if isinstance(frame, Batch):
            self._on_batch(frame)
        elif isinstance(frame, Hello):
            self._check_hello(frame)
            self._move(Trigger.GREETED)
        elif isinstance(frame, PeerError):
            # Whatever the source found, it closes; what is durable here stays as it is.
            self._actions.append(CloseConnection(self._connection, frame.error.message))
            self._actions.append(Notify(SessionFailed(frame.error, is_fatal=False)))
            self._lost(frame.error.message)

    def _on_batch(self, batch: Batch) -> None:
        received = self.journal.received.sequence
        actions = self.journal.ingest(batch.records)
        if self.journal.received.sequence - received != batch.record_count or (
            batch.record_count and batch.first != received + 1
        ):
            # Harmless, for the records themselves were checked; but the source is not sane.
            self._actions += actions
            raise RecordDamaged(
                f"A batch announced {batch.record_count} records from sequence {batch.first}, it "
                f"held {self.journal.received.sequence - received} from {received + 1}"
            )
        self._actions += actions

    def _check_hello(self, hello: Hello) -> None:
        journal = self.journal
        if hello.group != journal.group:
            raise WrongGroup(
                f"The source protects group {hello.group}, this journal is of {journal.group}"
            )
        if journal.incarnation is None:
            self._check_first_hello(hello)
            journal.adopt(hello.epoch, hello.incarnation)
            return
        received = journal.received
        if hello.epoch < received.epoch:
            raise EpochFenced(
                f"The source writes in epoch {hello.epoch}, this journal is in {received.epoch}"
            )
        if hello.epoch > received.epoch or hello.incarnation != journal.incarnation:
            raise ResyncRequired(
                f"The journal was written by capture {journal.incarnation:#x} in epoch "
                f"{received.epoch}; this is {hello.incarnation:#x} in epoch {hello.epoch}"
            )
        self._check_overlap(hello, received)

    def _check_first_hello(self, hello: Hello) -> None:
        if hello.oldest > 1:
            raise JournalRegressed(
                f"This journal is empty; the source's pool begins at sequence {hello.oldest}"
            )

    def _check_overlap(self, hello: Hello, received: Cursor) -> None:
        if hello.oldest > received.sequence + 1:
            raise JournalRegressed(
                f"This journal ends at sequence {received.sequence}; it had acknowledged "
                f"everything before {hello.oldest}, where the source's pool begins"
            )
        if hello.newest < received.sequence:
            raise ResyncRequired(
                f"This journal holds sequence {received.sequence}, the source's newest is "
                f"{hello.newest}"
            )
        before = hello.oldest - 1
        chain = (
            self.journal.index.chain(before)
            if before >= self.journal.index.first_sequence
            else hello.chain
        )
        if chain != hello.chain:
            raise ChainMismatch(
                f"At sequence {before} this journal's chain is {chain:#010x}, the source's "
                f"{hello.chain:#010x}"
            )

    def _welcome(self, now_ns: int) -> None:
        journal = self.journal
        assert journal.incarnation is not None, "a source was adopted"
        assert journal.durable == journal.received, "a welcome names the durable end"
        self._move(Trigger.SETTLED)
        welcome = Welcome(journal.group, journal.incarnation, journal.durable)
        self._send(encode_welcome(welcome), now_ns)
        self._actions.append(Notify(Established(journal.durable)))

    # --- endings ------------------------------------------------------------------------------

    def _lost(self, reason: str) -> None:
        self._move(Trigger.LOST)
        self._connection = 0
        self._actions.append(Notify(ConnectionLost(reason, None)))

    def _fail(self, error: EngineError, now_ns: int) -> None:
        self._send(encode_error(error), now_ns)
        self._actions.append(CloseConnection(self._connection, error.message))
        self._actions.append(Notify(SessionFailed(error, is_fatal=False)))
        self._lost(error.message)

    def _move(self, trigger: Trigger) -> None:
        self.state = next_target_state(self.state, trigger)

    def _send(self, data: bytes, now_ns: int) -> None:
        self._sent_at_ns = now_ns
        self._actions.append(SendBytes(self._connection, data, len(data)))

    def _is_current(self, connection: int) -> bool:
        if not connection:
            raise LocalProtocolError("Connections are numbered from 1")
        return connection == self._connection

    def _heartbeat_due_ns(self) -> int | None:
        if self.state not in (TargetState.SETTLING, TargetState.STREAMING):
            return None
        return self._sent_at_ns + self.settings.heartbeat_interval_ns

    def _next_deadline_ns(self) -> int | None:
        if self.state not in _CONVERSING:
            return None
        timeout_ns = self._heard_at_ns + self.settings.peer_timeout_ns
        heartbeat_ns = self._heartbeat_due_ns()
        return timeout_ns if heartbeat_ns is None else min(timeout_ns, heartbeat_ns)
