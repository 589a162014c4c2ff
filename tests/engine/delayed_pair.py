"""Both ends of a session with a line between them that takes time, and the copy's health.

An event loop on a heap: what is sent arrives after `delay_ns`, and after what the line's rate
makes of its length. The disk of the copy takes no time, so that the analytic figures are exact.
"""

from heapq import heappop, heappush

from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, opened

from engine import Capture, Refused, SourceSession, TargetSession, actions, events
from engine.health.copy import CopyHealth
from engine.health.source import SourceHealth

SECOND = 1_000_000_000


class DelayedPair:
    """A source, a line, a copy, and its health.

    Args:
        delay_ns: How long the line is.
        bytes_per_s: How wide it is; None for as wide as one likes.
    """

    def __init__(
        self,
        delay_ns,
        *,
        session_settings,
        capture_settings,
        health_settings,
        bytes_per_s=None,
    ):
        self.delay_ns = delay_ns
        self.bytes_per_s = bytes_per_s
        self.now_ns = 0
        self.is_up = True
        self.told = []
        self.heap: list = []
        self.count = 0
        self.connection = 0
        self.free_at_ns = {"source": 0, "target": 0}
        self.wake_ns: dict = {"source": None, "target": None}
        self.capture = Capture(
            group=GROUP, epoch=EPOCH, incarnation=INCARNATION, settings=capture_settings
        )
        self.storage = MemoryStorage()
        self.journal = opened(self.storage)
        self.target = TargetSession(self.journal, session_settings)
        self.source = SourceSession(self.capture, session_settings)
        self.source_health = SourceHealth(self.capture, 0)
        self.source_health.attach(self.source, 0)
        self.health = CopyHealth(self.target, 0, health_settings, source=self.source_health)
        self.give("source", events.Started())

    # --- the loop -------------------------------------------------------------------------------

    def at(self, time_ns, function, *arguments):
        self.count += 1
        heappush(self.heap, (time_ns, self.count, function, arguments))

    def run(self, until_ns):
        """Let everything happen up to a time."""
        while self.heap and self.heap[0][0] <= until_ns:
            self.now_ns, _, function, arguments = heappop(self.heap)
            function(*arguments)
        self.now_ns = until_ns

    def tick_every(self, interval_ns, until_ns):
        """Look for alarms every so often."""
        for time_ns in range(self.now_ns, until_ns, interval_ns):
            self.at(time_ns, self.tick)

    def tick(self):
        self.told += self.health.tick(self.now_ns)

    # --- what happens ---------------------------------------------------------------------------

    def show(self, change):
        admission = self.capture.admit(change, self.now_ns)
        self.give("source", events.Captured())
        return admission

    def bookmark(self, change, *, is_good=True):
        """Make a two-phase tag; a bad one is revoked at once."""
        admission = self.show(change)
        if not isinstance(admission, Refused):
            decide = self.capture.commit_tag if is_good else self.capture.revoke_tag
            decide(admission.sequence, self.now_ns)
            self.give("source", events.Captured())

    def cut(self):
        """Cut the line; what is under way is lost."""
        self.is_up = False
        number, self.connection = self.connection, 0
        self.give("source", events.Disconnected(number))
        self.give("target", events.Disconnected(number))

    def mend(self):
        self.is_up = True

    # --- both ends ------------------------------------------------------------------------------

    def give(self, end, event):
        session = getattr(self, end)
        for action in session.handle(event, self.now_ns):
            self.carry_out(end, action)
        if end == "source":
            self.source_health.observe(self.now_ns)
        else:
            self.health.observe(self.now_ns)

    def carry_out(self, end, action):
        if isinstance(action, actions.OpenConnection):
            self.at(self.now_ns + self.delay_ns, self.connect, action.connection)
        elif isinstance(action, actions.SendBytes):
            self.send(end, action)
        elif isinstance(action, actions.WakeAt):
            time_ns = self.wake_ns[end] = max(action.time_ns, self.now_ns)
            self.at(time_ns, self.wake, end, time_ns)
        elif isinstance(action, actions.SyncFile):
            self.storage.sync(action.name, len(self.storage.unsynced.get(action.name, [])))
            self.at(self.now_ns, self.give, end, events.SyncDone(action.token))
        elif isinstance(action, actions.Notify):
            self.told += self.health.notice(action.notice, self.now_ns)
        elif isinstance(action, actions.ReleaseWriters):
            self.capture.take_released()
        elif end == "target":
            self.storage.carry_out(action)

    def wake(self, end, time_ns):
        """Fire the timer, unless another WakeAt has replaced this one."""
        if self.wake_ns[end] == time_ns:
            self.wake_ns[end] = None
            self.give(end, events.TimerFired())

    def connect(self, number):
        if not self.is_up:
            self.give("source", events.ConnectFailed(number, "the line is cut"))
            return
        self.connection = number
        self.free_at_ns = dict.fromkeys(self.free_at_ns, self.now_ns)
        self.give("target", events.Connected(number))
        self.give("source", events.Connected(number))

    def send(self, end, action):
        if not self.is_up or action.connection != self.connection:
            return
        free_at_ns = max(self.now_ns, self.free_at_ns[end])
        if self.bytes_per_s is not None:
            free_at_ns += action.raw_bytes * SECOND // self.bytes_per_s
        self.free_at_ns[end] = free_at_ns
        other = "target" if end == "source" else "source"
        self.at(free_at_ns + self.delay_ns, self.deliver, other, action.connection, action.data)

    def deliver(self, end, number, data):
        if self.is_up and number == self.connection:
            self.give(end, events.BytesReceived(number, data))
