"""A journal of nine records on a storage in memory, in one segment or several."""

import contextlib

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    create,
    rename,
    settle,
    truncate,
    write,
)

from engine import Capture, JournalSettings, open_journal
from engine.basics.errors import JournalDamaged
from engine.formats.manifest import MANIFEST_NAME, decode_manifest

CHANGES = [
    create("logs/a"),
    write("logs/a", 0, b"first" * 20),
    create("db/b"),
    write("db/b", 100, b"second", 300, b"third"),
    write("logs/a", 50, b"over" * 10),
    rename("logs/a", "logs/c"),
    truncate("logs/c", 60),
    app_tag("bookmark"),
    write("db/b", 0, b"last"),
]
A_FEW_PER_SEGMENT = JournalSettings(segment_bytes_max=360)
ONE_SEGMENT = JournalSettings(segment_bytes_max=1 << 20)


def records_of(changes=CHANGES, *, group=GROUP, epoch=EPOCH):
    capture = Capture(group=group, epoch=epoch, incarnation=INCARNATION)
    for number, change in enumerate(changes):
        capture.admit(change, number * 1_000)
    return [capture.entry(n).record for n in range(1, len(changes) + 1)]


def storage_of(settings=ONE_SEGMENT, *, group=GROUP, incarnation=INCARNATION, epoch=EPOCH):
    """Return the storage of a journal that holds CHANGES, all synced."""
    storage = MemoryStorage()
    journal = open_journal(storage, group=group, settings=settings).journal
    journal.adopt(epoch, incarnation)
    for record in records_of(group=group, epoch=epoch):
        settle(journal, storage, journal.ingest(record))
    return storage


def copy_of(storage):
    copy = MemoryStorage()
    copy.files = {name: bytearray(data) for name, data in storage.files.items()}
    return copy


def segments_of(storage):
    """Return the names of the segment files, in order."""
    return sorted(name for name in storage.files if name.endswith(".segment"))


def opened_or_refused(storage, settings):
    """Return the opened journal, or None where it was refused with its place named."""
    with contextlib.suppress(JournalDamaged):
        return open_journal(storage, group=GROUP, settings=settings)
    with pytest.raises(JournalDamaged) as caught:
        open_journal(storage, group=GROUP, settings=settings)
    assert caught.value.file in storage.files
    assert caught.value.hint
    return None


def indexes_of(storage):
    return sorted(name for name in storage.files if name.endswith(".index"))


def manifest_of(storage):
    return decode_manifest(bytes(storage.files[MANIFEST_NAME]))
