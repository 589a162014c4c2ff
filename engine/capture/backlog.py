"""The backlog: every record that is not yet acknowledged, in one order, in memory or on disk.

acknowledged | pool: may be sent | spool: comes into the pool in its turn | newest
"""

from collections.abc import Callable
from typing import Any

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EpochFenced,
    JournalRegressed,
)
from engine.basics.settings import CaptureSettings
from engine.capture.pool import Pool
from engine.capture.spool import Spool
from engine.capture.stream import Draft, PoolEntry, Stream, entries_of
from engine.contract.actions import FileAction
from engine.contract.storage import Storage
from engine.history.gaps import OpenGap


class Backlog:
    """The stream's newest records, until the target has them.

    Args:
        group: Number of the consistency group.
        epoch: The writer's epoch.
        settings: Bounds.
        storage: Reads the spool's files; None for no spool.
    """

    def __init__(
        self, group: int, epoch: int, settings: CaptureSettings, storage: Storage | None
    ) -> None:
        self.stream = Stream(group, epoch, settings.compression_level)
        self.pool = Pool(self.stream.newest, settings.pool_bytes_max)
        self.spool = Spool(storage, settings)
        self._deletions: list[FileAction] = []

    # --- records in ---------------------------------------------------------------------------

    def has_room(self, cost: int) -> bool:
        """Return whether a record of so many raw bytes fits where the next one belongs."""
        return self.spool.has_room(cost) if self.spool.count else self.pool.has_room(cost)

    def append(self, draft: Draft, now_ns: int) -> bool:
        """Add the next record, whether there is room or not; return whether it is in the pool.

        It goes to the spool while others wait there, or where the pool has no room and the spool
        has; but what fills a gap stays in memory, for its order is worth no disk.
        """
        stream, pool, spool = self.stream, self.pool, self.spool
        # The first change of a branch passes with its EPOCH, as one alone does.
        may_spool = stream.gap is None and not stream.needs_epoch
        if stream.needs_epoch:
            pool.add(stream.epoch_record(now_ns))
        entry = stream.next_record(draft, now_ns)
        cost = entry.cost_bytes
        if spool.count or (may_spool and not pool.has_room(cost) and spool.has_room(cost)):
            spool.add(stream.newest.sequence, entry)
            return False
        pool.add(entry)
        return True

    def go_on_from(self, cursor: Cursor, source_time_ns: int) -> None:
        """Continue a history at its end; nothing of an own one may be there."""
        self.stream.go_on_from(cursor, source_time_ns)
        self.pool.restart(self.stream.newest, self.stream.source_time_ns)

    def drop_spool(self) -> None:
        """Take back every record of the spool; the stream ends with the pool."""
        self._deletions += self.spool.drop()
        self.stream.rewind(self.pool.end, self.pool.end_time_ns)

    # --- records out --------------------------------------------------------------------------

    def refill(self, came_back: Callable[[PoolEntry], None]) -> None:
        """Bring records from the spool into the pool while there is room.

        Raises:
            SpoolDamaged: They cannot be read back.
        """
        pool = self.pool
        for entry in self.spool.come_back(pool.end, pool.has_room):
            pool.add(entry)
            came_back(entry)

    def take_actions(self) -> list[FileAction]:
        """Return what is to be done with the spool's files."""
        deletions, self._deletions = self._deletions, []
        return deletions + self.spool.write()

    def check(self, cursor: Cursor) -> None:
        """Check a cursor of the target against the stream, changing nothing.

        Raises:
            EpochFenced: It belongs to another epoch.
            CursorNeverSent: It lies beyond the newest record that could be sent.
            CursorRegressed: It lies before what was acknowledged.
            ChainMismatch: The target holds other records than these.
        """
        pool = self.pool
        acknowledged, newest = pool.acknowledged, pool.end
        if cursor.epoch != newest.epoch:
            raise EpochFenced(
                f"The target answers in epoch {cursor.epoch}, this source is in {newest.epoch}"
            )
        if cursor.sequence > newest.sequence:
            raise CursorNeverSent(
                f"The target is at sequence {cursor.sequence}, the newest record here is "
                f"{newest.sequence}"
            )
        if cursor.sequence < acknowledged.sequence:
            raise CursorRegressed(
                f"The target acknowledges sequence {cursor.sequence}, before that it acknowledged "
                f"{acknowledged.sequence}"
            )
        expected = pool.chain_at(cursor.sequence)
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
        acknowledged = self.pool.acknowledged
        if cursor.epoch == acknowledged.epoch and cursor.sequence < acknowledged.sequence:
            raise JournalRegressed(
                f"The target's journal ends at sequence {cursor.sequence}; it had acknowledged "
                f"{acknowledged.sequence}, and the pool begins after that"
            )
        self.check(cursor)

    def acknowledge(self, cursor: Cursor) -> int:
        """Free all records up to a durable cursor; return the raw bytes freed.

        Raises:
            RemoteProtocolError: As `check`; nothing is changed then.
        """
        self.check(cursor)
        invariants.acknowledged_never_decreases(self.pool.acknowledged, cursor)
        freed = self.pool.free(cursor)
        self._deletions += self.spool.free(cursor.sequence)
        return freed

    # --- saved and restored -------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Return what `restore` needs: plain values, and the records that are in memory."""
        stream, spool_fields, waiting = self.stream, *self.spool.state()
        pooled = self.pool.entries()
        fields = {
            "acknowledged": self.pool.acknowledged,
            "pooled": len(pooled),
            "pool_end_time_ns": self.pool.end_time_ns,
            "newest": stream.newest,
            "source_time_ns": stream.source_time_ns,
            "gap": stream.gap,
            "parent": stream.parent,
            "spool": spool_fields,
        }
        return fields, b"".join([part for entry in (*pooled, *waiting) for part in entry.parts])

    def restore(self, fields: dict[str, Any], records: bytes) -> None:
        """Become, when new, what `state` told of."""
        entries = entries_of(records)
        self.pool.restart(Cursor(*fields["acknowledged"]), fields["pool_end_time_ns"])
        for entry in entries[: fields["pooled"]]:
            self.pool.add(entry)
        stream, gap, parent = self.stream, fields["gap"], fields["parent"]
        stream.newest, stream.source_time_ns = Cursor(*fields["newest"]), fields["source_time_ns"]
        stream.gap = None if gap is None else OpenGap(*gap)
        stream.parent = None if parent is None else Cursor(*parent)
        sequence = stream.newest.sequence
        self._deletions += self.spool.restore(
            fields["spool"], entries[fields["pooled"] :], sequence
        )
