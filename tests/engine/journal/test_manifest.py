"""The manifest: missed when it is gone, refused when it is old, rebuilt from the segments alone."""

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, check_images, opened, settle
from journal_model import (
    A_FEW_PER_SEGMENT,
    CHANGES,
    copy_of,
    indexes_of,
    manifest_of,
    records_of,
    segments_of,
    storage_of,
)

from engine import JournalSettings, open_journal
from engine.basics.errors import JournalDamaged, ManifestDamaged
from engine.formats.manifest import MANIFEST_NAME, encode_manifest
from engine.journal.rebuilding import rebuild_manifest
from engine.journal.verification import JournalVerifier, verify_journal

LAST = len(CHANGES)


def carry_out(storage, given):
    for action in given:
        storage.carry_out(action)


def test_a_manifest_that_is_gone_is_missed_as_soon_as_there_are_two_segments():
    storage = storage_of(A_FEW_PER_SEGMENT)
    del storage.files[MANIFEST_NAME]
    with pytest.raises(ManifestDamaged, match="rebuild_manifest"):
        open_journal(storage, group=GROUP)
    for name in segments_of(storage)[1:]:
        del storage.files[name]
    assert opened(storage).durable.sequence, "one segment without a manifest is a beginning"


def test_an_older_manifest_is_not_believed():
    storage, manifests = MemoryStorage(), []
    journal = open_journal(storage, group=GROUP, settings=JournalSettings(1)).journal
    journal.adopt(EPOCH, INCARNATION)
    for record in records_of():
        settle(journal, storage, journal.ingest(record))
        manifests.append(bytes(storage.files.get(MANIFEST_NAME, b"")))
    for older in manifests[1:-1]:
        copy = copy_of(storage)
        copy.files[MANIFEST_NAME] = bytearray(older)
        with pytest.raises(ManifestDamaged, match="older"):
            open_journal(copy, group=GROUP)


@pytest.mark.parametrize("damage", ["gone", "older", "rotten", "and all index files gone"])
def test_a_manifest_is_rebuilt_from_the_segments_alone(damage):
    storage = storage_of(A_FEW_PER_SEGMENT)
    whole = copy_of(storage)
    manifest = manifest_of(storage)
    if damage == "rotten":
        storage.files[MANIFEST_NAME][30] ^= 1
    elif damage == "older":
        older = manifest._replace(segments=manifest.segments[:1])
        storage.files[MANIFEST_NAME] = bytearray(encode_manifest(older))
    else:
        del storage.files[MANIFEST_NAME]
    if "index" in damage:
        for name in indexes_of(storage):
            del storage.files[name]
    with pytest.raises(ManifestDamaged):
        open_journal(storage, group=GROUP)
    carry_out(storage, rebuild_manifest(storage, group=GROUP))
    assert manifest_of(storage) == manifest._replace(generation=1)
    assert all(storage.files[name] == whole.files[name] for name in indexes_of(whole))
    check_images(opened(storage), CHANGES)
    assert verify_journal(storage, group=GROUP) == LAST


def test_a_manifest_is_not_rebuilt_from_damaged_or_missing_segments():
    for number in range(3):
        storage = storage_of(A_FEW_PER_SEGMENT)
        name = segments_of(storage)[number]
        del storage.files[MANIFEST_NAME]
        storage.files[name][90] ^= 1
        with pytest.raises(JournalDamaged) as caught:
            rebuild_manifest(storage, group=GROUP)
        assert caught.value.file == name
        del storage.files[name]
        with pytest.raises(ManifestDamaged, match="before this one"):
            rebuild_manifest(storage, group=GROUP)
    with pytest.raises(ManifestDamaged, match="no segment"):
        rebuild_manifest(MemoryStorage(), group=GROUP)


def test_a_verifier_takes_one_segment_at_a_time_and_can_be_resumed():
    storage = storage_of(A_FEW_PER_SEGMENT)
    ends = [entry.last.sequence for entry in manifest_of(storage).segments]
    verifier = JournalVerifier(storage, group=GROUP)
    for end in ends:
        assert verifier.step().last_sequence == end
        verifier = JournalVerifier(storage, group=GROUP, verified=verifier.verified)
    assert verifier.step() is None


def test_a_verifier_that_met_damage_says_how_far_all_is_well_and_goes_on_behind_it():
    storage = storage_of(A_FEW_PER_SEGMENT)
    first, second, third = manifest_of(storage).segments
    storage.files[second.name][100] ^= 1
    del storage.files[third.index_name]
    verifier = JournalVerifier(storage, group=GROUP)
    verifier.step()
    with pytest.raises(JournalDamaged) as caught:
        verifier.step()
    assert caught.value.file == second.name
    assert verifier.verified == first.last.sequence
    verifier.skip()
    (repair,) = verifier.step().repairs
    assert repair.name == third.index_name
    assert verifier.step() is None


def test_a_verifier_beside_a_growing_journal_sees_what_was_sealed_meanwhile():
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP, settings=A_FEW_PER_SEGMENT).journal
    journal.adopt(EPOCH, INCARNATION)
    verifier = JournalVerifier(storage, group=GROUP)
    for record in records_of():
        settle(journal, storage, journal.ingest(record))
        while verifier.step() is not None:
            pass
        assert verifier.verified == journal.segments[-1].before.sequence
    assert verifier.verified > LAST // 2
