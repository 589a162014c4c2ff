"""A month of a real mailing list, from its archive to the recovered database and back."""

from collections import Counter
from pathlib import Path

import pytest

import scenarios
from emulators.ese.file_set import DirectoryFiles
from emulators.ese.recovery.opened import open_database
from emulators.exchange.replay import MailArchive
from emulators.exchange.store import Store
from rpolab.laboratory.experiment import Experiment

ARCHIVE = Path(__file__).parents[4] / "shared" / "data" / "r-help-2007-06.mbox"
MESSAGES = 2_318

pytestmark = pytest.mark.skipif(
    not ARCHIVE.exists(), reason="the mail archive lies outside the repository"
)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    keep = tmp_path_factory.mktemp("kept")
    scenario = scenarios.parse(
        {
            "title": "A month of a mailing list",
            "seed": 3,
            "exchange": {
                "version": 2007,
                "storage_groups": [{"name": "SG1", "databases": ["MDB1"], "mailboxes": 1}],
            },
            "workload": {"mbox": str(ARCHIVE)},
            "sites": {"primary": {}, "recovery": {}},
            "links": [
                {"between": ["primary", "recovery"], "bandwidth": "2 Mbit/s", "latency": "20 ms"}
            ],
            "protect": {
                "cdp": {
                    "kind": "cdp",
                    "copies": [{"site": "recovery", "retention": "60 d"}],
                    "bookmarks": {"every": "12 h"},
                    "heartbeat": "60 s",
                }
            },
            "drills": {"at_end": True},
        }
    )
    experiment = Experiment(scenario, keep=keep)
    experiment.run()
    return experiment, keep / "cdp" / "drill-01-any"


def test_every_message_of_the_archive_is_acknowledged(month):
    experiment, _ = month
    assert experiment.ledger.acknowledged_count == MESSAGES


def test_a_drill_after_the_last_message_recovers_all_of_them(month):
    experiment, _ = month
    [drill] = experiment.result().protections[0].recoveries
    assert drill.outcome == "recovered"
    assert drill.lost.messages == 0
    assert (drill.phantom, drill.damaged) == (0, 0)


def test_the_recovered_bodies_are_the_bytes_of_the_archive(month):
    _, kept = month
    archive = MailArchive.load(ARCHIVE)
    store = Store(open_database(DirectoryFiles(kept), "MDB1.edb"))
    recovered = Counter(
        b"".join(part for part in stored.message.body if isinstance(part, bytes))
        for stored in store.messages()
    )
    assert recovered == Counter(mail.raw for mail in archive.mails)
