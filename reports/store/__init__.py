"""The result store: every run is kept, and can be asked for again.

A store is a folder (an SQLite catalogue, and parts in files beside it) or a PostgreSQL database
(everything in it). Nobody imports this package before a store is needed: its libraries are heavy.
"""

from reports.store.errors import (
    StoreAbsentError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreVersionError,
    UnknownEntryError,
)
from reports.store.locations import DEFAULT_FOLDER, Location, location_of
from reports.store.pruning import Pruned, Retention
from reports.store.records import Entry, Origin, StoredFigure, StoredRun, new_entry_id
from reports.store.selecting import Selection
from reports.store.store import Store, open_store

__all__ = [
    "DEFAULT_FOLDER",
    "Entry",
    "Location",
    "Origin",
    "Pruned",
    "Retention",
    "Selection",
    "Store",
    "StoreAbsentError",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreVersionError",
    "StoredFigure",
    "StoredRun",
    "UnknownEntryError",
    "location_of",
    "new_entry_id",
    "open_store",
]
