"""The certificate of any point that can be read, rolled from the nearest one known below it."""

from engine.layers.certificates import Roll, certificate_of, key_of
from engine.layers.plan import LayerMap
from engine.layers.strata import View
from engine.layers.writer import table_of


def known_digests(layer_map: LayerMap, sequence: int) -> tuple[int, dict[int, bytes]]:
    """Return the nearest sequence, not after this one, at which the files' digests are known.

    Sequence 0, where there are no files, is known; it can be rolled from there always.
    """
    for entry in sorted(layer_map.layers, key=lambda entry: entry.high, reverse=True):
        if entry.high > sequence:
            continue
        layer = layer_map.open(entry)
        if layer.footer.certificate is not None and layer_map.is_between(entry.high, sequence):
            return entry.high, {row.file: row.digest for row in layer.table.values()}
    return 0, {}


def roll_to(layer_map: LayerMap, sequence: int) -> Roll:
    """Return the roll, still to be done, of the files' digests at a sequence.

    Raises:
        PointRefused: The sequence cannot be read.
    """
    known, digests = known_digests(layer_map, sequence)
    high, key = layer_map.view(sequence), key_of(layer_map.journal.group)
    if not known:
        return Roll(View([]), high, high.strata, {}, key)
    between = layer_map.strata_between(known, sequence)
    return Roll(layer_map.view(known), high, between, digests, key)


def certificate_at(layer_map: LayerMap, sequence: int) -> bytes:
    """Return the certificate of a point, at once; `roll_to` is the same in steps.

    Raises:
        PointRefused: The sequence cannot be read.
        JournalDamaged: What is to be certified is no longer readable.
    """
    roll = roll_to(layer_map, sequence)
    roll.run()
    return certificate_after(roll, layer_map, sequence)


def certificate_after(roll: Roll, layer_map: LayerMap, sequence: int) -> bytes:
    """Return the certificate of a point to which `roll` has been done."""
    view = layer_map.view(sequence)
    table = table_of(view, view.strata, roll.digests, is_image=False)
    return certificate_of(table, key_of(layer_map.journal.group))


def certificate_from_nothing(layer_map: LayerMap, sequence: int) -> bytes:
    """Return the certificate of a point with every byte of its files read: what proves it.

    Raises:
        PointRefused: The sequence cannot be read.
        JournalDamaged: The files cannot be read.
    """
    view, key = layer_map.view(sequence), key_of(layer_map.journal.group)
    digests = Roll(View([]), view, view.strata, {}, key).run()
    return certificate_of(table_of(view, view.strata, digests, is_image=False), key)
