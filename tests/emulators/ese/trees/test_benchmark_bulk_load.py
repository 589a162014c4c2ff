"""Bulk load on one core: megabytes of database made in a second, the file in memory.

The timer counts this process's work alone, so that a busy machine does not show.
"""

from functools import cache
from time import process_time

import pytest
from samples import DATABASE, NOW_NS
from speeds import tell_megabytes

from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import EXCHANGE_2007
from emulators.ese.formats.key import RowKey
from emulators.ese.formats.record import RecordCodec
from emulators.ese.formats.schema import ColumnType, build_table
from emulators.ese.formats.values import SIGNATURE_ZERO, LogTime, Signature
from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.trees.bulk_load import BulkFile, BulkLoader

BAR_MB_S = 100
ROWS = 20_000
MESSAGES = build_table(
    "Msg",
    (
        ("Id", ColumnType.LONG),
        ("Received", ColumnType.CURRENCY),
        ("Unread", ColumnType.BIT),
        ("Size", ColumnType.LONG),
        ("Sender", ColumnType.TEXT),
        ("Subject", ColumnType.TEXT),
        ("Content", ColumnType.LONG_BINARY),
    ),
    ("Id",),
)
WORKLOADS = {"rows of 0.5 KB": (ROWS, 440), "long values of 40 KB": (400, 40_000)}


@cache
def rows_of(workload):
    count, size = WORKLOADS[workload]
    content = (bytes(range(1, 256)) * (size // 255 + 1))[:size]
    return [
        (n, n * 10**9, n % 2 == 0, n, "ann@example.com", f"About number {n}", content)
        for n in range(1, count + 1)
    ]


@cache
def nodes_of(workload):
    codec, key = RecordCodec(MESSAGES), RowKey(MESSAGES)
    return [(key.of(row), codec.encode(row)) for row in rows_of(workload)]


def load(workload):
    files = MemoryFiles()
    loader = BulkLoader(files, DATABASE, EXCHANGE_2007, [MESSAGES])
    loader.load("Msg", rows_of(workload))
    loader.finish(Signature(1, LogTime.from_ns(NOW_NS), ""), LogTime.from_ns(NOW_NS))
    return files


@pytest.mark.benchmark(timer=process_time)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_bulk_load(benchmark, figure, workload):
    benchmark.group = f"bulk load of {workload}"
    size = benchmark(load, workload).size(DATABASE)
    tell_megabytes(figure, benchmark, size, BAR_MB_S, "database")


@pytest.mark.benchmark(group="bulk load of rows of 0.5 KB", timer=process_time)
def test_bulk_load_of_records_that_are_ready(benchmark, figure):
    def work():
        files = MemoryFiles()
        file = BulkFile(files, DATABASE, EXCHANGE_2007)
        table = file.database.begin_table(MESSAGES)
        table.rows.add_all(nodes_of("rows of 0.5 KB"))
        file.database.finish_table(table, {})
        file.finish(DatabaseHeader(EXCHANGE_2007, SIGNATURE_ZERO, SIGNATURE_ZERO))
        return files

    nodes_of("rows of 0.5 KB")
    size = benchmark(work).size(DATABASE)
    tell_megabytes(figure, benchmark, size, BAR_MB_S, "database")


@pytest.mark.benchmark(group="bulk load of rows of 0.5 KB", timer=process_time)
def test_defragmentation(benchmark, figure):
    def setup():
        return (load("rows of 0.5 KB"),), {}

    def work(files):
        return defragment(files, DATABASE, temporary="TEMPDFRG.EDB", now_ns=NOW_NS)

    sizes = benchmark.pedantic(work, setup=setup, rounds=5)
    tell_megabytes(figure, benchmark, sizes.bytes_after, BAR_MB_S, "database")


@pytest.mark.benchmark(group="bulk load of rows of 0.5 KB", timer=process_time)
def test_floor_join_of_the_same_records(benchmark):
    parts = [part for node in nodes_of("rows of 0.5 KB") for part in node]
    assert benchmark(b"".join, parts)
