"""The tables of a damaged file, from its catalog, the catalog's shadow, and their index of names.

A row that the catalog has lost is taken from the shadow. A table is described only when every row
that the index of names still knows was found: with a column missing, its records would be read
wrong.
"""

from collections import defaultdict
from typing import NamedTuple

from emulators.ese.errors import EseError
from emulators.ese.formats.catalog import (
    FDP_CATALOG,
    FDP_CATALOG_SHADOW,
    FDP_NAME_INDEX,
    OBJID_CATALOG,
    OBJID_CATALOG_SHADOW,
    OBJID_NAME_INDEX,
    OBJID_USER_FIRST,
    CatalogEntry,
    catalog_definition,
    read_catalog,
)
from emulators.ese.formats.format import Format
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.record import RecordCodec
from emulators.ese.integrity.record_rules import key_of
from emulators.ese.maintenance.salvage import Salvage

_OBJECT_KEY_BYTES = 5
_SIGN_BIT = 1 << 31


class SalvagedCatalog(NamedTuple):
    """The tables that are described, and the object ids of those of which only parts are."""

    entries: list[CatalogEntry]
    lost_tables: list[int]
    rows_from_shadow: int
    is_whole: bool


def salvage_catalog(salvage: Salvage, file_format: Format) -> SalvagedCatalog:
    """Read what is left of the catalog."""
    trees = [
        salvage.tree(fdp, objid)
        for fdp, objid in (
            (FDP_CATALOG, OBJID_CATALOG),
            (FDP_CATALOG_SHADOW, OBJID_CATALOG_SHADOW),
            (FDP_NAME_INDEX, OBJID_NAME_INDEX),
        )
    ]
    sound = _SoundRows(file_format)
    catalog, shadow = (
        {key: data for key, data in salvage.nodes(tree) if sound.is_row(key, data)}
        for tree in trees[:2]
    )
    named = {data for _, data in salvage.nodes(trees[2])}
    rows = {**shadow, **catalog}
    incomplete = {key[:_OBJECT_KEY_BYTES] for key in named - rows.keys()}
    groups: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for key in sorted(rows):
        groups[key[:_OBJECT_KEY_BYTES]].append((key, rows[key]))
    entries: list[CatalogEntry] = []
    lost = [_objid(prefix) for prefix in incomplete - groups.keys()]
    for prefix, nodes in groups.items():
        entry = None if prefix in incomplete else _entry(nodes, file_format)
        if entry is not None:
            entries.append(entry)
        else:
            lost.append(_objid(prefix))
    is_whole = all(tree.is_whole for tree in trees) and catalog == shadow and not lost
    lost = sorted(objid for objid in lost if objid >= OBJID_USER_FIRST)
    entries = [entry for entry in entries if entry.objid >= OBJID_USER_FIRST]
    return SalvagedCatalog(entries, lost, len(rows.keys() - catalog.keys()), is_whole)


class _SoundRows:
    """Tells rows of the catalog from damage: they decode, and lie under their own key."""

    def __init__(self, file_format: Format) -> None:
        definition = catalog_definition("MSysObjects", file_format)
        self._codec = RecordCodec(definition)
        self._key = RowKey(definition)

    def is_row(self, key: bytes, record: bytes) -> bool:
        """Return whether a node is a sound row."""
        try:
            return key_of(self._key, self._codec.decode(record, "catalog")) == key
        except EseError:
            return False


def _entry(nodes: list[tuple[bytes, bytes]], file_format: Format) -> CatalogEntry | None:
    """Return the table that rows of one object describe, None when they do not make up one."""
    try:
        entries = list(read_catalog(nodes, file_format, with_system_tables=True))
    except (EseError, AssertionError):
        return None
    return entries[0] if len(entries) == 1 and entries[0].definition.columns else None


def _objid(prefix: bytes) -> int:
    return int.from_bytes(prefix[1:], "big") ^ _SIGN_BIT
