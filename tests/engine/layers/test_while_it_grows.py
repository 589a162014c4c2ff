"""The keeper beside a journal that goes on growing, interrupted anywhere, in any order of work."""

from collections import deque

from engine_model import EPOCH, GROUP, INCARNATION, opened
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, Shop

from engine import Capture, JournalSettings, actions

FATES = ("kept", "torn", "lost", "cut")


class Busy(Shop):
    """Changes are ingested, layers made and syncs completed as a test decides, one at a time."""

    def __init__(self, changes):
        super().__init__([], segment_bytes_max=200)
        self.waiting = deque(changes)
        self.queue, self.syncs = deque(), deque()
        self.working = self.keeper()
        self.acknowledged = 0

    def moves(self):
        """What could happen next."""
        found = []
        if self.waiting:
            found.append(self.ingest)
        if not self.working.is_idle and not self.working.is_waiting:
            found.append(lambda: self.queue.extend(self.working.step()))
        if self.queue:
            found.append(self.act)
        if self.syncs:
            found.append(self.complete)
        return found

    def ingest(self):
        change = self.waiting.popleft()
        self.capture.admit(change, len(self.references))
        record = self.capture.entry(self.capture.newest.sequence).record
        self._reference.apply(change)
        self.references.append(
            {name: bytes(content) for name, content in self._reference.files.items()}
        )
        self.queue += self.journal.ingest(record)

    def act(self):
        action = self.queue.popleft()
        if isinstance(action, actions.SyncFile):
            self.syncs.append((action, len(self.storage.unsynced.get(action.name, []))))
        else:
            self.storage.carry_out(action)

    def complete(self):
        action, count = self.syncs.popleft()
        self.storage.sync(action.name, count)
        self.syncs = deque(
            (other, left - count if other.name == action.name else left)
            for other, left in self.syncs
        )
        self.queue += self.working.sync_done(action.token)
        self.acknowledged = max(self.acknowledged, self.journal.durable.sequence)

    def crash(self, fate):
        """Lose what was under way, open again, and go on from what is there."""
        self.queue.clear()
        self.syncs.clear()
        self.storage.crash(fate)
        self.journal = opened(self.storage, JournalSettings(segment_bytes_max=200))
        last = self.journal.durable.sequence
        assert last >= self.acknowledged, "acknowledged records are gone"
        self.check_up_to(last)
        self.working = self.keeper()
        for action in self.working.leftovers():
            self.storage.carry_out(action)
        if self.journal.incarnation is None:
            self.journal.adopt(EPOCH, INCARNATION)
        lost = range(last + 1, len(self.references))
        for sequence in lost:
            self.queue += self.journal.ingest(self.capture.entry(sequence).record)

    def check_up_to(self, last):
        references, self.references = self.references, self.references[: last + 1]
        self.check_all()
        self.references = references


@settings(deadline=None, max_examples=100)
@given(CHANGES, st.data())
def test_whatever_comes_when_and_wherever_it_stops_no_durable_point_differs(changes, data):
    busy = Busy(changes)
    busy.capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
    while moves := busy.moves():
        number = data.draw(st.integers(0, 20 + len(moves)))
        if number == 20 + len(moves):
            busy.crash(lambda: data.draw(st.sampled_from(FATES)))
        else:
            moves[number % len(moves)]()
    assert busy.working.failure is None
    assert busy.journal.durable.sequence == len(changes)
    busy.check_all()
