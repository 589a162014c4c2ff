"""The records of a snapshot set: which volumes, how far it has come, when what happened."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from emulators.vss.session import Session

if TYPE_CHECKING:
    from emulators.vss.codes import BackupType
    from emulators.vss.hold import Hold
    from emulators.vss.writer import Writer
    from sim.volume import Volume

__all__ = ["Phase", "SnapshotSet", "SnapshotTimes"]


class Phase(Enum):
    """How far a snapshot set has come."""

    ADDING = "volumes are being added"
    PREPARED = "prepared for backup"
    WORKING = "the snapshot is being taken"
    TAKEN = "the snapshot is taken"
    ENDED = "the backup has ended"


@dataclass(frozen=True, slots=True)
class SnapshotTimes:
    """When what happened in a good snapshot, in nanoseconds of the run.

    `freeze_ns` is the time from the Freeze event to the last writer's Thaw.
    """

    frozen_from_ns: int
    hold: "Hold"
    thawed_ns: int

    @property
    def freeze_ns(self) -> int:
        """For how long the writers were frozen."""
        return self.thawed_ns - self.frozen_from_ns

    @property
    def hold_ns(self) -> int:
        """For how long the writes were held, the flush before included."""
        return self.hold.released_ns - self.hold.ordered_ns


@dataclass(slots=True)
class SnapshotSet:
    """One requestor's snapshot set; made by `SnapshotService.start_snapshot_set`."""

    id: str
    backup_type: "BackupType"
    volumes: "list[Volume]" = field(default_factory=list)
    writers: "tuple[Writer, ...]" = ()
    phase: Phase = Phase.ADDING

    def session(self) -> Session:
        """Return what a writer is told of this set."""
        names = tuple(volume.name for volume in self.volumes)
        return Session(self.id, self.backup_type, names)
