"""A line that damages, drops, repeats or swaps what it carries delays the history, no more.

No stream does that by itself; a broken middle box, or a defect of a driver, can. Both ends are the
real ones, in pieces of any size, and the tricks are played on what is under way.
"""

from random import Random

from engine_harness import SMALL, Pair
from engine_model import EPOCH, GROUP, INCARNATION, check_images, create, write
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Capture, CaptureSettings, SourceState, actions

TRICKS = ("damage", "drop", "repeat", "swap", "garbage")


def play(queue, trick, random):
    """Play a trick on the bytes of a queue; tells whether there was something to play it on."""
    places = [at for at, (_, item) in enumerate(queue) if isinstance(item, bytes)]
    if not places:
        return False
    at = random.choice(places)
    number, item = queue[at]
    if trick == "damage":
        damaged = bytearray(item)
        damaged[random.randrange(len(item))] ^= 1 << random.randrange(8)
        queue[at] = (number, bytes(damaged))
    elif trick == "drop":
        del queue[at]
    elif trick == "repeat":
        queue.insert(at, (number, item))
    elif trick == "garbage":
        queue.insert(at, (number, random.randbytes(random.randrange(1, 60))))
    else:
        other = random.choice(places)
        queue[at], queue[other] = queue[other], queue[at]
    return True


class BadLine(Pair):
    """A pair whose line plays tricks; while bytes are wrong, the ends may disagree."""

    def __init__(self, random, tricks):
        self.random, self.tricks_left, self.played = random, tricks, []
        capture = Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=CaptureSettings(pool_bytes_max=3_000, time_interval_ns=10_000_000),
        )
        super().__init__(
            capture,
            settings=SMALL,
            choose=random.randrange,
            at_step=BadLine.maybe_play,
            chunk_bytes_max=random.choice((1 << 30, 200, 20)),
        )

    def maybe_play(self):
        if self.tricks_left and self.random.random() < 0.1:
            trick = self.random.choice(TRICKS)
            queue = self.random.choice((self.to_source, self.to_target))
            if play(queue, trick, self.random):
                self.tricks_left -= 1
                self.played.append(trick)

    def check(self):
        """What both ends hold is true at every moment; whether they talk is not asked here."""
        acknowledged, journal = self.capture.acknowledged, self.journal
        assert acknowledged.sequence >= self.acknowledged_ever.sequence
        self.acknowledged_ever = acknowledged
        assert acknowledged.sequence <= journal.durable.sequence <= journal.received.sequence
        assert journal.received.sequence <= self.capture.newest.sequence


def live_through(seed, tricks):
    random = Random(seed)
    pair = BadLine(random, tricks)
    pair.show(create("db/a"))
    for number in range(25):
        pair.show(write("db/a", random.randrange(2_000), bytes([number]) * random.randrange(400)))
        for _ in range(random.randrange(8)):
            pair.step() or pair.advance()
    pair.converge()
    return pair


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 1 << 32), st.integers(1, 6))
def test_whatever_the_line_does_the_history_is_true_and_arrives(seed, tricks):
    pair = live_through(seed, tricks)
    assert pair.source.fatal_error is None
    assert pair.source.state is SourceState.STREAMING
    assert pair.journal.durable == pair.capture.newest
    check_images(pair.journal, pair.shown)


def test_the_tricks_are_played_and_noticed():
    """Probes: each trick happens, and most of them end in a named error at one of the ends."""
    played, errors = dict.fromkeys(TRICKS, 0), {}
    for seed in range(60):
        pair = live_through(seed, 4)
        for trick in pair.played:
            played[trick] += 1
        for _, notice in pair.notices:
            if isinstance(notice, actions.SessionFailed):
                name = type(notice.error).__name__
                errors[name] = errors.get(name, 0) + 1
    assert min(played.values()) >= 10, played
    assert {"FrameDamaged", "SequenceGap", "SequenceReplayed"} <= set(errors), errors
