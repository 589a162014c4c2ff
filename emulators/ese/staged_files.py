"""Files on simulated volumes for code that works on a file set: read at once, changed in time.

Nothing reaches a volume before `carry_out`, which takes simulated time and may be cut or fail at
any operation, like the code itself would be. Reads are charged then as well, between the changes.
"""

from collections.abc import Generator
from typing import Any

from emulators.ese.errors import ese_error
from emulators.ese.overlaid_files import OverlaidFiles, Step
from sim.volume import DiskFull, Volume, VolumeLost

DATABASE_SUFFIXES = (".edb", ".stm")


class StagedFiles(OverlaidFiles):
    """The files of one storage group on its log volume and its database volume.

    Args:
        logs: logs and checkpoint.
        databases: the databases; it may be the same volume.
    """

    def __init__(self, logs: Volume, databases: Volume) -> None:
        self._logs = logs
        self._databases = databases
        sizes = {
            name: volume.size(name)
            for volume in (logs, databases)
            for name in volume.names()
            if self._home(name) is volume
        }
        super().__init__(sizes, self._peek)

    def carry_out(self) -> Generator[Any, Any, None]:
        """Do what was noted, one operation after another.

        Raises:
            EseError: -529 or -1808 when a volume is full, -510 or -1022 when it is lost.
        """
        for step in self.steps:
            volume = self._home(step.name)
            try:
                yield from _do(volume, step)
            except (DiskFull, VolumeLost) as error:
                is_full, is_log = isinstance(error, DiskFull), volume is self._logs
                code = (-529 if is_log else -1808) if is_full else (-510 if is_log else -1022)
                hint = "free space on the volume" if is_full else "recover from a copy"
                raise ese_error(code, f"{step.name} ({error})", f"{hint}, then mount") from error
        self.steps = []

    def _home(self, name: str) -> Volume:
        return self._databases if name.lower().endswith(DATABASE_SUFFIXES) else self._logs

    def _peek(self, name: str, offset: int, length: int) -> bytes:
        return self._home(name).peek(name, offset, length)


def _do(volume: Volume, step: Step) -> Generator[Any, Any, None]:
    name = step.name
    if step.kind == "read":
        yield volume.read(name, step.offset, step.size)
    elif step.kind == "write":
        yield volume.write(name, step.offset, (step.data,))
    elif step.kind == "truncate":
        yield volume.truncate(name, step.size)
    elif step.kind == "rename":
        yield volume.rename(name, step.other)
    elif step.kind == "create":
        yield volume.create(name)
    elif step.kind == "delete":
        yield volume.delete(name)
    else:
        yield volume.flush(name)
