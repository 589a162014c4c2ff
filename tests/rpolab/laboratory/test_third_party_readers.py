"""The recovered database, as kept by `--keep`, read by programs that are not ours."""

import shutil
import subprocess
from pathlib import Path

import pytest
from dissect.esedb import EseDB

from rpolab.laboratory.experiment import Experiment

READER = shutil.which("esedbexport")


@pytest.fixture(scope="module")
def recovered(tmp_path_factory, make_small):
    keep = tmp_path_factory.mktemp("kept")
    experiment = Experiment(make_small(), keep=keep)
    experiment.run()
    [drill] = experiment.result().protections[0].recoveries
    kept = experiment.ledger.acknowledged_count - drill.lost.messages
    return keep / "cdp" / "drill-01-any" / "MDB1.edb", kept, experiment


@pytest.mark.skipif(READER is None, reason="esedbexport (libesedb-utils) is not installed")
def test_libesedb_finds_no_mismatch_and_every_kept_message(recovered, tmp_path: Path):
    database, kept, _ = recovered
    target = tmp_path / "export"
    command = [READER, "-v", "-t", str(target), str(database)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = done.stdout + done.stderr
    assert "mismatch" not in printed.lower()
    [entries] = list(Path(f"{target}.export").glob("MsgFolderIndex.*"))
    rows = entries.read_bytes().count(b"\n") - 1
    assert rows == kept


def test_dissect_reads_the_same_messages(recovered):
    database, kept, experiment = recovered
    with database.open("rb") as file:
        tables = EseDB(file)
        content = {
            record.get("InstanceId"): record.get("Subject")
            for record in tables.table("Msg").records()
        }
        subjects = {
            record.get("MessageId"): content[record.get("InstanceId")]
            for record in tables.table("MsgFolderIndex").records()
        }
    assert len(subjects) == kept
    for message_id, subject in subjects.items():
        assert subject == experiment.ledger.history(message_id)[0].subject


def test_dissect_reads_every_database_of_a_server_of_2003(make_small, tmp_path: Path):
    groups = [
        {"name": "SG1", "databases": ["MDB1", "MDB2"], "mailboxes": 6, "profile": "heavy"},
        {"name": "SG2", "databases": ["MDB3"], "mailboxes": 3, "profile": "heavy"},
    ]
    exchange = {"version": 2003, "storage_groups": groups}
    experiment = Experiment(make_small(exchange=exchange, duration="5 min"), keep=tmp_path)
    experiment.run()
    [drill] = experiment.result().protections[0].recoveries
    folder = tmp_path / "cdp" / "drill-01-any"
    found = 0
    for database in ("SG1/MDB1.edb", "SG1/MDB2.edb", "SG2/MDB3.edb"):
        with (folder / database).open("rb") as file:
            ledger = experiment.ledgers.by_database[Path(database).name]
            ids = [row.get("MessageId") for row in EseDB(file).table("MsgFolderIndex").records()]
            assert all(ledger.history(message_id) for message_id in ids)
            found += len(ids)
    assert found >= experiment.ledgers.acknowledged_count - drill.lost.messages > 0
