"""The emulated eseutil: texts, endings, and which error each kind of damage gives."""

import dataclasses

import pytest

from emulators.ese.errors import ese_error
from emulators.ese.file_set import CountingFiles, MemoryFiles
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, archive_name, current_name
from emulators.ese.formats.log_encoders import encode_begin0
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import LogFrame, blank_log
from emulators.ese.formats.values import (
    LOG_TIME_ZERO,
    BackupInfo,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
)
from emulators.ese.tools import eseutil
from emulators.ese.tools.checksum_mode import check_database, checksum_text, verify_checksums
from emulators.ese.tools.dump import dump_checkpoint, dump_header
from emulators.ese.tools.dump_log import dump_log, dump_log_set

TIME = LogTime.from_ns(1_180_000_000_000_000_000)
SIGNATURE = Signature(0x1234, TIME, "")
LAST = 4


def log_image(header: LogHeader, records: int = 50) -> bytes:
    parts = blank_log(header.pack(), header.generation, EXCHANGE_2007.log_bytes)
    image = bytearray(b"".join(parts))
    frame = LogFrame(header.generation, EXCHANGE_2007.log_bytes)
    for number in range(records):
        frame.append(encode_begin0(1, number))
        if number % 5 == 0 or number == records - 1:
            offset, data = frame.flush()
            image[offset : offset + len(data)] = data
    return bytes(image)


def headers():
    header = LogHeader(1, TIME, LOG_TIME_ZERO, SIGNATURE, parameters=DbmsParam("S:", "L:"))
    for generation in range(1, LAST + 1):
        yield header
        header = header.next(LogTime.from_ns(TIME.to_ns() + generation * 10**9))


def log_set() -> dict[str, bytes]:
    images = [log_image(header) for header in headers()]
    files = {archive_name("E00", number): image for number, image in enumerate(images[:-1], 1)}
    return files | {current_name("E00"): images[-1]}


def flip(image: bytes, offset: int) -> bytes:
    return image[:offset] + bytes((image[offset] ^ 0x10,)) + image[offset + 1 :]


def lines_of(report):
    text, error = report
    return text.splitlines(), error


def test_a_dirty_database_header_prints_what_logs_it_needs():
    header = DatabaseHeader(
        EXCHANGE_2007,
        SIGNATURE,
        SIGNATURE,
        dbtime=1234,
        state=DatabaseState.DIRTY_SHUTDOWN,
        generation_min_required=44,
        generation_max_required=46,
        generation_max_committed=47,
        attach=Lgpos(0x2B, 9, 0x86),
        attach_time=TIME,
        full_backup_previous=BackupInfo(Lgpos(5, 8, 22), TIME, 4, 5),
        full_backup_kind=1,
    )
    files = MemoryFiles({"MDB1.edb": header.pack() * 2})
    lines, error = lines_of(dump_header(files, "MDB1.edb"))
    assert error is None
    labels = [line.split(":", 1)[0].strip() for line in lines[3:29]]
    assert labels == [
        "File Type", "Format ulMagic", "Engine ulMagic", "Format ulVersion", "Engine ulVersion",
        "Created ulVersion", "DB Signature", "cbDbPage", "dbtime", "State", "Log Required",
        "Log Committed", "Streaming File", "Shadowed", "Last Objid", "Scrub Dbtime", "Scrub Date",
        "Repair Count", "Repair Date", "Old Repair Count", "Last Consistent", "Last Attach",
        "Last Detach", "Dbid", "Log Signature", "OS Version",
    ]  # fmt: skip
    for line in (
        "        File Type: Database",
        "   Format ulMagic: 0x89abcdef",
        " Format ulVersion: 0x620,12",
        "     DB Signature: Create time:05/24/2007 09:46:40 Rand:4660 Computer:",
        "         cbDbPage: 8192",
        "           dbtime: 1234 (0x4d2)",
        "            State: Dirty Shutdown",
        "     Log Required: 44-46 (0x2c-0x2e)",
        "    Log Committed: 0-47 (0x0-0x2f)",
        "   Streaming File: No",
        "         Shadowed: Yes",
        "       Scrub Date: 00/00/1900 00:00:00",
        "      Last Attach: (0x2B,9,86)  05/24/2007 09:46:40",
        "      Last Detach: (0x0,0,0)  00/00/1900 00:00:00",
        "       OS Version: (5.2.3790 SP 2)",
        "        Log Gen: 4-5 (0x4-0x5) - OSSnapshot",
        "           Mark: (0x5,8,16)",
    ):
        assert line in lines
    assert lines.index("Previous Full Backup:") < lines.index("Current Shadow copy backup:")


def test_a_clean_database_needs_no_log(small_database):
    files = MemoryFiles({"MDB1.edb": small_database.image})
    lines, error = lines_of(dump_header(files, "MDB1.edb"))
    assert error is None
    assert "            State: Clean Shutdown" in lines
    assert "     Log Required: 0-0 (0x0-0x0)" in lines


def test_a_missing_or_damaged_database_is_an_error_of_the_dump():
    _, error = dump_header(MemoryFiles(), "MDB1.edb")
    assert error.code == -1811
    _, error = dump_header(MemoryFiles({"MDB1.edb": bytes(32768)}), "MDB1.edb")
    assert error.code == -1206


def test_a_checkpoint_prints_its_positions():
    checkpoint = Checkpoint(
        checkpoint=Lgpos(0x20, 0x9D, 0x187), signature=SIGNATURE, parameters=DbmsParam(sessions=202)
    )
    files = MemoryFiles({"E00.chk": checkpoint.pack()})
    lines, error = lines_of(dump_checkpoint(files, "E00.chk"))
    assert error is None
    labels = [line.strip().split(":")[0] for line in lines[2:9]]
    assert labels == [
        "LastFullBackupCheckpoint", "Checkpoint", "FullBackup", "FullBackup time", "IncBackup",
        "IncBackup time", "Signature",
    ]  # fmt: skip
    assert "      Checkpoint: (0x20,9D,187)" in lines
    assert "    202" in lines[-1]
    files.write("E00.chk", 10, b"\xff")
    files.write("E00.chk", 4096 + 10, b"\xff")
    assert dump_checkpoint(files, "E00.chk")[1].code == -533


def test_one_log_prints_its_header_and_passes():
    lines, error = lines_of(dump_log(MemoryFiles(log_set()), "E0000000002.log"))
    assert error is None
    assert "      lGeneration: 2 (0x2)" in lines
    assert "      Format LGVersion: (7.3704.10)" in lines
    assert "      Env Log Sec size: 512" in lines
    assert any(line.startswith("      Last Lgpos: (0x2,8,") for line in lines)
    assert lines[-1] == "Integrity check passed for log file: E0000000002.log"


def test_a_whole_set_of_logs_is_ok():
    lines, error = lines_of(dump_log_set(MemoryFiles(log_set()), "E00"))
    assert error is None
    assert [line for line in lines if line.endswith(" - OK")] == [
        f"      Log file: {name} - OK"
        for name in (*(archive_name("E00", n) for n in range(1, LAST)), "E00.log")
    ]
    assert lines[-1] == "No damaged log files were found."


SECOND, THIRD, CURRENT = archive_name("E00", 2), archive_name("E00", 3), "E00.log"


def swap(files):
    files[SECOND], files[THIRD] = files[THIRD], files[SECOND]


def replace_current(files, **fields):
    *_, last = headers()
    files[CURRENT] = log_image(dataclasses.replace(last, **fields))


# How a set of logs can be broken: what is done, which error it gives, what must be printed.
DAMAGE = {
    "an archive is missing": (
        lambda files: files.pop(SECOND),
        -528,
        "Missing log file(s): E00{00000002 - 00000002}.log",
    ),
    "the newest archive is missing": (
        lambda files: files.pop(THIRD),
        -528,
        "Missing log file(s): E00{00000003 - 00000003}.log",
    ),
    "the current log is missing": (
        lambda files: files.pop(CURRENT),
        -528,
        "Missing log file(s): E00.log",
    ),
    "an archive is damaged in the middle": (
        lambda files: files.update({SECOND: flip(files[SECOND], 4096 + 60)}),
        -501,
        "ERROR: Log damaged (unusable). Last Lgpos:",
    ),
    "an archive ends torn": (
        lambda files: files.update({SECOND: flip(files[SECOND], 4096 + 1030)}),
        -501,
        "ERROR: Log damaged (unusable). Last Lgpos:",
    ),
    "a header is damaged": (
        lambda files: files.update({SECOND: flip(files[SECOND], 100)}),
        -501,
        "ERROR: Cannot read log file header.",
    ),
    "an archive is cut short": (
        lambda files: files.update({SECOND: files[SECOND][:-512]}),
        -541,
        "ERROR: Log damaged (unusable).",
    ),
    "two archives are swapped": (swap, -515, "ERROR: Invalid log sequence."),
    "the chain of creation times breaks": (
        lambda files: replace_current(files, previous_created=LogTime.from_ns(10**9)),
        -515,
        "ERROR: Invalid log sequence.",
    ),
    "a log is of another set": (
        lambda files: replace_current(files, signature=Signature(9, TIME, "")),
        -530,
        "ERROR: Invalid log sequence.",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_broken_set_of_logs_is_named_with_its_error(kind):
    breaks, code, text = DAMAGE[kind]
    files = log_set()
    breaks(files)
    report, error = dump_log_set(MemoryFiles(files), "E00")
    assert error.code == code
    assert text in report
    assert "No damaged log files were found." not in report


def test_a_torn_tail_of_the_current_log_is_no_damage():
    files = log_set()
    files["E00.log"] = flip(files["E00.log"], 4096 + 1030)
    assert dump_log_set(MemoryFiles(files), "E00")[1] is None
    assert dump_log(MemoryFiles(files), "E00.log")[1] is None


def test_a_roll_cut_between_its_renames_misses_no_log():
    files = log_set()
    files["E00tmp.log"] = files.pop("E00.log")
    assert dump_log_set(MemoryFiles(files), "E00")[1] is None


def test_checksums_of_a_whole_database_are_counted(small_database):
    files = CountingFiles(MemoryFiles({"MDB1.edb": small_database.image}))
    summary = check_database(files, "MDB1.edb")
    pages = len(small_database.image) // 8192
    blank = sum(
        not any(small_database.image[at : at + 8192])
        for at in range(0, len(small_database.image), 8192)
    )
    assert (summary.pages, summary.damaged, summary.uninitialized) == (pages, 0, blank)
    assert summary.dbtime_max == 7
    assert summary.bytes_read == len(small_database.image) == files.counts.bytes_moved["read"]
    assert summary.reads == files.counts.operations["read"]
    lines, error = lines_of(verify_checksums(files, "MDB1.edb"))
    assert error is None
    assert [f"{pages} pages seen", "0 bad checksums", "0 correctable checksums"] == [
        line for line in lines if line.endswith(("seen", "checksums"))
    ]
    assert f"{blank} uninitialized pages" in lines
    assert "0 wrong page numbers" in lines
    assert "0x7 highest dbtime (pgno 0x1)" in lines


def test_each_kind_of_bad_page_is_counted_and_ends_with_1206(small_database):
    image = bytearray(small_database.image)
    image[100] ^= 1
    place = {pgno: (pgno + 1) * 8192 for pgno in (33, 40, 50, 60)}
    image[place[33] + 500] ^= 4
    image[place[40] + 500 : place[40] + 503] = b"rot"
    one, other = place[50], place[60]
    image[one : one + 8192], image[other : other + 8192] = (
        image[other : other + 8192],
        image[one : one + 8192],
    )
    files = MemoryFiles({"MDB1.edb": bytes(image) + b"tail"})
    summary = check_database(files, "MDB1.edb")
    counts = (summary.bad, summary.correctable, summary.wrong_number, summary.first_bad_pgno)
    assert counts == (3, 1, 2, -1)
    text, error = verify_checksums(files, "MDB1.edb")
    assert error.code == -1206
    assert "6 damaged pages" in error.where
    assert "3 bad checksums\n1 correctable checksums" in text


def test_rates_are_printed_when_time_has_passed(small_database):
    files = MemoryFiles({"MDB1.edb": small_database.image})
    summary = check_database(files, "MDB1.edb")
    text = checksum_text("MDB1.edb", summary, seconds=0.5)
    assert f"{2 * len(small_database.image) / (1 << 20):.0f} MB/second" in text
    assert "milliseconds per read" in text
    assert "MB/second" not in checksum_text("MDB1.edb", summary)


@pytest.mark.parametrize("name", ["E00", "E00.log", "E00.chk", "MDB1.edb"])
def test_checksums_are_verified_by_the_kind_of_file(name, small_database):
    checkpoint = Checkpoint(checkpoint=Lgpos(1, 8, 22), signature=SIGNATURE).pack()
    contents = {**log_set(), "E00.chk": checkpoint, "MDB1.edb": small_database.image}
    files = MemoryFiles(contents)
    assert eseutil.file_dump("/k", files, name)[1] is None
    for file in contents:
        for offset in (100, 4096 + 100, 2 * 4096 + 100):
            files.write(file, offset, b"\xee\xee")
    text, error = eseutil.file_dump("/k", files, name)
    wanted = {"E00": -501, "E00.log": -501, "E00.chk": -533, "MDB1.edb": -1206}
    assert error.code == wanted[name]
    assert name in text


@pytest.mark.parametrize(
    ("mode", "name", "first"),
    [
        ("/mh", "MDB1.edb", "Database: MDB1.edb"),
        ("/mk", "E00.chk", "      Checkpoint file: E00.chk"),
        ("/ml", "E00", "Verifying log files..."),
        ("/ml", "E00.log", "      Base name: E00"),
        ("/k", "MDB1.edb", "File: MDB1.edb"),
    ],
)
def test_every_mode_reports_a_missing_file_as_an_error(mode, name, first):
    text, error = eseutil.file_dump(mode, MemoryFiles(), name)
    assert text.splitlines()[0] == first
    assert error is not None


def test_a_report_has_banner_mode_and_ending():
    text = eseutil.report("/mh", "body", None, 0.25)
    assert text.splitlines() == [
        "Extensible Storage Engine Utilities for Microsoft(R) Exchange Server",
        "",
        "Initiating FILE DUMP mode...",
        "body",
        "Operation completed successfully in 0.250 seconds.",
    ]


def test_a_failed_report_ends_with_code_name_and_hint():
    error = ese_error(-543, "MDB1.edb", "copy the logs back")
    lines = eseutil.report("/r", "body", error, 2).splitlines()
    assert lines[2] == "Initiating RECOVERY mode..."
    assert "MDB1.edb: copy the logs back" in lines
    assert lines[-1] == (
        "Operation terminated with error -543 (JET_errRequiredLogFilesMissing, The required log "
        "files for recovery is missing.) after 2.000 seconds."
    )
