"""Damage found in one copy is repaired from a sister, and how long that took is told.

Fault model. The process may die after any action: the file is replaced as a whole, so that it is
damaged as before or sound. Promised: nothing is written that the copy's own manifest does not vouch
for; the file is read back before the repair counts. Not repaired here: a manifest that is gone
(`rebuild_manifest`), a segment whose index file is damaged as well, and the open segment: re-seed.
"""

from typing import NamedTuple

from engine.basics.errors import JournalDamaged, NoSister
from engine.contract.actions import ReplaceFile
from engine.copies.transplant import layer_from, record_of, segment_from, verify_layer
from engine.journal.journal import Journal


class RepairReport(NamedTuple):
    """What was repaired, from which copy, how much of it came from there, and when."""

    file: str
    sister: str
    bytes_total: int
    bytes_from_sister: int
    found_at_ns: int
    repaired_at_ns: int

    @property
    def took_ns(self) -> int:
        """Return how long the damage stood after it was found."""
        return self.repaired_at_ns - self.found_at_ns


class Repair:
    """The repair of one file.

    Hold the sister's keeper (`LayerKeeper.hold`) and this copy's meanwhile.

    Args:
        journal: The damaged copy.
        damage: What was found, by a verifier or by whoever read.
        found_at_ns: When.
    """

    def __init__(self, journal: Journal, damage: JournalDamaged, found_at_ns: int) -> None:
        self._journal = journal
        self._found_at_ns = found_at_ns
        self.file = damage.file
        self._segment = next(
            (entry for entry in journal.manifest.segments if entry.name == damage.file), None
        )
        self._layer = next(
            (entry for entry in journal.manifest.layers if entry.name == damage.file), None
        )
        self._sister = ""
        self._bytes = (0, 0)

    def begin(self, sister: Journal, name: str) -> list[ReplaceFile]:
        """Return the action that puts the whole file in its place.

        Args:
            sister: Another copy's journal, read where it lies.
            name: What the copy is called.

        Raises:
            NoSister: This sister cannot help; another one may.
            JournalDamaged: The sister is damaged at the same place.
        """
        if self._segment is not None:
            made = segment_from(self._journal, self._segment, sister)
        elif self._layer is not None:
            made = layer_from(self._layer, sister)
        else:
            raise NoSister(f"No sealed segment and no layer of this copy is called {self.file!r}")
        self._sister, self._bytes = name, (len(made.data), made.bytes_from_sister)
        return [ReplaceFile(self.file, made.data)]

    @property
    def bytes_from_sister(self) -> int:
        """Return how much of the file came from the sister, once the repair was begun."""
        return self._bytes[1]

    def done(self, now_ns: int) -> RepairReport:
        """Read the file back, the action being carried out, and tell what was done.

        Raises:
            JournalDamaged: It is not sound: the disk does not give back what is written.
        """
        assert self._sister, "it was begun"
        if self._segment is not None:
            for sequence in range(self._segment.first_sequence, self._segment.last.sequence + 1):
                record_of(self._journal, sequence)
        elif self._layer is not None:
            verify_layer(self._journal, self._layer)
        return RepairReport(self.file, self._sister, *self._bytes, self._found_at_ns, now_ns)
