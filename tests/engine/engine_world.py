"""One protected group as a whole: a source, its copies, and everything that may happen to them.

A history is a list of (what, number): each step draws its details from its own number, so that any
step can be left out, and what is left is still a history. The reference is `engine_history`'s.
"""

from collections import Counter, deque
from dataclasses import replace
from random import Random

from engine_failover import Place
from engine_history import History, Tag
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, Reference
from engine_overload import random_change, random_settings
from engine_resync import session_settings, unbased
from engine_world_copy import WorldCopy

from engine import Admitted, Capture, JournalSettings, RecordType, SourceState, Tracked, Waiting
from engine.capture.clean_stop import STATE_FILE, open_capture
from engine.copies.fanout import CopyPlan, Fanout
from engine.retention.settings import RetentionPolicy, Stage

STEPS_MAX = 20_000
_TAG_TIMEOUT_NS = 2_000
_TAGS = (RecordType.TAG_APP, RecordType.TAG_CRASH)
_CHANGES = (
    RecordType.CREATE,
    RecordType.WRITE,
    RecordType.TRUNCATE,
    RecordType.RENAME,
    RecordType.DELETE,
    RecordType.FLUSH,
)


def random_policy(random):
    window = random.choice((3_000, 60_000, 2_000_000, 1 << 40))
    every = max(window // 4, 500)
    return RetentionPolicy(
        every_write_ns=window,
        stages=(Stage(window * 3), Stage(window * 8, every), Stage(window * 30, every * 4)),
        write_point_every_ns=every,
        space_bytes_max=random.choice((None, None, 9_000, 40_000)),
        when_full=random.choice(("purge_oldest", "coarsen_first")),
        look_every_ns=2_000,
    )


class World:
    """A source and its copies.

    Args:
        seed: Settings are drawn from it.
        tally: What is counted: operations, crashes, points, refusals.
    """

    def __init__(self, seed, tally=None):
        random = self.random = Random(seed)
        self.tally = Counter() if tally is None else tally
        self.now_ns = 1_000
        names = ("a", "b", "c")[: random.choice((1, 1, 2, 2, 3))]
        overflow = random.choice(("push_back", "spill", "spill", "break"))
        if len(names) > 1 and overflow == "break":
            overflow = "spill"
        self.capture_settings = replace(
            random_settings(random, overflow),
            tag_commit_timeout_ns_app=_TAG_TIMEOUT_NS,
            tag_commit_timeout_ns_crash=_TAG_TIMEOUT_NS,
        )
        segment_bytes = random.choice((200, 1_500, 6_000, 100_000))
        self.journal_settings = JournalSettings(segment_bytes_max=segment_bytes)
        self.chunk_bytes_max = random.choice((1 << 30, 300))
        self.session_settings = session_settings()
        self.policies = [random_policy(random), random_policy(random)]
        self.volume, self.history = Reference(), History()
        self.vacated = None
        self.incarnation, self.epoch = INCARNATION, EPOCH
        self.fanout = None
        self.copies: dict[str, WorldCopy] = {}
        self.archive: list[WorldCopy] = []  # copies that no source feeds any more
        self.trials = []  # virtual images in use
        self.place = Place()  # of the authority
        self.takeover = None  # the newest of them
        self.takeovers = 0
        self.begin_source()
        self.begin_copies(names)

    def choose(self, count):
        return self.random.randrange(count)

    # --- the source -----------------------------------------------------------------------------

    def begin_source(self, capture=None, spool=None):
        """Give the source a new memory, and a capture in it, with its spool."""
        self.spool, self.spool_syncs = spool or MemoryStorage(), deque()
        self.waiting, self.held = deque(), deque()
        self.capture = capture or Capture(
            group=GROUP,
            epoch=self.epoch,
            incarnation=self.incarnation,
            settings=self.capture_settings,
            storage=self.spool,
        )
        self.scanned = self.capture.newest.sequence

    def begin_copies(self, names):
        if len(names) > 1:
            self.fanout = Fanout(self.capture, [self.plan(name) for name in names])
        for name in names:
            capture = self.fanout.feed(name) if self.fanout else self.capture
            self.copies[name] = WorldCopy(self, name, capture, storage=MemoryStorage())

    def plan(self, name):
        return CopyPlan(name, behind_bytes_max=40_000)

    @property
    def attached(self):
        return [copy for copy in self.copies.values() if copy.is_attached]

    @property
    def is_halted(self):
        """Return whether a session has given up: a line that lies may bring that about."""
        return any(copy.source.state is SourceState.HALTED for copy in self.attached)

    @property
    def everyone(self):
        return [*self.copies.values(), *self.archive]

    def files(self):
        return {name: bytes(content) for name, content in self.volume.files.items()}

    def scan(self, teller=None):
        """Note of which changes the new records are: those of writers that waited, in order.

        A session may have made them, on a tick or with a read: the other sessions hear of them.
        """
        newest = self.capture.newest.sequence
        is_news = newest > self.scanned
        self.scanned = min(self.scanned, newest)
        while self.held and self.scanned < newest:
            self.scanned += 1
            if self.capture.entry(self.scanned).kind in _CHANGES:
                self.history.keep(self.scanned, self.held.popleft())
        self.scanned = newest
        if is_news and teller is not None:
            for copy in self.attached:
                if copy is not teller:
                    copy.tell_source_captured()

    def show(self, change):
        """Show a change to the capture, as the filter does."""
        self.now_ns += 1 + self.random.randrange(200)
        self.set_clocks()
        first = self.attached[0]
        before = self.capture.newest.sequence
        admission = self.capture.admit(change, self.now_ns)
        if isinstance(admission, Admitted | Waiting | Tracked):
            self.volume.apply(change)
            self.history.live_are(self.now_ns, self.files())
        if isinstance(admission, Waiting):
            self.waiting.append(admission.ticket)
            self.held.append(self.files())
            self.history.has_waited = True
        elif isinstance(admission, Admitted):
            self.scanned = max(self.scanned, admission.sequence)
        first.carry_out_capture()  # what it tells comes before what was admitted
        if isinstance(admission, Admitted):
            assert admission.sequence > before
            self.history.keep(admission.sequence, self.files())
            if change.kind in _TAGS:
                label = b"".join(change.payload).decode()
                tag = Tag(change.kind, label, change.is_pending)
                self.history.tags[admission.sequence] = tag
        self.tell_sources()
        return admission

    def tell_sources(self):
        for copy in self.attached:
            copy.tell_source_captured()

    def decide(self, is_commit):
        """Commit or revoke the oldest tag that is pending, as far as anybody knows."""
        waiting = [
            n for n, tag in self.history.tags.items() if tag.is_pending and tag.decided is None
        ]
        if not waiting:
            return
        sequence = self.random.choice(waiting)
        decide = self.capture.commit_tag if is_commit else self.capture.revoke_tag
        admission = decide(sequence, self.now_ns)
        if isinstance(admission, Admitted) and is_commit:
            self.history.tags[sequence].decided = admission.sequence
        self.tell_sources()

    def change_unseen(self):
        """Change the live files while no capture watches them."""
        self.now_ns += 1 + self.random.randrange(200)
        self.volume.apply(random_change(self.random, self))
        self.history.live_are(self.now_ns, self.files())

    # --- stops of the source --------------------------------------------------------------------

    def stop_host(self):
        """Stop the source without warning: one copy joins its new capture, others part from it."""
        survivor = self.random.choice(list(self.attached))
        for copy in self.attached:
            if copy is not survivor:
                self.part(copy)
        self.incarnation += 1
        self.fanout = None
        for _ in range(self.random.choice((0, 1, 4))):
            self.change_unseen()
        spool = MemoryStorage()
        capture = unbased(
            self.volume,
            self.incarnation,
            settings=self.capture_settings,
            spool=spool,
            epoch=self.epoch,
        )
        self.begin_source(capture, spool)
        self.rejoin(survivor, capture)

    def part(self, copy):
        """Leave a copy as it is: the source feeds it no more."""
        copy.history = self.history.twin()
        copy.is_attached = False
        copy.disconnect()
        copy.settle_target()

    def rejoin(self, copy, capture):
        """Let a copy be fed by another capture, or by a feed of it."""
        copy.capture = capture
        copy.reads.clear()
        copy.answers.clear()
        copy.acknowledged_ever = capture.acknowledged
        copy.crash_source()

    def restart_cleanly(self):
        """Stop the source's host cleanly and start it again."""
        if not self.capture.is_based or self.held:
            return
        self.spool.replace(STATE_FILE, self.capture.save(self.now_ns))
        self.attached[0].carry_out_capture()
        self.scan()
        self.spool_syncs.clear()
        opened = open_capture(
            self.spool,
            group=GROUP,
            epoch=self.epoch,
            incarnation=self.incarnation + 1,
            files={name: len(data) for name, data in self.volume.files.items()},
            settings=self.capture_settings,
        )
        for action in opened.actions:
            self.spool.carry_out(action)
        assert not opened.resync_reason, opened.resync_reason
        self.begin_source(opened.begin(), self.spool)
        if self.fanout:
            self.fanout = Fanout(self.capture, [self.plan(copy.name) for copy in self.attached])
        for copy in self.attached:
            feed = self.fanout.feed(copy.name) if self.fanout else self.capture
            self.rejoin(copy, feed)

    # --- time and steps -------------------------------------------------------------------------

    def set_clocks(self):
        for copy in self.everyone:
            copy.now_ns = self.now_ns

    def step(self):
        """Do one thing that could happen anywhere; return False when all is quiet."""
        copies = list(self.copies.values())
        start = self.choose(len(copies))
        for copy in (*copies[start:], *copies[:start]):
            if copy.step():
                self.watch()
                return True
        return False

    def watch(self):
        """Leave copies that hold too much of the pool back."""
        if self.fanout is None:
            return
        for notice in self.fanout.watch(self.now_ns):
            self.part(self.copies[notice.name])
            self.tally["copies detached"] += 1

    def advance(self):
        """Move the clock to the next time at which anything happens by itself."""
        wakes = [(wake, copy) for copy in self.attached for wake in copy.wakes()]
        if not wakes:
            return False
        wake_ns = min(wake for wake, _ in wakes)
        self.now_ns = max(self.now_ns, wake_ns)
        self.set_clocks()
        for copy in self.attached:
            if any(wake <= self.now_ns for wake in copy.wakes()):
                copy.advance()
        return True

    def run_some(self, count):
        for _ in range(count):
            if not self.step() and not self.advance():
                return

    def converge(self):
        """Let everything heal until every copy that is fed has everything."""
        for _ in range(STEPS_MAX):
            if all(copy.is_converged() for copy in self.attached):
                return
            if self.is_halted:
                self.stop_host()
            if not self.step():
                assert self.advance(), "nothing will ever happen again"
        states = [(copy.name, copy.source.state, copy.target.state) for copy in self.attached]
        raise AssertionError(f"no convergence: {states}")

    # --- looking --------------------------------------------------------------------------------

    def look(self):
        """Check a few sequences and times of every copy."""
        for copy in self.everyone:
            durable = copy.journal.durable.sequence
            low = copy.history.base
            for sequence in {durable, self.random.randrange(low, durable + 2)}:
                copy.look(sequence)
            copy.look_at_bookmarks()
        copy = self.random.choice(self.everyone)
        if self.history.live:
            copy.look_at_time(self.random.randrange(1_000, self.now_ns + 1))
        for trial in list(self.trials):
            trial.check()

    def finish(self):
        """Heal everything, then check every sequence of every copy, also after a power cut."""
        for copy in self.attached:
            copy.is_cut = False
        self.converge()
        for copy in self.attached:
            assert copy.journal.durable == self.capture.newest
            if copy.journal.durable.sequence > copy.history.base:
                latest = copy.points.latest()
                assert copy.history.files_at(latest.sequence) == self.files(), "the live files"
        for copy in self.everyone:
            copy.look_everywhere()
            copy.settle_target()
            copy.crash_target(lambda: "cut")
            copy.settle_target()
            copy.look_everywhere()
        for trial in list(self.trials):
            trial.check()
