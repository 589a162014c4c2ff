"""Volumes: files on a disk, with filters that see every change in order.

Fault model.
May happen: a power cut drops the operations that have not completed (their signals never fire)
and keeps, tears or loses each write since its file's last completed flush (stored_file.py); the
volume runs full; it is destroyed with its site; its disk stalls. Whatever is registered with
`disturb` may let an operation fail, or let a write do something else than it tells (volume_faults
has an I/O error, a lost and a misdirected write); `rot` flips one bit that is stored; `restore`
puts an older state of all files back.
Promised: operations complete in the order of issue. Create, rename, replace, truncate and delete
are atomic and durable when they complete (the metadata are journalled and written through). A
failed operation changes nothing and is shown to no filter. A filter is software of the host: a
power cut detaches it. Reads take their turn like writes and see what completed before them.
Model: a read or write takes the disk's latency and its bytes; a change of the name space one
journal page; a flush the latency alone.
Not checked: the file system's own structures, fragmentation, caching of reads; `names`, `size`,
`peek` and `snapshot` cost no time and are meant for recovery code that charges for it itself,
and for tests.
"""

from collections.abc import Callable
from functools import partial

from sim.disk import Disk
from sim.file_table import FileTable
from sim.host import Host
from sim.kernel import Kernel, Signal
from sim.operation import Kind, Operation, Pending
from sim.operation_queue import Filter, OperationQueue
from sim.payload import Segments, length_of, to_bytes
from sim.snapshot import Snapshot
from sim.stored_file import Fate, Torn, UnflushedWrite
from sim.streams import Streams
from sim.volume_errors import (
    DiskFull,
    FileExists,
    FileMissing,
    InputOutputError,
    VolumeError,
    VolumeHeld,
    VolumeLost,
)

__all__ = [
    "DiskFull",
    "Disturbance",
    "Fate",
    "FileExists",
    "FileMissing",
    "Filter",
    "InputOutputError",
    "Kind",
    "Operation",
    "Snapshot",
    "Torn",
    "UnflushedWrite",
    "Volume",
    "VolumeError",
    "VolumeHeld",
    "VolumeLost",
]

FateOf = Callable[[UnflushedWrite], Fate | Torn]
Apply = Callable[[Pending], object]
Disturbance = Callable[[Apply, Pending], object]
"""Carries an operation out in its own way, or by the given function, or raises VolumeError."""

METADATA_BYTES = 4096  # assumption: a change of the name space writes one journal page


class Volume:
    """A volume.

    Args:
        kernel: The kernel.
        name: Its name, unique in a world.
        disk: The disk that serves it; several volumes may share one.
        capacity_bytes: How many bytes its files may have together.
        host: The machine it belongs to: a power cut there cuts the volume's.
        streams: The run's streams: the fates of unflushed writes are drawn from one.

    Attributes:
        lost: Whether it was destroyed.
        refused_count: How many operations failed for want of room.
        fates: What the last power cut did to each unflushed write.
    """

    __slots__ = (
        "_disturbances",
        "_draws",
        "_files",
        "_queue",
        "disk",
        "fates",
        "host",
        "kernel",
        "lost",
        "name",
        "refused_count",
    )

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        disk: Disk,
        *,
        capacity_bytes: int,
        host: Host | None = None,
        streams: Streams | None = None,
    ) -> None:
        self.kernel = kernel
        self.name = name
        self.disk = disk
        self.host = host
        self.lost = False
        self.refused_count = 0
        self.fates: list[tuple[UnflushedWrite, Fate | Torn]] = []
        self._disturbances: list[Disturbance] = []
        self._draws = (streams or kernel.streams).stream(f"volume:{name}")
        self._files = FileTable(name, capacity_bytes)
        self._queue = OperationQueue(kernel, name, disk, self._apply)
        if host is not None:
            host.on_power_cut(self.power_cut)
            if host.site is not None:
                host.site.volumes.append(self)

    def __repr__(self) -> str:
        return f"<volume {self.name}>"

    # Operations: each returns a signal that fires when the operation has completed.

    def create(self, name: str) -> Signal:
        """Create an empty file; fails with FileExists."""
        return self._issue(Pending(Kind.CREATE, name, self.kernel.signal()), METADATA_BYTES)

    def write(self, name: str, offset: int, payload: Segments) -> Signal:
        """Write at an offset; the file grows as needed. Fails with FileMissing, DiskFull."""
        assert offset >= 0, f"{self.name}: {name} written at {offset}"
        size = length_of(payload)
        pending = Pending(
            Kind.WRITE, name, self.kernel.signal(), offset=offset, payload=payload, size=size
        )
        return self._issue(pending, size)

    def append(self, name: str, payload: Segments) -> Signal:
        """Write at the end the file has when its turn comes; fires with that offset."""
        size = length_of(payload)
        pending = Pending(
            Kind.WRITE, name, self.kernel.signal(), offset=-1, payload=payload, size=size
        )
        return self._issue(pending, size)

    def truncate(self, name: str, size: int) -> Signal:
        """Cut a file to a size, or extend it with zeros; fails with FileMissing, DiskFull."""
        assert size >= 0, f"{self.name}: {name} truncated to {size}"
        pending = Pending(Kind.TRUNCATE, name, self.kernel.signal(), size=size)
        return self._issue(pending, METADATA_BYTES)

    def rename(self, old: str, new: str) -> Signal:
        """Rename a file; fails with FileMissing, FileExists: nothing is replaced."""
        pending = Pending(Kind.RENAME, old, self.kernel.signal(), new_name=new)
        return self._issue(pending, METADATA_BYTES)

    def replace(self, old: str, new: str) -> Signal:
        """Rename a file; where another has the new name, that one is gone. Fails with FileMissing.

        A filter is shown one operation: no moment is without a file of the new name.
        """
        pending = Pending(Kind.REPLACE, old, self.kernel.signal(), new_name=new)
        return self._issue(pending, METADATA_BYTES)

    def delete(self, name: str) -> Signal:
        """Delete a file; fails with FileMissing."""
        return self._issue(Pending(Kind.DELETE, name, self.kernel.signal()), METADATA_BYTES)

    def flush(self, name: str) -> Signal:
        """Make all that was written to a file before durable; fails with FileMissing."""
        return self._issue(Pending(Kind.FLUSH, name, self.kernel.signal()), 0)

    def read(self, name: str, offset: int, length: int) -> Signal:
        """Read; fires with the segments, fewer at the end of the file. Fails with FileMissing."""
        assert offset >= 0, f"{self.name}: {name} read at {offset}"
        pending = Pending(Kind.READ, name, self.kernel.signal(), offset=offset, size=length)
        return self._issue(pending, length)

    # Filters, and flush-and-hold.

    def attach(self, observer: Filter) -> Callable[[], None]:
        """Show every completed change to an observer, in order; returns how to detach it.

        Filters are asked in the order they were attached. A signal that one returns delays the
        operation's own signal, and everything after it, until it fires (push-back).
        """
        self._queue.filters.append(observer)

        def detach() -> None:
            if observer in self._queue.filters:
                self._queue.filters.remove(observer)

        return detach

    def hold(self) -> Signal:
        """Let later operations wait; fires when all earlier ones have completed.

        Raises:
            VolumeHeld: The volume is held already.
        """
        return self._queue.hold()

    def release(self) -> None:
        """Let the operations that waited go on; harmless if the volume is not held."""
        self._queue.release()

    @property
    def is_held(self) -> bool:
        """Whether operations wait for `release`."""
        return self._queue.is_held

    # A look without cost.

    def names(self) -> list[str]:
        """Return the names of the files, sorted."""
        return self._files.names()

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return self._files.exists(name)

    def size(self, name: str) -> int:
        """Return a file's size in bytes; raises FileMissing."""
        return self._files.get(name).content.size

    def peek(self, name: str, offset: int, length: int) -> bytes:
        """Return a part of a file, fewer bytes at its end; raises FileMissing."""
        return to_bytes(self.peek_segments(name, offset, length))

    def peek_segments(self, name: str, offset: int, length: int) -> Segments:
        """Return a part of a file as segments; raises FileMissing."""
        return self._files.get(name).content.read(offset, length)

    def snapshot(self) -> Snapshot:
        """Return the files as they are now, frozen."""
        return self._files.snapshot()

    @property
    def used_bytes(self) -> int:
        """The sum of the sizes of all files, and of what is reserved."""
        return self._files.used_bytes

    @property
    def free_bytes(self) -> int:
        """What files may still grow by."""
        return self._files.free_bytes

    @property
    def capacity_bytes(self) -> int:
        """What the volume holds at most."""
        return self._files.capacity_bytes

    @property
    def reserved_bytes(self) -> int:
        """Room that was taken away from the files."""
        return self._files.reserved_bytes

    def reserve(self, byte_count: int) -> None:
        """Take that much room away from the files (0 gives it back), as foreign data would."""
        self._files.reserved_bytes = byte_count

    # Faults.

    def power_cut(self, fate: FateOf | None = None) -> None:
        """Cut the power: see the fault model.

        Args:
            fate: Decides over each unflushed write; drawn from the volume's stream if absent.
        """
        self._queue.abandon()
        self.fates = self._files.power_cut(fate or self._draw_fate)

    def destroy(self) -> int:
        """Lose everything; returns the bytes lost. Every operation from now on fails."""
        self.lost = True
        lost_bytes = self._files.clear()
        dropped = self._queue.abandon()
        if self.host is None or self.host.up:
            for pending in dropped:
                pending.signal.fail(VolumeLost(self.name))
        return lost_bytes

    def disturb(self, disturbance: Disturbance) -> Callable[[], None]:
        """Let every operation pass a fault when its turn comes; returns how to end that."""
        self._disturbances.append(disturbance)
        return lambda: self._disturbances.remove(disturbance)

    def rot(self, name: str, offset: int, bit: int) -> None:
        """Flip one bit of a file, unseen by every filter; raises FileMissing."""
        assert 0 <= offset < self.size(name), f"{self.name}: {name} has no byte {offset}"
        self._files.get(name).rot(offset, bit)

    def restore(self, snapshot: Snapshot) -> None:
        """Put the files back as they were; what runs on them has been stopped before."""
        assert self.host is None or not self.host.up, f"{self.name}: restored under a running host"
        self._files.restore(snapshot)

    def _issue(self, pending: Pending, byte_count: int) -> Signal:
        """Begin an operation."""
        if self.host is not None and not self.host.up:
            return pending.signal  # a machine without power does nothing and says nothing
        if self.lost:
            pending.signal.fail(VolumeLost(self.name))
        else:
            self._queue.issue(pending, byte_count)
        return pending.signal

    def _apply(self, pending: Pending) -> object:
        """Carry an operation out."""
        apply: Apply = self._files.apply
        for disturbance in self._disturbances:
            apply = partial(disturbance, apply)
        try:
            return apply(pending)
        except DiskFull:
            self.refused_count += 1
            raise

    def _draw_fate(self, write: UnflushedWrite) -> Fate | Torn:
        """Draw a fate: kept, lost, torn, each a third (assumption)."""
        draw = self._draws.below(3)
        torn_sectors = self._draws.below(write.sectors) if write.sectors else 0
        return (Fate.KEPT, Fate.LOST, Torn(torn_sectors))[draw]
