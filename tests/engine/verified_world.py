"""A little application whose points can be told good from bad, its journal, and a verifier."""

from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    app_tag,
    create,
    opened,
    settle,
    write,
)

from engine import Capture, Image
from engine.health.checks import Finding, Outcome
from engine.health.verifier import Verifier, VerifierSettings, VerifierState
from engine.points.recovery_points import RecoveryPoints

MINUTE = 60_000_000_000


class CounterChecker:
    """The log is one ahead of the database at most; the check replays it, on the image."""

    def __init__(self):
        self.replays = 0

    def check(self, image):
        log, database = (int(image.read(name, 0, 8) or b"0") for name in ("log", "database"))
        yield []
        if log == database + 1:
            self.replays += 1
            yield image.write("database", 0, (b"%08d" % log,))
            database = int(image.read("database", 0, 8))
        return Finding(log == database, f"log {log}, database {database}")


class Draws:
    """A stream of numbers that a test gives; then a fixed pattern."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)
        self.state = 1

    def __call__(self, limit):
        if self.numbers:
            return self.numbers.pop(0) % limit
        self.state = self.state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        return (self.state >> 8) % limit


class CountingHolds:
    def __init__(self):
        self.held = 0

    def hold(self):
        self.held += 1

    def release(self):
        self.held -= 1
        assert self.held >= 0


class World:
    """One journal in memory with the counter application and a verifier that reads it."""

    def __init__(self, *, checker=None, draws=None, settings=None, is_empty=False):
        self.capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
        self.storage, self.scratch = MemoryStorage(), MemoryStorage()
        self.journal = opened(self.storage)
        self.journal.adopt(EPOCH, INCARNATION)
        self.holds = CountingHolds()
        self.checker = checker or CounterChecker()
        self.now_ns = 0
        self.count = 0
        self.settings = settings or VerifierSettings()
        self.verifier = Verifier(
            self.journal,
            lambda sequence: Image(self.journal, sequence),
            self.checker,
            draws or Draws(),
            self.scratch,
            holds=self.holds,
            settings=self.settings,
        )
        if not is_empty:
            self.show(create("log"), create("database"))

    @property
    def points(self):
        return RecoveryPoints(self.journal)

    def show(self, *changes):
        """Capture changes and make them durable at the copy."""
        for change in changes:
            self.now_ns += 1
            self.capture.admit(change, self.now_ns)
        first = self.journal.received.sequence + 1
        last = self.capture.newest.sequence
        records = b"".join(self.capture.entry(n).record for n in range(first, last + 1))
        settle(self.journal, self.storage, self.journal.ingest(records))

    def bookmark(self, *, is_good=True):
        """Let the application work and make a bookmark; return its sequence."""
        self.count += 1
        number = b"%08d" % self.count
        self.show(write("log", 0, number), write("database", 0, number if is_good else b"99999999"))
        self.show(app_tag(f"bookmark {self.count}"))
        return self.journal.durable.sequence

    def rot(self, sequence):
        """Flip a bit of a stored record's body; return what makes it whole again."""
        row = self.journal.index.row(sequence)
        name = next(s.name for s in self.journal.segments if s.last.sequence >= sequence)
        content, at = self.storage.files[name], row.position + 64

        def flip():
            content[at] ^= 4

        flip()
        return flip

    def check_one(self):
        """Step until one check has ended; return its result, None where nothing was due."""
        for _ in range(1_000):
            actions = self.verifier.step(self.now_ns)
            for action in actions:
                self.scratch.carry_out(action)
            if results := self.verifier.take_results():
                assert self.verifier.state is VerifierState.IDLE
                assert not self.scratch.files, "the overlay is gone after the check"
                assert not self.holds.held
                (result,) = results
                return result
            if self.verifier.state is VerifierState.IDLE:
                assert not actions
                return None
        raise AssertionError("the check does not end")

    def check_all(self):
        """Check until nothing is due; return (sequence, outcome) in order."""
        found = []
        while (result := self.check_one()) is not None:
            found.append((result.point.sequence, result.outcome))
        return found


GOOD, BAD, INCONCLUSIVE = Outcome.GOOD, Outcome.BAD, Outcome.INCONCLUSIVE
