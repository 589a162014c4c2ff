"""Several processes write into one store: none lost, none doubled, whatever dies."""

import random
import time

import pytest

from reports.store import Retention, Selection, open_store

PROCESSES = 4
RESULTS = 1_000


def ids_of(text, word):
    return [line.split()[1] for line in text.splitlines() if line.startswith(f"{word} ")]


def check_whole(store, kept, begun):
    """Everything that was told to be kept is there, once and whole; nothing unknown is."""
    found = [entry.entry_id for entry in store.entries(Selection())]
    assert len(found) == len(set(found))
    assert set(kept) <= set(found) <= set(begun)
    assert store.problems() == []
    assert len(store.runs(Selection())) == len(found)


def test_four_processes_keep_a_thousand_results_none_lost_none_doubled(
    tmp_path, small, start_writer, figure
):
    place, started = tmp_path / "store", time.perf_counter()
    writers = [start_writer(place, small(), RESULTS // PROCESSES) for _ in range(PROCESSES)]
    printed = "".join(writer.communicate()[0] for writer in writers)
    assert [writer.returncode for writer in writers] == [0] * PROCESSES
    took_s = time.perf_counter() - started
    kept = ids_of(printed, "kept")
    assert len(kept) == RESULTS
    with open_store(place, create=False) as store:
        check_whole(store, kept, kept)
    figure(f"{RESULTS} results by {PROCESSES} processes, {RESULTS / took_s:,.0f} a second")


def killed_at_random(place, document, start_writer, seed):
    """Two processes write until both are killed; returns what they had begun and kept."""
    chance = random.Random(seed)
    writers = [start_writer(place, document, 10_000) for _ in range(2)]
    read = [writers[0].stdout.readline() for _ in range(chance.randint(1, 12))]
    time.sleep(chance.uniform(0, 0.02))
    for writer in writers:
        writer.kill()
    printed = "".join([*read, *(writer.communicate()[0] for writer in writers)])
    return ids_of(printed, "begins"), ids_of(printed, "kept")


def check_kills(tmp_path, small, start_writer, figure, seeds):
    place, kept, begun, swept = tmp_path / "store", [], [], 0
    for seed in seeds:
        now_begun, now_kept = killed_at_random(place, small(), start_writer, seed)
        kept += now_kept
        with open_store(place, create=False) as store:
            found = {entry.entry_id for entry in store.entries(Selection())}
            assert set(kept) <= found, "something that was told to be kept is gone"
            assert store.problems() == []
            begun += now_begun
            swept += store.prune(Retention(), now_ns=2**62).garbage_files
            check_whole(store, kept, begun)
    figure(f"{2 * len(seeds)} processes killed, {len(kept)} results kept, {swept} files swept")


def test_the_store_opens_after_kills_and_what_was_kept_is_there(
    tmp_path, small, start_writer, figure
):
    check_kills(tmp_path, small, start_writer, figure, range(3))


@pytest.mark.nightly
def test_the_store_outlives_many_kills(tmp_path, small, start_writer, figure):
    check_kills(tmp_path, small, start_writer, figure, range(30))


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(10))
def test_processes_that_make_one_store_at_once_make_one(tmp_path, small, start_writer, number):
    place = tmp_path / "deep" / "store"
    writers = [start_writer(place, small(), 1) for _ in range(2 * PROCESSES)]
    kept = [entry for writer in writers for entry in ids_of(writer.communicate()[0], "kept")]
    assert len(kept) == 2 * PROCESSES
    with open_store(place, create=False) as store:
        check_whole(store, kept, kept)


def test_processes_share_a_server_too(database, small, start_writer):
    place = database()
    writers = [start_writer(place, small(), 10) for _ in range(2)]
    kept = [entry for writer in writers for entry in ids_of(writer.communicate()[0], "kept")]
    assert len(kept) == 20
    with open_store(place, create=False) as store:
        check_whole(store, kept, kept)


def test_a_killed_writer_leaves_nothing_on_a_server(database, small, start_writer):
    place = database()
    begun, kept = killed_at_random(place, small(), start_writer, seed=1)
    with open_store(place, create=False) as store:
        found = [entry.entry_id for entry in store.entries(Selection())]
        assert set(kept) <= set(found)
        assert set(found) <= set(begun)
        assert store.problems() == []
        assert store.prune(Retention(), now_ns=2**62).garbage_files == 0
