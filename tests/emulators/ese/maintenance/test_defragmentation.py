"""Defragmentation: the same rows in a new, packed file; anything wrong leaves the old one."""

import io

import pytest
from dissect.esedb import EseDB
from samples import (
    DATABASE,
    NOW_NS,
    TABLES,
    Pages,
    copy_of,
    message_rows,
    rows_of,
    sample_files,
    sample_rows,
)

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats import streaming_file
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2003_RTM, EXCHANGE_2007
from emulators.ese.formats.values import SIGNATURE_ZERO, LogTime, Signature
from emulators.ese.integrity.check import check_database
from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.trees.bulk_load import BulkLoader

TEMPORARY = "TEMPDFRG.EDB"
FORMATS = pytest.mark.parametrize(
    "file_format", [EXCHANGE_2007, EXCHANGE_2003, EXCHANGE_2003_RTM], ids=lambda f: f.name
)


def work(files, file_format=EXCHANGE_2007, **switches):
    return defragment(
        files, DATABASE, temporary=TEMPORARY, now_ns=NOW_NS, file_format=file_format, **switches
    )


def whole(files, name=DATABASE):
    return files.read(name, 0, files.size(name))


@FORMATS
def test_rows_and_structure_are_the_same_in_every_format(file_format):
    files = sample_files(file_format)
    before = read_header(files, DATABASE, file_format)
    work(files, file_format)
    assert check_database(files, DATABASE, file_format).findings == []
    assert rows_of(files, file_format) == sample_rows()
    after = read_header(files, DATABASE, file_format)
    assert after.is_clean
    assert after.signature != before.signature
    assert after.log_signature == SIGNATURE_ZERO
    streaming_file.check_files(files, DATABASE, after)
    companions = [streaming_file.streaming_name(DATABASE)] * file_format.has_streaming_file
    assert files.names() == [DATABASE, *companions]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")
def test_a_reader_of_others_finds_every_row_and_long_value():
    files = sample_files()
    work(files)
    database = EseDB(io.BytesIO(whole(files)))
    found = [
        tuple(record.get(name) for name in ("Id", "Size", "Folder", "Subject"))
        for record in database.table("Msg").records()
    ]
    assert found == [row[:4] for row in message_rows()]
    assert [record.get("Name") for record in database.table("Folder").records()] == [
        row[1] for row in sample_rows()["Folder"]
    ]


def test_space_that_was_lost_or_never_used_is_given_back():
    files = MemoryFiles()
    loader = BulkLoader(files, DATABASE, EXCHANGE_2007, TABLES)
    loader.load("Msg", message_rows(2000, 40_000))
    loader.finish(Signature(1, LogTime.from_ns(NOW_NS), ""), LogTime.from_ns(NOW_NS))
    rows = rows_of(files)
    sizes = work(files)
    assert sizes.bytes_after < sizes.bytes_before
    assert files.size(DATABASE) == sizes.bytes_after
    assert rows_of(files) == rows
    assert work(files).bytes_after == sizes.bytes_after, "there is nothing more to gain"


def test_counts_of_earlier_repairs_become_old_ones():
    files = sample_files()
    header = read_header(files, DATABASE)
    header.repair_count, header.repair_count_old = 2, 1
    files.write(DATABASE, 0, header.pack() * 2)
    work(files)
    after = read_header(files, DATABASE)
    assert (after.repair_count, after.repair_count_old) == (0, 3)


def test_a_dirty_database_is_refused_with_550():
    files = sample_files()
    header = read_header(files, DATABASE)
    header.state = DatabaseState.DIRTY_SHUTDOWN
    files.write(DATABASE, 0, header.pack() * 2)
    before = whole(files)
    with pytest.raises(EseError) as refused:
        work(files)
    assert refused.value.code == -550
    assert files.names() == [DATABASE]
    assert whole(files) == before


def test_a_page_damaged_anywhere_ends_it_and_leaves_the_old_file():
    sound = sample_files()
    refused = 0
    for page in Pages(sound).all()[::5]:
        broken = Pages(copy_of(sound))
        broken.flip(page.pgno)
        before = whole(broken.files)
        try:
            work(broken.files)
        except EseError as error:
            assert error.code == -1206  # noqa: PT017 - pages that are not copied may be damaged
            assert f"page {page.pgno}" in error.where  # noqa: PT017 - as above
            assert whole(broken.files) == before
            refused += 1
        else:
            assert rows_of(broken.files) == sample_rows()
        assert broken.files.names() == [DATABASE]
    assert refused > 10


class SmallDisk(MemoryFiles):
    """Files on a disk that has room for so many writes."""

    def __init__(self, contents, room):
        super().__init__(contents)
        self.room = room

    def write(self, name, offset, data):
        self.room -= 1
        if self.room < 0:
            raise ese_error(-1808, name, "free space on the disk")
        super().write(name, offset, data)


def test_a_disk_that_is_full_at_any_write_leaves_the_old_file():
    sound = whole(sample_files())
    outcomes = []
    for room in range(6):
        files = SmallDisk({DATABASE: sound}, room)
        try:
            work(files)
        except EseError as error:
            outcomes.append(error.code)
            assert whole(files) == sound
        else:
            outcomes.append(0)
            assert rows_of(files) == sample_rows()
        assert files.names() == [DATABASE]
    assert outcomes[0] == -1808
    assert outcomes[-1] == 0


def test_the_old_file_is_kept_on_request_or_the_new_one_put_aside():
    files = sample_files()
    before = whole(files)
    work(files, backup="old.edb")
    assert files.names() == [DATABASE, "old.edb"]
    assert whole(files, "old.edb") == before
    now = whole(files)
    work(files, is_put_in_place=False)
    assert files.names() == [DATABASE, TEMPORARY, "old.edb"]
    assert whole(files) == now
    with pytest.raises(EseError) as taken:
        work(files)
    assert taken.value.code == -1814
