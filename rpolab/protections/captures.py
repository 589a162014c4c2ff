"""Makes the captures of one protected machine: the first one, and one for each time it starts."""

from collections.abc import Mapping

from engine import Capture, CaptureSettings, open_capture
from engine.contract.actions import FileAction
from rpolab.protections.volume_storage import VolumeStorage
from scenarios import ContinuousDataProtection
from sim.streams import Stream
from sim.volume import Volume

GROUP = 1
EPOCH = 1
INCARNATION_BITS = 63


class Captures:
    """The captures of one protection.

    Args:
        spec: its settings.
        draws: incarnations are drawn from it.
        spool: the volume of the spool, None without one.
    """

    def __init__(self, spec: ContinuousDataProtection, draws: Stream, spool: Volume | None) -> None:
        self._draws = draws
        self._storage = None if spool is None else VolumeStorage(spool)
        self._settings = CaptureSettings(
            pool_bytes_max=spec.pool_bytes,
            overflow=spec.overflow,
            spool_bytes_max=spec.spool_bytes,
            time_interval_ns=spec.heartbeat_ns,
        )

    def first(self) -> Capture:
        """Return a capture of files that are all made under its eyes."""
        return Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=self._draws.bits(INCARNATION_BITS),
            settings=self._settings,
            storage=self._storage,
        )

    def after_a_stop(self, files: Mapping[str, int]) -> tuple[Capture, list[FileAction]]:
        """Return a capture for a machine that has started again, and what clears its spool."""
        incarnation = self._draws.bits(INCARNATION_BITS)
        if self._storage is None:
            capture = Capture.unbased(
                group=GROUP,
                epoch=EPOCH,
                incarnation=incarnation,
                files=files,
                settings=self._settings,
            )
            return capture, []
        opened = open_capture(
            self._storage,
            group=GROUP,
            epoch=EPOCH,
            incarnation=incarnation,
            files=files,
            settings=self._settings,
        )
        return opened.begin(), opened.actions
