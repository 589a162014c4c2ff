"""The journal on a real directory: what was synced is there again, failures are told."""

from pathlib import Path

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, app_tag, check_images, create, rename, write

from engine import Capture, JournalSettings, actions, events, open_journal
from engine.live import JournalDirectory
from engine.live.directory import OPEN_FILES_MAX

SETTINGS = JournalSettings(segment_bytes_max=400)
CHANGES = [
    create("logs/a"),
    *[write("logs/a", 100 * n, bytes([n]) * 100) for n in range(10)],
    app_tag("bookmark"),
    rename("logs/a", "logs/b"),
]


def settle(journal, directory, file_actions):
    """Carry out until nothing is left, as a driver does."""
    told = directory.carry_out(file_actions)
    while told:
        event = told.pop(0)
        assert isinstance(event, events.SyncDone)
        told += directory.carry_out(journal.sync_done(event.token))


def written(path):
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    directory = JournalDirectory(path)
    journal = open_journal(directory, group=GROUP, settings=SETTINGS).journal
    journal.adopt(EPOCH, INCARNATION)
    for number, change in enumerate(CHANGES, 1):
        capture.admit(change, number)
        settle(journal, directory, journal.ingest(capture.entry(number).record))
    assert journal.durable.sequence == len(CHANGES)
    return directory, journal


def reopened(path):
    directory = JournalDirectory(path)
    result = open_journal(directory, group=GROUP, settings=SETTINGS)
    settle(result.journal, directory, result.actions)
    return directory, result


def test_a_journal_in_a_directory_gives_every_point_back(tmp_path):
    directory, journal = written(tmp_path)
    assert len(directory.names()) > 3
    check_images(journal, CHANGES)
    directory.close()
    directory, result = reopened(tmp_path)
    assert result.tail_cut is None
    check_images(result.journal, CHANGES)
    directory.close()


def test_a_torn_file_is_really_cut(tmp_path):
    directory, journal = written(tmp_path)
    directory.close()
    last = tmp_path / journal.segments[-1].name
    whole = last.read_bytes()
    last.write_bytes(whole[:-5])
    directory, result = reopened(tmp_path)
    assert result.tail_cut.sequence == len(CHANGES) - 1
    assert last.stat().st_size == result.tail_cut.offset
    check_images(result.journal, CHANGES[:-1])
    directory.close()
    directory, result = reopened(tmp_path)
    assert result.tail_cut is None
    directory.close()


@pytest.mark.parametrize(
    "action",
    [
        actions.CreateFile("no/such/folder"),
        actions.AppendFile("missing", 0, (b"x",), 1),
        actions.TruncateFile("missing", 0),
        actions.SyncFile("missing", 1),
        actions.AppendFile("present", 7, (b"an append that would leave a hole",), 33),
        actions.CreateFile("present"),
        actions.ReplaceFile("no/such/folder", b"x"),
        actions.DeleteFile("present/is no folder"),
    ],
)
def test_an_action_that_fails_is_told_and_nothing_after_it_is_tried(tmp_path, action):
    (tmp_path / "present").write_bytes(b"abc")
    directory = JournalDirectory(tmp_path)
    told = directory.carry_out([action, actions.CreateFile("later")])
    assert [type(event) for event in told] == [events.ActionFailed]
    assert told[0].file == action.name
    assert told[0].reason
    assert directory.carry_out([actions.CreateFile("later")]) == []
    assert directory.names() == ["present"]
    directory.close()


def test_actions_that_are_no_file_actions_are_passed_over(tmp_path):
    directory = JournalDirectory(tmp_path)
    assert directory.carry_out([actions.WakeAt(5), actions.OpenConnection(1)]) == []


def test_a_replaced_file_is_read_anew_and_a_deleted_one_is_gone(tmp_path):
    directory = JournalDirectory(tmp_path)
    for content in (b"first", b"second and longer", b""):
        assert directory.carry_out([actions.ReplaceFile("manifest", content)]) == []
        assert directory.read("manifest", 0, 99) == content
        assert directory.size("manifest") == len(content)
    assert directory.names() == ["manifest"], "nothing of the replacing is left"
    gone = [actions.DeleteFile("manifest"), actions.DeleteFile("manifest")]
    assert directory.carry_out([*gone, actions.CreateFile("manifest")]) == [], "the name is free"
    assert directory.read("manifest", 0, 99) == b""
    directory.close()


def test_a_replacement_that_a_crash_left_unfinished_is_overwritten(tmp_path):
    (tmp_path / "manifest").write_bytes(b"old")
    (tmp_path / "manifest.new").write_bytes(b"half of something much longer")
    directory = JournalDirectory(tmp_path)
    assert directory.read("manifest", 0, 99) == b"old"
    assert directory.carry_out([actions.ReplaceFile("manifest", b"new")]) == []
    assert directory.names() == ["manifest"]
    assert directory.read("manifest", 0, 99) == b"new"
    directory.close()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_journal_of_many_files_keeps_few_open_but_all_that_await_a_sync(tmp_path):
    directory = JournalDirectory(tmp_path)
    before = open_files()
    names = [f"{number}.segment" for number in range(3 * OPEN_FILES_MAX)]
    for name in names:
        done = directory.carry_out(
            [actions.CreateFile(name), actions.AppendFile(name, 0, (b"x",), 1)]
        )
        assert done == []
    assert open_files() >= before + len(names), "none may lose a write error"
    for name in names:
        assert directory.carry_out([actions.SyncFile(name, 1)]) == [events.SyncDone(1)]
    assert all(directory.read(name, 0, 9) == b"x" for name in [*names, *reversed(names)])
    assert directory.carry_out([actions.CreateFile("one more")]) == []
    assert open_files() <= before + OPEN_FILES_MAX
    directory.close()
    assert open_files() == before
