"""A resync of which 1 % is changed, beside rsync of the same files in the same run.

Each has a process for each end, on one disk, and ends when all is synced; rsync is told to work as
it does over a line (`--no-whole-file`). Two lines: one without a limit, where the processors decide
(rsync hashes with XXH3, this with SHA-256), and one of 4 Mbit/s, where the bytes do.
Run with `pytest --benchmark-only tests/engine/resync`.
"""

import os
import re
import select
import shutil
import socket
import subprocess
import time
from collections import deque
from multiprocessing import get_context
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
SETTINGS = SessionSettings(resync=ResyncSettings(policy="automatic"))
#: 4 Mbit/s, as rsync counts it: 500 KiB per second.
LINE_KIB_S = 500


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


class Line:
    """One end of a stream.

    Neither end waits for ever in `send`: what a target answers to all that can be asked of it at a
    time fits into the buffers of the socket.
    """

    def __init__(self, end, kib_s):
        self.end = end
        self.kib_s = kib_s
        self.byte_count = 0

    def receive(self, timeout_s=None):
        """Return what has arrived, b"" at the end of the stream, None when nothing came."""
        ready, _, _ = select.select([self.end], [], [], timeout_s)
        if not ready:
            return None
        data = self.end.recv(1 << 20)
        self.byte_count += len(data)
        return data

    def send(self, data):
        self.byte_count += len(data)
        if self.kib_s:
            time.sleep(len(data) / (self.kib_s << 10))
        self.end.sendall(data)


def serve_target(path, end, kib_s):
    """Be the target, in a process of its own, until the source hangs up."""
    line, directory = Line(end, kib_s), JournalDirectory(path)
    opened = open_journal(directory, group=GROUP)
    target, todo = TargetSession(opened.journal, SETTINGS), deque(opened.actions)
    todo += target.handle(events.Connected(1), time.monotonic_ns())
    while True:
        while todo:
            action = todo.popleft()
            if isinstance(action, actions.SendBytes):
                line.send(action.data)
            for done in directory.carry_out([action]):
                todo += target.handle(done, time.monotonic_ns())
        if not (data := line.receive()):
            return
        todo += target.handle(events.BytesReceived(1, data), time.monotonic_ns())


class Source:
    """The source of a resync in this process, its target in another one."""

    def __init__(self, files, path, incarnation, kib_s=0):
        self.files = files
        self.capture = Capture.unbased(
            group=GROUP, epoch=EPOCH, incarnation=incarnation, files=files.sizes()
        )
        self.session = SourceSession(self.capture, SETTINGS)
        ours, theirs = socket.socketpair()
        self.target = get_context("fork").Process(target=serve_target, args=(path, theirs, kib_s))
        self.target.start()
        theirs.close()
        self.line = Line(ours, kib_s)
        self.wake_ns = 0

    def resync(self):
        """Run until the target has all durably; return the bytes on the wire from the source."""
        todo = deque(self._tell(events.Started()))
        while not self._is_done():
            while todo:
                todo += self._carry_out(todo.popleft())
            wait_s = max(self.wake_ns - time.monotonic_ns(), 0) / 1e9
            data = self.line.receive(wait_s)
            todo += self._tell(events.BytesReceived(1, data) if data else events.TimerFired())
        self.line.end.shutdown(socket.SHUT_RDWR)
        self.target.join()
        self.line.end.close()
        return self.line.byte_count

    def _is_done(self):
        capture = self.capture
        is_joined = capture.is_based and not capture.is_in_gap
        return is_joined and capture.acknowledged == capture.newest

    def _tell(self, event):
        return self.session.handle(event, time.monotonic_ns())

    def _carry_out(self, action):
        if isinstance(action, actions.OpenConnection):
            return self._tell(events.Connected(1))
        if isinstance(action, actions.ReadSource):
            return self._tell(self.files.answer(action))
        if isinstance(action, actions.SendBytes):
            self.line.send(action.data)
        elif isinstance(action, actions.WakeAt):
            self.wake_ns = action.time_ns
        return []


def make_files(path):
    path.mkdir()
    for number in range(FILE_COUNT):
        (path / f"file{number}").write_bytes(Random(number).randbytes(FILE_BYTES))
    return LiveFiles(path)


def seconds_of(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def check_image(path, source):
    directory = JournalDirectory(path)
    opened = open_journal(directory, group=GROUP)
    for done in directory.carry_out(opened.actions):
        opened.journal.sync_done(done.token)
    image = Image(opened.journal, opened.journal.durable.sequence)
    for file in sorted(source.iterdir()):
        assert image.read(file.name, 0, FILE_BYTES) == file.read_bytes()
    directory.close()


def rsync(source, target, *options):
    """Return the bytes that rsync sent and received."""
    command = ["rsync", "-a", "--no-whole-file", "--fsync", "--stats", *options]
    done = subprocess.run(
        [*command, f"{source}/", f"{target}/"], check=True, capture_output=True, text=True
    )
    told = re.findall(r"^Total bytes (?:sent|received): ([\d,]+)", done.stdout, re.MULTILINE)
    return sum(int(count.replace(",", "")) for count in told)


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_a_resync_of_one_percent_is_faster_than_rsync_of_the_same_files(
    benchmark, tmp_path, figure
):
    source, journal, copy = tmp_path / "source", tmp_path / "journal", tmp_path / "rsynced"
    files = make_files(source)
    journal.mkdir()
    shutil.copytree(source, copy)
    first_s, _ = seconds_of(Source(files, journal, 1).resync)
    for number, name, kib_s in ((2, "no limit", 0), (3, "4 Mbit/s", LINE_KIB_S)):
        files.change(Random(number))
        os.sync()
        resync = Source(files, journal, number, kib_s).resync
        if kib_s:
            ours_s, our_bytes = seconds_of(lambda run=resync: benchmark.pedantic(run, rounds=1))
        else:
            ours_s, our_bytes = seconds_of(resync)
        check_image(journal, source)
        theirs_s, their_bytes = seconds_of(
            lambda limit=kib_s: rsync(source, copy, f"--bwlimit={limit}")
        )
        figure(
            f"256 MiB, 1 % changed in 4 KiB blocks, {name}: resync {ours_s:.2f} s "
            f"({our_bytes / MIB:.1f} MiB both ways), rsync {theirs_s:.2f} s "
            f"({their_bytes / MIB:.1f} MiB)"
        )
        assert our_bytes < their_bytes
    figure(f"first copy of 256 MiB: {first_s:.1f} s")
    assert ours_s < theirs_s, "on a line with a limit"
