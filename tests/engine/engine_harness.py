"""Both ends of a session in memory, driven one action at a time, crashed wherever one likes.

The driver here is the plainest one that is right: it carries each action out, keeps what was not
synced apart, and lets a `choose` function decide everything that the world may decide.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from engine_model import (
    GROUP,
    SMALL,
    MemoryStorage,
    Reference,
)

from engine import (
    Admitted,
    Capture,
    Change,
    JournalSettings,
    RecordType,
    Refused,
    SessionSettings,
    SourceSession,
    SourceState,
    TargetSession,
    TargetState,
    Tracked,
    Waiting,
    actions,
    events,
    open_journal,
)

CLOSED = None  # in a byte queue: the connection ended here


def lose_bytes(queue: deque) -> None:
    """Lose what is under way, but not that older connections have ended."""
    ends = [entry for entry in queue if entry[1] is CLOSED]
    queue.clear()
    queue.extend(ends)


class Pair:
    """A source and a target over a byte stream, with a clock that moves when all is quiet.

    Args:
        capture: The source's capture.
        choose: `choose(n)` returns a number below n; everything undecided asks it.
        at_step: Called with the pair after every carried-out action: crash it there.
        spool: Where the capture's spool is.
        volume: The live files, if there are any before the capture begins.
    """

    def __init__(
        self,
        capture: Capture,
        *,
        journal_settings: JournalSettings | None = None,
        settings: SessionSettings = SMALL,
        choose: Callable[[int], int] = lambda _: 0,
        at_step: Callable[["Pair"], None] = lambda _: None,
        chunk_bytes_max: int = 1 << 30,
        spool: MemoryStorage | None = None,
        volume: Reference | None = None,
    ):
        self.capture = capture
        self.settings = settings
        self.journal_settings = journal_settings
        self.storage = MemoryStorage()
        self.choose = choose
        self.at_step = at_step
        self.chunk_bytes_max = chunk_bytes_max
        self.now_ns = 1_000
        self.steps = 0
        self.shown: list[Change] = []
        self.waiting: deque[int] = deque()
        self.connections = 0
        self.acknowledged_ever = capture.acknowledged
        self.notices: list[tuple[str, object]] = []
        self.tail_cuts = 0
        self.disk_lies = False  # set when a test takes durable bytes away
        self.line_lies = None  # the connection on which a test takes bytes away
        self.tickets_ever = 0
        self.to_target: deque = deque()
        self.to_source: deque = deque()
        #: The live files, with every change shown so far; and as they were at points.
        self.volume = volume or Reference()
        for entry in () if volume else capture.live_files().entries:
            self.volume.files[entry.name] = bytearray(entry.size)
        self.snapshots: dict[int, dict[str, bytes]] = {}
        self.is_cut = False  # while the link is down
        self.vacated: str | None = None  # the name that a file had before it was renamed
        self.spool = spool
        self.spool_syncs: deque = deque()
        self.spool_is_broken = False
        self.reads: deque = deque()  # actions, not yet carried out
        self.answers: deque = deque()
        self.start_source()
        self.start_target()

    # --- life and death -----------------------------------------------------------------------

    def start_source(self):
        self.source = SourceSession(self.capture, self.settings)
        self.source_actions: deque = deque()
        self.source_wake_ns = None
        self.source_number = None
        self.tell_source(events.Started())

    def start_target(self):
        result = open_journal(self.storage, group=GROUP, settings=self.journal_settings)
        self.tail_cuts += result.tail_cut is not None
        self.journal = result.journal
        self.target = TargetSession(result.journal, self.settings)
        self.target_actions: deque = deque(result.actions)
        self.target_wake_ns = None
        self.syncs: deque = deque()
        received = self.journal.received.sequence
        assert self.disk_lies or received >= self.acknowledged_ever.sequence, (
            "acknowledged records are gone"
        )

    def crash_source(self):
        self.to_target.append((self.connections, CLOSED))
        self.to_source.clear()
        self.start_source()

    def crash_target(self, fate=None):
        """Crash the target's host; without a fate its process only, and no write is decided."""
        lose_bytes(self.to_target)
        self.to_source.append((self.source_number, CLOSED))
        if fate is not None:
            self.storage.crash(fate)
        self.start_target()

    def disconnect(self):
        """Cut the connection; whatever is under way is lost in both directions."""
        lose_bytes(self.to_source)
        lose_bytes(self.to_target)
        self.to_source.append((self.source_number, CLOSED))
        self.to_target.append((self.connections, CLOSED))

    # --- telling ------------------------------------------------------------------------------

    def tell_source(self, event):
        self.source_actions += self.source.handle(event, self.now_ns)
        self.carry_out_capture()

    def carry_out_capture(self):
        """Carry out what the capture wants of its spool, and hear its notices."""
        for action in self.capture.take_actions():
            if isinstance(action, actions.Notify):
                self.notices.append(("capture", action.notice))
                self.hear(action.notice)
            elif isinstance(action, actions.SyncFile):
                self.spool_syncs.append(action)
            elif isinstance(action, actions.DeleteFile):
                self.spool.delete(action.name)
            else:
                self.spool.carry_out(action)

    def hear(self, notice):
        """Note what a notice of the capture says of the points."""
        if isinstance(notice, actions.GapClosed):
            self.keep_snapshot(notice.sequence)
        elif isinstance(notice, actions.GapOpened) and notice.is_resync:
            self.forget_snapshots_from(notice.sequence)
        elif isinstance(notice, actions.HistoryRewound):
            self.forget_snapshots_from(notice.sequence + 1)

    def forget_snapshots_from(self, first):
        """Forget what another history would have been: it goes on otherwise."""
        self.snapshots = {n: files for n, files in self.snapshots.items() if n < first}

    def keep_snapshot(self, sequence):
        files = self.volume.files
        self.snapshots[sequence] = {name: bytes(data) for name, data in files.items()}

    def tell_target(self, event):
        self.target_actions += self.target.handle(event, self.now_ns)

    def show(self, change: Change):
        """Show one completed change to the capture, as the filter does."""
        admission = self.capture.admit(change, self.now_ns)
        if isinstance(admission, Refused):
            assert change.kind in (RecordType.TAG_APP, RecordType.TAG_CRASH)
            return admission
        self.volume.apply(change)
        if isinstance(admission, Tracked):
            self.tell_source(events.Captured())
            return admission
        # As a copy: an image must not depend on a caller's payload object.
        self.shown.append(replace(change))
        if isinstance(admission, Waiting):
            self.waiting.append(admission.ticket)
            self.tickets_ever += 1
        else:
            assert isinstance(admission, Admitted)
            assert not self.capture.held_count, "nobody overtakes a waiting writer"
            self.keep_snapshot(admission.sequence)
        self.tell_source(events.Captured())
        return admission

    # --- one step of the world ----------------------------------------------------------------

    def step(self) -> bool:
        """Do one of the things that could happen now; return False when all is quiet."""
        ready = self.ready()
        if not ready:
            return False
        ready[self.choose(len(ready))]()
        self.check()
        return True

    def ready(self) -> list[Callable[[], None]]:
        """Return the things that could happen now."""
        queues = [
            (self.source_actions, self._source_action),
            (self.target_actions, self._target_action),
            (self.to_source, self._deliver_to_source),
            (self.to_target, self._deliver_to_target),
            (self.syncs, self._complete_sync),
            (self.spool_syncs, self._complete_spool_sync),
            (self.reads, self._read),
            (self.answers, self._answer),
        ]
        return [function for queue, function in queues if queue]

    def run(self, until: Callable[["Pair"], bool], steps_max: int = 20_000) -> None:
        """Step, and let time pass when all is quiet, until the condition holds."""
        for _ in range(steps_max):
            if until(self):
                return
            if not self.step():
                self.advance()
        raise AssertionError(f"no convergence: {self.source.state} {self.target.state}")

    def advance(self):
        """Move the clock to the next wake-up and fire it."""
        wakes = [w for w in (self.source_wake_ns, self.target_wake_ns) if w is not None]
        assert wakes, "nothing will ever happen again"
        self.now_ns = max(self.now_ns, min(wakes))
        if self.source_wake_ns is not None and self.source_wake_ns <= self.now_ns:
            self.source_wake_ns = None
            self.tell_source(events.TimerFired())
        if self.target_wake_ns is not None and self.target_wake_ns <= self.now_ns:
            self.target_wake_ns = None
            self.tell_target(events.TimerFired())

    def is_converged(self) -> bool:
        return (
            self.source.state is SourceState.STREAMING
            and self.target.state is TargetState.STREAMING
            and not (self.source_actions or self.target_actions or self.to_source)
            and not self.waiting
            and self.capture.acknowledged == self.capture.newest
            and not self.capture.is_in_gap
            and self.capture.is_based
        )

    def converge(self):
        self.run(lambda pair: pair.is_converged())

    def check(self):
        """Both ends agree: what one believes of the other is true."""
        capture, journal = self.capture, self.journal
        if not capture.is_based:
            return  # it believes nothing yet
        acknowledged = capture.acknowledged
        assert acknowledged.sequence >= self.acknowledged_ever.sequence
        self.acknowledged_ever = acknowledged
        if self.disk_lies:
            return
        assert acknowledged.sequence <= journal.received.sequence
        assert journal.durable.sequence <= journal.received.sequence <= capture.newest.sequence
        if journal.index.holds(acknowledged.sequence):
            assert journal.index.chain(acknowledged.sequence) == acknowledged.chain
        # Bytes under way in either direction make them differ for a while, never otherwise.
        if self.to_source or self.to_target or self.source_actions or self.target_actions:
            return
        if self.line_lies == self.source_number:
            return
        talking = self.source.state in (SourceState.GREETING, SourceState.STREAMING)
        assert talking == (self.target.state is not TargetState.LISTENING)
        if self.source.state is SourceState.STREAMING:
            assert self.target.state is TargetState.STREAMING
            assert self.source.sent_sequence == journal.received.sequence

    # --- carrying out -------------------------------------------------------------------------

    def _done(self):
        self.steps += 1
        self.at_step(self)

    def _source_action(self):
        action = self.source_actions.popleft()
        if isinstance(action, actions.OpenConnection):
            self.connections += 1
            self.source_number = action.connection
            if self.is_cut:
                failed = events.ConnectFailed(action.connection, "the link is cut")
                self.to_source.append((action.connection, failed))
                self._done()
                return
            self.to_source.append((action.connection, events.Connected(action.connection)))
            self.to_target.append((self.connections, events.Connected(self.connections)))
        elif isinstance(action, actions.SendBytes):
            if action.connection == self.source_number:
                self.to_target.append((self.connections, action.data))
        elif isinstance(action, actions.CloseConnection):
            self.to_target.append((self.connections, CLOSED))
            self.to_source.append((action.connection, CLOSED))
        elif isinstance(action, actions.WakeAt):
            self.source_wake_ns = action.time_ns
        elif isinstance(action, actions.ReleaseWriters):
            for ticket in self.capture.take_released():
                assert ticket == self.waiting.popleft(), "writers go on in their order"
        elif isinstance(action, actions.ReadSource):
            self.reads.append(action)
        else:
            self.notices.append(("source", action.notice))
        self._done()

    def _target_action(self):
        action = self.target_actions.popleft()
        if isinstance(action, actions.SendBytes):
            if action.connection == self.connections:
                self.to_source.append((self.source_number, action.data))
        elif isinstance(action, actions.CloseConnection):
            if action.connection == self.connections:
                self.to_source.append((self.source_number, CLOSED))
            self.to_target.append((action.connection, CLOSED))
        elif isinstance(action, actions.WakeAt):
            self.target_wake_ns = action.time_ns
        elif isinstance(action, actions.SyncFile):
            count = len(self.storage.unsynced.get(action.name, []))
            self.syncs.append((action, count))
        elif isinstance(action, actions.Notify):
            self.notices.append(("target", action.notice))
        else:
            self.storage.carry_out(action)
        self._done()

    def _complete_sync(self):
        action, count = self.syncs.popleft()
        self.storage.sync(action.name, count)
        self.syncs = deque(
            (other, left - count if other.name == action.name else left)
            for other, left in self.syncs
        )
        self.tell_target(events.SyncDone(action.token))

    def _complete_spool_sync(self):
        action = self.spool_syncs.popleft()
        if self.spool_is_broken:
            self.capture.spool_failed("no space left", self.now_ns)
        else:
            self.capture.spool_written(action.token, self.now_ns)
        self.carry_out_capture()
        self.tell_source(events.Captured())

    def _read(self):
        """Read the live file now; the answer comes later."""
        action = self.reads.popleft()
        data = None
        if action.file in self.volume.files:
            content = self.volume.files[action.file]
            data = (bytes(content[action.offset : action.offset + action.length]),)
        self.answers.append(events.SourceRead(action.token, data))

    def _answer(self):
        self.tell_source(self.answers.popleft())

    def _deliver_to_source(self):
        self._deliver(self.to_source, self.tell_source)

    def _deliver_to_target(self):
        self._deliver(self.to_target, self.tell_target)

    def _deliver(self, queue, tell):
        connection, item = queue.popleft()
        if not connection:
            return
        if item is CLOSED:
            tell(events.Disconnected(connection, "closed"))
        elif isinstance(item, bytes):
            length = min(len(item), self.chunk_bytes_max)
            length = 1 + self.choose(length) if self.choose(2) else length
            if length < len(item):
                queue.appendleft((connection, item[length:]))
            tell(events.BytesReceived(connection, item[:length]))
        else:
            tell(item)
