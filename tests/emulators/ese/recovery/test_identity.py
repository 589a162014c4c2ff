"""R10 to R15 of exchange.md 1.4: files that do not belong together, on the files of a real run."""

import pickle

import pytest
from mail_world import DATABASE, EPOCH_NS, copy_of, recover
from recovery_case import CHECKPOINT, CURRENT, PAGE_BYTES, Case, archive, mail_in, world_of

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.formats.values import BackupInfo, Lgpos, LogTime, Signature
from emulators.ese.recovery.identity import require_no_backup_image
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.offline_log import OfflineLog

NOW = LogTime.from_ns(EPOCH_NS)
SIGNATURE = Signature(99, NOW, "")
BACKUP = BackupInfo(Lgpos(2, 8, 22), NOW, 2, 3)
OTHER_BACKUP = BackupInfo(Lgpos(4, 8, 22), NOW, 4, 5)


@pytest.fixture
def case():
    return Case(world_of(1).files(), world_of(1).ledger())


def ids(error):
    return [event_id for event_id, _ in error.events]


def header_of(case):
    return DatabaseHeader.unpack(case.files.read(DATABASE, 0, PAGE_BYTES))


def change_database(case, **fields):
    header = header_of(case)
    for name, value in fields.items():
        setattr(header, name, value)
    case.files.write(DATABASE, 0, header.pack() * 2)


def write_to_log(case, *records):
    """Append records to the current log, as the engine does."""
    header = LogSet(case.files, "E00", EXCHANGE_2007).current.header
    log = OfflineLog(case.files, "E00", CURRENT, header, NOW)
    places = [log.append(log_records.encode(record)) for record in records]
    log.flush()
    return places[0]


def attach(case, **fields):
    record = log_records.AttachDb(
        procid=0,
        dbid=1,
        pages_max=0,
        lgpos_consistent=header_of(case).consistent,
        signature=header_of(case).signature,
        log_signature=header_of(case).log_signature,
        path=DATABASE,
    )
    return record._replace(**fields)


# R10: databases that the stream names.


def another_database(case):
    """A second database was attached, and a node was put on a page of it."""
    insert = next(
        record
        for record in records_of(case, archive(case.last))
        if isinstance(record, log_records.Insert)
    )
    write_to_log(
        case,
        attach(case, dbid=2, signature=SIGNATURE, path="D:\\data\\MDB2.edb"),
        log_records.Begin0(7, 0x10, 5000),
        insert._replace(dbid=2, procid=7, trx_begin0=5000),
        log_records.ExtendDb(2, 1 << 20),
    )


def records_of(case, name):
    scan = scan_log(case.files.read(name, 0, case.files.size(name)), case.last)
    return [log_records.decode(scan.buffer, offset)[0] for _, offset in scan.records()]


def test_r10_a_database_of_the_stream_that_is_not_given(case):
    another_database(case)
    for lossy in (False, True):
        error = case.refuses(-1216, "MDB2.edb", ranged=False, lossy=lossy)
        assert error.event_id == 494
        assert ids(error)[-2:] == [494, 454]
        assert "/i" in error.hint


def test_r10_what_is_left_out_touches_no_page_of_the_database_that_is_given(case):
    plain = copy_of(case.files)
    recover(plain)
    another_database(case)
    report = case.recovers(ignore_missing=True)
    assert [text for event_id, text in report.events if event_id == 495] == [
        "A database that these logs belong to was left out. D:\\data\\MDB2.edb"
    ]
    assert mail_in(case.files) == mail_in(plain)
    assert case.files.size(DATABASE) == plain.size(DATABASE)
    assert report.undone == 0


def test_r10_a_database_that_was_detached_again_is_not_missed(case):
    another_database(case)
    write_to_log(case, log_records.DetachDb(7, 2, "D:\\data\\MDB2.edb"))
    assert [event_id for event_id, _ in case.recovers().events][-1] == 302


def test_r10_another_database_in_the_place_of_the_right_one(case):
    write_to_log(case, attach(case, signature=SIGNATURE, path="MDB9.edb"))
    for switches in ({}, {"ignore_missing": True}, {"lossy": True}):
        error = case.refuses(-1216, DATABASE, "MDB9.edb", ranged=False, **switches)
        assert ids(error)[-2:] == [494, 454]


# R11: signatures.


@pytest.mark.parametrize("path", [DATABASE, "C:\\mail\\mdb1.EDB", "database/MDB1.edb"])
def test_r11_another_database_under_the_right_name(case, path):
    write_to_log(case, attach(case, signature=SIGNATURE, path=path))
    case.refuses(-531, DATABASE, ranged=False)
    case.refuses(-531, DATABASE, ranged=False, lossy=True, ignore_missing=True)


def test_r11_the_database_is_compared_with_the_record_of_its_own_first_attach(case):
    case.files.delete(CHECKPOINT)
    change_database(case, signature=SIGNATURE)
    case.refuses(-531, DATABASE, ranged=False)


def test_r11_the_checkpoint_of_another_stream(case):
    checkpoint = case.checkpoint
    checkpoint.signature = SIGNATURE
    case.files.write(CHECKPOINT, 0, checkpoint.pack())
    for lossy in (False, True):
        assert "delete it" in case.refuses(-532, CHECKPOINT, ranged=False, lossy=lossy).hint
    case.files.delete(CHECKPOINT)
    case.recovers()


def test_r11_a_database_of_another_stream_is_not_blamed_on_the_checkpoint(case):
    change_database(case, log_signature=SIGNATURE)
    for lossy in (False, True):
        case.refuses(-530, archive(case.first), lossy=lossy)


# R12: positions.


def test_r12_the_record_attached_the_database_from_another_consistent_point(case):
    case.files.delete(CHECKPOINT)
    change_database(case, consistent=Lgpos(1, 8, 999))
    for lossy in (False, True):
        case.refuses(-551, DATABASE, "(0x1,8,3E7)", ranged=False, lossy=lossy)


def test_r12_a_later_attach_from_another_consistent_point(case):
    place = write_to_log(case, attach(case, lgpos_consistent=Lgpos(1, 9, 9)))
    case.refuses(-551, str(place), ranged=False)


def test_r12_an_attach_before_the_one_in_the_header_may_have_any_consistent_point(case):
    """The database was shut down and attached again since: only the newest attach counts."""
    first = header_of(case).attach
    case.recovers()
    case.files.delete(CHECKPOINT)
    place = write_to_log(case, attach(case))
    assert place > first
    change_database(
        case,
        state=DatabaseState.DIRTY_SHUTDOWN,
        attach=place,
        generation_min_required=place.generation,
        generation_max_required=place.generation,
        generation_max_committed=place.generation,
    )
    assert case.recovers().generations[0] == first.generation


def test_r12_the_header_names_an_attach_that_the_log_does_not_have(case):
    case.files.delete(CHECKPOINT)
    change_database(case, attach=Lgpos(2, 8, 22))
    case.refuses(-551, "(0x2,8,16)", ranged=False)


# R13 and R14: marks of copies.


def test_r13_the_image_of_a_streaming_backup(case):
    change_database(case, full_backup_current=BACKUP)
    for lossy in (False, True):
        error = case.refuses(-544, DATABASE, ranged=False, lossy=lossy, ignore_missing=lossy)
        assert ids(error) == [300, 454]


def test_r13_backups_of_the_past_are_no_obstacle(case):
    change_database(case, full_backup_previous=BACKUP, copy_backup_previous=OTHER_BACKUP)
    case.recovers()


def test_r14_a_shadow_copy_alone_recovers(case):
    change_database(case, snapshot_current=BACKUP)
    case.recovers()


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        ([BACKUP, BACKUP], None),
        ([None, None], None),
        ([BACKUP, OTHER_BACKUP], -580),
        ([BACKUP, None], -581),
        ([None, BACKUP, BACKUP], -581),
        ([BACKUP, BACKUP, OTHER_BACKUP], -580),
    ],
)
def test_r14_databases_of_a_group_must_be_of_one_shadow_copy(case, marks, code):
    headers = []
    for number, mark in enumerate(marks):
        header = header_of(case)
        if mark is not None:
            header.snapshot_current = mark
        headers.append((f"MDB{number}.edb", header))
    if code is None:
        require_no_backup_image(headers)
        return
    with pytest.raises(EseError, match=str(code)) as caught:
        require_no_backup_image(headers)
    for number, mark in enumerate(marks):
        assert (f"MDB{number}.edb" in caught.value.where) == (mark is not None)


# R15, and errors as values.


def test_r15_a_page_of_another_time(case):
    """The database file is younger than the logs: they begin again before what it holds."""
    insert = next(r for r in records_of(case, archive(case.last)) if hasattr(r, "dbtime_before"))
    write_to_log(case, insert._replace(dbtime=10**9, dbtime_before=10**9 - 1))
    error = case.refuses(-566, f"page {insert.pgno}", ranged=False)
    assert ids(error)[-2:] == [516, 454]


def test_an_error_keeps_its_events_when_it_is_sent_to_another_process(case):
    case.files.delete(CURRENT)
    error = case.refuses(-528, ranged=False)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
    assert copy.events == error.events
    assert str(copy) == str(error)


def test_the_header_of_a_log_is_not_changed_by_what_is_appended(case):
    before = LogHeader.unpack(case.files.read(CURRENT, 0, 4096))
    another_database(case)
    assert LogHeader.unpack(case.files.read(CURRENT, 0, 4096)) == before
