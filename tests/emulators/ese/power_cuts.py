"""Power cuts of a recorded run: each write that was not flushed is kept, torn or lost."""

from math import prod

from mail_world import S, recover_and_check

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams
from sim.volume import Fate, Kind, Torn, Volume

PAGE_BYTES = 8192
HEADER_BYTES = 2 * PAGE_BYTES


class Replayed:
    """The two volumes of a run after a number of its operations, to be cut off there."""

    def __init__(self, operations):
        self.kernel = Kernel(Streams(1))
        self.volumes = {}
        for name in ("logs", "database"):
            disk = Disk(self.kernel, name, throughput_bytes_s=1 << 40, latency_ns=1)
            self.volumes[name] = Volume(self.kernel, name, disk, capacity_bytes=1 << 40)
        for operation in operations:
            self.issue(operation)
            self.kernel.run(self.kernel.now_ns + S)

    def issue(self, operation):
        volume, name = self.volumes[operation.volume], operation.file
        if operation.kind is Kind.WRITE:
            volume.write(name, operation.offset, operation.payload)
        elif operation.kind is Kind.TRUNCATE:
            volume.truncate(name, operation.size)
        elif operation.kind is Kind.RENAME:
            volume.rename(name, operation.new_name)
        else:
            getattr(volume, operation.kind.value)(name)

    def cut(self, fate_of, page_bytes=PAGE_BYTES):
        """Cut the power and return the files, and whether a page was torn within."""
        torn_pages = False
        for volume in self.volumes.values():
            volume.power_cut(fate_of)
            torn_pages = torn_pages or any(tears_a_page(*fate, page_bytes) for fate in volume.fates)
        files = MemoryFiles()
        for volume in self.volumes.values():
            for name in volume.names():
                files.create(name)
                files.write(name, 0, volume.peek(name, 0, volume.size(name)))
        return files, torn_pages


def tears_a_page(write, fate, page_bytes):
    in_pages = write.file.endswith(".edb") and write.offset >= 2 * page_bytes
    return in_pages and isinstance(fate, Torn) and write.kept_bytes(fate) % page_bytes > 0


def unflushed_writes(operations):
    """Return the writes that no flush of their file follows, as (file, ordinal, sectors)."""
    pending = {}
    for operation in operations:
        if operation.kind is Kind.WRITE:
            pending.setdefault(operation.file, []).append(-(-operation.size // 512))
        elif operation.kind in (Kind.FLUSH, Kind.DELETE):
            pending.pop(operation.file, None)
        elif operation.kind is Kind.RENAME and operation.file in pending:
            pending[operation.new_name] = pending.pop(operation.file)
    return [
        (name, ordinal, sectors)
        for name, writes in sorted(pending.items())
        for ordinal, sectors in enumerate(writes)
    ]


def choices(sectors, *, every):
    """Return the fates to try: with `every`, each sector at which the write can be torn."""
    torn = (
        range(1, sectors)
        if every
        else sorted({1, sectors // 2, sectors - 1} & {*range(1, sectors)})
    )
    return [Fate.KEPT, Fate.LOST, *map(Torn, torn)]


def some_combinations(fates, count_max):
    """Yield combinations of one fate each, evenly from all: these are too many for a list."""
    total = prod(map(len, fates))
    for index in range(0, total, -(-total // count_max)):
        combination = []
        for choice in reversed(fates):
            index, digit = divmod(index, len(choice))  # noqa: PLW2901 - the digits of a number
            combination.append(choice[digit])
        yield combination[::-1]


def sweep_power_cuts(world, first, last, *, every, combinations_max):
    """Cut after each operation with every combination of fates; returns what came of it."""
    counts = {"recovered": 0, "refused with a torn page": 0, "instants": 0}
    for done in range(first, last + 1):
        writes = unflushed_writes(world.operations[:done])
        if not writes:
            continue
        fates = [choices(sectors, every=every) for _, _, sectors in writes]
        counts["instants"] += 1
        for combination in some_combinations(fates, combinations_max):
            fate = {
                (name, ordinal): chosen
                for (name, ordinal, _), chosen in zip(writes, combination, strict=True)
            }
            files, torn_page = Replayed(world.operations[:done]).cut(
                lambda write, fate=fate: fate[write.file, write.ordinal]
            )
            outcome = outcome_of(files, world.ledger(done))
            if torn_page and outcome == -1018:
                counts["refused with a torn page"] += 1
                continue
            assert outcome == [], f"after {done} operations, {fate}"
            counts["recovered"] += 1
    return counts


def outcome_of(files, ledger):
    """Return what recovery refuses with, or what is wrong after it."""
    try:
        return recover_and_check(files, ledger).problems
    except EseError as error:
        return error.code
