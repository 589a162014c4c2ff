"""Copies and their one authority in memory: promoted one action at a time, crashed anywhere."""

from collections import deque

from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, RecordStream, opened, settle

from engine import RecordType, actions, events
from engine.basics.settings import FailoverSettings
from engine.contract import promotions as fo
from engine.failover.authority import REGISTER_FILE, Witness, first_grant
from engine.failover.branches import open_branch
from engine.failover.promotion import Promotion
from engine.failover.states import PromotionState
from engine.formats.register import encode_register

SOURCE, COPY, SISTER = 1, 2, 3
QUICK = FailoverSettings(
    ask_timeout_ns=10_000,
    ask_retry_ns=1_000,
    drain_timeout_ns=20_000,
    commit_timeout_ns=50_000,
    source_timeout_ns=30_000,
    lease_ns=8_000,
    lease_margin_ns=500,
)


class Place:
    """Where the witness stands: its storage, and whether anybody reaches it."""

    def __init__(self, settings=QUICK):
        self.storage = MemoryStorage()
        register = first_grant(GROUP, SOURCE, 0)
        for epoch in range(2, EPOCH + 1):
            register = register.granting(register.newest._replace(epoch=epoch))
        self.storage.replace(REGISTER_FILE, encode_register(register))
        self.settings = settings
        self.is_reachable = True
        self.answers_to_lose = 0
        self.start(0)

    def start(self, now_ns):
        self.witness = Witness(self.storage, group=GROUP, settings=self.settings, now_ns=now_ns)

    @property
    def register(self):
        return self.witness.register

    def ask(self, asked, now_ns):
        """Return the answer; nothing where it is lost on its way."""
        if not self.is_reachable:
            return [fo.RegisterUnreachable(asked.token, "no route to the witness")]
        if isinstance(asked, fo.ReadRegister):
            answer = self.witness.read(asked)
        else:
            given, answer = self.witness.swap(asked, now_ns)
            for action in given:
                self.storage.carry_out(action)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            return []
        return [answer]


def journal_with(storage, *kinds):
    """Return a journal with a file and such records in it, all durable."""
    journal = opened(storage)
    journal.adopt(EPOCH, INCARNATION)
    stream = RecordStream()
    stream.add(RecordType.CREATE, b"db", file=1)
    for number, kind in enumerate(kinds):
        if kind == RecordType.WRITE:
            stream.add(kind, b"x%d" % number, file=1, offset=number)
        else:
            stream.add(kind)
    settle(journal, storage, journal.ingest(b"".join(stream.records)))
    return journal


WRITES = (RecordType.WRITE,) * 4


class Copy:
    """A copy with its journal; drives its promotion and checks what must hold at each action.

    Args:
        place: The authority.
        kinds: The records after the first, if the journal is to be made.
        storage: A journal that is there.
    """

    def __init__(self, place, kinds=WRITES, *, storage=None, holder=COPY, settings=QUICK):
        self.place = place
        self.storage = storage or MemoryStorage()
        if storage is None:
            journal_with(self.storage, *kinds)
        self.holder = holder
        self.settings = settings
        self.now_ns = 1_000
        self.requests = holder * 1_000
        self.steps = 0
        self.notices = []
        self.branches = MemoryStorage()
        self.branch = None
        self.at_step = lambda _: None
        self.is_quiesced = False
        self.detector = self.lease = None
        self.start()

    def start(self):
        self.requests += 1
        self.journal = self.open_journal()
        self.promotion = Promotion(
            self.storage,
            self.journal,
            holder=self.holder,
            request=self.requests,
            settings=self.settings,
            detector=self.detector,
            lease=self.lease,
        )
        self.is_held = False
        self.fenced_by = self.promotion.fenced_by
        self.writes_in = None
        self.wake_ns = None
        self.answers = deque()
        self.actions = deque(self.promotion.begin(self.now_ns))

    def open_journal(self):
        return opened(self.storage)

    @property
    def state(self):
        return self.promotion.state

    def tell(self, event):
        self.actions += self.promotion.handle(event, self.now_ns)
        self.check()

    def check(self):
        """What the promotion believes, the register bears out."""
        promotion, register = self.promotion, self.place.register
        if promotion.state in (PromotionState.PROMOTED, PromotionState.COMMITTED):
            record = promotion.record
            grants = {grant.epoch: grant for grant in register.grants}
            assert record.epoch in grants, "an epoch that nobody granted"
            assert grants[record.epoch].holder == self.holder, "another copy's epoch"

    def step(self):
        if self.actions:
            self._carry_out(self.actions.popleft())
        elif self.answers:
            self.tell(self.answers.popleft())
        else:
            return False
        self.steps += 1
        self.at_step(self)
        return True

    def run(self, until=lambda _: False, steps_max=400):
        """Step, and let time pass when all is quiet, until nothing is planned any more."""
        for _ in range(steps_max):
            if until(self):
                return
            if self.step():
                continue
            if self.wake_ns is None:
                return
            self.now_ns, self.wake_ns = max(self.now_ns, self.wake_ns), None
            self.tell(events.TimerFired())
        raise AssertionError(f"no end: {self.state}")

    def settle(self):
        """Step without letting time pass."""
        while self.step():
            pass

    def _carry_out(self, action):
        if isinstance(action, fo.ReadRegister | fo.SwapRegister):
            self.answers += self.place.ask(action, self.now_ns)
        elif isinstance(action, fo.HoldSource | fo.ReleaseSource):
            self.is_held = isinstance(action, fo.HoldSource)
        elif isinstance(action, fo.FenceSource):
            self.fenced_by = action.epoch
        elif isinstance(action, fo.BeginBranch):
            self._begin_branch(action)
        elif isinstance(action, fo.StopWriters):
            self.writes_in = None
        elif isinstance(action, fo.QuiesceSource | fo.ResumeSource):
            self._quiesce(action)
        elif isinstance(action, fo.Announce):
            self.notices.append(action.notice)
        elif isinstance(action, actions.WakeAt):
            self.wake_ns = action.time_ns
        else:
            self.storage.carry_out(action)

    def _quiesce(self, action):
        self.is_quiesced = isinstance(action, fo.QuiesceSource)
        if self.is_quiesced:
            self.answers.append(fo.SourceQuiesced(self.quiesced_at()))

    def quiesced_at(self):
        return self.journal.received

    def _begin_branch(self, action):
        newest = self.place.register.newest
        assert newest.epoch == action.epoch, "a branch of an epoch that is not the newest"
        assert newest.holder == self.holder, "a branch of another copy's epoch"
        assert self.fenced_by == action.epoch, "the old source is fenced first"
        self.writes_in = action.epoch
        result = open_branch(self.branches, self.journal, action.base)
        settle(result.journal, self.branches, result.actions)
        self.branch = result.journal

    def told(self, kind):
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def errors(self):
        return [type(notice.error) for notice in self.told(fo.PromotionFailed)]


def points_until_found(histories):
    """Return at which of the histories, counted from 1, a planted bug is noticed."""
    points = 1
    try:
        for _ in histories:
            points += 1
    except (AssertionError, KeyError):
        return points
    raise AssertionError("not found")
