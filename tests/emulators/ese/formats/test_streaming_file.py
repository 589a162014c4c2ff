"""The streaming file of 2003: a header that must go with its database's, and nothing else."""

from dataclasses import replace

import pytest

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats import streaming_file
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState, FileType
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2003_RTM, EXCHANGE_2007
from emulators.ese.formats.values import Lgpos, LogTime, Signature

TIME = LogTime.from_ns(1_180_000_000_789_000_000)
SIGNATURE = Signature(0xA1B2C3D4, TIME, "")
OTHER = Signature(0xA1B2C3D5, TIME, "")
NAME, COMPANION = "MDB1.edb", "MDB1.stm"
BOTH_2003 = pytest.mark.parametrize("file_format", [EXCHANGE_2003_RTM, EXCHANGE_2003])


def clean(file_format=EXCHANGE_2003, **fields):
    defaults = {"dbtime": 77, "consistent": Lgpos(5, 8, 22), "consistent_time": TIME}
    state = DatabaseState.CLEAN_SHUTDOWN
    return DatabaseHeader(file_format, SIGNATURE, SIGNATURE, state=state, **defaults | fields)


def dirty(**fields):
    return replace(clean(), state=DatabaseState.DIRTY_SHUTDOWN, **fields)


def pair(header=None, streaming=None):
    """Files of a database with one header beside the streaming file of another."""
    header = header or clean()
    files = MemoryFiles({NAME: header.pack() * 2})
    streaming_file.create(files, NAME, streaming or header, last_pgno=254)
    return files


def refused(files, header, code):
    with pytest.raises(EseError, match=COMPANION) as caught:
        streaming_file.check_files(files, NAME, header)
    assert caught.value.code == code
    assert caught.value.hint


def u32(block, offset):
    return int.from_bytes(block[offset : offset + 4], "little")


@pytest.mark.parametrize(
    ("database", "streaming"),
    [("MDB1.edb", "MDB1.stm"), ("priv1.EDB", "priv1.stm"), ("a.b.edb", "a.b.stm"),
     ("D:/edb/MDB1.edb", "D:/edb/MDB1.stm"), ("edb.edb", "edb.stm"), ("plain", "plain.stm")],
)  # fmt: skip
def test_the_streaming_file_has_the_name_of_its_database(database, streaming):
    assert streaming_file.streaming_name(database) == streaming


@BOTH_2003
def test_its_header_is_a_database_header_of_file_type_2_and_so_is_its_shadow(file_format):
    header = clean(file_format)
    files = pair(header)
    blocks = [files.read(COMPANION, at, 4096) for at in (0, 4096)]
    assert blocks[0] == blocks[1]
    block = blocks[0]
    assert u32(block, 0) == block_checksum(block)
    assert (u32(block, 4), u32(block, 8), u32(block, 12)) == (0x89ABCDEF, 0x620, 1)
    assert block[24:52] == block[252:280] == SIGNATURE.pack()
    assert (u32(block, 232), u32(block, 236)) == (file_format.revision, 4096)
    assert u32(block, 667) == 2
    of_database = header.pack()
    differing = {at for at in range(4, 4096) if block[at] != of_database[at]}
    assert differing == {12, 667}


def test_it_is_created_with_its_database_and_grows_with_it():
    files = pair()
    assert files.size(COMPANION) == (2 + 16) * 4096
    streaming_file.grow(files, NAME, 254 + 256, EXCHANGE_2003)
    assert files.size(COMPANION) == (2 + 32) * 4096
    streaming_file.grow(files, NAME, 100, EXCHANGE_2003)
    assert files.size(COMPANION) == (2 + 32) * 4096
    streaming_file.check_files(files, NAME, clean())


def test_a_clean_database_goes_with_the_streaming_file_of_its_own_moment_only():
    streaming_file.check_files(pair(), NAME, clean())
    refused(pair(streaming=clean(dbtime=76)), clean(), -540)
    refused(pair(streaming=clean(consistent=Lgpos(5, 8, 23))), clean(), -540)
    refused(pair(streaming=dirty()), clean(), -540)


def test_a_dirty_database_goes_with_any_moment_of_its_own_streaming_file():
    for streaming in (clean(), clean(dbtime=1), clean(dbtime=99), dirty(dbtime=1), dirty()):
        streaming_file.check_files(pair(dirty(), streaming), NAME, dirty())


@pytest.mark.parametrize("header", [clean(), dirty()])
def test_a_streaming_file_of_another_database_is_refused(header):
    refused(pair(streaming=replace(header, signature=OTHER)), header, -540)
    refused(pair(streaming=replace(header, streaming_signature=OTHER)), header, -540)


@pytest.mark.parametrize("header", [clean(), dirty()])
def test_a_database_without_its_streaming_file_is_refused(header):
    files = pair(header)
    files.delete(COMPANION)
    refused(files, header, -1811)


def test_a_database_in_place_of_its_streaming_file_is_refused():
    files = pair()
    files.write(COMPANION, 0, clean().pack() * 2)
    refused(files, clean(), -540)
    with pytest.raises(EseError, match="no streaming file"):
        streaming_file.check_pair(clean(), clean(), COMPANION)


def test_a_streaming_file_in_place_of_a_database_is_refused():
    block = streaming_file.streaming_header(clean()).pack()
    with pytest.raises(EseError, match=r"-1206 .*file type 2"):
        DatabaseHeader.unpack(block, EXCHANGE_2003)


@pytest.mark.parametrize("offset", [0, 4, 12, 52, 236, 667])
def test_one_whole_header_is_enough_and_none_is_a_mismatch(offset):
    files = pair()
    for start in (0, 4096):
        byte = files.read(COMPANION, start + offset, 1)[0]
        files.write(COMPANION, start + offset, bytes([byte ^ 0x10]))
        if start == 0:
            streaming_file.check_files(files, NAME, clean())
    refused(files, clean(), -540)


def test_a_streaming_file_of_another_page_size_is_refused():
    files = pair()
    foreign = DatabaseHeader(EXCHANGE_2007, SIGNATURE, SIGNATURE, file_type=FileType.STREAMING)
    files.write(COMPANION, 0, foreign.pack() * 2)
    refused(files, clean(), -540)


def test_every_power_cut_between_the_two_headers_leaves_a_pair_that_is_taken():
    """Dirty goes to the database first, clean to the streaming file first."""
    before, mounted, after = clean(), dirty(dbtime=78), clean(dbtime=90)
    for header, streaming in (
        (before, before), (mounted, before), (mounted, mounted), (mounted, after), (after, after),
    ):  # fmt: skip
        streaming_file.check_files(pair(header, streaming), NAME, header)


def test_a_2007_database_needs_no_streaming_file():
    streaming_file.check_files(MemoryFiles(), NAME, clean(EXCHANGE_2007))
