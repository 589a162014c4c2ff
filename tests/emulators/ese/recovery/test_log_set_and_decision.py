"""The table of exchange.md 1.4, line by line, on the files of a real run.

Every refusal must carry the right code, name the file and the range, give a hint, and leave all
files as they were; every acceptance must bring back what is promised.
"""

import pytest
from mail_world import (
    DATABASE,
    LOG_BYTES,
    Disks,
    World,
    copy_of,
    recover,
    recover_and_check,
)
from recovery_case import (
    CHECKPOINT,
    CURRENT,
    PAGE_BYTES,
    TEMPORARY,
    Case,
    archive,
    frozen_files,
    world_of,
)

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.values import LogTime
from emulators.ese.recovery.decision import Required, worst_of
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.opened import open_database
from sim.volume import Kind


@pytest.fixture
def case():
    world = world_of(1)
    made = Case(world.files(), world.ledger())
    assert 1 < made.first < made.last - 1, "the checkpoint has moved and several logs are required"
    assert made.committed == made.last + 1, "the window of depth 1 is open"
    return made


@pytest.fixture
def frozen():
    made = Case(*frozen_files())
    assert not made.files.exists(CURRENT)
    assert made.files.exists(TEMPORARY)
    return made


def test_r9_all_logs_are_there(case):
    report = case.recovers()
    assert report.generations == tuple(range(case.first, case.committed + 1))
    assert report.warning is None
    replayed = [301] * len(report.generations)
    assert [event_id for event_id, _ in report.events] == [300, *replayed, 302]
    assert archive(case.first) in report.events[1].text


def test_r1_without_a_current_log_but_with_the_next_one_prepared_recovery_goes_on(frozen):
    report = frozen.recovers()
    assert report.generations[-1] == frozen.last
    header = LogHeader.unpack(frozen.files.read(CURRENT, 0, 4096))
    assert header.generation == frozen.committed


def test_r2_without_current_and_temporary_log(case):
    case.files.delete(CURRENT)
    case.refuses(-528, CURRENT, ranged=False)


def test_r2_holds_for_a_frozen_image_without_its_temporary_log(frozen):
    frozen.files.delete(TEMPORARY)
    frozen.refuses(-528, CURRENT, ranged=False)


def test_r3_a_clean_database_needs_no_log(case):
    recover(case.files)
    for name in case.files.names():
        if name != DATABASE:
            case.files.delete(name)
    assert recover(case.files).was_clean
    assert case.ledger.compare(case.files) == []


def test_r4_without_a_checkpoint_recovery_starts_at_the_oldest_log(case):
    case.files.delete(CHECKPOINT)
    assert case.recovers().generations[0] == 1


def test_r4_a_damaged_checkpoint_is_as_good_as_none(case):
    case.flip(CHECKPOINT, 100)
    case.flip(CHECKPOINT, 4196)
    assert case.recovers().generations[0] == 1


def test_r4_one_whole_copy_of_the_checkpoint_is_enough(case):
    case.flip(CHECKPOINT, 100)
    assert case.recovers().generations[0] == case.first


def test_r5_the_first_required_log_is_missing(case):
    case.lose(*range(1, case.first + 1))
    error = case.refuses(-543, archive(case.first))
    assert "452" in error.where


def test_r5_no_log_at_all_for_a_dirty_database(case):
    for name in case.files.names():
        if name.endswith(".log"):
            case.files.delete(name)
    case.refuses(-543, archive(case.first))


def test_r5_the_checkpoint_asks_for_logs_before_the_first(case):
    case.lose(*range(1, case.first))
    case.move_checkpoint(case.first - 1)
    case.refuses(-528, archive(case.first - 1))


def test_r6a_a_hole_and_no_current_log(frozen):
    hole = frozen.last - 1
    frozen.lose(hole)
    frozen.refuses(-528, archive(hole))


def test_r6b_a_hole_below_the_current_log(case):
    hole = case.first + 1
    case.lose(hole)
    case.refuses(-515, archive(hole))


def test_r6b_a_log_that_follows_another_one(case):
    case.change_header(archive(case.last - 1), created=LogTime.from_ns(10**18))
    error = case.refuses(-515, archive(case.last))
    assert "follows a log created" in error.where


def test_r6b_a_log_under_another_generations_name(case):
    case.lose(case.last)
    case.files.rename(archive(case.last - 1), archive(case.last))
    case.files.create(archive(case.last - 1), 0)
    case.files.write(archive(case.last - 1), 0, case.files.read(archive(case.last), 0, LOG_BYTES))
    error = case.refuses(-515, archive(case.last))
    assert f"generation {case.last - 1}" in error.where


def test_r6b_beyond_the_waypoint_only_committed_data_is_at_stake(case):
    case.change_header(CURRENT, previous_created=LogTime.from_ns(10**18))
    case.refuses(-582, CURRENT)


def test_r6c_a_required_log_damaged_in_its_middle(case):
    case.flip(archive(case.last - 1), 300_000)
    error = case.refuses(-501, archive(case.last - 1))
    assert "damaged at offset" in error.where


def test_r6c_a_required_log_damaged_at_its_end_is_not_taken_for_a_torn_write(case):
    name = archive(case.last)
    image = case.files.read(name, 0, LOG_BYTES)
    used = LOG_BYTES
    while image[used - 512 : used - 16] == image[-512:-16]:
        used -= 512
    case.flip(name, used - 1500)
    case.refuses(-501, name)


def test_r6c_the_newest_archive_of_a_frozen_image_was_written_whole_too(frozen):
    """Without a current log it is the last one replayed, and yet no write to it can be torn."""
    name = archive(frozen.last)
    image = frozen.files.read(name, 0, LOG_BYTES)
    used = LOG_BYTES
    while image[used - 512 : used - 16] == image[-512:-16]:
        used -= 512
    for offset in range(used - 1024, used, 64):
        frozen.flip(name, offset)
    frozen.refuses(-501, name)


def test_r6c_a_log_without_a_readable_header(case):
    case.flip(archive(case.last), 200)
    case.refuses(-501, archive(case.last))


def test_r6c_a_damaged_current_log_costs_committed_data_only(case):
    case.flip(CURRENT, 200)
    case.refuses(-586, CURRENT)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_r7_and_r8_losing_the_newest_logs_is_judged_by_the_waypoint(depth, lost):
    world = world_of(depth)
    case = Case(world.files(), world.ledger())
    assert case.committed - case.last == depth
    newest = case.committed - lost
    case.make_current(newest)
    if lost > depth:
        assert "453" in case.refuses(-543, archive(newest + 1)).where
    else:
        case.refuses(-582, archive(newest + 1))


def test_r7_names_only_some_of_many_missing_logs(case):
    case.make_current(case.first)
    error = case.refuses(-543, archive(case.first + 1))
    assert "more" in error.where or case.last - case.first <= 3


def test_r7_a_frozen_image_without_its_newest_archive(frozen):
    frozen.lose(frozen.last)
    frozen.refuses(-543, archive(frozen.last))


def test_r11_logs_of_another_set(case):
    for name in case.files.names():
        if name.endswith(".log"):
            header = LogHeader.unpack(case.files.read(name, 0, 4096))
            case.change_header(name, signature=header.signature._replace(random=7))
    case.refuses(-530, archive(case.first))


def test_r11_one_log_of_another_set_among_the_required_ones(case):
    name = archive(case.last)
    header = LogHeader.unpack(case.files.read(name, 0, 4096))
    case.change_header(name, signature=header.signature._replace(random=7))
    case.refuses(-530, name)


def test_r16_a_torn_write_at_the_end_of_the_current_log_is_cut_off():
    world = World()
    world.spawn(world.drip(3, 3000, every_ms=100))
    world.run(2)
    done = max(n for n, op in enumerate(world.operations, 1) if op.kind is Kind.WRITE)
    disks = Disks(world.operations)
    disks.advance(done - 1)
    files = disks.copy()
    last = world.operations[done - 1]
    assert last.file == CURRENT
    (payload,) = last.payload
    files.write(CURRENT, last.offset, payload[:1024])
    recovered = recover_and_check(files, world.ledger(done - 1))
    assert recovered.problems == []
    repaired = [text for event_id, text in recovered.report.events if event_id == 462]
    assert len(repaired) == 1
    assert f"{CURRENT}, cut off at offset " in repaired[0]


def test_a_bad_page_is_refused_by_its_number(case):
    fdp = open_database(recovered_copy(case), DATABASE).table("Folders").tree.tree.fdp
    case.flip(DATABASE, (fdp + 1) * PAGE_BYTES + 5000)
    case.refuses(-1018, f"{DATABASE}, page {fdp}", ranged=False)


def recovered_copy(case):
    files = copy_of(case.files)
    recover(files)
    return files


def test_a_database_that_is_not_there_or_was_never_finished_is_refused(case):
    world = world_of(1)
    disks = Disks(world.operations)
    created = next(n for n, op in enumerate(world.operations, 1) if op.file == DATABASE)
    disks.advance(created - 1)
    with pytest.raises(EseError, match="-1811") as missing:
        recover(disks.copy())
    assert missing.value.where == DATABASE
    disks.advance(created + 5)
    with pytest.raises(EseError, match=r"-1206.*JUST_CREATED"):
        recover(disks.copy())
    with pytest.raises(EseError, match=r"-550.*MDB1\.edb"):
        open_database(case.files, DATABASE)


# The consequence table of exchange.md 1.4 for a stand-alone 2007 server (depth 1).


def test_losing_the_newest_log_fails_plainly(case):
    case.files.delete(CURRENT)
    case.refuses(-528, CURRENT, ranged=False)


def test_losing_the_newest_two_logs_fails(case):
    case.files.delete(CURRENT)
    case.lose(case.last)
    case.refuses(-528, CURRENT, ranged=False)


def test_losing_any_log_from_the_checkpoint_on_fails(case):
    for generation in range(case.first, case.committed):
        one = Case(case.files, case.ledger)
        one.lose(generation)
        code = -543 if generation == case.first else -515
        one.refuses(code, archive(generation))


def test_losing_a_log_below_the_checkpoint_is_no_loss(case):
    case.lose(case.first - 1)
    case.recovers()


def test_losing_all_logs_below_the_checkpoint_is_no_loss(case):
    case.lose(*range(1, case.first))
    case.recovers()


# What the decision rests on.


def test_a_temporary_log_of_another_generation_shows_that_a_log_is_missing(frozen):
    """The database alone would be content: it was taken before the logs that are lost."""
    older = Case(world_of(1).files(), world_of(1).ledger())
    older.files.delete(CURRENT)
    header = LogHeader.unpack(older.files.read(archive(older.last), 0, 4096))
    skipped = header.next(header.created).next(header.created)
    older.files.create(TEMPORARY, 0)
    older.files.write(TEMPORARY, 0, skipped.pack() + frozen.files.read(TEMPORARY, 4096, LOG_BYTES))
    database = DatabaseHeader.unpack(older.files.read(DATABASE, 0, PAGE_BYTES))
    database.generation_max_committed = older.last
    database.generation_max_created = header.created
    older.files.write(DATABASE, 0, database.pack() * 2)
    error = older.refuses(-528, CURRENT, ranged=False)
    assert f"generation {older.last + 1}" in error.where


def test_the_log_set_knows_its_generations(case):
    logs = LogSet(case.files, "E00", EXCHANGE_2007)
    assert (logs.first, logs.last, logs.tip) == (1, case.committed, case.committed)
    assert logs.name_of(case.committed) == CURRENT
    assert logs.name_of(2) == "E0000000002.log"
    assert logs.problem_from(1) is None
    case.lose(3)
    logs = LogSet(case.files, "E00", EXCHANGE_2007)
    assert logs.problem_from(4) is None
    problem = logs.problem_from(1)
    assert (problem.generation, problem.name) == (3, "E0000000003.log")


def test_the_temporary_log_counts_as_tip_only_where_it_follows(frozen):
    logs = LogSet(frozen.files, "E00", EXCHANGE_2007)
    assert (logs.last, logs.tip) == (frozen.last, frozen.last + 1)
    frozen.change_header(TEMPORARY, previous_created=LogTime.from_ns(10**18))
    assert LogSet(frozen.files, "E00", EXCHANGE_2007).tip == frozen.last
    frozen.flip(TEMPORARY, 50)
    assert LogSet(frozen.files, "E00", EXCHANGE_2007).tip == frozen.last


def test_the_worst_database_of_a_group_decides():
    required = [Required("A.edb", 4, 9, 10), Required("B.edb", 6, 11, 12)]
    assert worst_of(required) == Required("A.edb and B.edb together", 4, 11, 12)


def test_strange_files_beside_the_logs_are_left_alone(case):
    for name in ("E01.log", "E0100000001.log", "E00XXXXXXXX.log", "res1.log", "a.txt"):
        case.files.create(name, 100)
    case.recovers()
