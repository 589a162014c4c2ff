"""Reading all layers, and proving the kept points, in bounded steps: the scrubber of layers.

Segments are `engine.journal.verification`'s. Layers are read whole against their digests; a kept
point is proven by reading every byte of its files and comparing its certificate. What is found
damaged is told, and the work goes on: one rotten layer must not hide another.
"""

from collections.abc import Iterator

from engine.basics.errors import CertificateMismatch, JournalDamaged
from engine.formats.layers import DIGEST_ZERO
from engine.formats.manifest import KeptPoint
from engine.layers.certificates import Roll, certificate_of, key_of
from engine.layers.plan import LayerMap
from engine.layers.strata import View
from engine.layers.writer import table_of

_STEP_BYTES = 4 << 20


class LayerVerifier:
    """Verifies the layers and kept points that a journal's manifest names now.

    Hold the keeper (`LayerKeeper.hold`) meanwhile, so that no file leaves that is being read.

    Args:
        layer_map: The journal with its layers.
        step_bytes_max: How much a step reads: protection.md 1.2's drain unit by default.
    """

    def __init__(self, layer_map: LayerMap, step_bytes_max: int = _STEP_BYTES) -> None:
        #: The names of the layers read whole and found good.
        self.verified: list[str] = []
        #: The sequences of the kept points whose files are, byte for byte, what they were.
        self.proven: list[int] = []
        #: What was found; each names its file, or the point.
        self.damage: list[JournalDamaged] = []
        self._map = layer_map
        self._step_bytes_max = step_bytes_max
        self._work = self._steps()

    def step(self) -> bool:
        """Read about a step's bytes; return whether there is more to read."""
        done_bytes = 0
        for count in self._work:
            done_bytes += count
            if done_bytes >= self._step_bytes_max:
                return True
        return False

    def _steps(self) -> Iterator[int]:
        for entry in self._map.layers:
            try:
                yield from self._map.open(entry).verify(self._step_bytes_max)
            except JournalDamaged as damage:
                self.damage.append(damage)
            else:
                self.verified.append(entry.name)
        for point in self._map.journal.manifest.points:
            if point.certificate == DIGEST_ZERO:
                continue
            try:
                yield from self._prove(point)
            except JournalDamaged as damage:
                self.damage.append(damage)
            else:
                self.proven.append(point.cursor.sequence)

    def _prove(self, point: KeptPoint) -> Iterator[int]:
        sequence = point.cursor.sequence
        if not self._map.is_readable(sequence):
            raise JournalDamaged(f"No layers lead to the kept point {sequence}", sequence=sequence)
        view, key = self._map.view(sequence), key_of(self._map.journal.group)
        roll = Roll(View([]), view, view.strata, {}, key)
        yield from roll.steps()
        table = table_of(view, view.strata, roll.digests, is_image=False)
        if certificate_of(table, key) != point.certificate:
            raise CertificateMismatch(
                f"The files at the kept point {sequence} are not what they were",
                "Do not recover from this point: take it from another copy.",
                sequence=sequence,
            )
