"""`rpolab eseutil` /g, /d, /p, /ms and /mm on a real database file."""

import pytest

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.formats.database_header import DatabaseState, read_header
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.schema import ColumnType, build_index, build_table
from emulators.ese.formats.values import LogTime, Signature
from emulators.ese.trees.bulk_load import BulkLoader

NOW = LogTime.from_ns(1_180_951_200 * 10**9)
TABLE = build_table(
    "Msg",
    (("Id", ColumnType.LONG), ("Folder", ColumnType.LONG), ("Body", ColumnType.LONG_BINARY)),
    ("Id",),
    (build_index("Folder", ("Folder",)),),
)


@pytest.fixture(params=[EXCHANGE_2007, EXCHANGE_2003], ids=["2007", "2003"])
def database(request, tmp_path):
    loader = BulkLoader(DirectoryFiles(tmp_path), "MDB1.edb", request.param, [TABLE])
    loader.load("Msg", ((n, n % 5, bytes(500 + n % 7 * 500)) for n in range(400)))
    loader.finish(Signature(7, NOW, ""), NOW)
    return tmp_path / "MDB1.edb"


def damage(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"damage")


def test_a_database_is_checked_broken_repaired_and_packed(rpolab, database):
    assert rpolab("eseutil", "/g", database).code == 0
    size = database.stat().st_size
    damage(database)
    broken = rpolab("eseutil", "-G", database)
    assert broken.code == 1
    assert "Operation terminated with error -1206 (JET_errDatabaseCorrupted" in broken.out
    assert rpolab("eseutil", "/d", database).code == 1
    repaired = rpolab("eseutil", "/p", database)
    assert repaired.code == 0
    assert "with 595 (JET_wrnDatabaseRepaired" in repaired.out
    assert rpolab("eseutil", "/g", database).code == 0
    assert "     Repair Count: 1\n" in rpolab("eseutil", "/mh", database).out
    packed = rpolab("eseutil", "/d", database)
    assert packed.code == 0
    assert "Initiating DEFRAGMENTATION mode..." in packed.out
    assert " Old Repair Count: 1\n" in rpolab("eseutil", "/mh", database).out
    assert rpolab("eseutil", "/k", database).code == 0
    assert database.stat().st_size <= size


def test_objects_are_listed(rpolab, database):
    space = rpolab("eseutil", "/ms", database)
    assert space.code == 0
    assert "<Long Values>" in space.out
    metadata = rpolab("eseutil", "/MM", database)
    assert metadata.code == 0
    assert "LongBinary" in metadata.out


def test_the_new_file_may_have_another_name_and_the_old_one_be_kept(rpolab, database, listed):
    others = [name for name in listed(database.parent) if name != "MDB1.edb"]
    before = database.read_bytes()
    assert rpolab("eseutil", "/d", database, "/t", "new.edb", "/p").code == 0
    added = ["new.edb", *(["new.stm"] if others else [])]
    assert listed(database.parent) == sorted([*others, "MDB1.edb", *added])
    assert database.read_bytes() == before
    assert rpolab("eseutil", "/d", "/b", "old.edb", database).code == 0
    assert (database.parent / "old.edb").read_bytes() == before


def test_a_dirty_database_is_refused_by_all_but_repair(rpolab, database):
    header = read_header(
        DirectoryFiles(database.parent),
        database.name,
        EXCHANGE_2007 if rpolab("eseutil", "/mh", database).out.count("8192") else EXCHANGE_2003,
    )
    header.state = DatabaseState.DIRTY_SHUTDOWN
    with database.open("r+b") as file:
        file.write(header.pack() * 2)
    for mode in ("/g", "/d", "/ms", "/mm"):
        outcome = rpolab("eseutil", mode, database)
        assert outcome.code == 1
        assert "error -550 (JET_errDatabaseDirtyShutdown" in outcome.out
    assert rpolab("eseutil", "/p", database).code == 0
    assert rpolab("eseutil", "/g", database).code == 0


@pytest.mark.parametrize("mode", ["/g", "/d", "/p", "/ms", "/mm"])
def test_a_file_that_is_not_there_or_no_database_is_a_jet_error(rpolab, tmp_path, mode):
    assert "-1811 (JET_errFileNotFound" in rpolab("eseutil", mode, "nothing.edb").out
    (tmp_path / "text.edb").write_bytes(b"no database " * 5000)
    outcome = rpolab("eseutil", mode, "text.edb")
    assert outcome.code == 1
    assert "error -1206 (JET_errDatabaseCorrupted" in outcome.out
    assert outcome.err == ""
