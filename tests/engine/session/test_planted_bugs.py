"""Bugs that somebody might write, planted one by one: the sweep or the model finds each of them.

What is printed is the number of points (a crash after an action, or a history) it took.
"""

from collections.abc import Iterator

import engine_harness
import pytest
from engine_frames import ack_of, capture_of, records
from engine_harness import Pair
from engine_model import EPOCH, create, pending_app_tag, write
from engine_sweep import DISTURBANCES, WORKLOADS, assert_survived, run

from engine import Capture, RecoveryPoints, SourceSession, TargetSession, actions, events
from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError
from engine.history.gate import History
from engine.history.index import Index
from engine.journal.journal import Journal
from engine.session import target as target_module
from engine.session.outbox import Outbox

POINTS_MAX = 400


class AcknowledgesWhatItReceived(TargetSession):
    """The cursor leaves before the sync."""

    def _on_batch(self, batch):
        super()._on_batch(batch)
        ack = ack_of(self.journal.received)
        self._actions.append(actions.SendBytes(self._connection, ack, len(ack)))


class ResumesAtWhatItSent(SourceSession):
    """After a reconnect it goes on after what it had sent, whatever the target holds."""

    def _on_welcome(self, welcome, now_ns):
        sent = self.sent_sequence
        super()._on_welcome(welcome, now_ns)
        self._outbox.sent_sequence = max(sent, self._outbox.sent_sequence)


def frees_the_pool_at_sending(monkeypatch):
    send_batch = Outbox._send_batch

    def plant(self, last, batch_bytes, now_ns):
        send_batch(self, last, batch_bytes, now_ns)
        capture = self._capture
        capture.acknowledge(Cursor(capture.epoch, last, capture.entry(last).chain), now_ns)
        self.window_bytes = 0

    monkeypatch.setattr(Outbox, "_send_batch", plant)


def welcomes_before_the_journal_is_synced(monkeypatch):
    monkeypatch.setattr(Journal, "is_settled", property(lambda _: True))


SWEPT = {
    "the cursor is acknowledged before the sync": lambda monkeypatch: monkeypatch.setattr(
        engine_harness, "TargetSession", AcknowledgesWhatItReceived
    ),
    "a reconnect resumes at what was sent": lambda monkeypatch: monkeypatch.setattr(
        engine_harness, "SourceSession", ResumesAtWhatItSent
    ),
    "the pool is freed when a batch is sent": frees_the_pool_at_sending,
    "a welcome names what is not durable": welcomes_before_the_journal_is_synced,
}


def swept() -> Iterator[None]:
    """Every point of the sweep, one run each; the planted bug must break one."""
    for step in range(1, 60):
        for disturbance in DISTURBANCES.values():
            for workload in WORKLOADS:
                assert_survived(run(workload, "roomy", {step: disturbance}))
                yield


def points_until_found(histories: Iterator[None]) -> int:
    """Return how many histories it took until one failed."""
    for points in range(1, POINTS_MAX):
        try:
            next(histories)
        except (AssertionError, EngineError):
            return points
    raise AssertionError("not found")


@pytest.mark.parametrize("bug", SWEPT)
def test_the_crash_sweep_finds(bug, monkeypatch, planted):
    for _, points in zip(range(20), swept(), strict=False):
        assert points is None
    SWEPT[bug](monkeypatch)
    planted(bug, f"point {points_until_found(swept())}")


def other_histories() -> Iterator[None]:
    """A source with another history continues a journal: nothing of it may be kept."""
    for held in range(1, 6):
        pair = Pair(Capture(group=7, epoch=EPOCH, incarnation=1))
        pair.show(create("db/a"))
        for number in range(held):
            pair.show(write("db/a", number, b"true"))
        pair.converge()
        other = Capture(group=7, epoch=EPOCH, incarnation=1)
        for change in [create("db/a"), *[write("db/a", n, b"else") for n in range(held + 3)]]:
            other.admit(change, pair.now_ns)
        last = held + 1
        data = records(other, last + 1, last + 2)
        try:
            pair.journal.ingest(b"".join(data))
        except EngineError:
            yield
            continue
        raise AssertionError("records of another history were taken")


def fenced_sources() -> Iterator[None]:
    """A source of a superseded epoch comes back: nothing of it may enter the branch."""
    for count in range(1, 6):
        pair = Pair(capture_of(count))
        pair.converge()
        base = pair.journal.received
        pair.tell_target(events.Fenced(EPOCH + 1))
        pair.show(write("db/a", 0, b"stale"))
        for _ in range(200):
            pair.step() or pair.source.fatal_error or pair.advance()
        assert pair.journal.received == base
        yield


def two_phase_tags() -> Iterator[None]:
    """A tag whose second phase never came is no point."""
    for writes in range(5):
        pair = Pair(capture_of())
        pair.show(pending_app_tag("set"))
        for number in range(writes):
            pair.show(write("db/a", number, b"x"))
        pair.converge()
        assert RecoveryPoints(pair.journal).app_points() == []
        yield


def stale_epoch_accepted(monkeypatch):
    check = target_module.check_hello
    monkeypatch.setattr(target_module, "check_hello", lambda h, j, _: check(h, j, None))
    monkeypatch.setattr(TargetSession, "_on_fenced", lambda *_: None)


def commits_every_tag(monkeypatch):
    add = Index.add
    monkeypatch.setattr(Index, "add", lambda s, h, *rest: add(s, h._replace(flags=0), *rest))


MODELLED = {
    "the chain is not checked": (
        lambda monkeypatch: monkeypatch.setattr(History, "_check_chain", lambda *_: None),
        other_histories,
    ),
    "a stale epoch is accepted": (stale_epoch_accepted, fenced_sources),
    "a tag is a point without its commit": (commits_every_tag, two_phase_tags),
}


@pytest.mark.parametrize("bug", MODELLED)
def test_the_model_finds(bug, monkeypatch, planted):
    plant, histories = MODELLED[bug]
    for passed in histories():
        assert passed is None
    plant(monkeypatch)
    planted(bug, f"history {points_until_found(histories())}")
