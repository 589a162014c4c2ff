"""Headers of databases, logs and checkpoints: one whole copy is enough, and damage is refused."""

import pytest

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState, read_header
from emulators.ese.formats.format import (
    EXCHANGE_2003,
    EXCHANGE_2003_RTM,
    EXCHANGE_2007,
    FORMATS,
)
from emulators.ese.formats.log_file import LogHeader, fill_pattern
from emulators.ese.formats.streaming_file import streaming_header
from emulators.ese.formats.values import LOG_TIME_ZERO, Lgpos, LogTime, Signature

TIME = LogTime.from_ns(1_180_000_000_789_000_000)
SIGNATURE = Signature(0xA1B2C3D4, TIME, "")


def database_header(**fields):
    return DatabaseHeader(
        EXCHANGE_2007, SIGNATURE, SIGNATURE, state=DatabaseState.DIRTY_SHUTDOWN, **fields
    )


def flip(block, offset):
    return block[:offset] + bytes((block[offset] ^ 0x10,)) + block[offset + 1 :]


def test_a_database_header_survives_its_bytes_and_keeps_fields_it_does_not_know():
    header = database_header(dbtime=5, generation_min_required=44, generation_max_committed=47)
    block = header.pack()
    assert DatabaseHeader.unpack(block) == header
    foreign = bytearray(block)
    foreign[512:516] = b"sort"
    resealed = DatabaseHeader.unpack(block)
    resealed.image = bytes(foreign)
    assert resealed.pack()[512:516] == b"sort"
    assert DatabaseHeader.unpack(resealed.pack()).pack() == resealed.pack()


@pytest.mark.parametrize("offset", [0, 4, 52, 233, 236, 296, 420, 667, 5000])
def test_the_shadow_is_read_when_the_header_is_damaged(offset):
    block = database_header(dbtime=7).pack()
    newer = database_header(dbtime=8).pack()
    files = MemoryFiles({"MDB1.edb": flip(newer, offset) + block})
    assert read_header(files, "MDB1.edb").dbtime == 7
    files = MemoryFiles({"MDB1.edb": newer + flip(block, offset)})
    assert read_header(files, "MDB1.edb").dbtime == 8


@pytest.mark.parametrize("offset", [0, 4, 52, 233, 236, 667])
def test_a_database_with_header_and_shadow_damaged_is_refused(offset):
    block = flip(database_header().pack(), offset)
    with pytest.raises(EseError, match=r"-1206 .*MDB1.edb: header and shadow are damaged"):
        read_header(MemoryFiles({"MDB1.edb": block + block}), "MDB1.edb")


def test_an_empty_or_short_file_is_no_database():
    for contents in (b"", bytes(100), bytes(20000)):
        with pytest.raises(EseError, match="-1206"):
            read_header(MemoryFiles({"MDB1.edb": contents}), "MDB1.edb")


@pytest.mark.parametrize(
    ("written", "expected"), [(EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)]
)
def test_a19_a_database_of_another_page_size_is_refused_as_such(written, expected):
    block = DatabaseHeader(written, SIGNATURE, SIGNATURE).pack()
    files = MemoryFiles({"MDB1.edb": block + block})
    with pytest.raises(EseError, match=r"-1213 .*PageSizeMismatch"):
        read_header(files, "MDB1.edb", expected)
    assert read_header(files, "MDB1.edb", written).page_bytes == written.page_bytes


def test_a_log_header_survives_its_bytes_and_leads_to_the_next():
    header = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, checkpoint=Lgpos(1, 8, 22))
    assert LogHeader.unpack(header.pack()) == header
    later = LogTime.from_ns(1_180_000_001_000_000_000)
    following = header.next(later)
    assert (following.generation, following.created) == (6, later)
    assert (following.previous_created, following.signature) == (TIME, SIGNATURE)


def test_a_log_header_with_any_byte_changed_is_refused():
    block = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE).pack()
    for offset in range(len(block)):
        with pytest.raises(EseError, match=r"-501 .*E00.log"):
            LogHeader.unpack(flip(block, offset), where="E00.log")


def test_a_short_log_is_refused():
    with pytest.raises(EseError, match=r"-501 .*ends inside its header"):
        LogHeader.unpack(b"")


def test_a_log_of_another_size_or_a_newer_version_is_refused():
    for written, opened in ((EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)):
        block = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, written).pack()
        with pytest.raises(EseError, match="-541"):
            LogHeader.unpack(block, opened)
    newer = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, EXCHANGE_2007, update=99).pack()
    with pytest.raises(EseError, match=r"-514 .*7\.3704\.99"):
        LogHeader.unpack(newer, EXCHANGE_2007)


@pytest.mark.parametrize("file_format", FORMATS)
def test_logs_of_older_versions_are_read_down_to_the_first_that_names_its_type(file_format):
    newest = file_format.log_version[2]
    for update in range(12):
        header = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, file_format, update=update)
        if 5 <= update <= newest:
            found = LogHeader.unpack(header.pack(), file_format)
            assert found.version == (7, 3704, update)
            assert found.next(TIME).version == file_format.log_version
        else:
            with pytest.raises(EseError, match=rf"-514 .*7\.3704\.{update}\b"):
                LogHeader.unpack(header.pack(), file_format)


@pytest.mark.parametrize(("offset", "value"), [(32, 6), (32, 8), (36, 3703), (36, 4000)])
def test_a_log_of_another_major_or_minor_version_is_refused(offset, value):
    block = bytearray(LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE).pack())
    block[offset : offset + 4] = value.to_bytes(4, "little")
    block[:4] = block_checksum(block).to_bytes(4, "little")
    with pytest.raises(EseError, match="-514"):
        LogHeader.unpack(bytes(block))


def test_a_file_of_another_type_is_no_log():
    block = bytearray(LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE).pack())
    block[667] = 4
    block[:4] = block_checksum(block).to_bytes(4, "little")
    with pytest.raises(EseError, match=r"-501 .*file type 4"):
        LogHeader.unpack(bytes(block))


def test_only_2007_says_which_logs_are_committed():
    for file_format in FORMATS:
        header = DatabaseHeader(file_format, SIGNATURE, SIGNATURE, generation_max_committed=47)
        found = DatabaseHeader.unpack(header.pack(), file_format)
        assert found.generation_max_committed == (47 if file_format.has_waypoint else 0)


def test_only_2003_says_that_a_streaming_file_belongs_to_a_database():
    for file_format in FORMATS:
        header = DatabaseHeader(file_format, SIGNATURE, SIGNATURE)
        found = DatabaseHeader.unpack(header.pack(), file_format)
        assert found.has_streaming_file == file_format.has_streaming_file


def test_a_database_of_another_revision_with_the_same_pages_is_refused_as_such():
    block = DatabaseHeader(EXCHANGE_2003_RTM, SIGNATURE, SIGNATURE).pack()
    for read in (DatabaseHeader.unpack, read_both_copies):
        with pytest.raises(EseError, match=r"-1206 .*version 0x620,0x9") as caught:
            read(block, EXCHANGE_2003)
        assert "damaged (" not in caught.value.where
        assert "Exchange 2003 RTM" in caught.value.hint
        assert "moved" in caught.value.hint


def read_both_copies(block, file_format):
    return read_header(MemoryFiles({"MDB1.edb": block * 2}), "MDB1.edb", file_format)


def test_a_streaming_file_in_the_place_of_its_database_is_told_from_damage():
    block = streaming_header(DatabaseHeader(EXCHANGE_2003, SIGNATURE, SIGNATURE)).pack()
    with pytest.raises(EseError, match=r"-1206 .*file type 2") as caught:
        read_both_copies(block, EXCHANGE_2003)
    assert ".edb" in caught.value.hint


def test_the_fill_pattern_counts_up_every_sixteenth_byte():
    pattern = fill_pattern(1 << 20)
    assert len(pattern) == 1 << 20
    assert pattern[:512] == pattern[512:1024]
    for at in range(512):
        assert pattern[at] == ((0xDA + at) & 0xFF if at % 16 == 0 else 0xDA)


def test_a_checkpoint_survives_and_either_copy_is_enough():
    checkpoint = Checkpoint(checkpoint=Lgpos(32, 0x9D, 0x187), signature=SIGNATURE)
    image = checkpoint.pack()
    assert Checkpoint.unpack(image) == checkpoint
    assert Checkpoint.unpack(flip(image, 12)) == checkpoint
    assert Checkpoint.unpack(flip(image, 4096 + 12)) == checkpoint
    assert Checkpoint.unpack(image[:4096]) == checkpoint


@pytest.mark.parametrize("length", [0, 100, 4095, 8192])
def test_a_checkpoint_with_both_copies_damaged_is_refused(length):
    image = Checkpoint(checkpoint=Lgpos(32, 1, 1), signature=SIGNATURE).pack()
    damaged = flip(flip(image, 12), 4096 + 700)[:length]
    with pytest.raises(EseError, match=r"-533 .*E00.chk: both copies are damaged"):
        Checkpoint.unpack(damaged, "E00.chk")


def test_a_page_size_that_is_not_stated_is_4_kb():
    block = bytearray(DatabaseHeader(EXCHANGE_2003, SIGNATURE, SIGNATURE).pack())
    block[236:240] = bytes(4)
    block[:4] = block_checksum(block).to_bytes(4, "little")
    assert DatabaseHeader.unpack(bytes(block), EXCHANGE_2003).page_bytes == 4096
