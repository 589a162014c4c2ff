"""Capture, both sessions and a journal in a real directory, joined by function calls."""

from engine_model import EPOCH, GROUP, INCARNATION, create

from engine import (
    Capture,
    CaptureSettings,
    SourceSession,
    TargetSession,
    actions,
    events,
    open_journal,
)
from engine.contract.actions import FileAction
from engine.live import JournalDirectory

FILE = "db/a"


def capture_of(**settings):
    """Return a capture of one file, whose pool is as large as one likes."""
    settings = {"pool_bytes_max": 1 << 40} | settings
    capture = Capture(
        group=GROUP,
        epoch=EPOCH,
        incarnation=INCARNATION,
        settings=CaptureSettings(**settings),
    )
    capture.admit(create(FILE), 0)
    return capture


class WholePath:
    """Both ends joined by function calls, a real directory behind the target.

    Args:
        path: An empty directory.
        journal_settings: Bounds of the journal.
        capture: What is captured from.
    """

    def __init__(self, path, journal_settings=None, capture=None):
        self.capture = capture or capture_of()
        self.directory = JournalDirectory(path)
        self.source = SourceSession(self.capture)
        opening = open_journal(self.directory, group=GROUP, settings=journal_settings)
        self.journal = opening.journal
        self.target = TargetSession(self.journal)
        self.now_ns = self.line_bytes = 0
        self.target.handle(events.Connected(1), 0)
        self.settle(self.source.handle(events.Started(), 0))

    def write(self, change):
        admission = self.capture.admit(change, self.now_ns)
        self.settle(self.source.handle(events.Captured(), self.now_ns))
        return admission

    def pass_time(self, until_ns=None):
        self.now_ns = until_ns or self.now_ns + 10_000_000
        self.settle(self.source.handle(events.TimerFired(), self.now_ns))
        self.at_target(events.TimerFired())

    def settle(self, given):
        """Carry out what the source wants, and whatever follows from it."""
        while given:
            back = []
            for action in given:
                if isinstance(action, actions.OpenConnection):
                    back += self.source.handle(events.Connected(1), self.now_ns)
                elif isinstance(action, actions.SendBytes):
                    self.line_bytes += len(action.data)
                    back += self.at_target(events.BytesReceived(1, action.data))
            given = back

    def at_target(self, event):
        """Give the target an event; return what the source does about its answers."""
        back, given = [], self.target.handle(event, self.now_ns)
        while given:
            for reply in given:
                if isinstance(reply, actions.SendBytes):
                    back += self.source.handle(events.BytesReceived(1, reply.data), self.now_ns)
            done = self.directory.carry_out(given)
            given = [a for told in done for a in self.target.handle(told, self.now_ns)]
        return back

    def work(self, keeper):
        """Let a keeper of layers do all that there is to do."""
        while not keeper.is_idle:
            given = keeper.step()
            while given:
                assert all(isinstance(action, FileAction) for action in given)
                done = self.directory.carry_out(given)
                given = [a for told in done for a in keeper.sync_done(told.token)]
        assert keeper.failure is None, keeper.failure
