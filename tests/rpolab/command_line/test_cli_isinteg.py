"""`rpolab isinteg` on real files: its switches, what it prints, and its exit codes."""

import pytest

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.exchange import isinteg
from emulators.exchange.isinteg_tests import Finding, IntegrityTest
from rpolab.laboratory.experiment import Experiment
from scenarios import check_text


@pytest.fixture(scope="module")
def clean(tmp_path_factory, quick_text):
    """The bytes of a database in Clean Shutdown."""
    folder = tmp_path_factory.mktemp("clean")
    experiment = Experiment(check_text(quick_text.replace("10:05", "10:01")).scenario)
    experiment.run()
    volumes = experiment.laboratory.volumes
    for volume in (volumes["logs@primary"], volumes["database@primary"]):
        for name in volume.names():
            (folder / name).write_bytes(volume.peek(name, 0, volume.size(name)))
    dirty = (folder / "MDB1.edb").read_bytes()
    soft_recover(DirectoryFiles(folder), "E00", ["MDB1.edb"], now_ns=10**18)
    return dirty, (folder / "MDB1.edb").read_bytes()


@pytest.fixture
def database(clean, tmp_path):
    path = tmp_path / "MDB1.edb"
    path.write_bytes(clean[1])
    return path


def break_a_count(path):
    """Let the first mailbox state one message more than it has."""

    def find(rows):
        table = rows.store.contents.mailboxes
        count = rows.mailboxes[1][1]
        yield Finding("", lambda tx: table.update(tx, (1,), {"MessageCount": count + 1}))

    wrong = IntegrityTest("mailbox", "Mailbox", find)
    isinteg.fix(DirectoryFiles(path.parent), path.name, [wrong])


def test_a_healthy_database_passes_all_tests(rpolab, database):
    before = database.read_bytes()
    outcome = rpolab("isinteg", database, "-test", "alltests")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Store path: {database}\nCheck mode: check\n\nNow in test  1(")
    assert outcome.out.endswith("Total number of fixes : 0\nTotal time : 0h:0m:0s\n")
    assert "Total number of errors : 0\n" in outcome.out
    assert database.read_bytes() == before


def test_errors_are_found_shown_repaired_and_gone(rpolab, database, tmp_path):
    break_a_count(database)
    found = rpolab("isinteg", "-test", "mailbox,folder", "-verbose", database)
    assert found.code == 1
    assert "  mailbox 1 states MessageCount " in found.out
    log = tmp_path / "isinteg.log"
    arguments = ("-s", "MBX1", "/FIX", "-test", "alltests", database)
    fixed = rpolab("isinteg", "-l", log, *arguments)
    assert fixed.code == 1
    assert fixed.out.startswith("Server name: MBX1\n")
    assert "Total number of fixes : 1\n" in fixed.out
    assert log.read_text() == fixed.out
    assert rpolab("isinteg", *arguments).code == 0


def test_a_log_never_takes_the_place_of_a_file(rpolab, database):
    before = database.read_bytes()
    refused = rpolab("isinteg", "-fix", "-test", "alltests", "-l", database, database)
    assert refused.code == 2
    assert "is there already: name a new file" in refused.err
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent/isinteg.log", "there is no such folder"), ("n" * 300, "cannot be a file")],
)
def test_a_log_that_cannot_be_made_is_told(rpolab, database, tmp_path, name, reason):
    refused = rpolab("isinteg", "-test", "alltests", "-l", tmp_path / name, database)
    assert refused.code == 2
    assert reason in refused.err


def test_a_database_that_was_not_shut_down_cleanly_is_refused_with_a_hint(rpolab, clean, tmp_path):
    path = tmp_path / "MDB1.edb"
    path.write_bytes(clean[0])
    outcome = rpolab("isinteg", path, "-test", "alltests")
    assert (outcome.code, outcome.out) == (1, "")
    assert "-550" in outcome.err
    assert "eseutil /r" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("MDB1.edb",), "-test is missing"),
        (("-test", "mailbox"), "takes one file, 0 are given"),
        (("a", "b", "-test", "mailbox"), "takes one file, 2 are given"),
        ((".", "-test", "mailbox"), "is a folder"),
        (("MDB1.edb", "-test"), "-test takes a value"),
        (("MDB1.edb", "-test", "nothing"), "there is no test 'nothing'"),
        (("MDB1.edb", "-test", "search"), "has no tables for the test 'search'"),
        (("MDB1.edb", "-test", "mailbox", "-quick"), "no switch -quick"),
        (("MDB1.edb", "-test", "mailbox", "-t", "d:\\"), "-t is not emulated"),
        (("MDB1.edb", "-test", "mailbox", "-test", "folder"), "-test is given twice"),
    ],
)
def test_wrong_usage_says_what_is_wrong(rpolab, arguments, why):
    outcome = rpolab("isinteg", *arguments)
    assert outcome.code == 2
    assert why in outcome.err


def test_its_help_says_what_it_is_blind_to(rpolab):
    outcome = rpolab("isinteg", "--help")
    assert outcome.code == 0
    assert "no evidence that no mail is lost" in " ".join(outcome.out.split())
