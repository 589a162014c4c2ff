"""A store that is damaged, foreign or newer is refused with a hint, and left as it is."""

import sqlite3

import pytest

from reports.store import (
    Selection,
    StoreDamagedError,
    StoreError,
    StoreVersionError,
    open_store,
)
from reports.store.folder_catalogue import CATALOGUE


@pytest.fixture
def folder(tmp_path, small, origin):
    """A store with three results; the folder of it."""
    place = tmp_path / "store"
    with open_store(place) as store:
        for number in range(3):
            store.keep(small(seed=number), origin(number))
    return place


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".sqlite-wal", ".sqlite-shm"}
    }


def check_refused(folder, kind, message):
    before = content_of(folder)
    for create in (True, False):
        with pytest.raises(kind, match=message) as caught:
            open_store(folder, create=create)
        assert caught.value.hint
        assert str(folder) in str(caught.value)
    assert content_of(folder) == before, "a store that was refused was changed"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"SQLite format 3\0", "is no SQLite database"),
        (b"not a database at all" * 100, "is no SQLite database"),
        (b"\0" * 8192, "is no SQLite database"),
    ],
)
def test_a_catalogue_that_is_none_is_refused(folder, content, message):
    (folder / CATALOGUE).write_bytes(content)
    check_refused(folder, StoreDamagedError, message)


def test_a_catalogue_that_is_gone_is_not_begun_anew_beside_its_parts(folder):
    (folder / CATALOGUE).unlink()
    check_refused(folder, StoreDamagedError, "is missing")


def test_a_database_of_somebody_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / CATALOGUE) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    check_refused(tmp_path, StoreError, "not of this program")


def test_a_folder_with_other_things_in_it_does_not_become_a_store(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all", encoding="utf-8")
    with pytest.raises(StoreError, match=r"holds other things, such as letter\.txt"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_newer_store_is_refused_with_the_program_to_use(folder):
    with sqlite3.connect(folder / CATALOGUE) as connection:
        connection.execute("UPDATE rpolab_about SET value = '99' WHERE name = 'schema_version'")
        connection.execute("UPDATE rpolab_about SET value = 'rpolab 9.0' WHERE name = 'changed_by'")
    connection.close()
    check_refused(folder, StoreVersionError, r"version 99.*use rpolab 9\.0")


@pytest.mark.parametrize("version", ["", "0", "-1", "one"])
def test_a_version_that_is_none_is_damage(folder, version):
    with sqlite3.connect(folder / CATALOGUE) as connection:
        connection.execute(
            "UPDATE rpolab_about SET value = ? WHERE name = 'schema_version'", [version]
        )
    connection.close()
    check_refused(folder, StoreDamagedError, "says that its version is")


def test_a_catalogue_without_its_first_table_is_damaged(folder):
    with sqlite3.connect(folder / CATALOGUE) as connection:
        connection.execute("DROP TABLE rpolab_about")
    connection.close()
    check_refused(folder, StoreDamagedError, "does not say what it is")


def test_a_page_of_zeros_anywhere_is_refused_or_leaves_what_is_read_whole(folder, small, figure):
    path, refused = folder / CATALOGUE, 0
    whole = path.read_bytes()
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        try:
            with open_store(folder, create=False) as store:
                found = [store.document(entry.entry_id) for entry in store.entries(Selection())]
                problems = store.problems()
        except StoreError:
            refused += 1
        else:
            assert problems or sorted(result.seed for result in found) == [0, 1, 2]
            assert all(result == small(seed=result.seed) for result in found)
        finally:
            for suffix in ("-wal", "-shm"):
                (folder / f"{CATALOGUE}{suffix}").unlink(missing_ok=True)
    figure(f"{len(whole) // 4096} pages lost in turn, {refused} refused")


def parts_of(folder):
    return sorted(path for path in (folder / "parts").rglob("*") if path.is_file())


def test_a_part_that_is_missing_is_told_and_the_others_are_read(folder):
    [lost, *_] = [path for path in parts_of(folder) if path.name.endswith("document.json.zst")]
    lost.unlink()
    entry_id = lost.name.partition(".")[0]
    with open_store(folder, create=False) as store:
        with pytest.raises(StoreDamagedError, match=f"entry {entry_id} is missing"):
            store.document(entry_id)
        others = [entry for entry in store.entries(Selection()) if entry.entry_id != entry_id]
        assert len([store.document(entry.entry_id) for entry in others]) == 2
        [problem] = store.problems()
        assert f"document.json.zst of entry {entry_id} is missing" in problem


def test_a_bit_that_flips_in_a_part_is_found(folder):
    with open_store(folder, create=False) as store:
        for path in parts_of(folder):
            content = path.read_bytes()
            for position in (0, len(content) // 2, len(content) - 1):
                flipped = bytearray(content)
                flipped[position] ^= 4
                path.write_bytes(flipped)
                [problem] = store.problems()
                assert "was changed" in problem
            path.write_bytes(content)
        assert store.problems() == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        open_store(file / "store")
    with pytest.raises(StoreError):
        open_store(file)


def test_the_remains_of_a_creation_that_died_are_no_obstacle(tmp_path, small, origin):
    for name in (f"{CATALOGUE}.new", f"{CATALOGUE}.new-wal", "lock"):
        (tmp_path / name).write_bytes(b"half")
    with open_store(tmp_path) as store:
        store.keep(small(), origin())
        assert store.problems() == []


def test_a_write_that_fails_leaves_no_entry_and_no_unfinished_file(
    tmp_path, small, origin, monkeypatch
):
    with open_store(tmp_path / "store") as store:
        with monkeypatch.context() as broken:
            broken.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
            with pytest.raises(StoreError, match="No space"):
                store.keep(small(), origin())
        assert store.entries(Selection()) == []
        assert [path for path in parts_of(tmp_path / "store") if path.suffix == ".new"] == []
        store.keep(small(), origin())
        assert len(store.entries(Selection())) == 1
