"""Repair of a database whose trees have shrunk: what was deleted stays deleted."""

import random

import pytest
from desk import Desk
from samples import DATABASE, MESSAGES, NAMES, NOW_NS, Pages, copy_of, message_rows, name_rows

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.page import FLAG_EMPTY
from emulators.ese.formats.values import LogTime, Signature
from emulators.ese.integrity.check import check_database
from emulators.ese.maintenance.repair import repair
from emulators.ese.recovery.opened import open_database


def file_of(desk):
    """The database as it lies on disk, with the header of a clean one."""
    blank = bytes(8192)
    header = DatabaseHeader(
        EXCHANGE_2007,
        Signature(9, LogTime.from_ns(NOW_NS), ""),
        Signature(9, LogTime.from_ns(NOW_NS), ""),
        dbtime=desk.editor.dbtime,
        objid_last=20,
        state=DatabaseState.CLEAN_SHUTDOWN,
    ).pack()
    pages = (desk.disk.get(pgno, blank) for pgno in range(1, desk.last_pgno + 1))
    return MemoryFiles({DATABASE: b"".join((header, header, *pages))})


def rows_of(files):
    tables = open_database(files, DATABASE).tables()
    return {table.definition.name: set(table.rows()) for table in tables}


@pytest.fixture(scope="module")
def shrunk():
    """Most rows are deleted again, in runs, so that pages are emptied, merged and used again."""
    desk = Desk((MESSAGES, NAMES))
    rows = {"Msg": list(message_rows()), "Name": list(name_rows())}
    for name, given in rows.items():
        for row in given:
            transaction = desk.begin()
            desk.database.table(name).insert(transaction, row)
            desk.commit(transaction)
    desk.mounted_again()
    for name, given in rows.items():
        for number, row in enumerate(given):
            if number // 20 % 3:
                transaction = desk.begin()
                desk.database.table(name).delete(transaction, row[0])
                desk.commit(transaction)
    desk.mounted_again()
    return file_of(desk)


def test_the_sample_has_pages_that_were_given_up(shrunk):
    assert check_database(shrunk, DATABASE).findings == []
    given_up = [page for page in Pages(shrunk).all() if page.flags & FLAG_EMPTY]
    assert len(given_up) > 10


def test_no_page_that_is_lost_brings_a_deleted_row_back(shrunk, figure):
    truth = rows_of(shrunk)
    kept = []
    for page in Pages(shrunk).all()[::3]:
        broken = Pages(copy_of(shrunk))
        broken.flip(page.pgno)
        repair(broken.files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
        assert check_database(broken.files, DATABASE).findings == []
        found = rows_of(broken.files)
        assert all(found[name] <= truth[name] for name in truth), f"page {page.pgno}"
        kept.append(sum(map(len, found.values())))
    figure(f"{len(kept)} pages flipped in turn, {min(kept)} to {max(kept)} rows kept")
    assert max(kept) == sum(map(len, truth.values()))


def test_many_lost_pages_bring_no_deleted_row_back(shrunk):
    truth = rows_of(shrunk)
    chance = random.Random(3)
    everything = Pages(shrunk).all()
    for _ in range(25):
        broken = Pages(copy_of(shrunk))
        for page in chance.sample(everything, 15):
            broken.flip(page.pgno)
        try:
            repair(broken.files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
        except EseError as refusal:
            assert refusal.code == -1206  # noqa: PT017 - either outcome is right
            continue
        found = rows_of(broken.files)
        assert all(rows <= truth[name] for name, rows in found.items())
