"""Bugs between the parts, planted one by one: whole histories against the reference find each.

What is printed is the number of histories it took: first those that once found something, then
random ones. Bugs within one part are planted beside its own tests.
"""

import pytest
from engine_world_found import FOUND
from engine_world_steps import live_through, random_steps

from engine import RecoveryPoints
from engine.capture.order import Order
from engine.copies.fanout import Fanout
from engine.failover import promotion
from engine.history.gaps import Gap
from engine.journal.journal import Journal
from engine.points import kept
from engine.retention.keeper import RetentionKeeper

SEEDS_MAX = 400


class _Whatever:
    """Equal to anything."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None


def base_of_a_branch_is_not_pinned(monkeypatch):
    monkeypatch.setattr(promotion, "pin_base", lambda *_: [])


def pin_is_not_seen_while_a_plan_is_carried_out(monkeypatch):
    certified = RetentionKeeper._certified
    monkeypatch.setattr(
        RetentionKeeper, "_certified", lambda self, points, _: certified(self, points, _Whatever())
    )


def undecided_bookmark_is_kept_as_a_write(monkeypatch):
    monkeypatch.setattr(RecoveryPoints, "oldest_undecided", lambda _: None)


def gap_of_a_lost_spool_begins_when_it_was_noticed(monkeypatch):
    break_off = Order._break_off
    monkeypatch.setattr(
        Order, "_break_off", lambda self, reason, now_ns, _=None: break_off(self, reason, now_ns)
    )


def record_that_opens_a_gap_is_a_point(monkeypatch):
    monkeypatch.setattr(
        Gap,
        "has",
        lambda gap, n: gap.opened < n and (gap.closed is None or n < gap.closed),
    )


def everything_up_to_the_frontier_is_a_point(monkeypatch):
    at = kept.KeptPoints.at

    def plant(self, sequence):
        found = at(self, sequence)
        if found is not None or not 0 < sequence <= self.frontier:
            return found
        return self.points[-1]._replace(cursor=self.points[-1].cursor._replace(sequence=sequence))

    monkeypatch.setattr(kept.KeptPoints, "at", plant)


def revoked_bookmark_is_a_point(monkeypatch):
    monkeypatch.setattr(RecoveryPoints, "_is_point", lambda *_: True)


def pool_is_freed_behind_the_fastest_copy(monkeypatch):
    free = Fanout.free

    def plant(self, now_ns):
        everyone = dict(self.feeds)
        best = max(everyone, key=lambda name: everyone[name].acknowledged.sequence)
        self.feeds = {best: everyone[best]}
        free(self, now_ns)
        self.feeds = everyone

    monkeypatch.setattr(Fanout, "free", plant)


def records_count_as_durable_when_they_came(monkeypatch):
    monkeypatch.setattr(
        Journal,
        "durable",
        property(
            lambda self: self.received if self.incarnation is not None else self.__dict__["_d"],
            lambda self, cursor: self.__dict__.__setitem__("_d", cursor),
        ),
        raising=False,
    )


BUGS = (
    base_of_a_branch_is_not_pinned,
    pin_is_not_seen_while_a_plan_is_carried_out,
    undecided_bookmark_is_kept_as_a_write,
    gap_of_a_lost_spool_begins_when_it_was_noticed,
    record_that_opens_a_gap_is_a_point,
    everything_up_to_the_frontier_is_a_point,
    revoked_bookmark_is_a_point,
    pool_is_freed_behind_the_fastest_copy,
    records_count_as_durable_when_they_came,
)


def histories():
    yield from FOUND.values()
    for seed in range(SEEDS_MAX):
        yield seed, random_steps(seed, 25)


@pytest.mark.parametrize("plant", BUGS)
def test_whole_histories_find(plant, monkeypatch, planted):
    plant(monkeypatch)
    for count, (seed, steps) in enumerate(histories(), start=1):
        try:
            live_through(seed, steps)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it shows itself
            planted(plant.__name__, f"history {count}")
            return
    pytest.fail(f"{plant.__name__} was not found in any history")
