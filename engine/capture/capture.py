"""The capture: every completed change becomes a record in a bounded pool, in one order.

Fault model. The capture and its pool are what a driver in the kernel holds: they survive a crash
of the source session (a service), not a crash of the source host. After a host crash the driver
makes a new capture with a new incarnation; the target then refuses to continue the old journal
(ResyncRequired), because nobody knows which changes were lost with the pool.

Promised: one sequence for all files and volumes of the group, in the order shown; a record leaves
the pool only when the target has acknowledged it as durable; when the pool is full, writers wait
and nothing is dropped; source times never run backward. Not checked: that the driver shows every
completed change, and none that failed.
"""

from collections import deque
from typing import NamedTuple

from engine.basics import invariants
from engine.basics.cursor import Cursor, genesis
from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    FileAlreadyExists,
    FileUnknown,
    HistoryContradictory,
    JournalRegressed,
    LocalProtocolError,
    PayloadTooLarge,
    ResyncRequired,
)
from engine.basics.payload import Segments, length_of
from engine.basics.settings import CaptureSettings
from engine.capture.changes import Admission, Admitted, Change, Refused, Waiting
from engine.capture.tags import PendingTags
from engine.formats.bodies import BodyEncoder
from engine.formats.records import (
    FLAG_PENDING,
    HEADER_BYTES,
    RAW_BYTES_MAX,
    RECORD_VERSION,
    RecordHeader,
    RecordType,
    encode_record,
)
from engine.history.filetable import FileTable

_TAGS = (RecordType.TAG_CRASH, RecordType.TAG_APP)
_NAMING = (RecordType.CREATE, RecordType.RENAME)
_MADE_HERE = (RecordType.TIME, RecordType.TAG_COMMIT, RecordType.TAG_REVOKE)


class PoolEntry(NamedTuple):
    """One record in the pool; `cost_bytes` is its raw length and its header."""

    record: bytes
    cost_bytes: int
    chain: int
    source_time_ns: int
    kind: RecordType


class _Held(NamedTuple):
    """A resolved change whose writer waits for room."""

    ticket: int
    kind: RecordType
    file: int
    offset: int
    payload: Segments


class Capture:
    """Sequences, stamps, encodes and keeps the changes of one consistency group.

    Args:
        group: Number of the consistency group.
        epoch: The writer's epoch, issued by the one authority (protection.md 3.7).
        incarnation: A number that no other capture of this group ever had, drawn by the driver.
        settings: Bounds and intervals.
    """

    def __init__(
        self, *, group: int, epoch: int, incarnation: int, settings: CaptureSettings | None = None
    ) -> None:
        self.group = group
        self.epoch = epoch
        self.incarnation = incarnation
        self.settings = settings or CaptureSettings()
        #: Wall clock of the host minus the clock of `now_ns`; the driver sets it when it is
        #: stepped. Stamps stay monotone whatever it does (protection.md 3.8).
        self.clock_offset_ns = 0
        #: All that the target has acknowledged as durable; the pool begins after it.
        self.acknowledged: Cursor = genesis(epoch)
        #: The newest record in the stream.
        self.newest: Cursor = genesis(epoch)
        self.pool_bytes = 0
        self.is_abandoned = False
        self.pending_tags = PendingTags(self.settings)
        self._pool: dict[int, PoolEntry] = {}
        self._held: deque[_Held] = deque()
        self._released: list[int] = []
        self._tickets = 0
        self._files = FileTable()
        self._encoder = BodyEncoder(self.settings.compression_level)
        self._source_time_ns = 0

    # --- what the driver calls ----------------------------------------------------------------

    def admit(self, change: Change, now_ns: int) -> Admission:
        """Put a completed change into the stream, or say that its writer must wait.

        Raises:
            FileUnknown: The change names a file that was never created here.
            FileAlreadyExists: A create or rename would give two files one name.
            PayloadTooLarge: The change is longer than a record can be.
        """
        assert not change.is_pending or change.kind in _TAGS, "only a tag has two phases"
        cost = HEADER_BYTES + length_of(change.payload)
        if cost > RAW_BYTES_MAX:
            raise PayloadTooLarge(
                f"{change.kind.name} of {change.file!r} at offset {change.offset}: {cost} "
                f"bytes with its header, a record has {RAW_BYTES_MAX} at most"
            )
        if self.is_abandoned:
            return _refused_for_good(f"{change.kind.name} of {change.file!r}")
        if change.kind in _TAGS and (self._held or not self._has_room(cost)):
            return Refused(
                f"{change.kind.name} refused: the pool is full ({self.pool_bytes} bytes) and "
                "writers wait",
                "Try again when the link has caught up; enlarge pool_bytes_max or the bandwidth.",
            )
        file, payload = self._resolve(change)
        if self._held or not self._has_room(cost):
            self._tickets += 1
            self._held.append(_Held(self._tickets, change.kind, file, change.offset, payload))
            return Waiting(self._tickets)
        flags = FLAG_PENDING if change.is_pending else 0
        self._append(change.kind, file, change.offset, payload, now_ns, flags)
        if change.is_pending:
            self.pending_tags.insert(self.newest.sequence, change.kind, now_ns)
        return Admitted(self.newest.sequence)

    def commit_tag(self, sequence: int, now_ns: int) -> Admission:
        """Make a pending tag a point: all that had to be consistent with it is.

        Returns:
            Admitted with the sequence from which on it is a point, or Refused: its time was over.
        """
        self._revoke_late_tags(now_ns)
        return self._decide_tag(RecordType.TAG_COMMIT, sequence, now_ns)

    def revoke_tag(self, sequence: int, now_ns: int) -> Admission:
        """Withdraw a pending tag: it is no point and never will be one."""
        self._revoke_late_tags(now_ns)
        return self._decide_tag(RecordType.TAG_REVOKE, sequence, now_ns)

    def abandon(self) -> None:
        """End the protection: writers go on at once, and nothing enters the stream any more.

        For a session that has halted (a fatal SessionFailed): without it writers would wait for
        ever once the pool is full. What is in the stream stays a true prefix of the history.
        """
        self.is_abandoned = True
        self._released += [held.ticket for held in self._held]
        self._held.clear()

    def take_released(self) -> tuple[int, ...]:
        """Return, once, the tickets of writers that may go on, in order.

        The driver completes these writes in the same breath: the list is part of the kernel's
        state, so a crash of the session between cannot leave a writer waiting for ever.
        """
        released, self._released = tuple(self._released), []
        return released

    # --- what the session calls ---------------------------------------------------------------

    @property
    def has_released(self) -> bool:
        """Return whether tickets wait to be taken."""
        return bool(self._released)

    @property
    def held_count(self) -> int:
        """Return the number of writers that wait for room."""
        return len(self._held)

    @property
    def oldest_sequence(self) -> int:
        """Return the oldest sequence that can still be sent."""
        return self.acknowledged.sequence + 1

    def entry(self, sequence: int) -> PoolEntry:
        """Return a record that is in the pool."""
        return self._pool[sequence]

    def time_due_ns(self) -> int | None:
        """Return when `tick` has something to do on the session's clock, or None."""
        if self.is_abandoned:
            return None
        dues = (self._time_record_due_ns(), self.pending_tags.deadline_ns())
        return min((due for due in dues if due is not None), default=None)

    def _time_record_due_ns(self) -> int | None:
        """Return when the next TIME record is due, or None.

        None while the pool is full, and while the newest record is a TIME record not yet
        acknowledged: an idle group whose link is down must not fill its pool with heartbeats.
        """
        last = self._pool.get(self.newest.sequence)
        if self._held or (last is not None and last.kind == RecordType.TIME):
            return None
        if not self._has_room(HEADER_BYTES):
            return None
        return self._source_time_ns - self.clock_offset_ns + self.settings.time_interval_ns

    def tick(self, now_ns: int) -> bool:
        """Revoke tags whose time is over, add a TIME record if one is due; return if any was."""
        if self.is_abandoned:
            return False
        before = self.newest
        self._revoke_late_tags(now_ns)
        due = self._time_record_due_ns()
        if due is not None and now_ns >= due:
            self._append(RecordType.TIME, 0, 0, (), now_ns)
        return self.newest != before

    def check(self, cursor: Cursor) -> None:
        """Check a cursor of the target against the stream, changing nothing.

        Raises:
            EpochFenced: It belongs to another epoch.
            CursorNeverSent: It lies beyond the newest record.
            CursorRegressed: It lies before what was acknowledged.
            ChainMismatch: The target holds other records than these.
        """
        if cursor.epoch != self.epoch:
            raise EpochFenced(
                f"The target answers in epoch {cursor.epoch}, this source is in {self.epoch}"
            )
        if cursor.sequence > self.newest.sequence:
            raise CursorNeverSent(
                f"The target is at sequence {cursor.sequence}, the newest record here is "
                f"{self.newest.sequence}"
            )
        if cursor.sequence < self.acknowledged.sequence:
            raise CursorRegressed(
                f"The target acknowledges sequence {cursor.sequence}, before that it acknowledged "
                f"{self.acknowledged.sequence}"
            )
        expected = (
            self.acknowledged.chain
            if cursor.sequence == self.acknowledged.sequence
            else self._pool[cursor.sequence].chain
        )
        if cursor.chain != expected:
            raise ChainMismatch(
                f"At sequence {cursor.sequence} the target's chain is {cursor.chain:#010x}, "
                f"this stream's is {expected:#010x}"
            )

    def check_welcome(self, cursor: Cursor) -> None:
        """Check the cursor of a WELCOME: one below the acknowledged is a regressed journal.

        Raises:
            JournalRegressed: The target has lost what it had acknowledged as durable.
            RemoteProtocolError: As `check`.
        """
        if cursor.epoch == self.epoch and cursor.sequence < self.acknowledged.sequence:
            raise JournalRegressed(
                f"The target's journal ends at sequence {cursor.sequence}; it had acknowledged "
                f"{self.acknowledged.sequence}, and the pool begins after that"
            )
        self.check(cursor)

    def acknowledge(self, cursor: Cursor, now_ns: int) -> int:
        """Free all records up to a durable cursor and let waiting writers into the stream.

        Returns:
            The raw bytes freed.

        Raises:
            RemoteProtocolError: As `check`; nothing is changed then.
        """
        self.check(cursor)
        invariants.acknowledged_never_decreases(self.acknowledged, cursor)
        freed = 0
        for sequence in range(self.acknowledged.sequence + 1, cursor.sequence + 1):
            freed += self._pool.pop(sequence).cost_bytes
        self.pool_bytes -= freed
        self.acknowledged = cursor
        invariants.pool_is_contiguous(self.acknowledged, self.newest, len(self._pool))
        self._admit_held(now_ns)
        return freed

    # --- inside -------------------------------------------------------------------------------

    def _has_room(self, cost: int) -> bool:
        # One record larger than the whole pool must still pass, alone, or its writer hangs.
        return not self._pool or self.pool_bytes + cost <= self.settings.pool_bytes_max

    def _admit_held(self, now_ns: int) -> None:
        while self._held:
            held = self._held[0]
            if not self._has_room(HEADER_BYTES + length_of(held.payload)):
                return
            self._held.popleft()
            self._append(held.kind, held.file, held.offset, held.payload, now_ns)
            self._released.append(held.ticket)

    def _resolve(self, change: Change) -> tuple[int, Segments]:
        """Turn names into ids now, in the order shown, even where the record must wait."""
        kind = change.kind
        if kind in _TAGS:
            return 0, change.payload
        if kind in _MADE_HERE:
            raise LocalProtocolError(f"{kind.name} records are made by the capture alone")
        if kind == RecordType.CREATE:
            file: int | None = self._files.id_newest + 1
            name = change.file
        else:
            file, name = self._files.id_of(change.file), change.new_name
        if file is None:
            raise FileUnknown(f"{kind.name} of {change.file!r}: the capture knows no such file")
        try:
            self._files.stage(kind, file, name)
        except HistoryContradictory as error:
            self._files.discard()
            raise FileAlreadyExists(error.message) from error
        self._files.commit()
        return file, (name.encode(),) if kind in _NAMING else change.payload

    def _decide_tag(self, kind: RecordType, sequence: int, now_ns: int) -> Admission:
        what = f"{kind.name} of tag {sequence}"
        if self.is_abandoned:
            return _refused_for_good(what)
        if not self.pending_tags.is_pending(sequence):
            return Refused(
                f"{what} refused: no such tag is pending, its time may be over",
                "Take the next bookmark; if this repeats, see what keeps the application waiting.",
            )
        # It goes even into a full pool: 64 bytes for each tag that had found room there.
        self._append(kind, 0, sequence, (), now_ns)
        if kind == RecordType.TAG_COMMIT:
            self.pending_tags.commit(sequence)
        else:
            self.pending_tags.revoke(sequence)
        return Admitted(self.newest.sequence)

    def _revoke_late_tags(self, now_ns: int) -> None:
        if self.is_abandoned:
            return
        for sequence in self.pending_tags.take_timed_out(now_ns):
            self._append(RecordType.TAG_REVOKE, 0, sequence, (), now_ns)

    def _append(
        self,
        kind: RecordType,
        file: int,
        offset: int,
        payload: Segments,
        now_ns: int,
        flags: int = 0,
    ) -> None:
        self._source_time_ns = max(self._source_time_ns, now_ns + self.clock_offset_ns)
        body, body_flags = self._encoder.encode(payload)
        raw_length = length_of(payload)
        epoch, sequence, chain_before = self.newest
        header = RecordHeader(
            version=RECORD_VERSION,
            type=kind,
            flags=flags | body_flags,
            file=file,
            sequence=sequence + 1,
            source_time_ns=self._source_time_ns,
            offset=offset,
            epoch=epoch,
            group=self.group,
            raw_length=raw_length,
            stored_length=len(body),
            body_crc=0,
            chain=0,
        )
        record, chain = encode_record(header, body, chain_before)
        cost = HEADER_BYTES + raw_length
        self._pool[sequence + 1] = PoolEntry(record, cost, chain, self._source_time_ns, kind)
        self.pool_bytes += cost
        self.newest = Cursor(epoch, sequence + 1, chain)


def _refused_for_good(what: str) -> Refused:
    return Refused(f"{what} refused: the protection has ended", ResyncRequired.hint_default)
