"""The pool: the records in memory that are not yet acknowledged, oldest first."""

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.capture.stream import PoolEntry


class Pool:
    """A bounded run of records.

    Args:
        acknowledged: The cursor before the first one.
        bytes_max: What it holds, in raw bytes.
    """

    def __init__(self, acknowledged: Cursor, bytes_max: int) -> None:
        #: All that the target has acknowledged as durable; the pool begins after it.
        self.acknowledged = acknowledged
        #: The newest record in the pool, the one just before its first where it is empty.
        self.end = acknowledged
        #: The source time of that record, 0 before the first of all.
        self.end_time_ns = 0
        self.bytes = 0
        #: Raw bytes that were ever let go.
        self.freed_bytes = 0
        self._bytes_max = bytes_max
        self._entries: dict[int, PoolEntry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_low(self) -> bool:
        """Return whether there is so much room that it will not be full again at once."""
        return self.bytes * 2 <= self._bytes_max

    @property
    def newest(self) -> PoolEntry | None:
        """Return the newest record, None in an empty pool."""
        return self._entries.get(self.end.sequence)

    def has_room(self, cost: int) -> bool:
        """Return whether so many raw bytes fit."""
        # One record larger than the whole pool must still pass, alone, or its writer hangs.
        return not self._entries or self.bytes + cost <= self._bytes_max

    def restart(self, acknowledged: Cursor, time_ns: int) -> None:
        """Begin after another cursor, of a record of this source time; the pool must be empty."""
        assert not self._entries, "a pool with records has its place"
        self.acknowledged = self.end = acknowledged
        self.end_time_ns = time_ns

    def add(self, entry: PoolEntry) -> None:
        """Add the record after the newest one."""
        epoch, sequence, _ = self.end
        self._entries[sequence + 1] = entry
        self.bytes += entry.cost_bytes
        self.end = Cursor(epoch, sequence + 1, entry.chain)
        self.end_time_ns = entry.source_time_ns

    def entry(self, sequence: int) -> PoolEntry:
        """Return a record that is in the pool."""
        return self._entries[sequence]

    def entries(self) -> list[PoolEntry]:
        """Return all records in order."""
        return list(self._entries.values())

    def chain_at(self, sequence: int) -> int:
        """Return the chain after a sequence that is acknowledged or in the pool."""
        if sequence == self.acknowledged.sequence:
            return self.acknowledged.chain
        return self._entries[sequence].chain

    def free(self, cursor: Cursor) -> int:
        """Let go of all records up to a durable cursor; return their raw bytes."""
        freed = 0
        for sequence in range(self.acknowledged.sequence + 1, cursor.sequence + 1):
            freed += self._entries.pop(sequence).cost_bytes
        self.bytes -= freed
        self.freed_bytes += freed
        self.acknowledged = cursor
        invariants.pool_is_contiguous(self.acknowledged, self.end, len(self._entries))
        return freed
