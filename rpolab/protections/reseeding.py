"""Brings a copy that fell behind level with a sister, in simulated time.

It takes the records that it lacks, and its older points stay usable meanwhile. Only where the
sister has thinned those records out, or the two do not agree, it is made anew: files first, then
records. Fault model: that of `engine.copies.reseed`. Either machine or the line may fail at any
moment: then it is tried again after a while. Charged are the lines and the copy's disk; the
sister's reading is not: its disk is taken for idle enough.
"""

from collections.abc import Callable, Generator
from typing import Any

from engine import Reseed
from engine.basics.errors import EngineError
from engine.contract.actions import DeleteFile, FileAction, ReplaceFile
from rpolab.laboratory.world import Laboratory
from rpolab.protections.kept_copy import KeptCopy, ReseedFigures
from rpolab.protections.transport import CHUNK_BYTES, ship
from rpolab.protections.volume_storage import VolumeStorage

RETRY_NS = 30_000_000_000
"""How long it is waited before it is tried again. Assumption."""
POLL_NS = 50_000_000
PROBE_BYTES = 64

Steps = Generator[Any, Any, None]


class Reseeding:
    """The making of one copy.

    Args:
        laboratory: the world.
        copy: what is made.
        sister_of: returns whom it is made from now, None while there is nobody.
        attach: feeds the copy once it is level, given what it took; False where it has fallen
            behind the pool again.
    """

    def __init__(
        self,
        laboratory: Laboratory,
        copy: KeptCopy,
        sister_of: Callable[[KeptCopy], KeptCopy | None],
        attach: Callable[[KeptCopy, ReseedFigures], bool],
    ) -> None:
        self._laboratory = laboratory
        self._kernel = laboratory.kernel
        self._copy = copy
        self._sister_of = sister_of
        self._attach = attach
        self._is_over = False
        self._stop_watching = copy.target.host.on_power_on(self._spawn)

    def start(self) -> None:
        """Begin, and again after each failure, until the copy is fed."""
        self._spawn()

    def stop(self) -> None:
        """Give it up."""
        self._is_over = True
        self._stop_watching()

    def _spawn(self) -> None:
        host = self._copy.target.host
        if host.up and not self._is_over:
            host.spawn(self._work(), name=f"{self._copy.name} is made anew")

    def _work(self) -> Steps:
        """Try until it is done; the copy's own power cut ends this task, and begins another."""
        while not self._is_over:
            sister = self._sister_of(self._copy)
            if sister is not None:
                try:
                    yield from self._make(sister)
                except (EngineError, ConnectionError, OSError) as error:
                    self._record("failed", why=type(error).__name__)
            if not self._is_over:
                yield self._kernel.sleep(RETRY_NS)

    def _make(self, sister: KeptCopy) -> Steps:
        """Follow the sister from where the copy stands; only where that is refused begin anew."""
        figures = ReseedFigures(sister.name, self._kernel.now_ns)
        yield from ship(
            self._laboratory, sister, self._copy, PROBE_BYTES
        )  # nothing is given up while nobody answers
        self._record("begun", sister=sister.name)
        if self._copy.target.session is not None and self._copy.journal.durable.sequence:
            # What is still on its way from the source would come between.
            self._copy.target.hang_up("brought level from a sister")
            try:
                yield from self._follow(sister, self._reseed_from(sister), figures)
            except EngineError as error:
                self._record("refused", why=type(error).__name__)
            else:
                return
        reseed = self._reseed_from(sister)
        yield from self._begin_anew(sister, reseed)
        yield from self._follow(sister, reseed, figures)

    def _reseed_from(self, sister: KeptCopy) -> Reseed:
        return Reseed(VolumeStorage(self._copy.volume), sister.journal, CHUNK_BYTES)

    def _begin_anew(self, sister: KeptCopy, reseed: Reseed) -> Steps:
        """Give up what is there, and put the sister's files in its place."""
        copy, journal = self._copy, sister.journal
        copy.target.crash()
        for action in reseed.begin():
            yield from self._carry_out(action)
        for replacing in reseed.files():
            yield from ship(self._laboratory, sister, self._copy, len(replacing.data))
            yield from self._carry_out(replacing)
        copy.target.start()
        if copy.journal.incarnation is None and journal.incarnation is not None:
            copy.journal.adopt(journal.durable.epoch, journal.incarnation)

    def _follow(self, sister: KeptCopy, reseed: Reseed, figures: ReseedFigures) -> Steps:
        """Take the sister's newer records until the source's pool has all that is lacking."""
        copy, theirs, mine = self._copy, sister.journal, self._copy.journal
        while not self._is_over:
            if sister.target.session is None or sister.journal is not theirs:
                raise ConnectionAbortedError("the sister's server went down")
            batch = reseed.next_batch(mine)
            if batch:
                yield from ship(self._laboratory, sister, self._copy, len(batch))
                copy.target.carry_out_all(mine.ingest(batch))
            if mine.durable != mine.received:
                yield self._kernel.sleep(POLL_NS)
            elif not batch:
                figures.level_ns, figures.bytes_shipped = self._kernel.now_ns, reseed.bytes_shipped
                if self._attach(copy, figures):
                    self._record("level", bytes_shipped=reseed.bytes_shipped)
                    self.stop()
                else:
                    yield self._kernel.sleep(POLL_NS)

    def _carry_out(self, action: FileAction) -> Steps:
        volume = self._copy.volume
        if isinstance(action, DeleteFile):
            yield volume.delete(action.name)
        elif isinstance(action, ReplaceFile):
            yield volume.create(action.name)
            yield volume.write(action.name, 0, (action.data,))
            yield volume.flush(action.name)

    def _record(self, state: str, **more: Any) -> None:
        self._laboratory.trace.record("cdp.reseed", name=self._copy.name, state=state, **more)
