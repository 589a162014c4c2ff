"""The store against a dictionary: whatever is kept, dies, is pruned and opened again."""

import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select

from reports import Digests, Result, ScenarioReference, Verdict
from reports.store import Origin, Retention, Selection, open_store, tables
from reports.store.parts import Parts
from reports.store.pruning import GARBAGE_AGE_NS

SCENARIOS = ("site-loss", "plans/b.yaml")
FAR_NS = 2**62


class _DiedError(Exception):
    """The process dies here."""


def result_of(seed):
    return Result(
        scenario=ScenarioReference(title="One"),
        seed=seed,
        digests=Digests(effects="a", full="b"),
        simulated_s=1.0,
        wall_s=1.0,
        events=1,
        events_per_s=1.0,
        verdict=Verdict.MET,
    )


class StoreMachine(RuleBasedStateMachine):
    """One store, and a dictionary that says what it must hold: id -> (time, scenario, seed)."""

    def __init__(self):
        super().__init__()
        in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no secret
        self.folder = Path(tempfile.mkdtemp(prefix="rpolab-", dir=in_memory))
        self.place = self.folder / "store"
        self.store = open_store(self.place)
        self.known = {}
        self.garbage = set()
        self.deaths = 0
        self.clock = 0

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.folder)

    def _origin(self, scenario):
        self.clock += 1
        return Origin(scenario, "d", self.clock)

    @rule(scenario=st.sampled_from(SCENARIOS), seed=st.integers(0, 2**64 - 1))
    def keep(self, scenario, seed):
        entry_id = self.store.keep(result_of(seed), self._origin(scenario))
        self.known[entry_id] = (self.clock, scenario, seed)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def keep_again_what_is_kept(self, data):
        entry_id = data.draw(st.sampled_from(sorted(self.known)))
        _, scenario, seed = self.known[entry_id]
        assert self.store.keep(result_of(seed), self._origin(scenario), entry_id) == entry_id

    @rule(seed=st.integers(0, 9), where=st.sampled_from(["are_there", "insert"]))
    def die_between_parts_and_catalogue(self, seed, where):
        self.deaths += 1
        entry_id = f"{self.deaths:08x}deadbeef"
        with mock.patch.object(Parts, where, side_effect=_DiedError), pytest.raises(_DiedError):
            self.store.keep(result_of(seed), self._origin(SCENARIOS[0]), entry_id)
        self.garbage.add(entry_id)

    @precondition(lambda self: self.garbage)
    @rule(data=st.data())
    def the_dead_writer_tries_again(self, data):
        entry_id = data.draw(st.sampled_from(sorted(self.garbage)))
        self.store.keep(result_of(5), self._origin(SCENARIOS[0]), entry_id)
        self.garbage.remove(entry_id)
        self.known[entry_id] = (self.clock, SCENARIOS[0], 5)

    @rule(keep_last=st.integers(0, 3) | st.none(), keep_ns=st.integers(0, 9) | st.none())
    def prune(self, keep_last, keep_ns):
        retention = Retention(keep_last, keep_ns)
        going = self._going(keep_last, keep_ns)
        dry = self.store.prune(retention, now_ns=self.clock, dry_run=True)
        assert len(self.store.entries(Selection())) == len(self.known)
        pruned = self.store.prune(retention, now_ns=self.clock)
        assert dry == pruned
        assert {entry.entry_id for entry in pruned.entries} == going
        assert pruned.garbage_files == 0  # it is too young: its writer may still live
        for entry_id in going:
            del self.known[entry_id]

    def _going(self, keep_last, keep_ns):
        if keep_last is None and keep_ns is None:
            return set()
        going = set()
        for name in SCENARIOS:
            mine = sorted(
                (item for item in self.known.items() if item[1][1] == name),
                key=lambda item: -item[1][0],
            )
            for number, (entry_id, (time_ns, _, _)) in enumerate(mine):
                is_recent = keep_last is not None and number < keep_last
                is_young = keep_ns is not None and self.clock - time_ns <= keep_ns
                if not is_recent and not is_young:
                    going.add(entry_id)
        return going

    @rule()
    def sweep(self):
        pruned = self.store.prune(Retention(), now_ns=FAR_NS + GARBAGE_AGE_NS)
        assert pruned.entries == ()
        assert pruned.garbage_files == 2 * len(self.garbage)
        self.garbage.clear()

    @rule()
    def open_again(self):
        self.store.close()
        self.store = open_store(self.place, create=False)

    @invariant()
    def holds_what_the_dictionary_says(self):
        found = {
            run.entry.entry_id: (run.entry.kept_at_ns, run.entry.scenario, run.seed)
            for run in self.store.runs(Selection())
        }
        assert found == self.known
        files = {path.name.partition(".")[0] for path in self.place.glob("parts/*/*")}
        assert files == self.known.keys() | self.garbage
        assert self.store.problems() == []


TestTheStore = StoreMachine.TestCase
TestTheStore.settings = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.nightly
def test_long_histories_of_the_store():
    from hypothesis.stateful import run_state_machine_as_test

    long = settings(TestTheStore.settings, max_examples=200, stateful_step_count=40)
    run_state_machine_as_test(StoreMachine, settings=long)


def test_a_writer_whose_parts_are_swept_before_they_count_writes_them_again(tmp_path):
    with open_store(tmp_path / "store") as store:
        whole, calls = Parts.are_there, []

        def swept_once(self, rows):
            rows = list(rows)
            if not calls:
                for path in (tmp_path / "store").glob("parts/*/*"):
                    path.unlink()
            calls.append(rows)
            return whole(self, rows)

        with mock.patch.object(Parts, "are_there", swept_once):
            entry_id = store.keep(result_of(1), Origin("one", "d", 1))
        assert len(calls) == 2
        assert store.document(entry_id) == result_of(1)
        assert store.problems() == []


def test_the_rows_of_an_entry_go_with_it(store, small, origin):
    store.keep(small(), origin(1))
    store.keep(small(), origin(2))
    store.prune(Retention(keep_last=1), now_ns=3)
    with store._catalogue.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (tables.entries, tables.runs, tables.parts)
        ]
    assert counts == [1, 1, 2]
