"""Independent readers open what the format modules write, and return equal values."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from dissect.esedb import EseDB

from emulators.ese.formats.format import FORMATS
from emulators.ese.formats.record import Separated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dissect")

NAMES = ("MessageId", "Received", "Unread", "Size", "Folder", "Score", "Subject", "Sender")


def value_of(small, column, value):
    if not isinstance(value, Separated):
        return value
    data = small.long_values[value.lid]
    return data.decode("utf-16-le") if column == "Body" else data


@pytest.fixture(scope="module", params=FORMATS, ids=[each.name for each in FORMATS])
def database(request, build_small_database):
    return build_small_database(request.param)


def test_the_table_takes_several_leaf_pages_and_a_branch_root(database):
    assert database.leaf_count > 10
    assert len(database.rows) == 2000


def test_dissect_reads_equal_values(database):
    table = EseDB(io.BytesIO(database.image)).table("Msg")
    count = 0
    for record, row in zip(table.records(), database.rows, strict=True):
        found = {name: record.get(name) for name in (*NAMES, "Body", "Attachment")}
        columns = (column.name for column in database.definition.columns)
        wanted = {
            name: value_of(database, name, value) for name, value in zip(columns, row, strict=True)
        }
        assert found == wanted
        count += 1
    assert count == len(database.rows)


def test_dissect_lists_the_catalog_and_its_shadow(database):
    tables = EseDB(io.BytesIO(database.image)).tables()
    assert {table.name for table in tables} == {
        "MSysObjects",
        "MSysObjectsShadow",
        "Msg",
    }


@pytest.mark.skipif(shutil.which("esedbexport") is None, reason="libesedb-utils is not installed")
def test_esedbexport_finds_no_mismatch_and_every_row(database, tmp_path):
    exported = export(database.image, tmp_path)
    assert "mismatch" not in exported.log.lower()
    lines = exported.table("Msg")
    assert len(lines) == 1 + len(database.rows)
    names = lines[0].split("\t")
    for line, row in zip(lines[1:], database.rows, strict=True):
        cells = dict(zip(names, line.split("\t"), strict=True))
        assert int(cells["MessageId"]) == row[0]
        assert cells["Subject"] == (row[6] or "")
        if isinstance(row[8], str):
            assert cells["Body"] == row[8]


@pytest.mark.skipif(shutil.which("esedbexport") is None, reason="libesedb-utils is not installed")
def test_esedbexport_would_notice_a_damaged_page(database, tmp_path):
    image = bytearray(database.image)
    page_bytes = database.page_bytes
    image[(33 + 1) * page_bytes + 100] ^= 1
    exported = export(bytes(image), tmp_path)
    assert "mismatch" in exported.log.lower()


class Export:
    def __init__(self, log: str, directory: Path) -> None:
        self.log = log
        self.directory = directory

    def table(self, name: str) -> list[str]:
        (path,) = self.directory.glob(f"{name}.*")
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def export(image: bytes, tmp_path: Path) -> Export:
    (tmp_path / "MDB1.edb").write_bytes(image)
    done = subprocess.run(
        ["esedbexport", "-v", "-t", str(tmp_path / "out"), str(tmp_path / "MDB1.edb")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return Export(done.stdout + done.stderr, tmp_path / "out.export")
