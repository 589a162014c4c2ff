"""`/a` of exchange.md 1.4 (R2, R5 to R8): what is let go, what never is, and what a cut leaves."""

import pytest
from checker import check_database
from cut_files import CutError, CutFiles, FullFiles
from mail_world import DATABASE, LOG_BYTES, copy_of, recover
from recovery_case import (
    CHECKPOINT,
    CURRENT,
    PAGE_BYTES,
    TEMPORARY,
    Case,
    archive,
    frozen_files,
    mail_in,
    mail_up_to,
    world_after_mount,
    world_of,
)

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.values import LogTime
from emulators.ese.recovery.decision import Required, decide, worst_of
from emulators.ese.recovery.log_set import LogSet

DEPTH = 3


@pytest.fixture
def case():
    made = Case(world_of(DEPTH).files(), world_of(DEPTH).ledger())
    assert made.committed == made.last + DEPTH
    return made


@pytest.fixture
def frozen():
    return Case(*frozen_files())


def ids(events):
    return [event_id for event_id, _ in events]


def lets_go(case, code, last, *event_ids, removed=()):
    """Lossy recovery ends with this warning, and with exactly the mail of the logs up to `last`."""
    report = recover(case.files, lossy=True)
    assert report.warning.code == code
    assert report.warning.name.startswith("JET_wrnCommittedLogFiles")
    assert report.warning.event_id == event_ids[-1]
    assert report.last_generation == last
    assert report.loss.first == last + 1
    assert report.removed == removed
    replayed = [301] * len(report.generations)
    assert ids(report.events) == [300, *replayed, *event_ids, 302]
    mail, ledger = mail_up_to(world_of(DEPTH), last)
    assert check_database(case.files).problems == []
    assert mail_in(case.files) == mail
    assert ledger.compare(case.files) == []
    follows_on(case.files, last)
    return report


def follows_on(files, last):
    """The stream goes on after `last` with one new log that names the log before it."""
    before = LogHeader.unpack(files.read(archive(last), 0, 4096))
    current = LogHeader.unpack(files.read(CURRENT, 0, 4096))
    assert (current.generation, current.previous_created) == (last + 1, before.created)
    assert current.signature == before.signature
    assert not files.exists(TEMPORARY)
    logs = LogSet(files, "E00", EXCHANGE_2007)
    assert max(logs.archives) == last
    assert logs.problem_from(logs.first) is None
    assert files.size(CURRENT) == LOG_BYTES
    assert recover(files).was_clean


def test_with_nothing_lost_it_is_a_plain_recovery(case):
    plain = copy_of(case.files)
    report = case.recovers(lossy=True)
    assert report.warning is None
    assert report == recover(plain)
    assert case.files._files == plain._files


def test_r1_a_frozen_image_loses_nothing(frozen):
    assert frozen.recovers(lossy=True).warning is None


def test_r2_without_current_and_temporary_log(case):
    case.files.delete(CURRENT)
    error = case.refuses(-528, CURRENT, ranged=False)
    assert ids(error.events) == [300, 518, 454]
    lets_go(case, 585, case.committed - 1, 524)


def test_r2_a_frozen_image_without_its_temporary_log_loses_nothing_but_cannot_know(frozen):
    frozen.files.delete(TEMPORARY)
    report = frozen.recovers(lossy=True)
    assert report.warning.code == 585


def test_r1_a_temporary_log_that_does_not_follow_is_replaced(frozen):
    frozen.change_header(TEMPORARY, previous_created=LogTime.from_ns(10**18))
    frozen.refuses(-528 if frozen.committed <= frozen.last else -582, ranged=False)
    assert frozen.recovers(lossy=True).warning.code == 585
    follows_on(frozen.files, frozen.last)


def test_r1_a_temporary_log_that_skips_a_generation_shows_a_loss_that_the_header_cannot(frozen):
    header = DatabaseHeader.unpack(frozen.files.read(DATABASE, 0, PAGE_BYTES))
    header.generation_max_committed = frozen.last
    newest = LogHeader.unpack(frozen.files.read(archive(frozen.last), 0, 4096))
    header.generation_max_created = newest.created
    frozen.files.write(DATABASE, 0, header.pack() * 2)
    tmp = LogHeader.unpack(frozen.files.read(TEMPORARY, 0, 4096))
    frozen.change_header(TEMPORARY, generation=tmp.generation + 1)
    frozen.refuses(-528, CURRENT, ranged=False)
    report = frozen.recovers(lossy=True)
    assert (report.warning.code, report.warning.event_id) == (585, 524)
    assert report.loss.first == frozen.last + 1
    follows_on(frozen.files, frozen.last)


def test_r5_the_first_required_log_is_never_let_go(case):
    case.lose(*range(1, case.first + 1))
    error = case.refuses(-543, archive(case.first), lossy=True)
    assert ids(error.events) == [300, 452, 454]


def test_r5_nor_one_that_the_checkpoint_needs(case):
    case.lose(*range(1, case.first))
    case.move_checkpoint(case.first - 1)
    error = case.refuses(-528, archive(case.first - 1), lossy=True)
    assert ids(error.events) == [300, 452, 454]


def test_r6a_a_required_log_missing_and_no_current_log(frozen):
    frozen.lose(frozen.last - 1)
    assert ids(frozen.refuses(-528).events) == [300, 558, 454]
    assert ids(frozen.refuses(-543, lossy=True).events) == [300, 558, 453, 454]


def test_r6a_logs_above_a_committed_hole_are_removed(case):
    hole = case.committed - 2
    case.lose(hole)
    case.files.delete(CURRENT)
    case.files.create(TEMPORARY, 0)
    assert ids(case.refuses(-528).events) == [300, 558, 454]
    lets_go(case, 587, hole - 1, 558, 527, removed=(archive(hole + 1),))


def test_r6b_a_committed_hole_below_the_current_log(case):
    hole = case.committed - 2
    case.lose(hole)
    error = case.refuses(-582, archive(hole))
    assert (error.event_id, ids(error.events)) == (528, [300, 518, 528, 454])
    lets_go(case, 587, hole - 1, 518, 527, removed=(CURRENT, archive(hole + 1)))


def test_r6b_a_wide_committed_hole(case):
    case.lose(case.committed - 1, case.committed - 2)
    assert ids(case.refuses(-582).events) == [300, 519, 528, 454]
    lets_go(case, 587, case.committed - 3, 519, 527, removed=(CURRENT,))


def test_r6b_a_required_hole(case):
    case.lose(case.last)
    for lossy in (False, True):
        error = case.refuses(-515, archive(case.last), lossy=lossy)
        assert ids(error.events) == [300, 518, 567, 454]


def test_r6b_a_committed_log_that_follows_another_one(case):
    case.change_header(archive(case.committed - 1), previous_created=LogTime.from_ns(10**18))
    assert ids(case.refuses(-582).events) == [300, 528, 454]
    lets_go(case, 587, case.committed - 2, 527, removed=(CURRENT, archive(case.committed - 1)))


def test_r6b_a_required_log_that_follows_another_one(case):
    case.change_header(archive(case.last), previous_created=LogTime.from_ns(10**18))
    for lossy in (False, True):
        assert ids(case.refuses(-515, lossy=lossy).events) == [300, 567, 454]


def test_r6b_an_old_copy_of_a_log_in_the_place_of_the_current_one(case):
    old = case.files.read(archive(case.first), 0, LOG_BYTES)
    case.files.write(CURRENT, 0, old)
    error = case.refuses(-582, CURRENT)
    assert "there are archives up to" in error.where
    lets_go(case, 587, case.committed - 1, 527, removed=(CURRENT,))


def test_r6c_a_required_log_that_is_damaged(case):
    case.flip(archive(case.last), 300_000)
    for lossy in (False, True):
        error = case.refuses(-501, archive(case.last), lossy=lossy)
        before = [301] * (case.last - case.first)
        assert ids(error.events) == [300, *before, 465, 567, 454]


def test_r6c_a_committed_log_that_is_damaged(case):
    bad = case.last + 1
    case.flip(archive(bad), 300_000)
    before = [301] * (bad - case.first)
    assert ids(case.refuses(-586, archive(bad)).events) == [300, *before, 465, 525, 454]
    removed = (CURRENT, archive(bad + 1), archive(bad))
    lets_go(case, 587, case.last, 465, 526, removed=removed)


def test_r6c_a_current_log_without_a_header(case):
    case.flip(CURRENT, 200)
    assert ids(case.refuses(-586, CURRENT).events) == [300, 440, 525, 454]
    lets_go(case, 587, case.committed - 1, 440, 526, removed=(CURRENT,))


def test_r6c_the_lowest_of_several_breaks_decides(case):
    case.flip(CURRENT, 200)
    case.lose(case.committed - 1)
    case.flip(archive(case.last + 1), 300_000)
    removed = (CURRENT, archive(case.last + 1))
    lets_go(case, 587, case.last, 465, 526, removed=removed)


def test_r6c_damage_below_a_hole_is_still_found(case):
    case.lose(case.committed - 1)
    case.flip(archive(case.last), 300_000)
    case.refuses(-501, archive(case.last), lossy=True)


def test_r7_and_r8_name_what_is_missing(case):
    case.make_current(case.last)
    error = case.refuses(-582, archive(case.last + 1))
    assert ids(error.events) == [300, 523, 454]
    case = Case(world_of(DEPTH).files(), None)
    case.make_current(case.last - 1)
    for lossy in (False, True):
        error = case.refuses(-543, archive(case.last), lossy=lossy)
        assert ids(error.events) == [300, 453, 454]


def test_r11_logs_of_another_set_are_not_removed(case):
    header = LogHeader.unpack(case.files.read(CURRENT, 0, 4096))
    case.change_header(CURRENT, signature=header.signature._replace(random=7))
    for lossy in (False, True):
        case.refuses(-530, CURRENT, lossy=lossy)


def test_the_worst_database_decides_for_all():
    """Each of two databases alone would recover; the one with the later waypoint forbids it."""
    case = Case(world_of(DEPTH).files(), None)
    case.files.delete(CURRENT)
    logs = LogSet(case.files, "E00", EXCHANGE_2007)
    first, tip = case.first, case.committed
    for last in range(first, tip + 2):
        required = worst_of([Required("A", first, tip - 1, tip), Required("B", first, last, tip)])
        if last > tip - 1:
            with pytest.raises(EseError, match="-543"):
                decide(logs, required, None, lossy=True)
        else:
            assert decide(logs, required, None, lossy=True).loss.code == 585


# Lossy recovery is cut, and begun again; and the disk becomes full under it.


def image_to_cut():
    world = world_after_mount(DEPTH)
    case = Case(world.files(), world.ledger())
    hole = case.last + 1
    case.lose(hole)
    assert hole < case.committed - 1, "an archive and the current log are to be removed"
    return case, mail_up_to(world, hole - 1)


SPARSE = pytest.param(8, id="every eighth")
EACH = pytest.param(1, id="each", marks=pytest.mark.nightly)


@pytest.mark.parametrize("step", [SPARSE, EACH])
@pytest.mark.parametrize("loses", [True, False], ids=["unflushed writes lost", "all writes kept"])
def test_lossy_recovery_cut_anywhere_ends_the_same_when_begun_again(loses, step, figure):
    """Each of the first operations, where logs are removed and made, is a cut in any case."""
    case, (mail, ledger) = image_to_cut()
    counted = CutFiles(copy_of(case.files), -1, loses=False)
    recover(counted, lossy=True)
    steps = range(counted.done)
    assert len(steps) > 20
    chosen = [*steps[:24], *steps[24::step]]
    for cut in chosen:
        files = CutFiles(copy_of(case.files), cut, loses=loses)
        with pytest.raises(CutError):
            recover(files, lossy=True)
        again = recover(files.durable, lossy=True)
        assert again.was_clean or again.last_generation in (case.last, case.last + 1)
        assert check_database(files.durable).problems == [], f"cut after {cut} operations"
        assert mail_in(files.durable) == mail
        assert ledger.compare(files.durable) == []
        follows_on(files.durable, case.last)
    figure(f"{len(chosen)} cuts")


@pytest.mark.parametrize("lossy", [True, False])
@pytest.mark.parametrize("loses", [True, False], ids=["unflushed writes lost", "all writes kept"])
def test_a_new_current_log_that_was_not_finished_is_never_taken_for_a_log(loses, lossy):
    """Only the newest log is lost, so the one in its place is of the generation committed last."""
    world = world_after_mount(DEPTH)
    case = Case(world.files(), world.ledger())
    case.files.delete(CURRENT)
    mail, _ = mail_up_to(world, case.committed - 1)
    was_refused = set()
    for cut in range(9):
        files = CutFiles(copy_of(case.files), cut, loses=loses)
        with pytest.raises(CutError):
            recover(files, lossy=True)
        files = files.durable
        before = copy_of(files)
        try:
            recover(files, lossy=lossy)
        except EseError as error:
            was_refused.add(error.code)
            assert files._files == before._files
            recover(files, lossy=True)
        assert mail_in(files) == mail, f"cut after {cut} operations"
        follows_on(files, case.committed - 1)
    assert was_refused == (set() if lossy else {-528, -582})


def test_a_plain_recovery_after_a_cut_lossy_one_never_brings_back_other_mail():
    case, (mail, _) = image_to_cut()
    counted = CutFiles(copy_of(case.files), -1, loses=False)
    recover(counted, lossy=True)
    refused = set()
    for cut in range(0, counted.done, 3):
        files = CutFiles(copy_of(case.files), cut, loses=True)
        with pytest.raises(CutError):
            recover(files, lossy=True)
        try:
            recover(files.durable)
        except EseError as error:
            refused.add(error.code)
        else:
            assert mail_in(files.durable) == mail
    assert refused
    assert refused <= {-528, -582}


@pytest.mark.parametrize("step", [SPARSE, EACH])
def test_a_disk_that_becomes_full_under_it_is_an_error_and_room_is_the_cure(step, figure):
    case, (mail, _) = image_to_cut()
    counted = FullFiles(copy_of(case.files), -1)
    recover(counted, lossy=True)
    codes = []
    for room in [*range(12), *range(12, counted.done, step)]:
        files = copy_of(case.files)
        with pytest.raises(EseError) as caught:
            recover(FullFiles(files, room), lossy=True)
        codes.append(caught.value.code)
        recover(files, lossy=True)
        assert check_database(files).problems == [], f"room for {room} operations"
        assert mail_in(files) == mail
        follows_on(files, case.last)
    figure(f"{len(codes)} times full")
    assert set(codes) == {-529, -1808}


def test_the_checkpoint_is_written_at_the_new_end(case):
    case.files.delete(CURRENT)
    recover(case.files, lossy=True)
    assert case.files.exists(CHECKPOINT)
    assert case.checkpoint.checkpoint.generation == case.committed
