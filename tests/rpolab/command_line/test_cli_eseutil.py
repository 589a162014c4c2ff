"""`rpolab eseutil` on the real files that a run keeps, and on copies broken on purpose."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from rpolab.laboratory.experiment import Experiment
from scenarios import check_text

BANNER = "Extensible Storage Engine Utilities for Microsoft(R) Exchange Server\n\nInitiating "


@pytest.fixture(scope="module")
def crashed(tmp_path_factory, quick_text):
    """A folder with what is on the mail server's volumes while it runs: Dirty Shutdown."""
    folder = tmp_path_factory.mktemp("crashed")
    experiment = Experiment(check_text(quick_text.replace("10:05", "10:01")).scenario)
    experiment.run()
    volumes = experiment.laboratory.volumes
    for volume in (volumes["logs@primary"], volumes["database@primary"]):
        for name in volume.names():
            (folder / name).write_bytes(volume.peek(name, 0, volume.size(name)))
    return folder


@pytest.fixture
def group(crashed, tmp_path):
    """A copy of those files, to break."""
    folder = tmp_path / "group"
    shutil.copytree(crashed, folder)
    return folder


def state(folder, name="MDB1.edb"):
    return read_header(DirectoryFiles(folder), name).state


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("mode", ["/mh", "/MH", "-mh", "-Mh"])
def test_a_switch_may_have_either_case_and_either_sign(rpolab, group, mode):
    outcome = rpolab("eseutil", mode, group / "MDB1.edb")
    assert outcome.code == 0
    assert outcome.out.startswith(f"{BANNER}FILE DUMP mode...\nDatabase: MDB1.edb\n")
    assert "            State: Dirty Shutdown\n" in outcome.out
    assert "Operation completed successfully in 0." in outcome.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("mode", "name", "line"),
    [
        ("/ml", "E00", "No damaged log files were found."),
        ("/ml", "E00.log", "Integrity check passed for log file: E00.log"),
        ("/mk", "E00.chk", "      Checkpoint file: E00.chk"),
        ("/k", "MDB1.edb", "0 bad checksums"),
        ("/K", "E00", "No damaged log files were found."),
    ],
)
def test_each_mode_finds_good_files_good(rpolab, group, mode, name, line):
    outcome = rpolab("eseutil", mode, group / name)
    assert outcome.code == 0
    assert line in outcome.out.splitlines()
    assert outcome.err == ""


def test_checksums_take_the_switch_that_excuses_a_streaming_file(rpolab, group):
    assert rpolab("eseutil", "/k", "/i", group / "MDB1.edb").code == 0
    assert rpolab("eseutil", "/k", group / "MDB1.edb", "-I").code == 0


def test_a_flipped_bit_is_found_and_is_exit_code_one(rpolab, group):
    with (group / "MDB1.edb").open("r+b") as file:
        file.seek(8192 * 4 + 100)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    outcome = rpolab("eseutil", "/k", group / "MDB1.edb")
    assert outcome.code == 1
    assert "Operation terminated with error -1206 (JET_errDatabaseCorrupted" in outcome.out


@pytest.mark.parametrize("mode", ["/mh", "/ml", "/mk", "/k"])
def test_a_file_that_is_not_there_is_a_jet_error(rpolab, mode):
    outcome = rpolab("eseutil", mode, "nowhere/nothing")
    assert outcome.code == 1
    assert "Operation terminated with error -1811 (JET_errFileNotFound" in outcome.out
    assert "Traceback" not in outcome.err


def test_recovery_brings_a_crashed_group_to_clean_shutdown(rpolab, group):
    assert state(group) is DatabaseState.DIRTY_SHUTDOWN
    outcome = rpolab("eseutil", "/r", "E00", "/l", group)
    assert outcome.code == 0
    assert state(group) is DatabaseState.CLEAN_SHUTDOWN
    lines = outcome.out.splitlines()
    assert outcome.out.startswith(f"{BANNER}RECOVERY mode...\n")
    for part in (
        "Logfile base name: E00",
        f"Log files: {group}",
        f"System files: {group}",
        "Performing soft recovery...",
        "Restore Status (% complete)",
        "|----|----|----|----|----|----|----|----|----|----|",
        "." * 51,
    ):
        assert part in [line.strip() for line in lines]
    assert rpolab("eseutil", "/k", group / "MDB1.edb").code == 0
    again = rpolab("eseutil", "-R", "E00", "-L", group)
    assert again.code == 0, "recovering a clean database does nothing"


def test_recovery_in_three_folders_gives_the_same_as_in_one(rpolab, group, tmp_path):
    for folder, pattern in (("system", "*.chk"), ("database", "*.edb")):
        (tmp_path / folder).mkdir()
        for path in list(group.glob(pattern)):
            path.rename(tmp_path / folder / path.name)
    outcome = rpolab(
        "eseutil", "/r", "E00", "/s", "system", "/d", tmp_path / "database", "/l", group
    )
    assert outcome.code == 0
    assert state(tmp_path / "database") is DatabaseState.CLEAN_SHUTDOWN
    assert [path.name for path in (tmp_path / "system").iterdir()] == ["E00.chk"]
    assert not list(group.glob("*.chk"))


def test_recovery_without_the_newest_log_is_refused_and_touches_nothing(rpolab, group):
    (group / "E00.log").unlink()
    (group / "E00tmp.log").unlink(missing_ok=True)
    before = files_of(group)
    outcome = rpolab("eseutil", "/r", "E00", "/l", group)
    assert outcome.code == 1
    assert "Operation terminated with error -528 (JET_errMissingLogFile" in outcome.out
    assert "." * 51 not in outcome.out
    assert files_of(group) == before


def test_recovery_without_a_database_is_a_jet_error_even_with_the_switch(rpolab, group):
    (group / "MDB1.edb").unlink()
    for arguments in ([], ["/i"]):
        outcome = rpolab("eseutil", "/r", "E00", "/l", group, *arguments)
        assert outcome.code == 1
        assert "error -1216 (JET_errAttachedDatabaseMismatch" in outcome.out


def test_a_database_of_another_group_is_left_out_on_request_only(rpolab, group):
    (group / "Other.edb").write_bytes(bytes(65536))
    before = files_of(group)
    refused = rpolab("eseutil", "/r", "E00", "/l", group)
    assert refused.code == 1
    assert "Other.edb: not a database of these logs" in refused.out
    assert files_of(group) == before
    outcome = rpolab("eseutil", "/r", "E00", "/l", group, "/I")
    assert outcome.code == 0
    assert "Other.edb does not belong to these logs: left out.\n" in outcome.out
    assert state(group) is DatabaseState.CLEAN_SHUTDOWN
    assert (group / "Other.edb").read_bytes() == bytes(65536)


def test_two_copies_of_the_database_are_not_guessed_between(rpolab, group):
    shutil.copy(group / "MDB1.edb", group / "Copy of MDB1.edb")
    outcome = rpolab("eseutil", "/r", "E00", "/l", group, "/i")
    assert outcome.code == 1
    assert "2 of 2 databases belong to these logs" in outcome.out


def lose_the_newest_log(group):
    for name in ("E00.log", "E00tmp.log"):
        (group / name).unlink(missing_ok=True)


def test_lossy_recovery_succeeds_with_a_warning_that_says_what_is_lost(rpolab, group):
    lose_the_newest_log(group)
    outcome = rpolab("eseutil", "/r", "E00", "/l", group, "/A")
    assert outcome.code == 0
    assert state(group) is DatabaseState.CLEAN_SHUTDOWN
    last = outcome.out.splitlines()[-1]
    assert last.startswith(
        "Operation completed successfully with 585 (JET_wrnCommittedLogFilesLost, "
    )
    assert " is missing; MDB1.edb requires generations " in outcome.out
    assert "what was committed from generation " in outcome.out
    assert rpolab("eseutil", "/k", group / "MDB1.edb").code == 0
    assert rpolab("eseutil", "/ml", group / "E00").code == 0, "the log stream goes on"
    again = rpolab("eseutil", "/r", "E00", "/l", group)
    assert "Operation completed successfully in " in again.out.splitlines()[-1]


def test_lossy_recovery_names_the_logs_that_it_removes(rpolab, group):
    with (group / "E00.log").open("r+b") as file:
        file.write(bytes(4096))
    before = files_of(group)
    refused = rpolab("eseutil", "/r", "E00", "/l", group)
    assert refused.code == 1
    assert "error -586 (JET_errCommittedLogFileCorrupt" in refused.out
    assert "/a may recover without it" in refused.out
    assert files_of(group) == before
    outcome = rpolab("eseutil", "/r", "E00", "/l", group, "/a")
    assert outcome.code == 0
    assert "with 587 (JET_wrnCommittedLogFilesRemoved" in outcome.out
    assert "is lost; removed: E00.log" in outcome.out


def test_lossy_recovery_does_not_give_up_required_logs(rpolab, group):
    lose_the_newest_log(group)
    newest = max(path for path in group.glob("E00*.log"))
    newest.unlink()
    before = files_of(group)
    outcome = rpolab("eseutil", "/r", "E00", "/l", group, "/a")
    assert outcome.code == 1
    assert "error -543 (JET_errRequiredLogFilesMissing" in outcome.out
    assert files_of(group) == before


def test_events_are_shown_on_request_only(rpolab, group):
    quiet = rpolab("eseutil", "/mh", group / "MDB1.edb")
    assert "Events:" not in quiet.out
    current = (group / "E00.log").read_bytes()
    lose_the_newest_log(group)
    refused = rpolab("eseutil", "/r", "E00", "/l", group, "-V").out.splitlines()
    numbers = [line.strip()[:4] for line in refused[refused.index("Events:") + 1 :]]
    assert numbers[:3] == ["300:", "518:", "454:"]
    assert "Events:" not in rpolab("eseutil", "/r", "E00", "/l", group).out
    (group / "E00.log").write_bytes(current)
    lines = rpolab("eseutil", "/r", "E00", "/l", group, "/v").out.splitlines()
    shown = [line.strip()[:4] for line in lines[lines.index("Events:") + 1 :]]
    shown = shown[: shown.index("302:") + 1]
    assert shown[0] == "300:"
    assert set(shown[1:-1]) == {"301:"}
    assert any("E00.log" in line and "301:" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "a mode is missing"),
        (["/y", "MDB1.edb"], "/y is no mode"),
        (["/g"], "/g takes one database, 0 are given"),
        (["/g", "."], "is a folder"),
        (["/g", "MDB1.edb", "/t", "x"], "/g takes one database, 3 are given"),
        (["/p", "MDB1.edb", "/t"], "/t takes the name of a file in the database's folder"),
        (["/d", "MDB1.edb", "/b", "../x"], "/b takes the name of a file"),
        (["/q"], "/q is no mode"),
        (["-h"], "-h is no mode"),
        (["mh", "MDB1.edb"], "mh is no mode"),
        (["/mh"], "/mh takes one file, 0 are given"),
        (["/mh", "a", "b"], "/mh takes one file, 2 are given"),
        (["/mh", "."], "is a folder"),
        (["/mh", "/"], "is a folder"),
        (["/r"], "one base name of three letters"),
        (["/r", "E0"], "one base name of three letters"),
        (["/r", "../"], "one base name of three letters"),
        (["/r", "E00", "E01"], "one base name of three letters"),
        (["/r", "E00", "/x"], "/r has no switch /x"),
        (["/r", "E00", "/l"], "/l takes a folder"),
        (["/r", "E00", "/l", "nowhere"], "there is no such folder"),
        (["/r", "E00", "/l", ".", "-L", "."], "/l is given twice"),
    ],
)
def test_wrong_usage_is_exit_code_two_and_says_what_is_right(rpolab, arguments, part):
    outcome = rpolab("eseutil", *arguments)
    assert outcome.code == 2
    assert part in outcome.err.splitlines()[-1]
    assert outcome.out == ""


@pytest.mark.parametrize("argument", ["/?", "-?", "--help"])
def test_help_is_had_in_the_way_of_either_world(rpolab, argument):
    outcome = rpolab("eseutil", argument)
    assert outcome.code == 0
    assert "/mh FILE          the header of a database" in outcome.out


def test_the_installed_command_recovers_too(child, group):
    assert child("eseutil", "/r", "E00", cwd=group).code == 0
    assert state(group) is DatabaseState.CLEAN_SHUTDOWN


@pytest.mark.skipif(shutil.which("esedbexport") is None, reason="esedbexport is not installed")
def test_a_third_party_reader_opens_what_was_recovered(rpolab, group, tmp_path):
    assert rpolab("eseutil", "/r", "E00", "/l", group).code == 0
    done = subprocess.run(
        ["esedbexport", "-t", tmp_path / "export", group / "MDB1.edb"],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
