"""An older store is brought forward in one step, after a copy; or it stays as it was."""

import sqlite3

import pytest

from reports.store import (
    Selection,
    StoreDamagedError,
    StoreVersionError,
    migrations,
    open_store,
    tables,
)
from reports.store.folder_catalogue import CATALOGUE
from reports.store.migrations import migrate

STEPS = {1: ["ALTER TABLE rpolab_entries ADD COLUMN note TEXT"]}


@pytest.fixture
def older(place, small, origin, monkeypatch):
    """A store of this version, which the program then thinks is one behind."""
    with open_store(place, program="rpolab 0.1.0") as store:
        store.keep(small(), origin())
    opened = open_store(place)
    monkeypatch.setattr(tables, "SCHEMA_VERSION", 2)
    yield opened
    opened.close()


def about(catalogue):
    with catalogue.reading() as connection:
        rows = connection.exec_driver_sql("SELECT name, value FROM rpolab_about").all()
    return dict(rows)


def test_an_older_store_is_brought_forward_and_keeps_what_it_had(older, place, small):
    migrate(older._catalogue, "rpolab 0.2.0", STEPS)
    assert about(older._catalogue) == {
        "schema_version": "2",
        "made_by": "rpolab 0.1.0",
        "changed_by": "rpolab 0.2.0",
    }
    [entry] = older.entries(Selection())
    assert older.document(entry.entry_id) == small()
    with older._catalogue.reading() as connection:
        assert connection.exec_driver_sql("SELECT note FROM rpolab_entries").all() == [(None,)]
    migrate(older._catalogue, "rpolab 0.2.0", STEPS)  # who comes second changes nothing
    with open_store(place, create=False) as again:
        assert again.problems() == []


def test_the_copy_holds_what_was_there_before(older, place):
    migrate(older._catalogue, "rpolab 0.2.0", STEPS)
    if older._catalogue.keeps_parts:
        with older._catalogue.reading() as connection:
            query = "SELECT count(*) FROM rpolab_entries_v1"
            assert connection.exec_driver_sql(query).scalar() == 1
        return
    copy = sqlite3.connect(place / f"{CATALOGUE}.v1")
    assert copy.execute("SELECT count(*) FROM rpolab_entries").fetchall() == [(1,)]
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(older):
    before = about(older._catalogue)
    with pytest.raises(RuntimeError):
        migrate(older._catalogue, "rpolab 0.2.0", {1: [*STEPS[1], "ALTER TABLE nowhere ADD a"]})
    assert about(older._catalogue) == before
    migrate(older._catalogue, "rpolab 0.2.0", STEPS)


def test_a_version_that_no_step_leads_from_is_refused(older):
    with pytest.raises(StoreDamagedError, match="no way is known from version 1"):
        migrate(older._catalogue, "rpolab 0.2.0", {})


def test_opening_an_older_store_migrates_it_and_the_older_program_refuses_it(
    older, place, monkeypatch
):
    monkeypatch.setitem(migrations.STEPS, 1, STEPS[1])
    open_store(place, create=False, program="rpolab 0.2.0").close()
    monkeypatch.setattr(tables, "SCHEMA_VERSION", 1)
    with pytest.raises(StoreVersionError, match=r"use rpolab 0\.2\.0"):
        open_store(place)
