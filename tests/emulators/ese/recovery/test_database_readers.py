"""Independent readers open databases that were written at run time and recovered after a crash."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from checker import check_database
from dissect.esedb import EseDB
from mail_world import DATABASE, LOG_BYTES, MAILBOXES, MS, Disks, World, recover

from emulators.ese.formats import log_records
from emulators.ese.formats.page import FLAG_EMPTY
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.exchange.store import Store
from emulators.exchange.store_schema import FOLDER_NAMES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")
needs_esedbexport = pytest.mark.skipif(
    shutil.which("esedbexport") is None, reason="libesedb-utils is not installed"
)
SEPARATED_MIN = 1025


def busy_server():
    """Small and large messages, pages written by the flusher, a crash in mid-stream."""
    world = World(parameters=Parameters(checkpoint_depth_bytes=2 * LOG_BYTES))
    world.spawn(world.drip(400, 600, every_ms=3))
    world.spawn(world.drip(30, 90_000, every_ms=40))
    world.spawn(world.drip(40, 9000, every_ms=30))
    world.run(1.1)
    return recovered(world, len(world.operations))


def recovered(world, done):
    disks = Disks(world.operations)
    disks.advance(done)
    files = disks.copy()
    report = recover(files)
    return files, report


def first_undone(world, start):
    """Return the first image, from `start` operations on, whose recovery had to undo."""
    for done in range(start, len(world.operations) + 1):
        files, report = recovered(world, done)
        if report.undone:
            return files, report
    raise AssertionError("no prefix of this run leaves an open transaction")


def an_undo_that_empties_pages():
    """The chunks of a large value went to pages of their own, and all of them were undone."""
    world = World(mailboxes=MAILBOXES[:1])
    for size in (3000, 500, 20_000):
        world.send(size)
    world.run(1)
    mounted = len(world.operations)
    world.send(int(1.4 * LOG_BYTES))
    world.run(5)
    return first_undone(world, mounted)


def a_cut_between_a_split_and_its_insert():
    """The log ends with a split, on which the insert that asked for it never followed."""
    world = World(mailboxes=MAILBOXES[:1])
    log, records = world.group.mounted(DATABASE).editor.log, []
    fdp = world.group.database(DATABASE).table("Msg").tree.tree.fdp

    def note(record):
        records.append(log_records.decode(record)[0])
        return log(record)

    world.group.mounted(DATABASE).editor.log = note
    while world.group.log.buffer.generation == 1:
        world.send(700)
        world.run(0.01)
    split = max(
        number
        for number, record in enumerate(records)
        if isinstance(record, log_records.Split) and record.pgno_fdp == fdp
    )
    assert isinstance(records[split + 1], log_records.Insert)
    return cut_after_record(split)


def cut_after_record(number):
    """Run the same again, but close the log for good after that record, and let it be written."""
    world = World(mailboxes=MAILBOXES[:1])
    log, buffer = world.group.mounted(DATABASE).editor.log, world.group.log.buffer
    seen = 0

    def note(record):
        nonlocal seen
        lgpos = log(record)
        if seen == number:
            buffer.close_generation()
        seen += 1
        return lgpos

    world.group.mounted(DATABASE).editor.log = note
    while seen <= number:
        world.send(700)
        world.run(0.01)
    world.run(20 * MS / 10**9)
    rolled = next(n for n, op in enumerate(world.operations, 1) if op.new_name.endswith("1.log"))
    return recovered(world, rolled)


IMAGES = {
    "a busy server": busy_server,
    "an undo that empties pages": an_undo_that_empties_pages,
    "a cut between a split and its insert": a_cut_between_a_split_and_its_insert,
}


@pytest.fixture(scope="module", params=IMAGES)
def image(request):
    """The recovered files, what recovery did, and the messages that our own reader sees."""
    files, report = IMAGES[request.param]()
    database = open_database(files, DATABASE)
    messages = list(Store(database).messages())
    findings = check_database(files)
    assert findings.problems == []
    assert messages
    return request.param, files, report, messages, findings


def emptied_pages(files):
    """Count the pages that were taken out of their trees and are available again."""
    flags = (
        int.from_bytes(files.read(DATABASE, offset + 36, 4), "little")
        for offset in range(2 * 8192, files.size(DATABASE), 8192)
    )
    return sum(bool(each & FLAG_EMPTY) for each in flags)


def test_the_images_are_what_their_names_say(image):
    name, files, report, messages, findings = image
    if name == "a busy server":
        assert len(messages) > 250
        assert report.pages_written > 100
    elif name == "an undo that empties pages":
        assert len(messages) == 3
        assert emptied_pages(files) > 50
    else:
        fdp = open_database(files, DATABASE).table("Msg").tree.tree.fdp
        assert frozenset(findings.empty_leaves) & frozenset(findings.used[fdp])
    assert files.size(DATABASE) % 8192 == 0


def test_dissect_reads_the_same_messages(image):
    _, files, _, messages, _ = image
    database = EseDB(io.BytesIO(files.read(DATABASE, 0, files.size(DATABASE))))
    content = {record.get("InstanceId"): record for record in database.table("Msg").records()}
    found = {
        record.get("MessageId"): content[record.get("InstanceId")]
        for record in database.table("MsgFolderIndex").records()
    }
    assert found.keys() == {message.message_id for message in messages}
    for stored in messages:
        record, message = found[stored.message_id], stored.message
        assert record.get("Subject") == message.subject
        assert record.get("Sender") == message.sender
        assert record.get("Sent") == message.sent_ns
        assert record.get("InternetMessageId") == message.internet_message_id
        assert record.get("Size") == message.size_bytes
        # It misreads long values of three and more chunks (ese-format.md, annex I).
        if message.body_bytes <= 2 * 8110:
            assert bytes(record.get("Body")) == b"".join(message.body)


def test_dissect_reads_folders_and_mailboxes(image):
    _, files, _, messages, _ = image
    database = EseDB(io.BytesIO(files.read(DATABASE, 0, files.size(DATABASE))))
    counts = {r.get("FolderId"): r.get("MessageCount") for r in database.table("Folders").records()}
    assert sum(counts.values()) == len(messages)
    names = [record.get("Name") for record in database.table("Mailbox").records()]
    assert names == list(MAILBOXES[: len(names)])


@needs_esedbexport
def test_esedbexport_finds_no_mismatch_and_every_message(image, tmp_path):
    _, files, _, messages, _ = image
    log, tables = export(files, tmp_path)
    assert "mismatch" not in log.lower()
    content = {cells["InstanceId"]: cells for cells in cells_of(tables("Msg"))}
    shown = list(cells_of(tables("MsgFolderIndex")))
    assert len(content) == len(shown) == len(messages)
    by_id = {message.message_id: message.message for message in messages}
    for entry in shown:
        cells = content[entry["InstanceId"]]
        message = by_id.pop(int(entry["MessageId"]))
        assert cells["Subject"] == message.subject
        assert cells["Sender"] == message.sender
        if 0 < message.body_bytes < SEPARATED_MIN:
            assert bytes.fromhex(cells["Body"]) == b"".join(message.body)
    assert not by_id
    folders = len(tables("Folders")) - 1
    assert folders == (1 + len(FOLDER_NAMES)) * (len(tables("Mailbox")) - 1)


@needs_esedbexport
def test_esedbexport_would_notice_a_page_of_these_files_that_is_damaged(tmp_path):
    files, _ = an_undo_that_empties_pages()
    fdp = open_database(files, DATABASE).table("Msg").tree.tree.fdp
    place = (fdp + 1) * 8192 + 6000
    byte = files.read(DATABASE, place, 1)[0]
    files.write(DATABASE, place, bytes([byte ^ 4]))
    log, _ = export(files, tmp_path)
    assert "mismatch" in log.lower()


def cells_of(lines):
    """Yield the rows of an exported table as dicts."""
    names, *rows = lines
    for row in rows:
        yield dict(zip(names.split("\t"), row.split("\t"), strict=True))


def export(files, tmp_path: Path):
    (tmp_path / DATABASE).write_bytes(files.read(DATABASE, 0, files.size(DATABASE)))
    done = subprocess.run(
        ["esedbexport", "-v", "-t", str(tmp_path / "out"), str(tmp_path / DATABASE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]

    def table(name):
        (path,) = (tmp_path / "out.export").glob(f"{name}.*")
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")

    return done.stdout + done.stderr, table
