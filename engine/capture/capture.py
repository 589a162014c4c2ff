"""The capture: every change of the group becomes a record of one stream, in one order.

Fault model. The capture and its pool are what a driver in the kernel holds: they survive a crash
of the source session (a service), not a crash of the source host. After a host crash the driver
makes a new capture with a new incarnation (`Capture.unbased`), which knows nothing of what the
target lacks: both ends must be compared.

Promised: one sequence for all files and volumes of the group, in the order shown; a record is let
go only when the target has acknowledged it as durable; source times never run backward. When the
pool is full, the policy decides (`OverflowPolicy`); where order is given up, the stream says so
(`engine.history.gaps`), and when a gap closes, the stream's files are the live ones. Not checked:
that the driver shows every completed change, and none that failed.
"""

from collections.abc import Mapping

from engine.basics.cursor import Cursor
from engine.basics.errors import LocalProtocolError, PayloadTooLarge
from engine.basics.payload import length_of
from engine.basics.settings import CaptureSettings
from engine.capture.backlog import Backlog
from engine.capture.changes import Admission, Admitted, Change, Tracked, Waiting
from engine.capture.figures import CaptureFigures
from engine.capture.served import Served
from engine.capture.stream import Draft
from engine.capture.tagging import refused_for_good
from engine.contract.actions import FileAction, Notify
from engine.contract.storage import Storage
from engine.formats.capture_state import CaptureState, encode_capture_state
from engine.formats.records import HEADER_BYTES, RAW_BYTES_MAX, RecordType
from engine.history.filetable import FileTableState

_R = RecordType
_TAGS = frozenset({_R.TAG_CRASH, _R.TAG_APP})
_NAMING = frozenset({_R.CREATE, _R.RENAME})
_SHOWN = frozenset({_R.WRITE, _R.TRUNCATE, _R.RENAME, _R.CREATE, _R.DELETE, _R.FLUSH}) | _TAGS


class Capture(Served):
    """Sequences, stamps, encodes and keeps the changes of one consistency group.

    Args:
        group: Number of the consistency group.
        epoch: The writer's epoch, issued by the one authority (protection.md 3.7).
        incarnation: A number that no other capture of this group ever had, drawn by the driver.
        settings: Bounds, intervals, and what becomes of changes that have no room.
        storage: Reads the spool's files; None for no spool.
    """

    def __init__(
        self,
        *,
        group: int,
        epoch: int,
        incarnation: int,
        settings: CaptureSettings | None = None,
        storage: Storage | None = None,
    ) -> None:
        self.group = group
        self.epoch = epoch
        self.incarnation = incarnation
        self.settings = settings or CaptureSettings()
        #: Whether it knows where the target's history ends; if not, it cannot send (`rebase`).
        self.is_based = True
        self._is_saved = False
        spool_storage = storage if self.settings.overflow == "spill" else None
        backlog = Backlog(group, epoch, self.settings, spool_storage)
        super().__init__(backlog, self.settings)
        self._changes_tracked = 0

    @classmethod
    def unbased(
        cls,
        *,
        group: int,
        epoch: int,
        incarnation: int,
        files: Mapping[str, int],
        settings: CaptureSettings | None = None,
        storage: Storage | None = None,
    ) -> "Capture":
        """Return a capture that knows the live files (name and size), but not what the target has.

        For a source that stopped without warning, and for a first copy of files that are there. It
        tracks names and sizes until `rebase`.
        """
        capture = cls(
            group=group, epoch=epoch, incarnation=incarnation, settings=settings, storage=storage
        )
        capture.is_based = False
        capture._order.know_nothing_but(files)
        return capture

    @classmethod
    def branch(
        cls,
        *,
        group: int,
        epoch: int,
        incarnation: int,
        base: Cursor,
        files: FileTableState,
        source_time_ns: int,
        settings: CaptureSettings | None = None,
        storage: Storage | None = None,
    ) -> "Capture":
        """Return a capture that begins a branch at `base`, where a promoted copy goes on.

        The live files must be `files`; `source_time_ns` is that of the record at the base. EPOCH is
        written with the first change, not before.
        """
        capture = cls(
            group=group, epoch=epoch, incarnation=incarnation, settings=settings, storage=storage
        )
        assert base.epoch < epoch, "a branch has an epoch of its own"
        capture._order.branch_off(base, files, source_time_ns)
        return capture

    # --- what the driver calls ----------------------------------------------------------------

    def admit(self, change: Change, now_ns: int) -> Admission:
        """Put a completed change into the stream, or say what becomes of it.

        Raises:
            FileUnknown: The change names a file that was never created here.
            FileAlreadyExists: A create or rename would give two files one name.
            PayloadTooLarge: The change is longer than a record can be.
        """
        kind = change.kind
        name = change.file if kind == _R.CREATE else change.new_name
        payload = (name.encode(),) if kind in _NAMING else change.payload
        length = length_of(payload)
        assert not change.is_pending or kind in _TAGS, "only a tag has two phases"
        cost = HEADER_BYTES + length
        if cost > RAW_BYTES_MAX:
            raise PayloadTooLarge(
                f"{kind.name} of {change.file!r} at offset {change.offset}: {cost} "
                f"bytes with its header, a record has {RAW_BYTES_MAX} at most"
            )
        if self.is_abandoned:
            return refused_for_good(f"{kind.name} of {change.file!r}")
        if self._is_saved:
            raise LocalProtocolError(f"{kind.name} of {change.file!r} after the capture was saved")
        if kind not in _SHOWN:
            raise LocalProtocolError(f"{kind.name} records are made by the capture alone")
        if kind in _TAGS:
            return self._tags.admit(change, cost, now_ns)
        order = self._order
        if kind == _R.CREATE:
            order.clock.begin(now_ns)
        file = order.live.id_for(change)
        has_patience = self.settings.overflow == "push_back"
        if not has_patience and order.is_ordered and not self._has_room(cost):
            order.overflow(cost, now_ns)
        order.shown(kind, file, change.offset, length, name)
        if not order.is_ordered:
            self._changes_tracked += 1
            order.advance(now_ns, is_held=False)
            return Tracked()
        draft = Draft(kind, file, change.offset, payload)
        if has_patience and not self._has_room(cost):
            return Waiting(self._held.hold(draft))
        order.append(draft, now_ns)
        return Admitted(self.newest.sequence)

    def commit_tag(self, sequence: int, now_ns: int) -> Admission:
        """Make a pending tag a point: all that had to be consistent with it is.

        Returns:
            Admitted with the sequence from which on it is a point, or Refused: its time was over.
        """
        return self._tags.decide(_R.TAG_COMMIT, sequence, now_ns)

    def revoke_tag(self, sequence: int, now_ns: int) -> Admission:
        """Withdraw a pending tag: it is no point and never will be one."""
        return self._tags.decide(_R.TAG_REVOKE, sequence, now_ns)

    def abandon(self) -> None:
        """End the protection: writers go on at once, and nothing enters the stream any more.

        For a session that has halted: without it writers would wait for ever once the pool is
        full. What is in the stream stays a true prefix of the history.
        """
        self.is_abandoned = self._tags.is_closed = True
        self._held.release_all()

    def take_released(self) -> tuple[int, ...]:
        """Return, once, the tickets of writers that may go on, in order.

        The driver completes these writes in the same breath: the list is part of the kernel's
        state, so a crash of the session between cannot leave a writer waiting for ever.
        """
        return self._held.take_released()

    def take_actions(self) -> list[FileAction | Notify]:
        """Return, once, what is to be done with the spool's files, and what there is to tell.

        The driver carries it out after every call that may have changed the capture or its session;
        a SyncFile is answered with `spool_written`, a failure with `spool_failed`.
        """
        notices, self._order.notices = self._order.notices, []
        return [*self._backlog.take_actions(), *(Notify(notice) for notice in notices)]

    def spool_written(self, token: int, now_ns: int) -> None:
        """Note that the SyncFile of this token is done."""
        self._backlog.spool.written(token)
        self._refill(now_ns)

    def spool_failed(self, reason: str, now_ns: int) -> None:
        """Note that a file action of the spool failed: what is in the spool is lost."""
        self._order.lose_spool(f"The spool failed: {reason}", now_ns)
        self.pending_tags.forget_after(self.newest.sequence)

    def figures(self, now_ns: int) -> CaptureFigures:
        """Return what the capture has done so far."""
        return CaptureFigures(
            mode=self._order.mode,
            mode_ns=self._order.clock.totals(now_ns),
            gap_count=self._order.gap_count,
            tags_refused=self._tags.refused_count,
            changes_tracked=self._changes_tracked,
            drained_bytes=self._order.drain.drained_bytes,
            acknowledged_bytes=self._backlog.pool.freed_bytes,
            pool_bytes=self._backlog.pool.bytes,
            spool_bytes=self._backlog.spool.bytes,
            dirty_count=self._order.drain.dirty.count,
        )

    def save(self, now_ns: int) -> bytes:
        """Return the state that lets a restarted host go on (`engine.capture.clean_stop`).

        Nothing may be shown any more. b"" where there is nothing to go on from: the capture was
        never based, or has ended.
        """
        if not self.is_based or self.is_abandoned:
            return b""
        self._is_saved = True
        self._admit_held(now_ns, is_room_needed=False)
        self._order.settle(now_ns)
        fields, records = self._backlog.state()
        fields |= {"group": self.group, "epoch": self.epoch, "incarnation": self.incarnation}
        return encode_capture_state(CaptureState(fields | self._order.state(), records))

    def restore(self, state: CaptureState) -> None:
        """Become, when new, what a capture was when it was saved."""
        self._backlog.restore(state.fields, state.records)
        self._order.restore(state.fields)
