"""A fault: another program reads the disk of the mail server's logs."""

from typing import Literal

from pydantic import Field

from rpolab.hooks import Injection, Laboratory, OwnFault, PositiveDuration

READ_BYTES = 4 * 2**20


class DiskHogKeys(OwnFault):
    """A program at the mail server reads from the log disk, and Exchange waits its turn."""

    kind: Literal["disk_hog"]
    duration_ns: PositiveDuration = Field(
        alias="duration", description="How long the program reads.", examples=["30 s"]
    )


class DiskHog:
    """One program that has always one read of 4 MiB in the queue of the disk."""

    settings = DiskHogKeys

    def __init__(self, keys: DiskHogKeys, laboratory: Laboratory) -> None:
        self._duration_ns = keys.duration_ns
        self._kernel = laboratory.kernel
        self._disk = laboratory.group_named(None).log_volume.disk
        self._until_ns = 0
        self._reads = 0
        #: What it strikes, for the report and for the name of its random stream.
        self.target = self._disk.name

    def inject(self, injection: Injection) -> None:
        """Begin to read; the fault has fired when the disk is in use."""
        self._until_ns = self._kernel.now_ns + self._duration_ns
        self._read()
        injection.fired(f"{self._disk.name} is read by another program")
        injection.lift_after(self._duration_ns, lambda: self._tell(injection))

    def _read(self) -> None:
        if self._kernel.now_ns < self._until_ns:
            self._reads += 1
            self._disk.submit(READ_BYTES, self._read)

    def _tell(self, injection: Injection) -> None:
        injection.learned(f"{self._reads} reads of 4 MiB on {self._disk.name}", self._reads)
