"""isinteg: each thing that is broken on purpose is found by its test alone, and repaired."""

import pytest
from mail_world import DATABASE, LOG_BYTES, MAILBOXES, World, recover
from office import Office, message

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import EXCHANGE_2003, archive_name
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.exchange import isinteg
from emulators.exchange.isinteg_report import report
from emulators.exchange.isinteg_tests import TESTS
from emulators.exchange.message import Attachment
from emulators.exchange.store import INBOX, SENT_ITEMS, Store

ARCHIVE = len("E0000000001.log")
NAMES = [test.name for test in TESTS]


@pytest.fixture
def office():
    """Two mailboxes, a shared message with attachments, one that is read, one in a dumpster."""
    office = Office()
    ann, bob = (office.mailbox(f"{name}@example.com") for name in ("ann", "bob"))
    files = (Attachment("a.doc", (b"a" * 3000,)), Attachment("b.doc", (b"b" * 30,)))
    mail = message((b"z" * 9000,), attachments=files)
    shared = office.deliver(ann, INBOX, mail, as_stream=True)
    office.deliver(bob, INBOX, mail, instance_id=shared.instance_id)
    office.do(office.store.set_read, shared.place, 5)
    gone = office.deliver(ann, SENT_ITEMS, message(subject="gone"))
    office.do(office.store.delete, gone.place, 8)
    office.check()
    return office


def update(table, key, **fields):
    def breaking(office):
        office.do(office.database.table(table).update, key, fields)

    return breaking


def remove(table, *key):
    def breaking(office):
        office.do(office.database.table(table).delete, *key)

    return breaking


def insert(table, *row):
    def breaking(office):
        office.do(office.database.table(table).insert, row)

    return breaking


BROKEN = {
    "a folder under one that is not there": (update("Folders", (2,), ParentId=99), {"folder"}),
    "folders under each other": (update("Folders", (3,), ParentId=3), {"folder"}),
    "a folder of no mailbox": (
        insert("Folders", 500, 77, 0, 0, 0, 0, 0, 0, "lost", "IPF.Note"),
        {"folder"},
    ),
    "a read mark in another's folder": (insert("PerUserRead", 2, 2, 1, 1), {"peruser"}),
    "an attachment of no message": (insert("Attachments", 44, 0, 3, "a", b"x"), {"attach"}),
    "an attachment that is gone": (remove("Attachments", 1, 1), {"attachref", "message"}),
    "a wrong number of attachments": (update("Msg", (1,), AttachmentCount=7), {"attachref"}),
    "too few references": (update("Msg", (1,), ReferenceCount=1), {"msgref"}),
    "a message that no folder shows": (
        insert(
            "Msg",
            30,
            1,
            0,
            0,
            4,
            7,
            None,
            None,
            "IPM.Note",
            "",
            None,
            None,
            None,
            b"text",
            None,
            None,
        ),
        {"msgref"},
    ),
    "a wrong size of a message": (update("Msg", (2,), Size=1), {"message", "morefld"}),
    "a wrong size of an entry": (
        update("MsgFolderIndex", (2, 1), Size=5),
        {"morefld", "rowcounts", "mailbox"},
    ),
    "a wrong count of a folder": (update("Folders", (2,), MessageCount=9), {"rowcounts"}),
    "a wrong count of what is unread": (update("Folders", (2,), UnreadCount=1), {"rowcounts"}),
    "wrong bytes of a folder": (update("Folders", (2,), MessageBytes=1), {"rowcounts"}),
    "a wrong count of a dumpster": (update("Folders", (4,), DeletedCount=0), {"dumpsterref"}),
    "a wrong count of a mailbox": (update("Mailbox", (1,), MessageCount=9), {"mailbox"}),
    "wrong bytes of a mailbox's dumpster": (update("Mailbox", (1,), DeletedBytes=9), {"mailbox"}),
    "a message that a folder shows and is gone": (
        remove("Msg", 2),
        {"msgref"},
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_by_its_tests_and_repaired(office, what):
    breaking, tests = BROKEN[what]
    breaking(office)
    assert office.findings().keys() == tests
    office.repair()
    office.check()


def test_every_test_finds_something_that_no_other_is_needed_for():
    assert {name for _, names in BROKEN.values() for name in names} == set(NAMES)


def test_a_repair_invents_no_mail_and_keeps_what_is_right(office):
    before = {m.message_id: m.message.digest for m in office.store.messages()}
    remove("Msg", 2)(office)
    update("Folders", (2,), MessageCount=9)(office)
    office.repair()
    after = {m.message_id: m.message.digest for m in office.reopened().messages()}
    assert after.items() < before.items()
    assert len(after) == len(before) - 1


# --- on files ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recovered():
    world = World(parameters=Parameters(checkpoint_depth_bytes=2 * LOG_BYTES))
    world.spawn(world.drip(40, 40_000, every_ms=50))
    world.run(5)
    files = world.files()
    recover(files)
    return files


@pytest.fixture
def files(recovered):
    return MemoryFiles({DATABASE: recovered.read(DATABASE, 0, recovered.size(DATABASE))})


def errors(results):
    return {result.name: result.errors for result in results if result.errors}


def broken(files):
    """Let every mailbox state one message more than it has, on a file."""
    from emulators.exchange import isinteg_tests as rules

    wrong = rules.IntegrityTest("mailbox", "Mailbox", _one_more_in_every_mailbox)
    isinteg.fix(files, DATABASE, [wrong])


def _one_more_in_every_mailbox(rows):
    from emulators.exchange.isinteg_tests import Finding

    table = rows.store.contents.mailboxes
    for mailbox_id, row in rows.mailboxes.items():

        def breaking(transaction, mailbox_id=mailbox_id, count=row[1]):
            table.update(transaction, (mailbox_id,), {"MessageCount": count + 1})

        yield Finding("made on purpose", breaking)


def test_a_healthy_database_passes_and_is_not_touched(files):
    before = files.read(DATABASE, 0, files.size(DATABASE))
    results = isinteg.check(files, DATABASE, TESTS)
    assert errors(results) == {}
    assert {result.name: result.rows for result in results}["mailbox"] == len(MAILBOXES)
    isinteg.fix(files, DATABASE, TESTS)
    assert files.names() == [DATABASE]
    assert files.read(DATABASE, 0, files.size(DATABASE)) == before


def test_a_repaired_file_passes_every_check_there_is(files):
    from mail_world import check_database

    broken(files)
    assert errors(isinteg.check(files, DATABASE, TESTS)) == {"mailbox": 3}
    assert errors(isinteg.fix(files, DATABASE, TESTS)) == {"mailbox": 3}
    assert errors(isinteg.check(files, DATABASE, TESTS)) == {}
    assert files.names() == [DATABASE]
    assert check_database(files).problems == []
    assert sum(1 for _ in Store(open_database(files, DATABASE)).messages()) == 40


def test_a_database_that_is_not_clean_is_refused_and_left_alone(files):
    world = World()
    world.send(100)
    world.run(1)
    dirty = world.files()
    before = dirty.names()
    for work in (isinteg.check, isinteg.fix):
        with pytest.raises(EseError, match=r"-550.*eseutil /r"):
            work(dirty, DATABASE, TESTS)
    assert dirty.names() == before


def test_a_store_of_exchange_2003_is_tested_and_repaired_likewise():
    world = World(parameters=Parameters(file_format=EXCHANGE_2003))
    world.spawn(world.drip(30, 20_000, every_ms=50))
    world.run(5)
    files = world.files()
    recover(files, log_format=EXCHANGE_2003)
    broken(files)
    assert errors(isinteg.fix(files, DATABASE, TESTS)) == {"mailbox": 3}
    assert errors(isinteg.check(files, DATABASE, TESTS)) == {}


def test_the_text_has_a_line_for_each_test_and_the_sum(files):
    broken(files)
    text = report(isinteg.check(files, DATABASE, isinteg.tests_named(["folder", "MAILBOX"])))
    assert text.splitlines() == [
        "Now in test  1(Folder) of total 2 tests; 50% complete.",
        "Test Folder result: 0 error(s); 0 warning(s); 0 fix(es); 33 row(s); time: 0h:0m:0s",
        "Now in test  2(Mailbox) of total 2 tests; 100% complete.",
        "Test Mailbox result: 3 error(s); 0 warning(s); 0 fix(es); 3 row(s); time: 0h:0m:0s",
        "",
        ". . . . . SUMMARY . . . . .",
        "Total number of tests : 2",
        "Total number of warnings : 0",
        "Total number of errors : 3",
        "Total number of fixes : 0",
        "Total time : 0h:0m:0s",
    ]


@pytest.mark.parametrize(
    ("names", "found"),
    [(["alltests"], NAMES), (["allfoldertests"], ["folder"]), (["attach", "folder"], None)],
)
def test_tests_have_names_and_groups(names, found):
    assert [test.name for test in isinteg.tests_named(names)] == (found or ["folder", "attach"])


@pytest.mark.parametrize(
    ("name", "why"), [("search", "has no tables for"), ("mailboxes", "there is no test")]
)
def test_a_test_that_cannot_be_made_is_refused_by_name(name, why):
    with pytest.raises(isinteg.UnknownTest, match=f"{why}.*{name}|{name}.*{why}|{why}"):
        isinteg.tests_named([name])


def test_a20_isinteg_passes_on_a_database_that_lost_its_whole_committed_tail(figure):
    """exchange.md A20: a clean run is no evidence that no mail is lost."""
    parameters = Parameters(waypoint_depth=10)
    world = World(parameters=parameters)
    world.spawn(world.drip(200, 90_000, every_ms=20))
    world.run(8)
    assert len(world.acknowledged) == 200
    files = world.files()
    required = read_header(files, DATABASE).generation_max_required
    for name in files.names():
        is_archive = len(name) == ARCHIVE and name.endswith(".log")
        if name == "E00.log" or (is_archive and name > archive_name("E00", required)):
            files.delete(name)
    recover(files, lossy=True)
    left = sum(1 for _ in Store(open_database(files, DATABASE)).messages())
    assert left < len(world.acknowledged)
    assert errors(isinteg.check(files, DATABASE, TESTS)) == {}
    figure(f"{len(world.acknowledged) - left} of 200 acknowledged messages lost; isinteg: 0 errors")
