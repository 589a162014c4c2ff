"""Rewriting part of the history into one layer, in bounded steps, published only when it is right.

Order of work: the certificate that the point at the upper end must have is rolled forward from the
nearest one known, through what is kept now; the layer is written and synced; it is read back, and
rolled through again, from the disk; only when both agree does the manifest name it, and only after
the manifest is durable do the files leave that it makes superfluous. Stopped anywhere, all is as
before, but for a file that no manifest names.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence

from engine.basics.cursor import genesis
from engine.basics.errors import CertificateMismatch
from engine.basics.settings import LayerSettings
from engine.contract.actions import CreateFile, DeleteFile, FileAction, SyncFile
from engine.formats.layers import (
    LayerEntry,
    LayerHeader,
    LayerKind,
    TableRow,
    generation_of_name,
    layer_name,
)
from engine.layers.certificates import Roll, certificate_of, key_of
from engine.layers.orders import Order
from engine.layers.plan import LayerMap
from engine.layers.reader import LayerFile
from engine.layers.strata import Stratum, View
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
        #: Whether all is written and checked, and the next step publishes it.
        self.is_ready = False
        self.is_done = False
        self._journal = layer_map.journal
        self._settings = settings
        self._token = sync_token
        self._is_syncing = False
        self._is_created = False
        self._map = layer_map
        self._key = key_of(layer_map.journal.group)
        self._name = layer_name(order.low, order.high, self._next_generation())
        self._work = self._steps()

    @property
    def is_waiting(self) -> bool:
        """Return whether a sync must be done before the next step."""
        return self._is_syncing

    def step(self) -> list[FileAction]:
        """Do about one step's bytes of work; return its actions, often none.

        Raises:
            JournalDamaged: What is to be rewritten cannot be read.
            CertificateMismatch: What was written is not what was to be.
        """
        assert not self._is_syncing, "the sync is to be waited for"
        actions = next(self._work, None)
        if actions is None:
            self.is_done = True
            return []
        return actions

    def sync_done(self, token: int) -> None:
        """Note that the layer's file is durable."""
        assert self._is_syncing, "no sync is under way"
        assert token == self._token, "another's sync"
        self._is_syncing = False

    def abandon(self) -> list[FileAction]:
        """Give up; return what takes the unfinished file away."""
        self._work.close()
        is_left = self._is_created and not self.is_done
        return [DeleteFile(self._name)] if is_left else []

    def _steps(self) -> Generator[list[FileAction], None, None]:
        order, below = self.order, self._map
        is_image = order.kind == LayerKind.IMAGE
        high = below.view(order.high)
        strata = high.strata if is_image else tuple(below.strata_between(order.low, order.high))
        # An image is rolled from nothing when it is checked, so that every byte of it is read.
        low = View([]) if is_image else below.view(order.low)
        expected = yield from self._digests_at(order.high)
        table = table_of(high, strata, expected, is_image=is_image)
        plan = LayerPlan(
            self._name, self._header(), strata, table, certificate_of(table, self._key)
        )
        yield from self._write(plan, high)
        self._is_syncing = True
        yield [SyncFile(self._name, self._token)]
        assert self.entry is not None, "the writer has written all"
        layer = LayerFile(self._journal.storage, self.entry, self._journal.group)
        assert layer.header == plan.header, "the header was read back"
        written = View([layer, *low.strata])
        before: dict[int, bytes] = {}
        if not is_image:
            before = yield from self._digests_at(order.low)
        found = yield from self._rolled(low, written, [layer], before)
        self._require_same(written, layer, found, table)
        self.is_ready = True
        yield []
        self.is_done = True
        yield self._publish(self.entry)

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

    def _write(self, plan: LayerPlan, view: View) -> Iterator[list[FileAction]]:
        writer = LayerWriter(plan, view, self._settings)
        self._is_created = True
        yield [CreateFile(self._name)]
        for append in writer.appends():
            yield [append]
        self.entry = writer.entry

    def _require_same(
        self,
        written: View,
        layer: LayerFile,
        found: Mapping[int, bytes],
        table: Sequence[TableRow],
    ) -> None:
        again = table_of(written, [layer], found, is_image=self.order.kind == LayerKind.IMAGE)
        wrong = [row for row, expected in zip(again, table, strict=True) if row != expected]
        if wrong:
            raise CertificateMismatch(
                f"File id {wrong[0].file} ({wrong[0].name!r}) in a new layer is not as at "
                f"sequence {self.order.high}",
                file=self._name,
                sequence=self.order.high,
            )

    # --- certificates -------------------------------------------------------------------------

    def _digests_at(self, sequence: int) -> Generator[list[FileAction], None, dict[int, bytes]]:
        """Return the files' digests at a sequence, rolled from the nearest known ones below."""
        known, digests = known_digests(self._map, sequence)
        if known == sequence:
            return digests
        low = self._map.view(known) if known else View([])
        between = self._map.strata_between(known, sequence) if known else None
        high = self._map.view(sequence)
        strata = high.strata if between is None else tuple(between)
        return (yield from self._rolled(low, high, strata, digests))

    def _rolled(
        self, low: View, high: View, strata: Sequence[Stratum], before: Mapping[int, bytes]
    ) -> Generator[list[FileAction], None, dict[int, bytes]]:
        roll = Roll(low, high, strata, before, self._key)
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


def known_digests(layer_map: LayerMap, sequence: int) -> tuple[int, dict[int, bytes]]:
    """Return the nearest sequence, not after this one, at which the files' digests are known.

    Sequence 0, where there are no files, is known; it can be rolled from there always.
    """
    for entry in sorted(layer_map.layers, key=lambda entry: entry.high, reverse=True):
        if entry.high > sequence:
            continue
        layer = layer_map.open(entry)
        if layer.footer.certificate is not None and (
            entry.high == sequence or layer_map.is_between(entry.high, sequence)
        ):
            return entry.high, {row.file: row.digest for row in layer.table.values()}
    return 0, {}
