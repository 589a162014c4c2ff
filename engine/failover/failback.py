"""Failback: the old primary's files become those of the new one by what changed on either side.

    SAVING      until all that the old primary had written lies in its branch's orphan tail
    -> COPYING  the blocks that changed on either side since both histories parted; again for what
                came meanwhile, until little is left and a planned switch can take the rest
    -> LEVEL    the files are those of a sequence of the new branch
    COMPARING   instead of COPYING where the files are of no point: it was stopped midway

It runs at the old site, on its copy of both branches. Fault model. The process may die after any
action: the record file is written before the first change and after the last flush, so that a
restart knows whether the files are of a point. Promised: nothing of the old side is overwritten
before it is readable as an orphan tail. Not checked: that nobody else writes to the files.
"""

from collections.abc import Iterator, Mapping

from engine.basics.cursor import Cursor
from engine.basics.errors import LocalProtocolError, OrphanUnsaved
from engine.basics.payload import length_of, to_bytes
from engine.contract.actions import ReplaceFile
from engine.contract.machines import next_state
from engine.contract.storage import Storage
from engine.contract.volumes import (
    FlushVolume,
    MakeFile,
    RangeRead,
    ReadRange,
    RemoveFile,
    SizeFile,
    VolumeAction,
    WriteRange,
)
from engine.failover.states import FAILBACK_TRANSITIONS, FailbackState, FailbackTrigger
from engine.formats.failback_state import (
    FAILBACK_FILE,
    FailbackRecord,
    decode_failback,
    encode_failback,
)
from engine.images.rollback import Rollback
from engine.layers.differences import BLOCK_BYTES, DiffMap
from engine.layers.plan import LayerMap
from engine.layers.strata import View

_S, _T = FailbackState, FailbackTrigger
_STEP_BYTES = 4 << 20
_READ_BYTES = 1 << 20


class Failback:
    """Brings the files of an old primary to a point of the new one's branch.

    Args:
        storage: Where the record file is.
        old: The old branch, with its orphan tail.
        ancestor: Where the two histories parted (`engine.failover.branches.common_ancestor`).
        step_bytes_max: How much a step moves.
    """

    def __init__(
        self,
        storage: Storage,
        old: LayerMap,
        ancestor: Cursor,
        *,
        step_bytes_max: int = _STEP_BYTES,
    ) -> None:
        self.old = old
        self.ancestor = ancestor
        #: The sequence of the new branch that the files are of, None while of none.
        self.level_at: int | None = None
        self.bytes_done = 0
        self.bytes_at_most = 0
        self._step_bytes_max = step_bytes_max
        self._wanted = 0
        self._work: Iterator[VolumeAction | ReadRange] = iter(())
        self._read: RangeRead | None = None
        self._is_waiting = False
        self.state = self._read_record(storage)

    def orphans_saved(self, captured: Cursor) -> None:
        """Take the old capture's newest record; it must have come to the old branch.

        A host that stopped without warning has no such record: its files are compared with the old
        branch first, by a resync in the old epoch, whose end is its newest record then.

        Raises:
            OrphanUnsaved: Something that the old primary wrote would be overwritten for good.
        """
        durable = self.old.journal.durable
        if durable != captured:
            raise OrphanUnsaved(
                f"The old primary wrote up to sequence {captured.sequence}, its branch holds "
                f"{durable.sequence}"
            )
        self._move(_T.SAVED)

    def begin_round(self, new: LayerMap, sequence: int) -> list[ReplaceFile]:
        """Begin to bring the files to a sequence of the new branch, by what may differ.

        Raises:
            PointRefused: The changes since are not kept that finely: compare.
        """
        if self.level_at is None:
            here = self.old.journal.durable.sequence
            parted = self.ancestor.sequence
            differences = DiffMap.across(parted, (self.old, here), (new, sequence))
        else:
            differences = DiffMap.between(new, self.level_at, sequence)
        self._move(_T.COPY)
        self.bytes_at_most = differences.bytes_at_most()
        rollback = Rollback(differences, self._step_bytes_max)
        self._work = _all_of(rollback)
        return self._begin(sequence)

    def begin_comparing(
        self, new: LayerMap, sequence: int, files: Mapping[str, int]
    ) -> list[ReplaceFile]:
        """Begin to bring the files to a sequence of the new branch, whatever they are now.

        Args:
            new: The new branch.
            sequence: The wanted point.
            files: The files that are there, with their sizes.
        """
        self._move(_T.COMPARE)
        self._work = self._compared(new.view(sequence), files)
        return self._begin(sequence)

    def step(self) -> list[VolumeAction | ReadRange]:
        """Return the next actions; after a ReadRange call `range_read` before the next step."""
        if self._is_waiting:
            raise LocalProtocolError("The read is not answered yet")
        actions: list[VolumeAction | ReadRange] = []
        moved = 0
        for action in self._work:
            actions.append(action)
            if isinstance(action, WriteRange):
                moved += length_of(action.payload)
            self._is_waiting = isinstance(action, ReadRange)
            if self._is_waiting or moved >= self._step_bytes_max:
                break
        self.bytes_done += moved
        return actions

    def range_read(self, event: RangeRead) -> None:
        """Take what was read."""
        if not self._is_waiting:
            raise LocalProtocolError("No read is under way")
        self._read, self._is_waiting = event, False

    def flushed(self) -> list[ReplaceFile]:
        """Note that the flush of the round is done: the files are of the wanted point."""
        self._move(_T.FLUSHED)
        self.level_at = self._wanted
        return [self._record()]

    def _begin(self, sequence: int) -> list[ReplaceFile]:
        self._wanted, self.bytes_done = sequence, 0
        self.level_at = None
        return [self._record()]

    def _compared(
        self, there: View, files: Mapping[str, int]
    ) -> Iterator[VolumeAction | ReadRange]:
        wanted = set(there.names.values())
        yield from (RemoveFile(name) for name in sorted(files) if name not in wanted)
        for file, name in sorted(there.names.items()):
            size = there.size(file)
            if name not in files:
                yield MakeFile(name)
            if files.get(name, 0) != size:
                yield SizeFile(name, size)
            for offset in range(0, size, _READ_BYTES):
                length = min(_READ_BYTES, size - offset)
                yield ReadRange(offset, name, offset, length)
                assert self._read is not None, "the read was answered"
                found = to_bytes(self._read.data)
                yield from _differing(
                    name, offset, found, to_bytes(there.read(file, offset, length))
                )
        yield FlushVolume(1)

    def _record(self) -> ReplaceFile:
        record = FailbackRecord(self.ancestor, self.level_at)
        return ReplaceFile(FAILBACK_FILE, encode_failback(record))

    def _read_record(self, storage: Storage) -> FailbackState:
        """Return where it stands: whoever cannot tell compares."""
        if not storage.exists(FAILBACK_FILE):
            return _S.SAVING
        record = decode_failback(storage.read(FAILBACK_FILE, 0, storage.size(FAILBACK_FILE)))
        if record is None or record.level_at is None or record.ancestor != self.ancestor:
            return _S.STOPPED
        self.level_at = record.level_at
        return _S.LEVEL

    def _move(self, trigger: FailbackTrigger) -> None:
        self.state = next_state("The failback", FAILBACK_TRANSITIONS, self.state, trigger)


def _all_of(rollback: Rollback) -> Iterator[VolumeAction]:
    while actions := rollback.step():
        yield from actions


def _differing(name: str, offset: int, found: bytes, wanted: bytes) -> Iterator[VolumeAction]:
    for at in range(0, len(wanted), BLOCK_BYTES):
        block = wanted[at : at + BLOCK_BYTES]
        if found[at : at + BLOCK_BYTES] != block:
            yield WriteRange(name, offset + at, (block,))
