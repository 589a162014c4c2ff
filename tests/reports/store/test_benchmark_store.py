"""A thousand results in, quantiles out; beside what SQLite alone takes for the same.

The floor commits each document's compressed text as one row, as durably as the store does; and it
takes the quantiles from rows of samples, sorted by SQLite.
"""

import sqlite3

import pytest
import zstandard

from reports import Curve
from reports.store import Selection, open_store
from reports.store.trends import trends_of

S = 1_000_000_000
RESULTS = 1_000
DRILLS = 100
LEVELS = (0.5, 0.95, 0.99)


@pytest.fixture(scope="module")
def document(sample):
    """A result with a hundred drills and a curve of two thousand vertices."""
    points = [(i * 3 * S + (i % 7) * S // 10 + S, i * 3 * S) for i in range(1_000)]
    curve = Curve.from_points(0, 3_600 * S, points, 0)
    protection = sample.result(*(sample.drill(30 * i, rpo_s=i / 7) for i in range(DRILLS)))
    [kept] = protection.protections
    changed = kept.model_copy(update={"curve": curve.vertices(), "rpo": curve.statistics()})
    return protection.model_copy(update={"protections": (changed,)})


@pytest.fixture(scope="module")
def filled(document, tmp_path_factory):
    """A store with a thousand results, and the floor's database with their samples."""
    from reports.store import Origin

    folder = tmp_path_factory.mktemp("benchmark")
    with open_store(folder / "store") as store:
        for number in range(RESULTS):
            store.keep(document, Origin("site-loss", "5c", number))
        floor = sqlite3.connect(folder / "floor.sqlite")
        floor.execute("CREATE TABLE samples (entry INTEGER, rpo_s REAL)")
        rows = [
            (number, recovery.rpo_s)
            for number in range(RESULTS)
            for recovery in document.protections[0].recoveries
        ]
        with floor:
            floor.executemany("INSERT INTO samples VALUES (?, ?)", rows)
        yield store, floor
        floor.close()


@pytest.mark.benchmark(group="a result in")
def test_floor_a_row_of_sqlite(benchmark, document, tmp_path):
    connection = sqlite3.connect(tmp_path / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE results (content BLOB)")
    text = document.to_json().encode()
    benchmark(
        lambda: connection.execute("INSERT INTO results VALUES (?)", [zstandard.compress(text, 9)])
    )
    connection.close()


@pytest.mark.benchmark(group="a result in")
def test_keeping_a_result(benchmark, document, tmp_path, origin):
    with open_store(tmp_path / "store") as store:
        benchmark(lambda: store.keep(document, origin()))


@pytest.mark.benchmark(group="quantiles of 100,000 recoveries of 1,000 results")
def test_floor_sorted_by_sqlite(benchmark, filled):
    _, floor = filled
    query = "SELECT rpo_s FROM samples ORDER BY rpo_s LIMIT 1 OFFSET ?"
    count = RESULTS * DRILLS

    def quantiles():
        return [floor.execute(query, [int(level * (count - 1))]).fetchone() for level in LEVELS]

    assert len(benchmark(quantiles)) == len(LEVELS)


@pytest.mark.benchmark(group="quantiles of 100,000 recoveries of 1,000 results")
def test_quantiles_from_parts(benchmark, filled):
    store, _ = filled
    entries = store.entries(Selection())
    count, _ = benchmark.pedantic(
        lambda: store.quantiles(entries, "rpo_s", "cdp", LEVELS), rounds=2
    )
    assert count == RESULTS * DRILLS


@pytest.mark.benchmark(group="the history of 1,000 results")
def test_the_last_fifty_with_their_trends(benchmark, filled):
    store, _ = filled
    trends = benchmark(lambda: trends_of(store.runs(Selection(last=50))))
    assert len(trends[0].points) == 50
