"""Outages in numbers: what protection.md 5 says of spool and link, measured on the real capture.

Writers change `CHURN` bytes a second; the link takes `BANDWIDTH`. Both count raw bytes, as every
bound does. The target is the plainest one: what the link took is acknowledged.
"""

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, MemoryStorage, create, write

from engine import Capture, CaptureMode, CaptureSettings, actions, events
from engine.basics.cursor import Cursor
from engine.formats.records import HEADER_BYTES

SECOND_NS = 1_000_000_000
STEP_NS = SECOND_NS // 128
BLOCK_BYTES = 4_096
COST_BYTES = BLOCK_BYTES + HEADER_BYTES
WRITES_PER_STEP = 2
CHURN = WRITES_PER_STEP * 128 * COST_BYTES
BANDWIDTH = 4 * CHURN
SPOOL_BYTES = 12 * CHURN
SETTINGS = CaptureSettings(
    pool_bytes_max=CHURN // 8, overflow="spill", spool_bytes_max=SPOOL_BYTES, compression_level=None
)


class World:
    """Writers, a capture, a disk for its spool, and a link, in steps of 1/128 s."""

    def __init__(self):
        self.spool = MemoryStorage()
        self.capture = Capture(
            group=GROUP,
            epoch=EPOCH,
            incarnation=INCARNATION,
            settings=SETTINGS,
            storage=self.spool,
        )
        self.now_ns = self.writes = self.budget = 0
        self.closed_at_ns = None
        self.capture.admit(create("db/a"), 0)

    def step(self, *, is_up):
        self.now_ns += STEP_NS
        for _ in range(WRITES_PER_STEP):
            # No two writes touch, or a drain would have less to send than was written.
            self.capture.admit(
                write("db/a", self.writes * 2 * BLOCK_BYTES, BLOCK_BYTES), self.now_ns
            )
            self.writes += 1
        self.write_spool()
        if is_up:
            self.transfer()

    def write_spool(self):
        todo = self.capture.take_actions()
        while todo:
            action = todo.pop(0)
            if isinstance(action, actions.SyncFile):
                self.capture.spool_written(action.token, self.now_ns)
                todo += self.capture.take_actions()
            elif isinstance(action, actions.DeleteFile):
                self.spool.delete(action.name)
            elif not isinstance(action, actions.Notify):
                self.spool.carry_out(action)
            elif isinstance(action.notice, actions.GapClosed):
                self.closed_at_ns = self.now_ns

    def transfer(self):
        capture = self.capture
        self.budget += BANDWIDTH * STEP_NS // SECOND_NS
        while True:
            for read in capture.wants_reads(self.now_ns):
                capture.source_read(events.SourceRead(read.token, (read.length,)), self.now_ns)
            self.write_spool()
            sequence = capture.acknowledged.sequence + 1
            if sequence > capture.sendable_sequence:
                self.budget = 0  # an idle link saves nothing up
                return
            entry = capture.entry(sequence)
            if entry.cost_bytes > self.budget:
                return
            self.budget -= entry.cost_bytes
            capture.acknowledge(Cursor(EPOCH, sequence, entry.chain), self.now_ns)

    @property
    def is_behind(self):
        return self.capture.acknowledged != self.capture.newest or self.capture.is_in_gap


def outage(seconds):
    """Let the link be down for so long, then up until nothing is left; return the catch-up in s."""
    world = World()
    for _ in range(128):
        world.step(is_up=True)
    assert not world.is_behind
    for _ in range(round(seconds * 128)):
        world.step(is_up=False)
    up_ns = world.now_ns
    while world.is_behind:
        world.step(is_up=True)
    return world, (world.now_ns - up_ns) / SECOND_NS


ROOM_S = (SPOOL_BYTES + SETTINGS.pool_bytes_max) / CHURN


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98, 1.02, 1.1, 2.0])
def test_order_is_kept_if_and_only_if_churn_times_outage_fits_the_spool(share, figure):
    world, _ = outage(share * ROOM_S)
    figures = world.capture.figures(world.now_ns)
    assert (figures.gap_count == 0) == (share < 1)
    assert CaptureMode.SPOOL in figures.mode_ns
    figure(f"outage of {share:.0%} of the spool: {figures.gap_count} gaps")


@pytest.mark.parametrize("share", [0.5, 0.98, 1.5])
def test_the_catch_up_takes_churn_times_outage_by_what_the_link_has_to_spare(share, figure):
    seconds = share * ROOM_S
    world, catch_up_s = outage(seconds)
    expected_s = CHURN * seconds / (BANDWIDTH - CHURN)
    assert catch_up_s == pytest.approx(expected_s, rel=0.02)
    mode = "in order" if share < 1 else "through a gap"
    figure(f"outage {seconds:.2f} s, {mode}: caught up in {catch_up_s:.2f} of {expected_s:.2f} s")
    assert (world.closed_at_ns is None) == (share < 1)
