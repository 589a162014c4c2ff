"""The records of a capture as its session sees them: where they begin, and what may be sent."""

from engine.basics.cursor import Cursor
from engine.capture.backlog import Backlog
from engine.capture.stream import PoolEntry


class Outgoing:
    """The sending side of a capture.

    Args:
        backlog: The records.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    @property
    def clock_offset_ns(self) -> int:
        """Wall clock of the host minus the clock of `now_ns`; the driver sets it when it steps.

        Stamps stay monotone whatever it does (protection.md 3.8).
        """
        return self._backlog.stream.clock_offset_ns

    @clock_offset_ns.setter
    def clock_offset_ns(self, offset_ns: int) -> None:
        self._backlog.stream.clock_offset_ns = offset_ns

    @property
    def acknowledged(self) -> Cursor:
        """All that the target has acknowledged as durable."""
        return self._backlog.pool.acknowledged

    @property
    def newest(self) -> Cursor:
        """Return the newest record in the stream."""
        return self._backlog.stream.newest

    @property
    def source_time_ns(self) -> int:
        """Return the source time of the newest record in the stream."""
        return self._backlog.stream.source_time_ns

    @property
    def oldest_sequence(self) -> int:
        """Return the oldest sequence that can still be sent."""
        return self.acknowledged.sequence + 1

    @property
    def sendable_sequence(self) -> int:
        """Return the newest sequence that can be sent: what follows lies in the spool."""
        return self._backlog.pool.end.sequence

    @property
    def pool_bytes(self) -> int:
        """Return the raw bytes of what can be sent."""
        return self._backlog.pool.bytes

    def entry(self, sequence: int) -> PoolEntry:
        """Return a record that can be sent."""
        return self._backlog.pool.entry(sequence)

    def check(self, cursor: Cursor) -> None:
        """Check a cursor of the target; raises as `Backlog.check`."""
        self._backlog.check(cursor)

    def check_welcome(self, cursor: Cursor) -> None:
        """Check the cursor of a WELCOME; raises as `Backlog.check_welcome`."""
        self._backlog.check_welcome(cursor)
