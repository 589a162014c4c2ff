"""The faults of disks and of the files on them.

A volume keeps its promises to its filters: what they are shown is what was asked for, also where
the disk did something else. So a protection sees the right write, and the volume holds a wrong one.
"""

from abc import abstractmethod
from dataclasses import dataclass

from sim.disk import Disk
from sim.fault_plan import Fault, Injection
from sim.operation import Kind, Pending
from sim.payload import Segments, length_of
from sim.streams import Stream
from sim.volume import Apply, Volume
from sim.volume_errors import InputOutputError

__all__ = [
    "BitRot",
    "DiskSlow",
    "DiskStall",
    "InputOutputErrors",
    "LostWrite",
    "MisdirectedWrite",
    "StaleSnapshot",
    "VolumeFull",
    "VolumeLoss",
]

ALIGNMENT_BYTES = 4096
"""A misdirected write lands at a multiple of this: the unit of a disk's address. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStall(Fault):
    """A disk serves nothing for a time."""

    kind = "disk_stall"
    device = "disk"

    disk: str
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Stall the disk and let it go on."""
        disk: Disk = self.find(injection.world)
        if disk.stalled:
            injection.missed("the disk stood still already")
            return
        disk.stall()
        injection.fired(f"stalled with {len(disk)} requests", len(disk))

        def lift() -> None:
            injection.learned(f"{len(disk)} requests waited at the end", len(disk))
            disk.resume()

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFull(Fault):
    """A volume has no room for a time."""

    kind = "volume_full"
    device = "volume"

    volume: str
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Take all the room and give it back."""
        volume: Volume = self.find(injection.world)
        taken_bytes = volume.free_bytes
        if volume.lost or not taken_bytes:
            injection.missed("there was no room to take")
            return
        refused_before = volume.refused_count
        volume.reserve(volume.reserved_bytes + taken_bytes)
        injection.fired(f"{taken_bytes} bytes taken")

        def lift() -> None:
            refused = volume.refused_count - refused_before
            injection.learned(f"{refused} operations refused", refused)
            volume.reserve(max(volume.reserved_bytes - taken_bytes, 0))

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLoss(Fault):
    """A volume loses everything for good, while its host runs on."""

    kind = "volume_loss"
    device = "volume"

    volume: str

    def strike(self, injection: Injection) -> None:
        """Destroy it."""
        volume: Volume = self.find(injection.world)
        if volume.lost:
            injection.missed("the volume was lost already")
            return
        injection.fired(f"{volume.destroy()} bytes destroyed", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfVolume(Fault):
    """What strikes the files of one volume."""

    device = "volume"

    volume: str

    def draws(self, injection: Injection) -> Stream:
        """Return where it draws the place from that it strikes."""
        name = f"fault:{self.kind}:{self.target}:{self.at_ns}:place"
        return injection.kernel.streams.stream(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSlow(Fault):
    """A disk moves fewer bytes a second for a time."""

    kind = "disk_slow"
    device = "disk"

    disk: str
    throughput_bytes_s: int
    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Slow the disk down and let it be as fast as before."""
        disk: Disk = self.find(injection.world)
        before = disk.throughput_bytes_s
        if before <= self.throughput_bytes_s:
            injection.missed(f"the disk moved {before:,} bytes a second already")
            return
        lift_limit = disk.limit(self.throughput_bytes_s)
        done_before = disk.requests_done
        evidence = f"from {before:,} to {self.throughput_bytes_s:,} bytes a second"
        injection.fired(evidence)

        def lift() -> None:
            lift_limit()
            requests = disk.requests_done - done_before
            injection.learned(f"{evidence}: {requests} requests served so", requests)

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOutputErrors(_OfVolume):
    """Every read, write and flush of a volume fails for a time."""

    kind = "io_error"

    duration_ns: int

    def strike(self, injection: Injection) -> None:
        """Let operations fail, and succeed again."""
        volume: Volume = self.find(injection.world)
        if volume.lost:
            injection.missed("the volume was lost already")
            return
        failed = 0

        def fail(apply: Apply, pending: Pending) -> object:
            nonlocal failed
            if pending.kind not in (Kind.READ, Kind.WRITE, Kind.FLUSH):
                return apply(pending)
            failed += 1
            raise InputOutputError(volume.name, pending.file, pending.kind.value)

        end = volume.disturb(fail)
        injection.fired("reads, writes and flushes fail")

        def lift() -> None:
            end()
            injection.learned(f"{failed} operations failed", failed)

        injection.lift_after(self.duration_ns, lift)


@dataclass(frozen=True, slots=True, kw_only=True)
class BitRot(_OfVolume):
    """One stored bit flips, unseen; every byte of the volume's files is equally likely."""

    kind = "bit_rot"

    def strike(self, injection: Injection) -> None:
        """Choose a byte and flip one bit of it."""
        volume: Volume = self.find(injection.world)
        sizes = {name: volume.size(name) for name in volume.names()}
        total = sum(sizes.values())
        if not total:
            injection.missed("nothing was stored")
            return
        draws = self.draws(injection)
        place, bit = draws.below(total), draws.below(8)
        for name, size in sizes.items():
            if place < size:
                volume.rot(name, place, bit)
                injection.fired(f"bit {bit} of byte {place:,} of {name} has flipped", 1)
                return
            place -= size


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleSnapshot(_OfVolume):
    """A volume is put back to what it was, and its machine started on that.

    Attributes:
        age_ns: How old the snapshot is that is restored. It is taken that long before, at the run's
            start at the earliest; by a fault that could not be foreseen at once, to be restored
            that much later.
    """

    kind = "stale_snapshot"

    age_ns: int

    @property
    def prepares_ns(self) -> int:
        """When the snapshot is taken."""
        return max(self.at_ns - self.age_ns, 0)

    def strike(self, injection: Injection) -> None:
        """Take the snapshot; later stop the machine, restore it, and start again."""
        volume: Volume = self.find(injection.world)
        taken_ns = injection.kernel.now_ns
        at_ns = self.at_ns if taken_ns < self.at_ns else taken_ns + self.age_ns
        age_s = (at_ns - taken_ns) / 1e9
        snapshot = volume.snapshot()

        def restore() -> None:
            host = volume.host
            if volume.lost or host is None or not host.up:
                injection.missed("its machine did not run")
                return
            gone = volume.used_bytes
            host.power_cut()
            volume.restore(snapshot)
            gone = max(gone - volume.used_bytes, 0)
            host.power_on()
            injection.fired(f"restored as it was {age_s:g} s before, {gone:,} bytes less", gone)

        injection.kernel.call_at(at_ns, restore)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneWrite(_OfVolume):
    """The next write goes wrong, and is told and shown as if it had not."""

    def strike(self, injection: Injection) -> None:
        """Wait for the next write with anything in it."""
        volume: Volume = self.find(injection.world)
        if volume.lost:
            injection.missed("the volume was lost already")
            return

        def disturb(apply: Apply, pending: Pending) -> object:
            if pending.kind is not Kind.WRITE or not pending.size:
                return apply(pending)
            size = volume.size(pending.file)
            end()
            if pending.offset < 0:
                pending.offset = size
            apply(_as_before(volume, pending))
            self.misplace(injection, apply, pending, size)
            return pending.offset

        end = volume.disturb(disturb)
        injection.learned("nothing was written after it", 0)

    @abstractmethod
    def misplace(self, injection: Injection, apply: Apply, pending: Pending, size: int) -> None:
        """Do with the data what the disk does, and tell of it; `size` is the file's before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWrite(_OneWrite):
    """The next write never reaches the medium."""

    kind = "lost_write"

    def misplace(self, injection: Injection, apply: Apply, pending: Pending, size: int) -> None:
        """Leave it out."""
        del apply, size
        place = f"{pending.size:,} bytes at {pending.offset:,} of {pending.file}"
        injection.fired(f"{place} were never written", pending.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class MisdirectedWrite(_OneWrite):
    """The next write lands at another place of its file."""

    kind = "misdirected_write"

    def misplace(self, injection: Injection, apply: Apply, pending: Pending, size: int) -> None:
        """Write it elsewhere, at a place that is drawn."""
        places = max(size, pending.offset + pending.size) // ALIGNMENT_BYTES + 1
        wrong = self.draws(injection).below(places) * ALIGNMENT_BYTES
        if wrong == pending.offset:
            wrong += ALIGNMENT_BYTES
        apply(_write(pending, wrong, pending.payload))
        place = f"{pending.size:,} bytes for {pending.offset:,} of {pending.file}"
        injection.fired(f"{place} were written at {wrong:,}", pending.size)


def _as_before(volume: Volume, pending: Pending) -> Pending:
    """Return a write of what stands there already, with zeros where the file grows."""
    kept = volume.peek_segments(pending.file, pending.offset, pending.size)
    missing = pending.size - length_of(kept)
    return _write(pending, pending.offset, (*kept, missing) if missing else kept)


def _write(pending: Pending, offset: int, payload: Segments) -> Pending:
    return Pending(
        Kind.WRITE,
        pending.file,
        pending.signal,
        offset=offset,
        payload=payload,
        size=pending.size,
    )
