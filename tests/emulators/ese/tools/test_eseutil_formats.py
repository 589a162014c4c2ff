"""The eseutil modes that look, on files of every version: what each shows, and which error."""

import pytest
from built_database import BuiltDatabase

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats import streaming_file
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import (
    EXCHANGE_2003,
    EXCHANGE_2003_RTM,
    EXCHANGE_2007,
    FORMATS,
    archive_name,
)
from emulators.ese.formats.log_encoders import encode_begin0
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame, blank_log
from emulators.ese.formats.values import LOG_TIME_ZERO, LogTime, Signature
from emulators.ese.tools.eseutil import file_dump

NAME, COMPANION = "MDB1.edb", "MDB1.stm"
TIME = LogTime.from_ns(1_180_000_000_789_000_000)
SIGNATURE = Signature(0xA1B2C3D4, TIME, "")
EVERY_FORMAT = pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])
BOTH_2003 = pytest.mark.parametrize("file_format", [EXCHANGE_2003_RTM, EXCHANGE_2003])


def database_of(file_format):
    built = BuiltDatabase(file_format)
    built.insert((n, True, "subject", b"body" * n, None) for n in range(200))
    files = built.files()
    if file_format.has_streaming_file:
        streaming_file.create(files, NAME, header_of(files, file_format), built.last_pgno)
    return files


def header_of(files, file_format):
    return read_header(files, NAME, file_format)


def log_image(header):
    log_bytes = header.log_format.log_bytes
    image = bytearray(b"".join(blank_log(header.pack(), header.generation, log_bytes)))
    frame = LogFrame(header.generation, log_bytes)
    frame.append(encode_begin0(1, 7))
    offset, data = frame.flush()
    image[offset : offset + len(data)] = data
    return bytes(image)


def shown(report):
    text, error = report
    assert error is None, error
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def labels(fields):
    return {label.strip(): value for label, value in fields.items()}


@EVERY_FORMAT
def test_mh_shows_the_version_the_page_size_and_the_streaming_file(file_format):
    fields = labels(shown(file_dump("/mh", database_of(file_format), NAME)))
    assert fields["Format ulVersion"] == f"0x620,{file_format.revision}"
    assert fields["cbDbPage"] == str(file_format.page_bytes)
    assert fields["Streaming File"] == ("Yes" if file_format.has_streaming_file else "No")
    is_rtm = file_format is EXCHANGE_2003_RTM
    assert fields["Log Required"] == ("0-0" if is_rtm else "0-0 (0x0-0x0)")
    assert ("Log Committed" in fields) == (file_format is EXCHANGE_2007)


@BOTH_2003
def test_mh_shows_the_header_of_a_streaming_file_as_such(file_format):
    files = database_of(file_format)
    of_database = labels(shown(file_dump("/mh", files, NAME)))
    of_streaming = labels(shown(file_dump("/mh", files, COMPANION)))
    differing = {key for key in of_database if of_database[key] != of_streaming[key]}
    assert differing == {"Database", "File Type"}
    assert of_streaming["File Type"] == "Streaming File"


def test_mh_refuses_one_file_in_place_of_the_other():
    files = database_of(EXCHANGE_2003)
    files.rename(COMPANION, "MDB2.edb")
    files.rename(NAME, "MDB2.stm")
    for name in ("MDB2.edb", "MDB2.stm"):
        _, error = file_dump("/mh", files, name)
        assert error.code == -1206


@EVERY_FORMAT
def test_a19_mh_of_one_version_refuses_the_databases_of_another_page_size(file_format):
    for other in FORMATS:
        _, error = file_dump("/mh", database_of(file_format), NAME, other)
        if other is file_format:
            assert error is None
        else:
            is_same_size = other.page_bytes == file_format.page_bytes
            assert error.code == (-1206 if is_same_size else -1213)


@EVERY_FORMAT
def test_k_finds_no_bad_page_and_every_damaged_one(file_format):
    files = database_of(file_format)
    fields, error = file_dump("/k", files, NAME)
    assert error is None
    assert "\n0 bad checksums\n" in fields
    place = (33 + 1) * file_format.page_bytes + 1000
    files.write(NAME, place, bytes([files.read(NAME, place, 1)[0] ^ 8]))
    text, error = file_dump("/k", files, NAME)
    assert error.code == -1206
    assert "the first is 33" in error.where
    found = "correctable" if file_format.has_ecc else "bad"
    assert f"\n1 {found} checksums\n" in text


@BOTH_2003
def test_k_wants_the_streaming_file_of_a_2003_database_unless_told_not_to(file_format):
    files = database_of(file_format)
    files.delete(COMPANION)
    _, error = file_dump("/k", files, NAME)
    assert error.code == -1811
    assert file_dump("/k", files, NAME, ignores_streaming_file=True)[1] is None
    other = database_of(file_format)
    header = header_of(other, file_format)
    header.signature = SIGNATURE
    streaming_file.create(files, NAME, header, 254)
    _, error = file_dump("/k", files, NAME)
    assert error.code == -540
    assert file_dump("/k", files, NAME, ignores_streaming_file=True)[1] is None


@EVERY_FORMAT
def test_ml_and_k_read_a_log_of_every_version(file_format):
    header = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, file_format)
    name = archive_name("E00", 5, file_format)
    files = MemoryFiles({name: log_image(header), "E00.log": log_image(header.next(TIME))})
    fields = labels(shown(file_dump("/ml", files, name)))
    version = "({}.{}.{})".format(*file_format.log_version)
    assert fields["Format LGVersion"] == version
    assert file_dump("/k", files, name)[1] is None
    text, error = file_dump("/ml", files, "E00")
    assert error is None
    assert text.count(" - OK") == 2


@pytest.mark.parametrize(
    ("written", "asked"), [(EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)]
)
def test_a_log_of_the_other_size_is_refused_where_one_version_is_asked_for(written, asked):
    header = LogHeader(5, TIME, LOG_TIME_ZERO, SIGNATURE, written)
    files = MemoryFiles({"E00.log": log_image(header)})
    _, error = file_dump("/ml", files, "E00.log", asked)
    assert error.code == -541


@EVERY_FORMAT
def test_g_and_k_name_the_streaming_file_and_g_wants_it_too(file_format):
    files = database_of(file_format)
    line = f"\n  Streaming File: {COMPANION}\n"
    for mode in ("/g", "/k"):
        text, error = file_dump(mode, files, NAME)
        assert error is None
        assert (line in text) == file_format.has_streaming_file
    if not file_format.has_streaming_file:
        return
    other = files.read(COMPANION, 0, files.size(COMPANION))
    files.delete(COMPANION)
    text, error = file_dump("/g", files, NAME)
    assert (error.code, line in text) == (-1811, True)
    assert "Integrity check" not in text
    header = header_of(files, file_format)
    header.signature = SIGNATURE
    streaming_file.create(files, NAME, header, 254)
    assert file_dump("/g", files, NAME)[1].code == -540
    files.write(COMPANION, 0, other)
    assert file_dump("/g", files, NAME)[1] is None
