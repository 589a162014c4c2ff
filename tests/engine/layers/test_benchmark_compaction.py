"""What layers cost: bytes read and written beside those that came in, and how fast it goes.

Run with `pytest --benchmark-only tests/engine/layers`.
"""

import time
from random import Random

import pytest
from engine_model import EPOCH, GROUP, INCARNATION, create, write

from engine import Capture, CaptureSettings, JournalSettings, open_journal
from engine.basics.settings import LayerSettings
from engine.contract.actions import AppendFile
from engine.layers.keeper import LayerKeeper
from engine.live import JournalDirectory

MIB = 1 << 20
FILE_BYTES = 32 * MIB
WRITTEN_BYTES = 128 * MIB
SETTINGS = JournalSettings(segment_bytes_max=8 * MIB)


class CountingDirectory(JournalDirectory):
    """A directory that counts what is read of it and appended to it."""

    def __init__(self, path):
        super().__init__(path)
        self.read_bytes = self.append_bytes = 0

    def read(self, name, offset, length):
        data = super().read(name, offset, length)
        self.read_bytes += len(data)
        return data

    def carry_out(self, actions):
        actions = list(actions)
        self.append_bytes += sum(
            len(part) for a in actions if isinstance(a, AppendFile) for part in a.parts
        )
        return super().carry_out(actions)

    def settle(self, actions, sync_done):
        while actions:
            done = self.carry_out(actions)
            actions = [action for each in done for action in sync_done(each.token)]


def filled(path, write_bytes):
    """Return a journal of random overwrites, of bytes that do not shrink."""
    directory, random = CountingDirectory(path), Random(5)
    journal = open_journal(directory, group=GROUP, settings=SETTINGS).journal
    journal.adopt(EPOCH, INCARNATION)
    settings = CaptureSettings(pool_bytes_max=1 << 40, compression_level=None)
    capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION, settings=settings)
    capture.admit(create("a"), 0)
    for number in range(WRITTEN_BYTES // write_bytes):
        page = random.randrange(FILE_BYTES // write_bytes)
        change = write("a", page * write_bytes, random.randbytes(write_bytes))
        capture.admit(change, number)
        if not number % 64:
            ship(capture, journal, directory)
    ship(capture, journal, directory)
    return directory, journal


def ship(capture, journal, directory):
    numbers = range(capture.oldest_sequence, capture.newest.sequence + 1)
    records = b"".join([capture.entry(n).record for n in numbers])
    directory.settle(journal.ingest(records), journal.sync_done)
    capture.acknowledge(journal.durable, 0)


@pytest.mark.parametrize("write_kib", [8, 64])
def test_layers_are_written_and_read_a_bounded_number_of_times(
    benchmark, tmp_path, figure, write_kib
):
    """A file of 32 MiB written four times over; 16 segments become deltas and images."""
    directory, journal = filled(tmp_path, write_kib << 10)
    directory.settle(journal.seal(), journal.sync_done)
    came_bytes = directory.append_bytes
    directory.read_bytes = directory.append_bytes = 0
    keeper = LayerKeeper(journal, LayerSettings())
    seconds = []

    def work():
        began = time.perf_counter()
        while not keeper.is_idle:
            directory.settle(keeper.step(), keeper.sync_done)
        seconds.append(time.perf_counter() - began)

    benchmark.pedantic(work, rounds=1)
    assert keeper.failure is None
    wrote, read = directory.append_bytes, directory.read_bytes
    figure(
        f"{came_bytes / MIB:.0f} MiB of {write_kib} KiB writes: layers read {read / MIB:.0f} MiB "
        f"({read / came_bytes:.2f} a byte), wrote {wrote / MIB:.0f} MiB "
        f"({wrote / came_bytes:.2f}), {wrote / seconds[0] / MIB:.0f} MiB/s written"
    )
    assert wrote < 4 * came_bytes
    assert read < 6 * came_bytes
    directory.close()
