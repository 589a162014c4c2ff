"""Databases made anew, read by programs that are not ours: equal rows, in every format."""

import pytest
from mail_world import DATABASE
from samples import NOW_NS, Pages, sample_files
from third_party import READERS, Sample, compare, is_installed

from emulators.ese.formats.format import FORMATS
from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.maintenance.repair import repair

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")
EVERY_READER = pytest.mark.parametrize("reader", READERS)
EVERY_FORMAT = pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])


def agree(reader, files, file_format, folder, figure):
    if not is_installed(reader):
        pytest.skip(f"{reader} is not installed")
    done = compare(reader, Sample(files, DATABASE, file_format), folder)
    assert done.problems == []
    figure(f"{done.rows} rows, {done.values} values compared, {done.skipped} skipped")


@EVERY_READER
@EVERY_FORMAT
def test_every_reader_finds_the_rows_that_were_loaded_and_defragmented(
    file_format, reader, tmp_path, figure
):
    files = sample_files(file_format)
    defragment(files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS, file_format=file_format)
    agree(reader, files, file_format, tmp_path, figure)


@EVERY_READER
def test_every_reader_finds_the_rows_that_repair_has_kept(reader, tmp_path, figure):
    files = sample_files()
    for pgno in (40, 60, 102, 120):
        Pages(files).flip(pgno)
    repair(files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
    agree(reader, files, FORMATS[-1], tmp_path, figure)
