"""Bugs planted into the capture: the random histories of overload find each of them."""

import pytest
from engine_overload import MOMENTS, RACES, check_everything, live_through, run_race

from engine import Admitted, RecordType, actions
from engine.capture import stream
from engine.capture.backlog import Backlog
from engine.capture.dirty import DirtyMap
from engine.capture.drain import Drain
from engine.capture.order import Order
from engine.capture.spool import Spool
from engine.capture.tagging import Tagging
from engine.history.gaps import gap_after

SEEDS_MAX = 400


def tag_accepted_in_a_gap(monkeypatch):
    """Past the capture's check and the stream's: only the target's gate is left."""
    admit = Tagging.admit

    def careless(self, change, cost, now_ns):
        if not self._order.is_in_gap:
            return admit(self, change, cost, now_ns)
        self._order.append(stream.Draft(change.kind, payload=change.payload), now_ns)
        return Admitted(self._backlog.stream.newest.sequence)

    def blind(gap, kind, sequence):
        is_tag = kind in (RecordType.TAG_APP, RecordType.TAG_CRASH)
        return gap if is_tag else gap_after(gap, kind, sequence)

    monkeypatch.setattr(Tagging, "admit", careless)
    monkeypatch.setattr(stream, "gap_after", blind)


def racing_write_does_not_void_a_read(monkeypatch):
    monkeypatch.setattr(Drain, "_void", lambda *_: None)


def gap_closed_while_blocks_are_dirty(monkeypatch):
    monkeypatch.setattr(Order, "_is_clean", lambda self: self.is_in_gap)


def gap_closed_while_a_read_is_under_way(monkeypatch):
    monkeypatch.setattr(Drain, "is_idle", property(lambda self: not self.dirty.count))


def renamed_file_is_read_by_its_old_name(monkeypatch):
    shown = Drain.shown

    def careless(self, kind, *place, is_kept):
        if kind != RecordType.RENAME:
            shown(self, kind, *place, is_kept=is_kept)

    monkeypatch.setattr(Drain, "shown", careless)


def cut_and_grown_again_without_the_cut(monkeypatch):
    monkeypatch.setattr(Drain, "cut_of", lambda self, file: self._cuts.pop(file, None) and None)


def reads_of_a_crashed_session_are_forgotten_for_good(monkeypatch):
    def careless(self):
        self._reads.clear()
        self.reading_bytes = 0

    monkeypatch.setattr(Drain, "forget_reads", careless)


def spooled_records_are_overtaken(monkeypatch):
    """Records go into the pool as soon as it has room, whatever lies in the spool."""
    append = Backlog.append

    def careless(self, *record):
        count, self.spool.count = self.spool.count, 0
        try:
            return append(self, *record)
        finally:
            self.spool.count += count

    monkeypatch.setattr(Backlog, "append", careless)


def spool_files_are_deleted_before_they_came_back(monkeypatch):
    def careless(self, _):
        files = [*self._back, *self._files]
        self._back.clear()
        return [actions.DeleteFile(file.name) for file in files]

    monkeypatch.setattr(Spool, "free", careless)


def a_deleted_file_stays_dirty(monkeypatch):
    monkeypatch.setattr(DirtyMap, "drop", lambda *_: None)


def order_comes_back_with_names_still_apart(monkeypatch):
    monkeypatch.setattr(Order, "emit_names", lambda *_: None)


def gap_is_never_told(monkeypatch):
    """Order is lost silently: the mistake that this engine is about."""
    monkeypatch.setattr(Order, "_open_gap", lambda *_: None)


BUGS = (
    tag_accepted_in_a_gap,
    racing_write_does_not_void_a_read,
    gap_closed_while_blocks_are_dirty,
    gap_closed_while_a_read_is_under_way,
    renamed_file_is_read_by_its_old_name,
    cut_and_grown_again_without_the_cut,
    reads_of_a_crashed_session_are_forgotten_for_good,
    spooled_records_are_overtaken,
    spool_files_are_deleted_before_they_came_back,
    a_deleted_file_stays_dirty,
    order_comes_back_with_names_still_apart,
    gap_is_never_told,
)


def experiments():
    """Yield histories: every race at every moment, then random ones."""
    for race in RACES:
        for moment in MOMENTS:
            yield f"{race} {moment}", lambda race=race, moment=moment: run_race(race, moment)
    for seed in range(SEEDS_MAX):
        yield f"seed {seed}", lambda seed=seed: live_through(seed, 60, 0.03)


@pytest.mark.parametrize("plant", BUGS)
def test_a_planted_bug_is_found_by_a_race_or_a_random_history(plant, monkeypatch, planted):
    plant(monkeypatch)
    for count, (name, run) in enumerate(experiments(), start=1):
        try:
            check_everything(run())
        except Exception:  # noqa: BLE001 - whatever fails is what found the bug
            planted(plant.__name__, f"history {count} ({name})")
            return
    pytest.fail(f"{plant.__name__} was not found in any history")
