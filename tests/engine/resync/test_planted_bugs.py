"""Bugs that somebody might write into a resync, planted one by one: each is found.

What is printed is the number of points (a crash after an action, or a history) it took.
"""

from random import Random

import pytest
from engine_model import write
from engine_points import check_live, check_points
from engine_resync import first_copy, stop_host
from engine_resync_sweep import HOST_STOPS, assert_joined, live_and_check, resync_of
from engine_sweep import DISTURBANCES

from engine.basics.errors import EngineError, JournalRegressed
from engine.capture.backlog import Backlog
from engine.capture.drain import Drain
from engine.capture.order import Order
from engine.resync.comparison import Comparison
from engine.resync.image_hashes import ImageHashes
from engine.session import greeting

SEEDS = 400


def skips_a_block_that_was_written_meanwhile(monkeypatch):
    """A write touched the block, so it is in the stream: but not all of the block is."""
    mark_dirty, shown, touched = Order.mark_dirty, Order.shown, set()

    def shown_too(self, kind, file, offset, length, name):
        shown(self, kind, file, offset, length, name)
        touched.update((file, n) for n in range(offset // 4_096, (offset + length) // 4_096 + 1))

    def skipping(self, file, offset, length):
        if (file, offset // 4_096) not in touched:
            mark_dirty(self, file, offset, length)

    monkeypatch.setattr(Order, "shown", shown_too)
    monkeypatch.setattr(Order, "mark_dirty", skipping)
    return touched.clear


def ends_before_the_last_block_is_sent(monkeypatch):
    clean = property(lambda self: not self.dirty.count)
    monkeypatch.setattr(Drain, "is_idle", clean)


def ends_before_all_is_compared(monkeypatch):
    monkeypatch.setattr(Order, "_is_clean", lambda self: self.is_in_gap and self.drain.is_idle)


def believes_a_read_of_a_file_that_was_renamed(monkeypatch):
    monkeypatch.setattr(Drain, "_forget_watched", lambda *_: None)


def resumes_after_what_was_asked_not_what_was_compared(monkeypatch):
    pump = Comparison.pump

    def plant(self, now_ns):
        reads = pump(self, now_ns)
        if self._capture.is_comparing:
            self._capture.compared_up_to(*self._next)
        return reads

    monkeypatch.setattr(Comparison, "pump", plant)


def compares_with_an_image_from_before_the_resync(monkeypatch):
    answer = ImageHashes.answer

    def stale(self, ask):
        last_good = max(self._journal.index.gap_at(ask.sequence).opened - 1, 0)
        return ask.sequence, answer(self, ask._replace(sequence=last_good))[1]

    image_at = ImageHashes._image_at

    def older(self, sequence):
        durable = self._journal.durable
        self._journal.durable = durable._replace(sequence=sequence)
        try:
            self._image = None
            return image_at(self, sequence)
        finally:
            self._journal.durable = durable

    monkeypatch.setattr(ImageHashes, "answer", stale)
    monkeypatch.setattr(ImageHashes, "_image_at", older)


def compares_no_further_than_the_shorter_of_both(monkeypatch):
    decide = Comparison._decide

    def plant(self, extent, now_ns):
        if extent.mine and extent.theirs and len(extent.mine) < self._settings.extent_bytes // 256:
            self._done(extent)  # a last extent, cut at a boundary of blocks
        else:
            decide(self, extent, now_ns)

    monkeypatch.setattr(Comparison, "_decide", plant)


BUGS = [
    skips_a_block_that_was_written_meanwhile,
    ends_before_the_last_block_is_sent,
    ends_before_all_is_compared,
    believes_a_read_of_a_file_that_was_renamed,
    resumes_after_what_was_asked_not_what_was_compared,
    compares_with_an_image_from_before_the_resync,
    compares_no_further_than_the_shorter_of_both,
]


def change_back_between_two_resyncs():
    """The first one brought a change, and did not end; the change is undone while nobody looks."""
    pair = first_copy({"db/a": b"A" * 600_000}, choose=Random(1).randrange)
    pair.converge()
    pair.volume.apply(write("db/a", 0, b"B" * 49_152))
    stop_host(pair)
    pair.run(lambda pair: pair.capture.is_comparing)
    begun = pair.capture.progress.begun
    pair.run(lambda pair: pair.journal.durable.sequence > begun)
    assert pair.capture.is_comparing, "it did not end"
    pair.volume.apply(write("db/a", 0, b"A" * 49_152))
    stop_host(pair)
    pair.converge()
    check_live(pair)
    check_points(pair)


def points():
    """Yield (what it is, a function that raises when something is wrong there)."""
    yield "no crash at all", lambda: assert_joined(resync_of("roomy", {}))
    yield "a change back between two resyncs", change_back_between_two_resyncs
    for name, disturb in (DISTURBANCES | HOST_STOPS).items():
        if name in ("disconnect", "source crash", "the source's host stops again"):
            for step in range(1, 40):
                yield (
                    f"{name} at step {step}",
                    lambda step=step, disturb=disturb: assert_joined(
                        resync_of("roomy", {step: disturb})
                    ),
                )
    for seed in range(SEEDS):
        yield f"history {seed}", lambda seed=seed: live_and_check(seed)


def test_a_change_that_is_undone_between_two_resyncs_is_undone_at_the_target():
    change_back_between_two_resyncs()


@pytest.mark.parametrize("plant", BUGS)
def test_a_planted_bug_is_found(plant, monkeypatch, planted):
    forget = plant(monkeypatch) or (lambda: None)
    for number, (where, check) in enumerate(points(), start=1):
        forget()
        try:
            check()
        except (AssertionError, EngineError, KeyError):
            planted(plant.__name__, f"point {number} ({where})")
            return
    pytest.fail(f"{plant.__name__} was not found")


def cut_at_a_record_boundary(pair):
    """Take the newest durable record away from the target's disk during a resync."""
    pair.run(lambda pair: pair.capture.is_comparing and pair.capture.progress.offset)
    row = pair.journal.index.row(pair.journal.durable.sequence)
    pair.disk_lies = True
    pair.crash_target(lambda: "kept")
    newest = max(name for name in pair.storage.files if name.endswith(".segment"))
    del pair.storage.files[newest][row.position :]
    pair.start_target()
    pair.disconnect()


def test_a_target_that_lost_a_record_at_its_boundary_during_a_resync_is_not_trusted():
    """Every checksum passes; only the source's cursor tells (protection.md, finding 5)."""
    pair = first_copy({"db/a": bytes(range(256)) * 400})
    cut_at_a_record_boundary(pair)
    pair.run(lambda pair: pair.source.fatal_error is not None)
    assert isinstance(pair.source.fatal_error, JournalRegressed)
    # The operator's word, or the policy, on a new capture: all is compared again.
    stop_host(pair)
    pair.disk_lies = False
    pair.acknowledged_ever = pair.journal.durable
    pair.converge()
    check_live(pair)


def test_a_planted_trust_in_a_boundary_truncation_is_found(monkeypatch, planted):
    monkeypatch.setattr(greeting, "_check_overlap", lambda *_: None)
    monkeypatch.setattr(Backlog, "check_welcome", lambda *_: None)
    monkeypatch.setattr(Backlog, "check", lambda *_: None)
    pair = first_copy({"db/a": bytes(range(256)) * 400})

    def go_on():
        cut_at_a_record_boundary(pair)
        pair.show(write("db/a", 0, b"more"))
        pair.converge()
        check_live(pair)

    with pytest.raises((AssertionError, EngineError, KeyError, IndexError)):
        go_on()
    planted("a boundary truncation is trusted", "point 1")
