"""Damage to any file of a run: refused with its error, made good, or on the list of the unseen.

The list is the docstring of emulators/ese/recovery. No damage may bring back mail that was never
sent or that differs from what was sent, and none may lose any without an error or a torn-tail
event, unless the list says so.
"""

import pytest
from damage import (
    fresh_case,
    last_flush_of,
    outcome_of,
    pages_in_replayed_logs,
    put_page,
    whole_mail,
    written_pages,
)
from mail_world import DATABASE, LOG_BYTES
from recovery_case import CHECKPOINT, CURRENT, PAGE_BYTES, archive

from emulators.ese.errors import EseError
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.log_file import fill_pattern
from emulators.ese.formats.page import page_offset

SECTOR = 512
HEADER_OFFSETS = [0, 4, 24, 52, 60, 108, 232, 296, 303, 350, 418, 667, 3001, 8191]


@pytest.fixture
def case():
    return fresh_case()


def codes(outcomes):
    return sorted({outcome.code or 0 for outcome in outcomes})


def is_whole(outcome):
    return outcome.code is None and outcome.mail == whole_mail()


# The header of the database, and the checkpoint: each is there twice.


@pytest.mark.parametrize("copy", [0, PAGE_BYTES], ids=["header", "shadow"])
def test_one_damaged_copy_of_the_database_header_is_made_good(copy):
    for offset in HEADER_OFFSETS:
        case = fresh_case()
        case.flip(DATABASE, copy + offset)
        assert is_whole(outcome_of(case.files)), offset


def test_header_and_shadow_both_damaged_are_refused_with_1206():
    for offset in HEADER_OFFSETS:
        case = fresh_case()
        case.flip(DATABASE, offset)
        case.flip(DATABASE, PAGE_BYTES + HEADER_OFFSETS[-1] - offset)
        assert outcome_of(case.files).code == -1206, offset


@pytest.mark.parametrize("copies", [(0,), (4096,), (0, 4096)])
def test_a_damaged_checkpoint_costs_time_only_and_is_533_where_it_is_read(copies):
    for offset in (0, 12, 19, 48, 667, 4095):
        case = fresh_case()
        for copy in copies:
            case.flip(CHECKPOINT, copy + offset)
        image = case.files.read(CHECKPOINT, 0, 8192)
        if len(copies) == 2:
            with pytest.raises(EseError, match="-533"):
                Checkpoint.unpack(image)
        else:
            Checkpoint.unpack(image)
        assert is_whole(outcome_of(case.files)), offset


# Logs.


def test_a_log_before_the_checkpoint_is_not_looked_at():
    for offset in range(0, LOG_BYTES, 150_001):
        case = fresh_case()
        case.flip(archive(case.first - 1), offset)
        assert is_whole(outcome_of(case.files)), offset


def damaged_log(name, offset):
    case = fresh_case()
    case.flip(name, offset)
    return outcome_of(case.files)


@pytest.mark.parametrize("which", ["first", "last"])
def test_a_flipped_bit_anywhere_in_a_required_log_is_501_and_names_it(case, which):
    name = archive(getattr(case, which))
    for offset in [*range(0, 4096, 977), *range(4096, LOG_BYTES, 10_007), LOG_BYTES - 1]:
        outcome = damaged_log(name, offset)
        assert outcome.code == -501, offset
        assert name in outcome.where


def test_a_flipped_bit_in_the_current_log_is_586_or_in_its_last_flush_a_torn_tail(case):
    """The last flush of the newest log is the one place where damage looks like a power cut."""
    last_flush = last_flush_of(case)
    seen = set()
    for offset in [5, 700, *range(4096, last_flush + 8192, 9_973), last_flush + 700]:
        outcome = damaged_log(CURRENT, offset)
        if outcome.code is not None:
            assert outcome.code in (-586, -582), offset
            seen.add("refused")
        elif is_whole(outcome):
            seen.add("made good")
        else:
            assert offset >= last_flush - SECTOR
            assert outcome.says_torn
            assert outcome.mail.items() < whole_mail().items(), "a part, and nothing else"
            seen.add("torn")
    assert "refused" in seen


def test_a_last_flush_that_is_damaged_anywhere_is_refused_or_loses_at_most_itself(case):
    last_flush = last_flush_of(case)
    for offset in range(last_flush, last_flush + 4 * SECTOR, SECTOR // 2):
        outcome = damaged_log(CURRENT, offset)
        if outcome.code is not None:
            assert outcome.code == -586
            continue
        assert outcome.mail.items() <= whole_mail().items()
        assert len(whole_mail()) - len(outcome.mail) <= 1, "one message was in that flush"
        assert is_whole(outcome) or outcome.says_torn


def change_sectors(case, sector, kind):
    """Put other bytes in the place of one or two sectors of the last required log."""
    name, at = archive(case.last), sector * SECTOR
    own = case.files.read(name, at, SECTOR)
    next_one = case.files.read(name, at + SECTOR, SECTOR)
    now = {
        "lost": fill_pattern(SECTOR) + next_one,
        "zeroed": bytes(SECTOR) + next_one,
        "doubled": own + own,
        "swapped": next_one + own,
    }[kind]
    case.files.write(name, at, now)
    return outcome_of(case.files)


@pytest.mark.parametrize("kind", ["lost", "zeroed", "doubled"])
def test_a_sector_of_a_required_log_that_is_not_its_own_is_501(kind):
    for sector in range(9, 1700, 211):
        assert change_sectors(fresh_case(), sector, kind).code == -501, sector


def test_sectors_that_changed_places_are_seen_only_where_they_are_of_two_flushes():
    """On the list: an XOR does not know the order of what it covers, which is one flush."""
    not_seen = 0
    for sector in range(9, 1700, 60):
        outcome = change_sectors(fresh_case(), sector, "swapped")
        if outcome.code is None:
            not_seen += 1
            assert outcome.mail.keys() == whole_mail().keys()
            different = [i for i in outcome.mail if outcome.mail[i] != whole_mail()[i]]
            assert len(different) <= 1, "the message of that flush"
        else:
            assert outcome.code == -501, sector
    assert not_seen > 0


def test_a_log_that_is_cut_off_is_501():
    for size in (0, 100, 4096, 5000, 600_000, LOG_BYTES - SECTOR):
        case = fresh_case()
        case.files.truncate(archive(case.last), size)
        outcome = outcome_of(case.files)
        if size == LOG_BYTES - SECTOR:
            assert is_whole(outcome), "the last sector is only kept for a shadow"
        else:
            assert outcome.code == -501, size


# Pages.


def sampled(pages, *, every):
    return sorted(pages)[::every]


def flips_of(pgno, count):
    return [(pgno * 7919 + number * 2741) % PAGE_BYTES for number in range(count)]


def flip_pages(pages, count):
    outcomes = []
    for pgno in pages:
        for offset in flips_of(pgno, count):
            case = fresh_case()
            case.flip(DATABASE, page_offset(pgno, PAGE_BYTES) + offset)
            outcomes.append(outcome_of(case.files))
            assert f"{pgno}" in outcomes[-1].where
    return outcomes


def test_a_flipped_bit_in_any_page_is_1018_in_recovery_or_1206_in_the_checksums(figure):
    outcomes = flip_pages(sampled(written_pages(), every=4), 1)
    figure(f"{len(outcomes)} pages")
    assert codes(outcomes) == [-1206, -1018]


@pytest.mark.nightly
def test_flipped_bits_in_every_page_are_found(figure):
    outcomes = flip_pages(written_pages(), 4)
    figure(f"{len(outcomes)} flips")
    assert codes(outcomes) == [-1206, -1018]


def test_swapped_pages_are_found_because_the_page_number_is_in_the_checksum():
    pages = sampled(written_pages(), every=11)
    outcomes = []
    for first, second in zip(pages[::2], pages[1::2], strict=False):
        case = fresh_case()
        images = [
            case.files.read(DATABASE, page_offset(pgno, PAGE_BYTES), PAGE_BYTES)
            for pgno in (first, second)
        ]
        put_page(case, first, images[1])
        put_page(case, second, images[0])
        outcomes.append(outcome_of(case.files))
    assert codes(outcomes) == [-1206, -1018]


def test_a_torn_page_write_is_found_at_whichever_sector_it_was_torn():
    """Unless both parts are of one version, as where the rest of the page did not change."""
    versions = written_pages()
    changed = [pgno for pgno, written in versions.items() if len(written) > 1]
    torn = made_good = 0
    for pgno in [*changed, *sampled(versions, every=60)]:
        old, new = [bytes(PAGE_BYTES), *versions[pgno]][-2:]
        for sectors in (1, 7, 15):
            image = new[: sectors * SECTOR] + old[sectors * SECTOR :]
            case = fresh_case()
            put_page(case, pgno, image)
            outcome = outcome_of(case.files)
            if image in (old, new):
                made_good += 1
                continue
            assert outcome.code in (-1018, -1206), (pgno, sectors)
            torn += 1
    assert torn > 20


def lose_writes(pages):
    """Put the version before in each page's place; count what came of it, by log coverage."""
    versions, touched = written_pages(), pages_in_replayed_logs(fresh_case())
    counts = dict.fromkeys(("redone", "refused", "without effect", "not seen"), 0)
    for pgno in pages:
        case = fresh_case()
        put_page(case, pgno, [bytes(PAGE_BYTES), *versions[pgno]][-2])
        outcome = outcome_of(case.files, is_sound=touched[pgno] > 0)
        if outcome.code is not None:
            assert outcome.code in (-566, -1019), pgno
            counts["refused"] += 1
        elif is_whole(outcome):
            counts["redone" if touched[pgno] else "without effect"] += 1
        else:
            assert not touched[pgno], f"page {pgno}: a log was replayed on it"
            assert outcome.mail.items() < whole_mail().items()
            counts["not seen"] += 1
    return counts


def test_a_lost_page_write_is_redone_or_refused_where_the_log_covers_it(figure):
    versions = written_pages()
    changed = [pgno for pgno, written in versions.items() if len(written) > 1]
    counts = lose_writes([*changed, *sampled(versions, every=16)])
    figure(f"{counts}")
    assert min(counts["redone"], counts["refused"]) > 3


@pytest.mark.nightly
def test_every_lost_page_write_is_redone_or_refused_where_the_log_covers_it(figure):
    counts = lose_writes(written_pages())
    figure(f"{counts}")
    assert counts["without effect"] + counts["not seen"] > 0, "no log covers these"


def test_a_database_that_is_cut_off_is_refused():
    for pages in (0, 1, 2, 3, 40, 200):
        case = fresh_case()
        case.files.truncate(DATABASE, pages * PAGE_BYTES)
        assert outcome_of(case.files).code in (-1206, -1018, -1019), pages
