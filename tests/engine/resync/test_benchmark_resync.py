"""A resync of which 1 % is changed, beside rsync of the same files in the same run.

Both ends are in one process and on one disk; the journal's syncs are real. rsync is told to work
as it does over a line (`--no-whole-file`): it compares, and sends what differs.
Run with `pytest --benchmark-only tests/engine/resync`.
"""

import os
import shutil
import subprocess
import time
from random import Random

import pytest
from engine_model import EPOCH, GROUP

from engine import (
    Capture,
    Image,
    ResyncSettings,
    SessionSettings,
    SourceSession,
    TargetSession,
    actions,
    events,
    open_journal,
)
from engine.live import JournalDirectory

MIB = 1 << 20
FILE_COUNT = 4
FILE_BYTES = 64 * MIB
BLOCK = 4_096
CHANGED_SHARE = 0.01
SETTINGS = SessionSettings(resync=ResyncSettings(policy="automatic"), batch_linger_ns=0)


class LiveFiles:
    """A directory of files, read as a driver of the live source would."""

    def __init__(self, path):
        self.path = path
        self.descriptors = {each.name: os.open(each, os.O_RDWR) for each in sorted(path.iterdir())}

    def sizes(self):
        return {name: os.fstat(each).st_size for name, each in self.descriptors.items()}

    def answer(self, read):
        data = os.pread(self.descriptors[read.file], read.length, read.offset)
        return events.SourceRead(read.token, (data,))

    def change(self, random):
        """Write so many random blocks, anywhere."""
        for _ in range(int(FILE_COUNT * FILE_BYTES * CHANGED_SHARE) // BLOCK):
            descriptor = self.descriptors[random.choice(list(self.descriptors))]
            offset = random.randrange(FILE_BYTES // BLOCK) * BLOCK
            os.pwrite(descriptor, random.randbytes(BLOCK), offset)


class BothEnds:
    """A source session on live files, a target on a directory, joined by function calls."""

    def __init__(self, files, directory, incarnation):
        self.files, self.directory = files, directory
        self.capture = Capture.unbased(
            group=GROUP, epoch=EPOCH, incarnation=incarnation, files=files.sizes()
        )
        self.source = SourceSession(self.capture, SETTINGS)
        opened = open_journal(directory, group=GROUP)
        self.target = TargetSession(opened.journal, SETTINGS)
        self.wire_bytes = 0
        for done in directory.carry_out(opened.actions):
            self.target.handle(done, 0)

    def resync(self):
        """Run until the target has all; return the bytes on the wire, both ways."""
        self.target.handle(events.Connected(1), 0)
        todo = self.source.handle(events.Started(), 0)
        while todo:
            action, *todo = todo
            if isinstance(action, actions.OpenConnection):
                todo += self.source.handle(events.Connected(1), 0)
            elif isinstance(action, actions.ReadSource):
                todo += self.source.handle(self.files.answer(action), 0)
            elif isinstance(action, actions.SendBytes):
                todo += self._at_target(action.data)
        assert self.capture.is_based
        assert not self.capture.is_in_gap
        assert self.capture.acknowledged == self.capture.newest
        return self.wire_bytes

    def _at_target(self, data):
        self.wire_bytes += len(data)
        back, given = [], self.target.handle(events.BytesReceived(1, data), 0)
        while given:
            for action in given:
                if isinstance(action, actions.SendBytes):
                    self.wire_bytes += len(action.data)
                    back += self.source.handle(events.BytesReceived(1, action.data), 0)
            done = self.directory.carry_out(given)
            given = [action for each in done for action in self.target.handle(each, 0)]
        return back


def make_files(path):
    path.mkdir()
    for number in range(FILE_COUNT):
        (path / f"file{number}").write_bytes(Random(number).randbytes(FILE_BYTES))
    return LiveFiles(path)


def seconds_of(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def rsync(source, target, *options):
    command = ["rsync", "-a", "--inplace", *options, "--stats", f"{source}/", f"{target}/"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.benchmark
@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_a_resync_of_one_percent_is_faster_than_rsync_of_the_same_files(tmp_path, figure):
    files, journal_path = make_files(tmp_path / "source"), tmp_path / "journal"
    journal_path.mkdir()
    shutil.copytree(tmp_path / "source", tmp_path / "rsynced")
    directory = JournalDirectory(journal_path)
    first_s, _ = seconds_of(BothEnds(files, directory, 1).resync)
    files.change(Random(99))
    ends = BothEnds(files, directory, 2)
    ours_s, wire_bytes = seconds_of(ends.resync)
    journal = ends.target.journal
    image = Image(journal, journal.durable.sequence)
    for name in files.descriptors:
        assert image.read(name, 0, FILE_BYTES) == (tmp_path / "source" / name).read_bytes()
    theirs_s, told = seconds_of(
        lambda: rsync(tmp_path / "source", tmp_path / "rsynced", "--no-whole-file")
    )
    directory.close()
    literal = next(line for line in told.splitlines() if line.startswith("Literal data"))
    figure(
        f"256 MiB, 1 % changed: resync {ours_s:.2f} s and {wire_bytes / MIB:.1f} MiB on the wire, "
        f"rsync {theirs_s:.2f} s ({literal}); first copy {first_s:.1f} s"
    )
    assert ours_s < theirs_s
