"""A capture on a promoted copy: its history goes on from the base, in an epoch of its own."""

import pytest
from engine_model import EPOCH, GROUP, app_tag, create, write

from engine import Admitted, Capture, CaptureSettings
from engine.basics.cursor import Cursor
from engine.formats.control import decode_parent
from engine.formats.records import HEADER_BYTES, RecordType, scan_record
from engine.formats.standings import FileEntry
from engine.history.filetable import FileTableState
from engine.history.gate import History

BASE = Cursor(EPOCH, 40, 0x1234)
FILES = FileTableState((FileEntry(3, "db/a", 100), FileEntry(9, "logs/b", 0)), 12)


def branch():
    return Capture.branch(
        group=GROUP,
        epoch=EPOCH + 1,
        incarnation=77,
        base=BASE,
        files=FILES,
        source_time_ns=5_000,
        settings=CaptureSettings(time_interval_ns=100),
    )


def scanned(capture, sequence):
    data = capture.entry(sequence).record
    return scan_record(memoryview(data), 0), data


def test_nothing_is_written_before_the_first_change():
    capture = branch()
    assert capture.time_due_ns() is None
    assert not capture.tick(1 << 40)
    assert capture.newest == capture.acknowledged == BASE._replace(epoch=EPOCH + 1)
    assert capture.oldest_sequence == 41


@pytest.mark.parametrize("change", [write("db/a", 0, b"x"), create("new"), app_tag("first")])
def test_the_first_change_comes_after_the_epoch_that_names_the_base(change):
    capture = branch()
    assert capture.admit(change, 10) == Admitted(42)
    record, data = scanned(capture, 41)
    assert record.header.type == RecordType.EPOCH
    body = data[HEADER_BYTES : HEADER_BYTES + record.header.stored_length]
    assert decode_parent(body) == BASE
    assert record.header.source_time_ns == 5_000, "time does not run back over the base"
    assert capture.admit(write("db/a", 1, b"y"), 20) == Admitted(43)


def test_files_go_on_under_their_ids_and_new_ones_get_ids_that_the_parent_never_gave():
    capture = branch()
    capture.admit(write("logs/b", 0, b"x"), 10)
    capture.admit(create("new"), 10)
    assert [scanned(capture, n)[0].header.file for n in (42, 43)] == [9, 13]
    assert capture.live_files().id_newest == 13


def test_the_gate_of_the_branch_takes_it():
    capture = branch()
    for change in (create("new"), write("new", 0, b"x"), app_tag("first")):
        capture.admit(change, 10)
    history = History(GROUP, BASE)
    history.adopt(BASE._replace(epoch=EPOCH + 1))
    for sequence in range(41, 45):
        record, data = scanned(capture, sequence)
        history.stage(record, memoryview(data))
    history.commit()
    assert history.newest == capture.newest
