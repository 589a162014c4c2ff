"""The format of a file is what its own header says, or its shadow's when that is damaged."""

import pytest

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState, read_header
from emulators.ese.formats.detection import detect_database, detect_log, detect_log_set, format_of
from emulators.ese.formats.format import (
    EXCHANGE_2003,
    EXCHANGE_2003_RTM,
    EXCHANGE_2007,
    FORMATS,
    archive_name,
)
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.streaming_file import streaming_header
from emulators.ese.formats.values import LOG_TIME_ZERO, LogTime, Signature

TIME = LogTime.from_ns(1_180_000_000_789_000_000)
SIGNATURE = Signature(0xA1B2C3D4, TIME, "")
EVERY_FORMAT = pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])


def header_of(file_format, **fields):
    return DatabaseHeader(file_format, SIGNATURE, SIGNATURE, **fields)


def log_of(file_format, generation=5):
    return LogHeader(generation, TIME, LOG_TIME_ZERO, SIGNATURE, file_format).pack()


@EVERY_FORMAT
def test_a_database_says_its_format(file_format):
    block = header_of(file_format).pack()
    assert detect_database(MemoryFiles({"MDB1.edb": block * 2}), "MDB1.edb") is file_format
    damaged = bytes([block[0] ^ 1]) + block[1:]
    assert detect_database(MemoryFiles({"MDB1.edb": damaged + block}), "MDB1.edb") is file_format
    assert detect_database(MemoryFiles({"MDB1.edb": block + damaged}), "MDB1.edb") is file_format
    with pytest.raises(EseError, match=r"-1206 .*header and shadow are damaged"):
        detect_database(MemoryFiles({"MDB1.edb": damaged * 2}), "MDB1.edb")


def test_a_streaming_file_says_its_format_like_its_database():
    block = streaming_header(header_of(EXCHANGE_2003_RTM)).pack()
    assert detect_database(MemoryFiles({"a.stm": block * 2}), "a.stm") is EXCHANGE_2003_RTM


@pytest.mark.parametrize("page_bytes", [2048, 4096, 8192, 16384, 32768])
@pytest.mark.parametrize("revision", [0x11, 0x14, 0x6E])
def test_a_database_that_windows_wrote_gets_a_format_with_which_it_is_read(page_bytes, revision):
    foreign = format_of(revision, page_bytes)
    assert foreign not in FORMATS
    state = DatabaseState.DIRTY_AND_PATCHED
    block = header_of(foreign, state=state, generation_max_committed=40).pack()
    files = MemoryFiles({"Windows.edb": bytes(page_bytes) + block})
    found = read_header(files, "Windows.edb", detect_database(files, "Windows.edb"))
    assert found.file_format == foreign
    assert (found.state, found.generation_max_committed) == (state, 40)


def test_a_state_that_exchange_does_not_know_is_damage_in_its_own_databases():
    block = header_of(EXCHANGE_2007, state=DatabaseState.REVERT).pack()
    with pytest.raises(EseError, match=r"-1206 .*state 8"):
        DatabaseHeader.unpack(block)


@pytest.mark.parametrize("contents", [b"", bytes(700), bytes(70000), b"\xff" * 70000])
def test_what_is_no_database_says_no_format(contents):
    with pytest.raises(EseError, match="-1206"):
        detect_database(MemoryFiles({"MDB1.edb": contents}), "MDB1.edb")


def test_a_log_says_its_format_and_the_newer_of_2003_reads_both():
    expected = {EXCHANGE_2003_RTM: EXCHANGE_2003}
    for file_format in FORMATS:
        files = MemoryFiles({"E00.log": log_of(file_format)})
        found = detect_log(files, "E00.log")
        assert found is expected.get(file_format, file_format)
        assert LogHeader.unpack(log_of(file_format), found).version == file_format.log_version


def test_a_damaged_short_or_missing_log_says_nothing():
    block = log_of(EXCHANGE_2007)
    files = MemoryFiles({"E00.log": block[:-1], "E01.log": bytes(4096), "E02.log": block[1:]})
    for name in ("E00.log", "E01.log", "E02.log", "E03.log"):
        assert detect_log(files, name) is None


def test_a_log_of_another_size_says_nothing():
    block = bytearray(log_of(EXCHANGE_2007))
    block[12:14] = (4096).to_bytes(2, "little")
    block[:4] = block_checksum(block).to_bytes(4, "little")
    assert detect_log(MemoryFiles({"E00.log": bytes(block)}), "E00.log") is None


@EVERY_FORMAT
def test_a_set_of_logs_says_its_format_by_any_log_that_can_be_read(file_format):
    wanted = EXCHANGE_2003 if file_format is EXCHANGE_2003_RTM else file_format
    contents = {
        "E00.log": b"damaged",
        archive_name("E00", 4, file_format): log_of(file_format, 4),
        "E01.log": log_of(EXCHANGE_2007),
        "E00tmp.log": log_of(EXCHANGE_2007),
    }
    assert detect_log_set(MemoryFiles(contents), "E00") is wanted
    assert detect_log_set(MemoryFiles(contents), "E02") is None
