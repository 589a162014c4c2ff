"""Rewriting part of the history into one layer, in bounded steps, published only when it is right.

Order of work: the certificate that the point at the upper end must have is rolled forward from the
nearest one known, through what is kept now; the layer is written and synced; it is read back, and
rolled through again, from the disk; only when both agree does the manifest name it, and only after
the manifest is durable do the files leave that it makes superfluous. Stopped anywhere, all is as
before, but for a file that no manifest names.
"""

from collections.abc import Generator, Iterator

from engine.basics.cursor import genesis
from engine.basics.errors import CertificateMismatch
from engine.basics.settings import LayerSettings
from engine.contract.actions import CreateFile, DeleteFile, FileAction, SyncFile
from engine.contract.machines import next_state
from engine.formats.layers import (
    DIGEST_ZERO,
    LayerEntry,
    LayerHeader,
    LayerKind,
    generation_of_name,
    layer_name,
)
from engine.layers.certificates import Roll, certificate_of, key_of
from engine.layers.certified import roll_to
from engine.layers.orders import Order
from engine.layers.plan import LayerMap
from engine.layers.reader import LayerFile
from engine.layers.states import REWRITE_TRANSITIONS, RewriteState, RewriteTrigger
from engine.layers.strata import View
from engine.layers.writer import LayerPlan, LayerWriter, table_of


class Rewrite:
    """Carries one order out.

    Args:
        layer_map: The journal and its layers.
        order: What to make.
        settings: How.
        sync_token: What the sync of the layer's file is called.
    """

    def __init__(
        self, layer_map: LayerMap, order: Order, settings: LayerSettings, sync_token: int
    ) -> None:
        self.order = order
        #: How the manifest names the layer; None until it was written.
        self.entry: LayerEntry | None = None
        self.state = RewriteState.ROLLING
        self._journal = layer_map.journal
        self._settings = settings
        self._token = sync_token
        self._map = layer_map
        self._key = key_of(layer_map.journal.group)
        self._name = layer_name(order.low, order.high, self._next_generation())
        self._work = self._steps()

    def step(self) -> list[FileAction]:
        """Do about one step's bytes of work; return its actions, often none.

        Raises:
            JournalDamaged: What is to be rewritten cannot be read.
            CertificateMismatch: What was written is not what was to be.
        """
        assert self.state is not RewriteState.SYNCING, "the sync is to be waited for"
        return next(self._work)

    def sync_done(self, token: int) -> None:
        """Note that the layer's file is durable."""
        assert token == self._token, "another's sync"
        self._enter(RewriteTrigger.SYNCED)

    def abandon(self) -> list[FileAction]:
        """Give up; return what takes the unfinished file away."""
        is_created = self.state is not RewriteState.ROLLING
        self._enter(RewriteTrigger.GIVEN_UP)
        return [DeleteFile(self._name)] if is_created else []

    def _enter(self, trigger: RewriteTrigger) -> None:
        self.state = next_state("The rewrite", REWRITE_TRANSITIONS, self.state, trigger)

    def _steps(self) -> Generator[list[FileAction], None, None]:
        order, below = self.order, self._map
        is_image = order.kind == LayerKind.IMAGE
        high = below.view(order.high)
        low = None if is_image else below.view(order.low)
        strata = high.strata if low is None else below.strata_between(order.low, order.high)
        expected = yield from self._rolled(roll_to(below, order.high))
        table = table_of(high, strata, expected, is_image=is_image)
        plan = LayerPlan(
            self._name, self._header(), strata, table, certificate_of(table, self._key)
        )
        self._require_as_published(certificate_of(table, self._key))
        self._enter(RewriteTrigger.EXPECTED)
        self.entry = yield from self._write(plan, high)
        self._enter(RewriteTrigger.WRITTEN)
        yield [SyncFile(self._name, self._token)]
        yield from self._check(plan, self.entry, low or View([]))
        self._enter(RewriteTrigger.AGREED)
        yield []
        self._enter(RewriteTrigger.PUBLISH)
        yield self._publish(self.entry)

    def _require_as_published(self, certificate: bytes) -> None:
        """Check I2: a kept point's files are what they were when it was published."""
        for point in self._journal.manifest.points:
            is_known = point.certificate != DIGEST_ZERO
            if point.cursor.sequence == self.order.high and is_known:
                self._require(point.certificate == certificate, "The files are not as published")

    def _require(self, is_same: bool, what: str) -> None:  # noqa: FBT001 - a finding, not a mode
        if not is_same:
            raise CertificateMismatch(
                f"{what} at sequence {self.order.high}",
                file=self._name,
                sequence=self.order.high,
            )

    def _check(self, plan: LayerPlan, entry: LayerEntry, low: View) -> Iterator[list[FileAction]]:
        """Roll through the layer as it lies on the disk; its files must be those expected."""
        layer = LayerFile(self._journal.storage, entry, self._journal.group)
        assert layer.header == plan.header, "the header was read back"
        is_image = self.order.kind == LayerKind.IMAGE
        # An image is rolled from nothing, so that every byte of it is read.
        before: dict[int, bytes] = {}
        if not is_image:
            before = yield from self._rolled(roll_to(self._map, self.order.low))
        written = View([layer, *low.strata])
        found = yield from self._rolled(Roll(low, written, [layer], before, self._key))
        again = table_of(written, [layer], found, is_image=is_image)
        wrong = [row for row, wanted in zip(again, plan.table, strict=True) if row != wanted]
        what = f"File id {wrong[0].file} in a new layer is another than" if wrong else ""
        self._require(not wrong, what)

    def _publish(self, entry: LayerEntry) -> list[FileAction]:
        """Name the layer in the manifest, and no longer what it makes superfluous."""
        manifest, drops = self._journal.manifest, frozenset(self.order.drops)
        layers = [layer for layer in manifest.layers if layer.name not in drops]
        segments = [segment.name for segment in manifest.segments if segment.name in drops]
        layers = sorted([*layers, entry], key=lambda layer: (layer.high, layer.low))
        return self._journal.publish(layers=layers, drop_segments=segments)

    def _header(self) -> LayerHeader:
        order = self.order
        is_image = order.kind == LayerKind.IMAGE
        return LayerHeader(
            order.kind,
            order.level,
            self._journal.group,
            genesis(self._journal.durable.epoch) if is_image else self._map.cursor(order.low),
            self._map.cursor(order.high),
        )

    def _write(self, plan: LayerPlan, view: View) -> Generator[list[FileAction], None, LayerEntry]:
        writer = LayerWriter(plan, view, self._settings)
        yield [CreateFile(self._name)]
        for append in writer.appends():
            yield [append]
        assert writer.entry is not None, "the writer has written all"
        return writer.entry

    def _rolled(self, roll: Roll) -> Generator[list[FileAction], None, dict[int, bytes]]:
        done_bytes = 0
        for count in roll.steps():
            done_bytes += count
            if done_bytes >= self._settings.step_bytes_max:
                done_bytes = 0
                yield []
        return roll.digests

    def _next_generation(self) -> int:
        """Return a generation that no file has: one that a crash left is not written over."""
        names = [entry.name for entry in self._map.layers]
        names += self._journal.storage.names()
        return 1 + max((generation_of_name(name) or 0 for name in names), default=0)
