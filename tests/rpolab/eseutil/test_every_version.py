"""`eseutil /r` on the files of every version: the database says which logs go with it."""

import shutil
from functools import cache

import pytest
from mail_world import DATABASE, EPOCH_NS, World

from emulators.ese.file_set import DirectoryFiles
from emulators.ese.formats import streaming_file
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.detection import detect_database, format_of
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007, FORMATS
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.exchange.store import Store
from rpolab.eseutil.recovery import RecoveryFolders, SplitFiles, recover

# A log is told by its size; where the length of its name counts first, it is not found at all.
LOGS_DO_NOT_FIT = (-541, -543)
EVERY_FORMAT = pytest.mark.parametrize("file_format", FORMATS, ids=[f.name for f in FORMATS])


@cache
def crashed(file_format):
    """What is on the disks of a server in the middle of its work, and how much was promised."""
    world = World(parameters=Parameters(file_format=file_format))
    world.spawn(world.drip(40, 3000, every_ms=50))
    world.run(3)
    return world.files(), len(world.acknowledged)


def folder_with(file_format, path):
    files, _ = crashed(file_format)
    path.mkdir()
    for name in files.names():
        (path / name).write_bytes(files.read(name, 0, files.size(name)))
    on_disk = DirectoryFiles(path)
    companion = streaming_file.streaming_name(DATABASE)
    if file_format.has_streaming_file and not on_disk.exists(companion):
        header = read_header(on_disk, DATABASE, file_format)
        streaming_file.create(on_disk, DATABASE, header, last_pgno=254)
    return path


def recovered(path):
    return recover("E00", RecoveryFolders(path, path, path), now_ns=EPOCH_NS)


@EVERY_FORMAT
def test_r_brings_the_database_to_clean_shutdown_with_all_its_mail(file_format, tmp_path):
    path = folder_with(file_format, tmp_path / "group")
    _, error = recovered(path)
    assert error is None
    files = DirectoryFiles(path)
    assert detect_database(files, DATABASE) is file_format
    assert read_header(files, DATABASE, file_format).is_clean
    found = list(Store(open_database(files, DATABASE, file_format)).messages())
    assert len(found) == crashed(file_format)[1] == 40


@pytest.mark.parametrize(
    ("of_database", "of_logs"), [(EXCHANGE_2003, EXCHANGE_2007), (EXCHANGE_2007, EXCHANGE_2003)]
)
def test_a19_r_refuses_a_database_beside_the_logs_of_the_other_size(of_database, of_logs, tmp_path):
    path = folder_with(of_logs, tmp_path / "group")
    other = folder_with(of_database, tmp_path / "other")
    shutil.copy(other / DATABASE, path / DATABASE)
    before = (path / DATABASE).read_bytes()
    _, error = recovered(path)
    assert error.code in LOGS_DO_NOT_FIT
    assert (path / DATABASE).read_bytes() == before


def test_r_refuses_a_database_that_no_exchange_wrote(tmp_path):
    path = folder_with(EXCHANGE_2007, tmp_path / "group")
    files = DirectoryFiles(path)
    header = read_header(files, DATABASE)
    header.file_format = format_of(0x14, 8192)
    files.write(DATABASE, 0, header.pack() * 2)
    _, error = recovered(path)
    assert error.code == -1206
    assert "0x620,0x14" in error.where


def test_the_streaming_file_is_looked_for_beside_its_database(tmp_path):
    folders = [tmp_path / name for name in ("logs", "system", "databases")]
    for folder in folders:
        folder.mkdir()
    files = SplitFiles(RecoveryFolders(*folders))
    files.create("MDB1.stm")
    assert [path.name for path in folders[2].iterdir()] == ["MDB1.stm"]
    assert files.names() == ["MDB1.stm"]
