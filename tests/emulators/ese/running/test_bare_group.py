"""What the benchmark of the run-time path measures is the real thing."""

from bare_group import BareGroup, rows_of

from emulators.ese.formats.log_records import Commit0, decode_whole
from emulators.ese.formats.log_scan import LogState, scan_log
from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos

ROWS = 6_000


def test_the_measured_transactions_are_in_rows_logs_and_pages():
    group = BareGroup()
    rows = rows_of(ROWS)
    group.insert_all(rows, per_flush=100)
    assert list(group.table.rows()) == rows
    assert list(group.table.seek("ByReceived")) == sorted(rows, key=lambda row: (row[2], row[1]))
    assert len(group.logs) > 2
    commits = 0
    for generation, log in group.logs.items():
        scan = scan_log(log, generation)
        assert scan.state is LogState.CLEAN
        records = [decode_whole(scan.buffer, offset, end) for _, offset, end in scan.spans()]
        commits += sum(isinstance(record, Commit0) for record in records)
    assert commits == ROWS
    newest = max(group.logs)
    group.write_pages(newest, Lgpos(newest + 1, 0, 0))
    for pgno, page in group.cache.resident().items():
        image = group.pages.get(pgno)
        assert image is None or Page.from_bytes(image, pgno).datas == page.datas
    assert len(group.pages) > ROWS * 300 / 8192
