"""Capture, frames and journal together beside a plain append of the same bytes, in turns.

In turns, because a disk's mood changes from second to second: each round first appends the writes
to one plain file, with as many syncs, evenly spread, and then sends them the whole way; what is
told are medians, and the median of the rounds' ratios. The bytes do not shrink, so that both write
equally many. Run with `pytest --benchmark-only tests/engine/test_benchmark_whole_path.py`.

What the floor does not do: two checksums of each byte (at the capture, at the target), a copy of
each into its frame (in life that of the line), and what each record costs in the interpreter.
"""

import os
import time
from itertools import count
from statistics import median

import pytest
from engine_model import write
from engine_whole_path import WholePath
from isal.isal_zlib import crc32

KIB = 1 << 10
ROUNDS = 15
TOTAL_BYTES = 32 << 20


@pytest.fixture(scope="module")
def incompressible():
    return os.urandom(TOTAL_BYTES)


class Stopwatch:
    """Counts the calls of functions of `os`, and the seconds that they take."""

    def __init__(self, patch, *names):
        self.seconds = dict.fromkeys(names, 0.0)
        self.calls = dict.fromkeys(names, 0)
        for name in names:
            patch.setattr(os, name, self._timed(name, getattr(os, name)))

    def _timed(self, name, function):
        def call(*arguments):
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds[name] += time.perf_counter() - began
                self.calls[name] += 1

        return call


def seconds_of(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def ship(whole, writes):
    """Write as fast as it goes in, until all is acknowledged."""
    for number, data in enumerate(writes):
        whole.write(write("db/a", number * len(data), data))
    whole.pass_time()
    whole.directory.close()
    assert whole.capture.acknowledged == whole.capture.newest
    assert whole.capture.newest.sequence > len(writes)


def append(path, writes, sync_count):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for number, data in enumerate(writes):
        os.write(descriptor, data)
        done, due = (n * sync_count // len(writes) for n in (number, number + 1))
        for _ in range(due - done):
            os.fsync(descriptor)
    os.close(descriptor)


class Rounds:
    """Rounds of both, and what each took."""

    def __init__(self, path, writes, monkeypatch):
        self.path, self.writes, self.monkeypatch = path, writes, monkeypatch
        self.numbers = count()
        self.floor_s, self.whole_s, self.parts_s = [], [], []
        self.sync_count = 0
        self.round()  # tells how many syncs there are
        self.floor_s, self.whole_s, self.parts_s = [], [], []

    def round(self):
        number = next(self.numbers)
        (path := self.path / str(number)).mkdir()
        plain = path / "plain"
        with self.monkeypatch.context() as patch:
            watch = Stopwatch(patch, "fsync")
            self.floor_s.append(seconds_of(lambda: append(plain, self.writes, self.sync_count)))
            assert watch.calls["fsync"] == self.sync_count
        plain.unlink()
        (path / "journal").mkdir()
        whole = WholePath(path / "journal")
        with self.monkeypatch.context() as patch:
            watch = Stopwatch(patch, "fsync", "pwritev")
            self.whole_s.append(seconds_of(lambda: ship(whole, self.writes)))
            self.parts_s.append(watch.seconds)
            self.sync_count = watch.calls["fsync"]
        for file in (path / "journal").iterdir():
            file.unlink()


@pytest.mark.parametrize("length", [4 * KIB, 64 * KIB, 256 * KIB, 1_024 * KIB])
def test_the_whole_path_beside_a_plain_append(
    benchmark, incompressible, length, tmp_path, monkeypatch, figure
):
    view = memoryview(incompressible)
    writes = [bytes(view[at : at + length]) for at in range(0, TOTAL_BYTES, length)]
    rounds = Rounds(tmp_path, writes, monkeypatch)
    benchmark.group = "32 MiB from capture to durable (each round with its floor)"
    benchmark.pedantic(rounds.round, rounds=ROUNDS)
    floor_s, whole_s = median(rounds.floor_s), median(rounds.whole_s)
    ratio = median(map(lambda f, w: f / w, rounds.floor_s, rounds.whole_s))
    syncs_s, writes_s = (median(p[name] for p in rounds.parts_s) for name in ("fsync", "pwritev"))
    checks_s = 2 * min(seconds_of(lambda: [crc32(data) for data in writes]) for _ in range(5))
    rest_s = whole_s - syncs_s - writes_s - checks_s
    figure(
        f"{length // KIB} KiB: {ratio:.2f} of a plain append, {whole_s * 1e3:.0f} beside "
        f"{floor_s * 1e3:.0f} ms; {rounds.sync_count} syncs {syncs_s / whole_s:.0%}, writes "
        f"{writes_s / whole_s:.0%}, checksums {checks_s / whole_s:.0%}, the rest "
        f"{rest_s / whole_s:.0%} or {rest_s / len(writes) * 1e6:.0f} us a record"
    )
    assert ratio > 0
