"""Where a store may be, and what is said of a place where it may not."""

import pytest
from sqlalchemy import make_url

from reports.store import StoreError, location_of, open_store
from reports.store.mounts import is_on_network

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 8:2 / /home/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/the\\040share rw - cifs //server/share rw
33 22 0:42 / /twice rw - ext4 /dev/sdc1 rw
34 22 0:43 / /twice rw - nfs server:/twice rw
nonsense
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/srv/x", False),
        ("/home/anna", True),
        ("/home/local/anna", False),
        ("/homes", False),
        ("/mnt/the share/x", True),
        ("/twice/x", True),
    ],
)
def test_the_innermost_mount_says_whether_a_folder_is_on_another_machine(
    tmp_path, folder, expected
):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS, encoding="utf-8")
    assert is_on_network(type(tmp_path)(folder), mounts) is expected


def test_where_the_system_does_not_say_a_folder_counts_as_local(tmp_path):
    assert is_on_network(tmp_path, tmp_path / "none") is False


def test_on_a_network_file_system_the_write_ahead_log_is_not_used(tmp_path, monkeypatch):
    def journal():
        with open_store(tmp_path / "store") as store, store._catalogue.reading() as connection:
            return connection.exec_driver_sql("PRAGMA journal_mode").scalar()

    assert journal() == "wal"
    monkeypatch.setattr("reports.store.folder_catalogue.is_on_network", lambda _: True)
    assert journal() == "delete"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("mysql://a:hunter2@b/c", "not kept in such a database"),
        ("sqlite:///x", "not kept in such a database"),
        ("postgresql://a:hunter2@b:port/c", "cannot be read"),
    ],
)
def test_a_place_that_is_none_is_refused_and_no_password_is_shown(text, message):
    with pytest.raises(StoreError, match=message) as caught:
        location_of(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_each_way_to_write_the_url_of_a_server_is_understood(scheme):
    place = location_of(f"{scheme}://anna:hunter2@server:5433/lab")
    assert str(place) == "postgresql+psycopg://anna:***@server:5433/lab"
    assert place.url == make_url("postgresql+psycopg://anna:hunter2@server:5433/lab")


def test_a_server_that_does_not_answer_is_one_clear_error_without_the_password(tmp_path):
    pytest.importorskip("psycopg")
    url = f"postgresql://anna:hunter2@/lab?host={tmp_path}"
    with pytest.raises(StoreError, match="cannot be used") as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.hint


def test_a_missing_driver_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'rpolab\[postgresql\]'"):
        open_store("postgresql://anna@server/lab")
