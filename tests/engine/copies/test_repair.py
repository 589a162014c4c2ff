"""What is damaged in one copy comes from a sister, and nothing comes that the copy never held."""

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    check_images,
    opened,
    settle,
    write,
)
from journal_model import A_FEW_PER_SEGMENT, CHANGES, copy_of, manifest_of, records_of, segments_of
from layer_model import Shop, as_changes

from engine import Image, JournalSettings, JournalVerifier, LayerMap, LayerVerifier, open_journal
from engine.basics.errors import JournalDamaged, NoSister
from engine.copies.repair import Repair


def journal_of(batches=1, settings=A_FEW_PER_SEGMENT):
    """Return a journal whose records came in such batches: each leaves other marks."""
    storage = MemoryStorage()
    journal = open_journal(storage, group=GROUP, settings=settings).journal
    journal.adopt(EPOCH, INCARNATION)
    records = records_of()
    for at in range(0, len(records), batches):
        settle(journal, storage, journal.ingest(b"".join(records[at : at + batches])))
    return journal


def verified(journal):
    verifier = JournalVerifier(journal.storage, group=GROUP)
    while verifier.step() is not None:
        pass


def found(journal):
    with pytest.raises(JournalDamaged) as caught:
        verified(journal)
    return caught.value


SISTERS = {
    "the same segments": lambda: journal_of(1),
    "other marks": lambda: journal_of(3),
    "other segments": lambda: journal_of(2, JournalSettings(segment_bytes_max=700)),
    "one open segment": lambda: journal_of(9, JournalSettings()),
}


@pytest.mark.parametrize("kind", SISTERS)
def test_any_damaged_byte_of_any_sealed_segment_is_repaired(kind, figure):
    sister, sound = SISTERS[kind](), journal_of(2)
    repaired, from_sister = 0, 0
    for name in segments_of(sound.storage)[:-1]:
        content = sound.storage.files[name]
        for at in range(0, len(content), 13):
            storage = copy_of(sound.storage)
            storage.files[name][at] ^= 0x40
            journal = opened(storage, A_FEW_PER_SEGMENT)
            try:
                verified(journal)
            except JournalDamaged as damage:
                report = repair(journal, damage, sister)
            else:
                continue  # a mark: nothing vouches for it once the segment is sealed
            repaired += 1
            from_sister += report.bytes_from_sister
            assert report.took_ns == 7
            verified(journal)
    assert repaired > 50
    figure(f"repaired from a sister with {kind}: {repaired} damages, {from_sister} bytes fetched")


def repair(journal, damage, sister):
    job = Repair(journal, damage, 100)
    for action in job.begin(sister, "far"):
        journal.storage.carry_out(action)
    return job.done(107)


def test_a_segment_that_is_gone_comes_back():
    sound, sister = journal_of(2), journal_of(1)
    journal = opened(copy_of(sound.storage), A_FEW_PER_SEGMENT)
    name = segments_of(journal.storage)[1]
    del journal.storage.files[name]
    with pytest.raises(JournalDamaged) as caught:
        verified(journal)
    report = repair(journal, caught.value, sister)
    assert report.bytes_from_sister > 0
    verified(opened(journal.storage, A_FEW_PER_SEGMENT))


def test_a_sister_of_another_history_or_with_the_same_damage_is_not_taken():
    journal = opened(copy_of(journal_of(2).storage), A_FEW_PER_SEGMENT)
    name = segments_of(journal.storage)[0]
    for at in range(64, len(journal.storage.files[name]) - 64):
        journal.storage.files[name][at] ^= 0x40
    damage = found(journal)
    strange = open_journal(MemoryStorage(), group=GROUP).journal
    strange.adopt(EPOCH, INCARNATION)
    with pytest.raises(NoSister):
        repair(journal, damage, strange)
    other = open_journal(MemoryStorage(), group=GROUP).journal
    other.adopt(EPOCH, INCARNATION)
    records = records_of(changes=records_changed())
    settle(other, other.storage, other.ingest(b"".join(records)))
    with pytest.raises(NoSister):
        repair(journal, damage, other)
    with pytest.raises(JournalDamaged):
        repair(journal, damage, journal)


def records_changed():
    return [CHANGES[0], write("logs/a", 0, b"other" * 20), *CHANGES[2:]]


def test_a_file_that_the_manifest_does_not_name_is_not_repaired():
    journal = journal_of(1)
    with pytest.raises(NoSister):
        repair(journal, JournalDamaged("?", file="nothing"), journal_of(1))


def test_a_damaged_layer_comes_from_a_sister_that_has_the_same(figure):
    changes = as_changes([("write", n % 3, n * 3, b"%d" % n * 9) for n in range(20)])
    one, other = Shop(changes, segment_bytes_max=200), Shop(changes, segment_bytes_max=200)
    for shop in (one, other):
        shop.run(shop.keeper())
    entry = one.layers[0]
    for at in range(0, entry.length, 11):
        one.storage.files[entry.name][at] ^= 0x20
        verifier = LayerVerifier(LayerMap(one.journal))
        while verifier.step():
            pass
        (damage,) = verifier.damage
        report = repair(one.journal, damage, other.journal)
        assert report.bytes_total == report.bytes_from_sister == entry.length
        one.check_all()
    other.storage.files[entry.name][40] ^= 1
    with pytest.raises(JournalDamaged):
        repair(one.journal, damage, other.journal)
    with pytest.raises(NoSister):
        repair(one.journal, damage, journal_of(1))
    figure(f"layers repaired from a sister: {entry.length // 11} damages of {entry.name}")


def test_the_manifest_of_a_repaired_copy_is_as_before():
    sound, sister = journal_of(2), journal_of(1)
    journal = opened(copy_of(sound.storage), A_FEW_PER_SEGMENT)
    before = manifest_of(journal.storage)
    journal.storage.files[segments_of(journal.storage)[0]][100] ^= 1
    repair(journal, found(journal), sister)
    assert manifest_of(journal.storage) == before
    again = opened(journal.storage, A_FEW_PER_SEGMENT)
    last = again.durable.sequence
    assert Image(again, last).names() == Image(sound, last).names()


def test_a_crash_before_or_after_the_action_of_any_repair_leaves_it_as_it_was_or_whole(crashes):
    sound, sister = journal_of(2), journal_of(1)
    points = 0
    names = segments_of(sound.storage)[:-1]
    for name in names:
        for is_carried_out in (False, True):
            storage = copy_of(sound.storage)
            storage.files[name][100] ^= 0x40
            journal = opened(storage, A_FEW_PER_SEGMENT)
            (action,) = Repair(journal, found(journal), 100).begin(sister, "far")
            if is_carried_out:
                storage.carry_out(action)
            storage.crash(lambda: "lost")
            journal = opened(storage, A_FEW_PER_SEGMENT)
            if not is_carried_out:
                repair(journal, found(journal), sister)
            verified(journal)
            check_images(journal, CHANGES)
            points += journal.durable.sequence
    crashes("repair", 2 * len(names), points)
