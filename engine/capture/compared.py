"""What a resync wants of a capture: both ends are compared while it goes on capturing.

    begin_resync (or rebase) -> reads of the live files, mark_dirty, compared_up_to -> close_gap

What has been compared is told to the capture, and so lasts as long as the capture does: a new
connection, or a new session, goes on from there.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING

from engine.basics.cursor import Cursor
from engine.basics.errors import LocalProtocolError
from engine.capture.modes import CaptureMode
from engine.capture.outgoing import Outgoing
from engine.contract.actions import ReadSource
from engine.formats.records import RecordType
from engine.formats.standings import FileEntry
from engine.history.filetable import FileTableState

if TYPE_CHECKING:
    from engine.capture.order import CompareProgress, Order


class Compared(Outgoing):
    """The side of a capture that a resync sees."""

    incarnation: int
    is_based: bool
    _order: "Order"

    @abstractmethod
    def _advance(self, now_ns: int) -> None:
        """Go back towards order, as far as it is reached."""

    @property
    def is_in_gap(self) -> bool:
        """Return whether order is lost at the end of the stream."""
        return self._order.is_in_gap

    @property
    def is_resync_needed(self) -> bool:
        """Return whether nobody knows what the target lacks, and nobody compares yet."""
        return self._order.mode is CaptureMode.UNTRACKED

    @property
    def is_comparing(self) -> bool:
        """Return whether a comparison is under way; it ends early where it must begin anew."""
        return self._order.is_comparing

    def live_files(self) -> FileTableState:
        """Return the live files as they are now."""
        return self._order.live.state()

    def rebase(
        self, cursor: Cursor, files: FileTableState, source_time_ns: int, now_ns: int
    ) -> None:
        """Continue the target's history at its durable end, and begin a resync.

        Args:
            cursor: The target's durable cursor.
            files: Its files there.
            source_time_ns: The source time of its newest record, 0 without one.
            now_ns: The time.
        """
        if self.is_based:
            raise LocalProtocolError("The capture knows where its history ends")
        self._order.rebase(cursor, files, source_time_ns)
        self.is_based = True
        self.begin_resync(now_ns)

    def begin_resync(self, now_ns: int) -> None:
        """Open a gap that a comparison of both ends fills (`mark_dirty`), for `rebase` or a break.

        Everything captured from here on is in the stream or dirty: the live files may be compared
        with the target's at any sequence from here on.
        """
        if not (self.is_based and self.is_resync_needed):
            raise LocalProtocolError("There is nothing to compare, or nobody knows with what")
        self._order.begin_resync(self.incarnation, now_ns)

    def mark_dirty(self, file: int, offset: int, length: int) -> None:
        """Note that the target lacks these bytes of a live file."""
        self._order.mark_dirty(file, offset, length)

    def close_gap_when_clean(self, now_ns: int) -> None:
        """Note that all has been compared: the gap closes once nothing is dirty any more."""
        self._order.is_comparing = False
        self._advance(now_ns)

    # --- the comparison -------------------------------------------------------------------------

    @property
    def progress(self) -> "CompareProgress":
        """Return how far the comparison has come; only while `is_comparing`."""
        progress = self._order.progress
        assert progress is not None, "a comparison is under way"
        return progress

    @property
    def begins_with_resync(self) -> bool:
        """Return whether the oldest record that can be sent begins a resync."""
        first = self.oldest_sequence
        if first > self.sendable_sequence:
            return False
        return self.entry(first).kind == RecordType.RESYNC_BEGIN

    def compared_up_to(self, file: int, offset: int) -> None:
        """Note that everything before this byte has been compared: files go by their ids."""
        self._order.progress = self.progress._replace(file=file, offset=offset)

    def live_file(self, file: int) -> FileEntry | None:
        """Return a live file, or None where it is gone."""
        live = self._order.live
        if file not in live.names:
            return None
        return FileEntry(file, live.names[file], live.sizes[file])

    def read_to_compare(self, file: int, offset: int, length: int) -> ReadSource:
        """Return a read of a live file, whose answer is not to be drained but compared.

        Any moment between the read's action and its answer will do: what is written meanwhile is
        in the stream or dirty. Only the file must have been the one that was meant.
        """
        return self._order.drain.watch(file, offset, length)

    def was_file_read(self, token: int) -> bool:
        """Return, once, whether this answer is of the file that was meant.

        If it was renamed or deleted meanwhile, another file of its name may have been read.
        """
        return self._order.drain.unwatch(token)
