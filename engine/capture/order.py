"""Order: keeps the stream true to the live files, by their order or, where it is lost, by a gap.

While order holds, the stream is every change. When it is lost, GAP_OPEN or RESYNC_BEGIN says so;
from then on the stream is brought near the live files in any order, by reads of them, until
nothing is dirty and every change since is a record again. Then the closing record is written: with
it the stream's files are the live files, byte for byte.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import SpoolDamaged
from engine.basics.settings import CaptureSettings
from engine.capture.backlog import Backlog
from engine.capture.emission import Emission
from engine.capture.figures import ModeClock
from engine.capture.files import Files
from engine.capture.modes import CAPTURE_TRANSITIONS, CaptureMode, CaptureTrigger
from engine.capture.stream import Draft
from engine.contract.actions import (
    CaptureModeChanged,
    CaptureNotice,
    GapClosed,
    GapOpened,
    HistoryRewound,
)
from engine.contract.machines import next_state
from engine.formats.control import encode_incarnation
from engine.formats.records import RecordType
from engine.history.filetable import FileTableState

_HINTS = {
    CaptureTrigger.POOL_FULL: "Order still holds; enlarge the bandwidth if this repeats.",
    CaptureTrigger.SPOOL_EMPTY: "",
    CaptureTrigger.ORDER_LOST: (
        "No point and no tag until the gap is closed; enlarge the spool or the bandwidth."
    ),
    CaptureTrigger.METADATA_FULL: "",
    CaptureTrigger.DIRTY_FEW: "",
    CaptureTrigger.CAUGHT_UP: "",
    CaptureTrigger.BROKEN: "Start a resync: without it there are no more points.",
    CaptureTrigger.RESYNC: "",
}


class CompareProgress(NamedTuple):
    """How far a comparison of both ends has come.

    From sequence `begun` on the target has the live names and sizes, and may be compared. Bytes
    before `offset` of `file` have been, and files of lower ids; files of higher ids than
    `file_newest` need not be: the stream has all of them.
    """

    begun: int
    file: int
    offset: int
    file_newest: int


class Order(Emission):
    """Keeps or gives up the order of the stream, and finds the way back to it.

    Args:
        backlog: The stream.
        settings: Bounds.
    """

    def __init__(self, backlog: Backlog, settings: CaptureSettings) -> None:
        super().__init__(backlog, settings)
        self.notices: list[CaptureNotice] = []
        #: Whether somebody compares both ends, and tells what is dirty.
        self.is_comparing = False
        self.progress: CompareProgress | None = None
        self.gap_count = 0

    def refill(self, now_ns: int) -> None:
        """Bring spooled records into the pool; where they cannot be read, break off."""
        try:
            self._backlog.refill(self.came_back)
        except SpoolDamaged as error:
            self.lose_spool(error.message, now_ns)

    # --- overflow -----------------------------------------------------------------------------

    def overflow(self, cost: int, now_ns: int) -> None:
        """Find another way for a change that has no room, by the policy."""
        full = f"the pool is full ({self._backlog.pool.bytes} bytes)"
        if self._settings.overflow == "break":
            self._break_off(f"{full} and the policy keeps nothing", now_ns)
        elif not self.is_in_gap and self._backlog.spool.has_room(cost):
            if self.mode is CaptureMode.DATA:
                self.drain.part()
                self._move(CaptureTrigger.POOL_FULL, full, now_ns)
        else:
            spool = f", the spool has {self._backlog.spool.bytes} bytes and takes no more"
            self._lose_order(full + spool, now_ns)

    def lose_spool(self, reason: str, now_ns: int) -> None:
        """Go on without the spool's records: the stream ends with what is in the pool."""
        is_something_lost = self._backlog.spool.count > 0
        self._backlog.drop_spool()
        if is_something_lost:
            rewound_to = self._backlog.stream.newest.sequence
            self.notices.append(HistoryRewound(rewound_to, reason))
            # What was lost was written after that record, so the gap begins when it was.
            stream = self._backlog.stream
            self._break_off(reason, now_ns, stream.source_time_ns - stream.clock_offset_ns)

    def _lose_order(self, reason: str, now_ns: int) -> None:
        self.drain.part()
        self._move(CaptureTrigger.ORDER_LOST, reason, now_ns)
        self._open_gap(reason, now_ns)

    def _break_off(self, reason: str, now_ns: int, lost_from_ns: int | None = None) -> None:
        self.drain.part()
        self.drain.clear()
        self.is_comparing = False
        if self.mode is not CaptureMode.UNTRACKED:
            self._move(CaptureTrigger.BROKEN, reason, now_ns)
        self._open_gap(reason, now_ns if lost_from_ns is None else lost_from_ns)

    def _open_gap(self, reason: str, now_ns: int) -> None:
        if not self.is_in_gap:
            self.append(Draft(RecordType.GAP_OPEN, payload=(reason.encode(),)), now_ns)
            self._note_gap(reason, is_resync=False)

    def _note_gap(self, reason: str, *, is_resync: bool) -> None:
        self.gap_count += 1
        sequence = self._backlog.stream.newest.sequence
        self.notices.append(GapOpened(sequence, is_resync, reason))

    # --- the way back -------------------------------------------------------------------------

    def advance(self, now_ns: int, *, is_held: bool) -> None:
        """Go one or more steps back towards order, as far as it is reached.

        Args:
            now_ns: The time.
            is_held: Whether changes wait for room, so that the stream is behind the files.
        """
        backlog, drain = self._backlog, self.drain
        if self.mode is CaptureMode.SPOOL and not backlog.spool.count and backlog.pool.is_low:
            self._move(CaptureTrigger.SPOOL_EMPTY, "all of the spool came back", now_ns)
            drain.meet()
        if self.mode is CaptureMode.METADATA and drain.dirty.is_bitmap:
            self._move(CaptureTrigger.METADATA_FULL, f"{drain.dirty.count} blocks", now_ns)
        if self.mode is CaptureMode.BITMAP and not drain.dirty.is_bitmap:
            self._move(CaptureTrigger.DIRTY_FEW, f"{drain.dirty.count} ranges", now_ns)
        if self.mode is CaptureMode.METADATA and self._has_caught_up():
            self.emit_names(now_ns)
            self.emit_sizes(now_ns)
            self._move(CaptureTrigger.CAUGHT_UP, f"{drain.dirty.count} ranges left", now_ns)
            drain.meet()
        if self.mode is CaptureMode.DATA and not is_held and self._is_clean():
            self._close_gap(now_ns)

    def _has_caught_up(self) -> bool:
        dirty, backlog = self.drain.dirty, self._backlog
        is_little = dirty.count <= self._settings.metadata_changes_low
        return is_little and backlog.pool.is_low and not backlog.spool.count

    def _is_clean(self) -> bool:
        return self.is_in_gap and self.drain.is_idle and not self.is_comparing

    def _close_gap(self, now_ns: int) -> None:
        stream = self._backlog.stream
        assert stream.gap is not None, "a gap is open"
        drain = self.drain
        is_parted = drain.emitted is not None
        invariants.a_gap_closes_on_the_live_files(
            drain.dirty.count, drain.reading_bytes, is_parted=is_parted
        )
        is_resync = stream.gap.is_resync
        kind = RecordType.RESYNC_END if is_resync else RecordType.GAP_CLOSE
        self.append(Draft(kind), now_ns)
        self.notices.append(GapClosed(stream.newest.sequence, is_resync))

    # --- resync -------------------------------------------------------------------------------

    def know_nothing_but(self, files: Mapping[str, int]) -> None:
        """Begin with live files of these names and sizes, and an unknown target."""
        for file, name in enumerate(sorted(files), start=1):
            self.live.create(file, name)
            self.live.sizes[file] = files[name]
        self.clock = ModeClock(CaptureMode.UNTRACKED)

    def branch_off(self, base: Cursor, files: FileTableState, source_time_ns: int) -> None:
        """Continue at a base whose files are the live ones."""
        self._backlog.go_on_from(base, source_time_ns)
        self.live.become(Files.of(files))

    def rebase(self, cursor: Cursor, files: FileTableState, source_time_ns: int) -> None:
        """Continue the history of another capture, whose files the target told."""
        emitted = Files.of(files)
        self._backlog.go_on_from(cursor, source_time_ns)
        self.live.take_ids_of(emitted)
        self.drain.emitted = emitted

    def begin_resync(self, incarnation: int, now_ns: int) -> None:
        """Open a gap that a comparison fills, and give the stream the live names and sizes."""
        assert self.mode is CaptureMode.UNTRACKED, "a resync begins where nothing is known"
        named = encode_incarnation(incarnation)
        self.append(Draft(RecordType.RESYNC_BEGIN, payload=(named,)), now_ns)
        self._note_gap("both ends are compared", is_resync=True)
        self.emit_names(now_ns)
        self.emit_sizes(now_ns)
        self._move(CaptureTrigger.RESYNC, "both ends are compared", now_ns)
        self.drain.meet()
        self.is_comparing = True
        begun = self._backlog.stream.newest.sequence
        self.progress = CompareProgress(begun, 0, 0, self.live.id_newest)

    def mark_dirty(self, file: int, offset: int, length: int) -> None:
        """Note that the target lacks bytes of a live file; of one that is gone, nothing."""
        if file in self.live.names:
            self.drain.dirty.add(file, offset, min(offset + length, self.live.sizes[file]))

    # --- saved and restored -------------------------------------------------------------------

    def settle(self, now_ns: int) -> None:
        """Come to rest: no reads, and no comparison that a restart would not know of."""
        self.drain.forget_reads()
        if self.is_comparing:
            self._break_off("the source stops during a comparison", now_ns)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as plain values."""
        return self.drain.state() | {"mode": self.mode.value}

    def restore(self, fields: dict[str, Any]) -> None:
        """Become, when new, what `state` told of."""
        self.clock = ModeClock(CaptureMode(fields["mode"]))
        self.drain.restore(fields)

    def _move(self, trigger: CaptureTrigger, reason: str, now_ns: int) -> None:
        before = self.mode
        after = next_state("The capture", CAPTURE_TRANSITIONS, before, trigger)
        self.clock.move(after, now_ns)
        hint = _HINTS[trigger]
        self.notices.append(CaptureModeChanged(before.value, after.value, reason, hint))
