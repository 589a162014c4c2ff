"""Steps the engine's background verifier on a copy's server, in simulated time.

Each step is charged with the copy's disk: what it reads is read twice, as files and as pages. The
processor's time for replay is not charged: the server is taken for otherwise idle.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from engine import Image, Journal, Verifier, VerifierSettings
from engine.contract.actions import AppendFile, CreateFile, DeleteFile, FileAction, ReplaceFile
from engine.health.verifier import Holds, VerifierState
from rpolab.protections.ese_checker import STEP_BYTES, EseChecker
from rpolab.protections.volume_storage import VolumeStorage
from sim.host import Host
from sim.kernel import Kernel
from sim.streams import Stream
from sim.volume import Volume

LOOK_NS = 5_000_000_000
"""How often an idle verifier looks whether a point is due. Assumption."""
PASSES = 2
NS_PER_SECOND = 1_000_000_000


class Verification:
    """The verifier of one copy, over all its journals.

    Args:
        kernel: simulated time.
        host: the copy's server.
        volume: where the overlay lies.
        checker: opens an image.
        draws: which old points are opened.
        every_ns: how often an old point is opened.
        told: called after each step: there may be a result.
    """

    def __init__(
        self,
        kernel: Kernel,
        host: Host,
        volume: Volume,
        *,
        checker: EseChecker,
        draws: Stream,
        every_ns: int,
        told: Callable[[], None],
    ) -> None:
        self._kernel = kernel
        self._host = host
        self._volume = volume
        self._step_ns = PASSES * STEP_BYTES * NS_PER_SECOND // volume.disk.throughput_bytes_s
        self._checker = checker
        self._draws = draws
        self._settings = VerifierSettings(
            old_point_interval_ns=every_ns, retry_interval_ns=every_ns
        )
        self._told = told
        self.verifier: Verifier | None = None
        self._is_started = False

    def begin(self, journal: Journal, holds: Holds | None) -> Verifier:
        """Begin to verify a journal that was opened just now; results of the last one are gone."""
        verifier = self.verifier = Verifier(
            journal,
            partial(Image, journal),
            self._checker,
            self._draws.below,
            VolumeStorage(self._volume),
            holds=holds,
            settings=self._settings,
        )
        if self._is_started:
            self._spawn(verifier)
        return verifier

    def start(self) -> None:
        """Begin to open points, now that the mail server runs; before, nothing can be good."""
        if not self._is_started and self.verifier is not None:
            self._spawn(self.verifier)
        self._is_started = True

    def _spawn(self, verifier: Verifier) -> None:
        self._host.spawn(self._work(verifier), name=f"{self._host.name} verifier")

    def end(self) -> None:
        """Stop: the copy's server has."""
        self.verifier = None

    def _work(self, verifier: Verifier) -> Generator[Any, Any, None]:
        for action in verifier.leftovers():
            yield from self._carry_out(action)
        while self.verifier is verifier:
            for action in verifier.step(self._kernel.now_ns):
                yield from self._carry_out(action)
            self._told()
            is_idle = verifier.state is VerifierState.IDLE
            yield self._kernel.sleep(LOOK_NS if is_idle else self._step_ns)

    def _carry_out(self, action: FileAction) -> Generator[Any, Any, None]:
        volume = self._volume
        if isinstance(action, CreateFile):
            yield volume.create(action.name)
        elif isinstance(action, AppendFile):
            yield volume.write(action.name, action.offset, (action.data,))
        elif isinstance(action, ReplaceFile):
            yield volume.create(action.name)
            yield volume.write(action.name, 0, (action.data,))
        elif isinstance(action, DeleteFile) and volume.exists(action.name):
            yield volume.delete(action.name)
