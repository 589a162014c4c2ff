"""Bugs of sealing and publishing, planted one by one: a crash, or a swapped file, finds each.

What is printed is the number of points (a crash after an action, or a file in another's place) it
took.
"""

from collections.abc import Iterator
from itertools import permutations

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, check_images, opened, settle
from engine_sweep import DISTURBANCES, WORKLOADS, assert_survived, run
from journal_model import CHANGES, copy_of, indexes_of, manifest_of, records_of, segments_of

from engine import JournalSettings, actions, open_journal
from engine.basics.errors import EngineError
from engine.formats.manifest import MANIFEST_NAME
from engine.journal import opening, sealed_rows
from engine.journal.journal import Journal
from engine.journal.pending import PendingActions
from engine.journal.verification import verify_journal

POINTS_MAX = 1_000


def journal_of(records_max=2):
    storage = MemoryStorage()
    bounds = JournalSettings(segment_records_max=records_max)
    journal = open_journal(storage, group=GROUP, settings=bounds).journal
    journal.adopt(EPOCH, INCARNATION)
    for record in records_of():
        settle(journal, storage, journal.ingest(record))
    return storage, journal


# --- what the crash sweep finds -------------------------------------------------------------------


def successor_before_the_seal_is_synced(monkeypatch):
    queue_sync = Journal._queue_sync
    monkeypatch.setattr(
        Journal,
        "_queue_sync",
        lambda self, segment, *, is_barrier: queue_sync(self, segment, is_barrier=False),
    )


def successor_before_the_manifest(monkeypatch):
    """The manifest waits for the next sync, as if it were only an optimisation."""
    drain = PendingActions.drain

    def plant(self):
        given = drain(self)
        late = [action for action in given if isinstance(action, actions.ReplaceFile)]
        return [action for action in given if action not in late] + late

    monkeypatch.setattr(PendingActions, "drain", plant)


def manifest_before_the_seal_is_synced(monkeypatch):
    enter_sealed, queue_sync = Journal._enter_sealed, Journal._queue_sync

    def early(self, segment, *, is_barrier):
        if is_barrier:
            enter_sealed(self, segment)
        queue_sync(self, segment, is_barrier=is_barrier)

    monkeypatch.setattr(Journal, "_queue_sync", early)
    monkeypatch.setattr(Journal, "_enter_sealed", lambda *_: None)


def manifest_before_the_index(monkeypatch):
    """Both are replaced, but in the wrong order, and the index only later."""
    drain = PendingActions.drain

    def plant(self):
        given, held = drain(self), getattr(self, "held", [])
        self.held = [a for a in given if isinstance(a, actions.ReplaceFile) and "index" in a.name]
        return [action for action in given if action not in self.held] + held

    monkeypatch.setattr(PendingActions, "drain", plant)


SWEPT = {
    "a successor is created before the seal is synced": successor_before_the_seal_is_synced,
    "a successor is created before the manifest names its predecessor": (
        successor_before_the_manifest
    ),
    "the manifest names a segment before its seal is synced": manifest_before_the_seal_is_synced,
    "the manifest names an index file before it is there": manifest_before_the_index,
}


def swept() -> Iterator[None]:
    for step in range(1, 120):
        for disturbance in DISTURBANCES.values():
            for workload in WORKLOADS:
                pair = run(workload, "record per segment", {step: disturbance})
                assert_survived(pair)
                assert not pair.journal.repairs, "no crash damages an index file"
                yield


# --- what other trials find -----------------------------------------------------------------------


def crashes_amid_publishing() -> Iterator[None]:
    """Whatever is on disk when segments leave, the journal opens and holds what it should."""
    storage, journal = journal_of()
    names = [entry.name for entry in manifest_of(storage).segments[:2]]
    given = journal.publish(drop_segments=names)
    for count in range(len(given) + 1):
        copy = copy_of(storage)
        for action in given[:count]:
            copy.carry_out(action)
        assert opened(copy).received.sequence == len(CHANGES)
        assert len(segments_of(copy)) in (3, 5)
        yield


def swapped_indexes() -> Iterator[None]:
    storage, _ = journal_of()
    for one, other in permutations(indexes_of(storage), 2):
        copy = copy_of(storage)
        copy.files[one] = bytearray(storage.files[other])
        journal = opened(copy)
        check_images(journal, CHANGES)
        assert [repair.file for repair in journal.repairs] == [one]
        yield


def old_manifests() -> Iterator[None]:
    """A manifest that was put back must not be believed, nor quietly be written over."""
    storage, manifests = MemoryStorage(), []
    journal = open_journal(storage, group=GROUP, settings=JournalSettings(1)).journal
    journal.adopt(EPOCH, INCARNATION)
    for record in records_of():
        settle(journal, storage, journal.ingest(record))
        if storage.exists(MANIFEST_NAME):
            manifests.append(bytes(storage.files[MANIFEST_NAME]))
    for older in reversed(manifests[:-1]):
        storage.files[MANIFEST_NAME] = bytearray(older)
        with pytest.raises(EngineError):
            open_journal(storage, group=GROUP)
        yield


def rotten_indexes() -> Iterator[None]:
    storage, _ = journal_of()
    for name in indexes_of(storage):
        for offset in range(216, len(storage.files[name]), 5):
            copy = copy_of(storage)
            copy.files[name][offset] ^= 0x40
            check_images(opened(copy), CHANGES)
            yield


def rows_compacted_and_forgotten() -> Iterator[None]:
    """Segments leave; what the later ones begin with must still be known without their index."""
    storage, journal = journal_of()
    first, *rest = manifest_of(storage).segments
    settle(journal, storage, journal.publish(drop_segments=[first.name]))
    for entry in rest:
        copy = copy_of(storage)
        del copy.files[entry.index_name]
        again = opened(copy)
        assert again.index.names_at(entry.last.sequence) == journal.index.names_at(
            entry.last.sequence
        )
        settle(again, copy, again.ingest(records_of([*CHANGES, CHANGES[-1]])[-1]))
        assert verify_journal(copy, group=GROUP) == len(CHANGES) + 1
        yield


def deletes_first(monkeypatch):
    publish = Journal.publish

    def plant(self, **changes):
        given = publish(self, **changes)
        return sorted(given, key=lambda action: not isinstance(action, actions.DeleteFile))

    monkeypatch.setattr(Journal, "publish", plant)


def believes_any_head(monkeypatch):
    monkeypatch.setattr(sealed_rows, "index_digest", lambda _: b"")
    monkeypatch.setattr(
        sealed_rows.SegmentEntry, "index_digest", property(lambda _: b""), raising=False
    )


def checks_no_section(monkeypatch):
    monkeypatch.setattr(sealed_rows, "crc32", lambda _: _AnyNumber())


class _AnyNumber:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None


TRIED = {
    "files are deleted before the manifest lets them go": (deletes_first, crashes_amid_publishing),
    "an index file is believed whosever it is": (believes_any_head, swapped_indexes),
    "a section of an index file is not checked": (checks_no_section, rotten_indexes),
    "an older manifest is believed": (
        lambda monkeypatch: monkeypatch.setattr(opening, "_check_listing", lambda *_: None),
        old_manifests,
    ),
    "no standing is kept where a segment leaves": (
        lambda monkeypatch: monkeypatch.setattr(
            Journal, "_standings_for", lambda self, _: self.manifest.standings[:1]
        ),
        rows_compacted_and_forgotten,
    ),
}


def points_until_found(points: Iterator[None]) -> int:
    """Return how many points it took until one failed."""
    for count in range(1, POINTS_MAX):
        try:
            next(points)
        except StopIteration:
            break
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it shows itself
            return count
    raise AssertionError("not found")


@pytest.mark.parametrize("bug", SWEPT)
def test_the_crash_sweep_finds(bug, monkeypatch, planted):
    for _, passed in zip(range(20), swept(), strict=False):
        assert passed is None
    SWEPT[bug](monkeypatch)
    planted(bug, f"point {points_until_found(swept())}")


@pytest.mark.parametrize("bug", TRIED)
def test_a_trial_finds(bug, monkeypatch, planted):
    plant, trial = TRIED[bug]
    for passed in trial():
        assert passed is None
    plant(monkeypatch)
    planted(bug, f"point {points_until_found(trial())}")
