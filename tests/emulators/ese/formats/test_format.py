"""Names of log files, and errors: codes, names and texts."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.ese.errors import JET_ERRORS, EseError, ese_error
from emulators.ese.formats.format import (
    EXCHANGE_2003,
    EXCHANGE_2003_RTM,
    EXCHANGE_2007,
    FORMATS,
    archive_generation,
    archive_name,
    checkpoint_name,
    current_name,
    reserve_names,
    temporary_name,
)


def test_a2_generation_47_has_five_digits_in_2003_and_eight_in_2007():
    assert archive_name("E00", 47, EXCHANGE_2003_RTM) == "E000002F.log"
    assert archive_name("E00", 47, EXCHANGE_2003) == "E000002F.log"
    assert archive_name("E00", 47, EXCHANGE_2007) == "E000000002F.log"


def test_reserve_logs_have_the_prefix_of_the_group_in_2007_only():
    assert reserve_names("E01", EXCHANGE_2003_RTM) == ("res1.log", "res2.log")
    assert reserve_names("E01", EXCHANGE_2003) == ("res1.log", "res2.log")
    assert reserve_names("E01") == ("E01res00001.jrs", "E01res00002.jrs")


def test_logs_are_named_with_upper_case_hexadecimal_generations():
    assert archive_name("E00", 46) == "E000000002E.log"
    assert archive_name("E01", 46, EXCHANGE_2003) == "E010002E.log"
    assert current_name("E00") == "E00.log"
    assert temporary_name("E00") == "E00tmp.log"
    assert checkpoint_name("E00") == "E00.chk"


@given(st.data(), st.sampled_from(FORMATS))
def test_the_generation_is_read_back_from_the_name(data, file_format):
    generation = data.draw(st.integers(1, file_format.generation_max_recovery))
    name = archive_name("E00", generation, file_format)
    assert archive_generation(name, "E00", file_format) == generation
    assert archive_generation(name.lower(), "E00", file_format) == generation
    assert archive_generation(name, "E01", file_format) is None


@pytest.mark.parametrize(
    "name",
    ["E00.log", "E00tmp.log", "E00.chk", "MDB1.edb", "E000000000G.log", "E00+0000001.log", "",
     "E0000000000.log", "E0000000001.txt", "E00FFFFFFFF.log", "E00000001.log", "E00 0000001.log"],
)  # fmt: skip
def test_other_files_are_no_archives(name):
    assert archive_generation(name, "E00") is None


def test_a_generation_beyond_the_last_has_no_name():
    with pytest.raises(AssertionError, match="has no name"):
        archive_name("E00", EXCHANGE_2007.generation_max_recovery + 1)


def test_a1_a_log_has_5242880_bytes_in_2003_and_1048576_in_2007():
    assert [f.log_bytes for f in FORMATS] == [5_242_880, 5_242_880, 1_048_576]
    assert [f.log_sectors for f in FORMATS] == [10_240, 10_240, 2_048]


def test_a19_only_2003_has_pages_of_4_kb_and_a_streaming_file():
    assert [f.page_bytes for f in FORMATS] == [4096, 4096, 8192]
    assert [f.has_streaming_file for f in FORMATS] == [True, True, False]


def test_what_a_version_can_do_follows_from_its_revisions():
    assert [f.revision for f in FORMATS] == [9, 0xB, 0xC]
    assert [f.has_ecc for f in FORMATS] == [False, True, True]
    assert [f.has_waypoint for f in FORMATS] == [False, False, True]
    assert [f.log_version for f in FORMATS] == [(7, 3704, 5), (7, 3704, 8), (7, 3704, 10)]
    assert [f.has_unicode_names for f in FORMATS] == [False, False, True]
    assert [f.has_backup_records for f in FORMATS] == [False, False, True]


def test_an_error_says_what_where_and_what_to_do():
    error = ese_error(-543, "MDB1.edb, generation 0x2E", "copy the log back")
    assert (error.code, error.name, error.event_id) == (-543, "JET_errRequiredLogFilesMissing", 453)
    assert str(error) == (
        "-543 (JET_errRequiredLogFilesMissing): The required log files for recovery is missing. "
        "MDB1.edb, generation 0x2E: copy the log back"
    )


def test_warnings_are_named_as_warnings():
    assert JET_ERRORS[585].name == "JET_wrnCommittedLogFilesLost"
    assert JET_ERRORS[587].name == "JET_wrnCommittedLogFilesRemoved"
    assert all((code < 0) == ("err" in row.name) for code, row in JET_ERRORS.items())


def test_a_code_that_is_not_in_the_table_is_a_programming_error():
    with pytest.raises(KeyError):
        ese_error(-1, "nowhere", "none")


def test_an_error_can_be_built_again_from_its_arguments():
    error = ese_error(-501, "E00.log", "recover")
    again = copy.copy(error)
    assert isinstance(again, EseError)
    assert str(again) == str(error)
