"""The target session: takes records into the journal and says what is durable.

Fault model. The process may die after any action; all that lasts lies in the journal, which is
opened anew. The source may come with another history, vanish, or come again on a new connection
before the old one is known to be dead. Promised: an ACK or WELCOME names only what was synced;
a source is refused, by name, unless it continues this journal exactly; a refused one changes
nothing; once fenced, a target never takes another record of the branch but its orphan tail. Not
checked: who the source is (the live driver authenticates connections).
"""

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    EngineError,
    EpochFenced,
    FrameUnexpected,
    LocalProtocolError,
    PeerTimedOut,
    RecordDamaged,
    SequenceGap,
    StorageFailed,
)
from engine.basics.figures import duration_text
from engine.basics.settings import SessionSettings
from engine.contract.actions import (
    CloseConnection,
    ConnectionLost,
    DurableAdvanced,
    Established,
    Notify,
    SessionFailed,
)
from engine.contract.events import (
    ActionFailed,
    BytesReceived,
    Connected,
    Disconnected,
    Fenced,
    SyncDone,
    TargetEvent,
    TimerFired,
)
from engine.contract.machines import next_state
from engine.formats.wire import (
    FRAME_TYPES,
    VERSION_NEWEST,
    Ack,
    Batch,
    Frame,
    Heartbeat,
    Hello,
    HelloFlag,
    PeerError,
    ResyncAsk,
    Welcome,
    encode_ack,
    encode_error,
    encode_heartbeat,
    encode_welcome,
)
from engine.journal.journal import Journal
from engine.resync.image_hashes import ImageHashes
from engine.session.clock import ReportedRpo
from engine.session.endpoint import Endpoint
from engine.session.fence import fence_of
from engine.session.greeting import check_hello
from engine.session.negotiation import Terms, choose_terms
from engine.session.states import TARGET_TRANSITIONS, TargetState, Trigger, require_target_frame

_CONVERSING = (TargetState.GREETING, TargetState.SETTLING, TargetState.STREAMING)


class TargetSession(Endpoint[TargetEvent]):
    """The state machine at the target: give events to `handle`, carry out what it returns.

    Args:
        journal: The opened journal; the actions of opening go to the driver, their SyncDone here.
        settings: Bounds and times.
        fenced_by: The epoch that superseded this journal's, None where none has; a promotion's
            record beside the journal is read in any case.
    """

    def __init__(
        self,
        journal: Journal,
        settings: SessionSettings | None = None,
        *,
        fenced_by: int | None = None,
    ) -> None:
        super().__init__(settings)
        self.journal = journal
        self.state = TargetState.LISTENING
        self.fenced_by = fenced_by
        #: Wall clock of this host minus the clock of `now_ns`; the driver sets it when it steps.
        self.wall_offset_ns = 0
        #: What was agreed on with the source that is connected.
        self.terms = Terms(VERSION_NEWEST, 0)
        #: What a resync compares; a branch's driver tells it the layers of the parent.
        self.hashes = ImageHashes(journal)
        self._applied: Cursor | None = None
        self._applied_told: Cursor | None = None
        self._hello_flags = HelloFlag(0)
        self._handlers = {
            Connected: self._on_connected,
            BytesReceived: self._on_bytes,
            Disconnected: self._on_disconnected,
            TimerFired: self._on_timer,
            SyncDone: self._on_sync_done,
            ActionFailed: self._on_action_failed,
            Fenced: self._on_fenced,
        }

    # --- what others tell and ask --------------------------------------------------------------

    def applied(self, cursor: Cursor) -> None:
        """Take how far an applier has come; the source hears of it with the next event.

        Without an applier all that is durable counts as applied: an image can be opened on it.
        """
        invariants.applied_follows_durable(self._applied, cursor, self.journal.durable)
        self._applied = cursor

    @property
    def applied_cursor(self) -> Cursor:
        """Return up to where an image is ready without further work."""
        return self.journal.durable if self._applied is None else self._applied

    def reported_rpo(self, now_ns: int) -> ReportedRpo | None:
        """Return the age of the newest durable record by the source's clock, with its error."""
        durable_time_ns = self.journal.durable_time_ns
        if durable_time_ns is None:
            return None
        wall_ns = self._clock.peer_wall_ns(now_ns)
        if wall_ns is None:
            wall_ns = now_ns + self.wall_offset_ns
        return ReportedRpo(wall_ns - durable_time_ns, self._clock.error_ns(now_ns))

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
        self._begin(event.connection, now_ns)
        self._sent_at_ns = now_ns
        self._hello_flags = HelloFlag(0)
        self.hashes.forget()

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
            if self.state is TargetState.STREAMING:
                self._acknowledge(now_ns)
            else:
                self._send(encode_heartbeat(Heartbeat(self._clock.stamp(now_ns))), now_ns)

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
            self._acknowledge(now_ns)

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

    def _on_fenced(self, event: Fenced, now_ns: int) -> None:
        """End the branch: whoever writes to it is told so, and nobody may come back."""
        if event.epoch <= self.journal.received.epoch:
            raise LocalProtocolError(
                f"Fenced by epoch {event.epoch}: this journal is in {self.journal.received.epoch}"
            )
        self.fenced_by = max(event.epoch, self.fenced_by or 0)
        if self.state in _CONVERSING and not self._hello_flags & HelloFlag.ORPHAN:
            epoch = self.journal.received.epoch
            self._fail(EpochFenced(f"Epoch {self.fenced_by} has superseded epoch {epoch}"), now_ns)

    # --- frames -------------------------------------------------------------------------------

    def _take_frame(self, frame: Frame, now_ns: int) -> None:
        require_target_frame(self.state, FRAME_TYPES[type(frame)])
        if not isinstance(frame, PeerError):
            self._notify(self._clock.heard(frame.stamp, now_ns))
        if isinstance(frame, Batch):
            self._on_batch(frame)
        elif isinstance(frame, Hello):
            self._on_hello(frame, now_ns)
        elif isinstance(frame, ResyncAsk):
            stamp = self._clock.stamp(now_ns)
            self._send(self.hashes.reply(frame.ask, stamp, self.terms.version), now_ns)
        elif isinstance(frame, Heartbeat):
            self._on_heartbeat(frame)
        elif isinstance(frame, PeerError):
            # Whatever the source found, it closes; what is durable here stays as it is.
            self._actions.append(CloseConnection(self._connection, frame.error.message))
            self._actions.append(Notify(SessionFailed(frame.error, is_fatal=False)))
            self._lost(frame.error.message)

    def _on_hello(self, hello: Hello, now_ns: int) -> None:
        self.terms = choose_terms(hello, self.settings)
        self.fenced_by = fence_of(self.journal, self.fenced_by)
        check_hello(hello, self.journal, self.fenced_by)
        self._hello_flags = HelloFlag(hello.flags)
        self._parser.version = self.terms.version
        self._move(Trigger.GREETED)
        # At once, or bytes that follow in the same piece would find another state than later ones.
        self._welcome_when_settled(now_ns)

    def _on_heartbeat(self, heartbeat: Heartbeat) -> None:
        received = self.journal.received.sequence
        if self.state is TargetState.STREAMING and heartbeat.sequence > received:
            raise SequenceGap(
                f"The source has sent up to record {heartbeat.sequence}, {received} is the newest "
                "that came"
            )

    def _on_batch(self, batch: Batch) -> None:
        if batch.is_compressed and not self.terms.has_zstd:
            raise FrameUnexpected(
                f"A compressed batch from sequence {batch.first}; that was not agreed on"
            )
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

    def _welcome_when_settled(self, now_ns: int) -> None:
        journal = self.journal
        if self.state is not TargetState.SETTLING or not journal.is_settled:
            return
        assert journal.incarnation is not None, "a source was adopted"
        assert journal.durable == journal.received, "a welcome names the durable end"
        self._move(Trigger.SETTLED)
        welcome = Welcome(
            stamp=self._clock.stamp(now_ns),
            version=self.terms.version,
            capabilities=self.terms.capabilities,
            flags=self._hello_flags,
            group=journal.group,
            incarnation=journal.incarnation,
            cursor=journal.durable,
        )
        self._send(encode_welcome(welcome), now_ns)
        if self._hello_flags & HelloFlag.UNBASED and self.terms.has_resync:
            stamp = self._clock.stamp(now_ns)
            self._send(self.hashes.standing(stamp, self.terms.version), now_ns)
        self._actions.append(Notify(Established(journal.durable)))
        # An applier behind the durable end is news to the source at once.
        self._applied_told = journal.durable

    def _acknowledge(self, now_ns: int) -> None:
        self._applied_told = self.applied_cursor
        ack = Ack(self._clock.stamp(now_ns), self.journal.durable, self.applied_cursor)
        self._send(encode_ack(ack, self.terms.version), now_ns)

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

    def _own_offset_ns(self) -> int:
        return self.wall_offset_ns

    def _after(self, now_ns: int) -> None:
        self._welcome_when_settled(now_ns)
        if self.state is TargetState.STREAMING and self._applied_told != self.applied_cursor:
            self._acknowledge(now_ns)

    def _move(self, trigger: Trigger) -> None:
        self.state = next_state("The target", TARGET_TRANSITIONS, self.state, trigger)

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
