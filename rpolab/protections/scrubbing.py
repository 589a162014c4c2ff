"""Reads a copy's sealed segments again and again, and repairs what rots from a sister.

Fault model: that of `engine.copies.repair`. What is charged is reading each segment from the copy's
disk, and what comes from the sister over the line. The open segment is not read: it is too young.
"""

from collections.abc import Callable, Generator
from typing import Any

from engine import JournalVerifier, Repair
from engine.basics.errors import EngineError, JournalDamaged
from engine.contract.actions import ReplaceFile
from reports import duration_text, seconds, size_text
from rpolab.laboratory.world import Laboratory
from rpolab.protections.kept_copy import KeptCopy
from rpolab.protections.transport import ship
from rpolab.protections.volume_storage import VolumeStorage

NS_PER_SECOND = 1_000_000_000
NEW_SUFFIX = ".new"

Steps = Generator[Any, Any, None]


class Scrubbing:
    """The scrubbing of one copy.

    Args:
        laboratory: the world.
        copy: what is read.
        sister_of: returns the copy that it is repaired from, None while there is none.
        every_ns: from one pass over all segments to the next.
    """

    def __init__(
        self,
        laboratory: Laboratory,
        copy: KeptCopy,
        sister_of: Callable[[KeptCopy], KeptCopy | None],
        every_ns: int,
    ) -> None:
        self._laboratory = laboratory
        self._kernel = laboratory.kernel
        self._copy = copy
        self._sister_of = sister_of
        self._every_ns = every_ns

    def start(self) -> None:
        """Begin, once; its server's power cut ends it, and the power begins it anew."""
        self._copy.target.host.on_power_on(self._spawn)
        self._spawn()

    def _spawn(self) -> None:
        self._copy.target.host.spawn(self._work(), name=f"{self._copy.name} scrubbing")

    def _work(self) -> Steps:
        while True:
            yield self._kernel.sleep(self._every_ns)
            if self._copy.target.session is not None and self._copy.is_fed:
                yield from self._pass()

    def _pass(self) -> Steps:
        """Read every sealed segment once."""
        copy = self._copy
        group = copy.journal.group
        verifier = JournalVerifier(VolumeStorage(copy.volume), group=group)
        while copy.target.session is not None:
            try:
                step = verifier.step()
            except JournalDamaged as damage:
                yield from self._repair(damage)
                verifier.skip()
                continue
            except EngineError as error:
                copy.tell(f"cannot be scrubbed: {error}")
                return
            if step is None:
                return
            yield self._kernel.sleep(self._reading_ns(step.bytes_read))
            for action in step.repairs:
                yield from self._replace(action)

    def _repair(self, damage: JournalDamaged) -> Steps:
        copy, found_ns = self._copy, self._kernel.now_ns
        self._laboratory.trace.record("cdp.damage", name=copy.name, file=damage.file)
        sister = self._sister_of(copy)
        if sister is None:
            copy.tell(f"{damage.file} is damaged, and no sister is there to repair it: {damage}")
            return
        repair = Repair(copy.journal, damage, found_ns)
        try:
            actions = repair.begin(sister.journal, sister.name)
            yield from ship(self._laboratory, sister, copy, repair.bytes_from_sister)
            for action in actions:
                yield from self._replace(action)
            report = repair.done(self._kernel.now_ns)
        except (EngineError, ConnectionError, OSError) as error:
            copy.tell(f"{damage.file} is damaged, and was not repaired: {error}")
            return
        took, size = duration_text(seconds(report.took_ns)), size_text(report.bytes_from_sister)
        copy.tell(
            f"{report.file} was damaged; repaired from {report.sister} in {took}, with {size}"
        )
        self._laboratory.trace.record("cdp.repaired", name=copy.name, file=report.file)

    def _replace(self, action: ReplaceFile) -> Steps:
        volume, new = self._copy.volume, action.name + NEW_SUFFIX
        yield volume.create(new)
        yield volume.write(new, 0, (action.data,))
        yield volume.flush(new)
        yield volume.replace(new, action.name)

    def _reading_ns(self, size: int) -> int:
        disk = self._copy.volume.disk
        return disk.latency_ns + size * NS_PER_SECOND // disk.throughput_bytes_s
