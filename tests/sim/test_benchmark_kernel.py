"""The speed of the kernel, of volumes, links and the trace, each beside its floor."""

from heapq import heappop, heappush
from itertools import count

import pytest
import simpy

from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams
from sim.trace import Trace
from sim.volume import Volume

TIMEOUTS = 20_000
WRITES = 2_000
CHUNK = bytes(range(256)) * 256  # 64 KiB
FILE_CHUNKS = 64
LINES = 10_000


def bare_loop(processes):
    """The floor: a heap and generators, nothing else."""
    queue = []
    order = count()

    def ticking():
        for _ in range(TIMEOUTS // processes):
            yield 10

    for _ in range(processes):
        heappush(queue, (0, next(order), ticking()))
    steps = 0
    while queue:
        now, _, process = heappop(queue)
        steps += 1
        for delay in process:
            heappush(queue, (now + delay, next(order), process))
            break
    return steps


def plain_simpy(processes):
    environment = simpy.Environment()

    def ticking():
        for _ in range(TIMEOUTS // processes):
            yield environment.timeout(10)

    for _ in range(processes):
        environment.process(ticking())
    environment.run()


def kernel_loop(processes):
    kernel = Kernel(Streams(1))

    def ticking():
        for _ in range(TIMEOUTS // processes):
            yield kernel.sleep(10)

    for _ in range(processes):
        kernel.spawn(ticking(), name="ticking")
    kernel.run(10 * TIMEOUTS)
    return kernel.steps


@pytest.mark.parametrize("processes", [1, 1_000])
@pytest.mark.parametrize("loop", [bare_loop, plain_simpy, kernel_loop])
def test_timeouts(benchmark, loop, processes):
    benchmark.group = f"{TIMEOUTS} timeouts of {processes} processes"
    steps = benchmark(loop, processes)
    assert steps in (None, TIMEOUTS + processes)


def test_calls(benchmark):
    benchmark.group = f"{TIMEOUTS} timeouts of 1 processes"

    def run():
        kernel = Kernel(Streams(1))
        left = TIMEOUTS

        def again():
            nonlocal left
            left -= 1
            if left:
                kernel.call_after(10, again)

        again()
        kernel.run(10 * TIMEOUTS)
        return kernel.steps

    assert benchmark(run) == TIMEOUTS - 1


def test_bytearray_copies(benchmark):
    benchmark.group = f"{WRITES} writes of 64 KiB"

    def run():
        content = bytearray(FILE_CHUNKS * len(CHUNK))
        for index in range(WRITES):
            offset = index % FILE_CHUNKS * len(CHUNK)
            content[offset : offset + len(CHUNK)] = CHUNK
        return content

    assert benchmark(run).startswith(CHUNK)


@pytest.mark.parametrize("filters", [0, 1])
@pytest.mark.parametrize("payload", [(CHUNK,), (len(CHUNK),)], ids=["bytes", "zeros"])
def test_volume_writes(benchmark, payload, filters):
    benchmark.group = f"{WRITES} writes of 64 KiB"

    def run():
        kernel = Kernel(Streams(1))
        disk = Disk(kernel, "d", throughput_bytes_s=100_000_000, latency_ns=100_000)
        volume = Volume(kernel, "v", disk, capacity_bytes=1 << 30)
        seen = []
        for _ in range(filters):
            volume.attach(seen.append)

        def writing():
            yield volume.create("f")
            for index in range(WRITES):
                yield volume.write("f", index % FILE_CHUNKS * len(CHUNK), payload)
                if index % FILE_CHUNKS == 0:
                    yield volume.flush("f")

        kernel.spawn(writing(), name="writing")
        kernel.run(10**12)
        assert not filters or len(seen) > WRITES
        return kernel.steps

    assert benchmark(run) < 2.1 * WRITES


def test_lines_to_a_list(benchmark):
    benchmark.group = f"{LINES} trace lines"

    def run():
        return [
            f"{index} mail.committed mailbox='user' sequence={index} took_ns=5"
            for index in range(LINES)
        ]

    assert len(benchmark(run)) == LINES


def test_trace_lines(benchmark):
    benchmark.group = f"{LINES} trace lines"

    def run():
        trace = Trace(lambda: 5)
        for index in range(LINES):
            trace.record("mail.committed", mailbox="user", sequence=index, took_ns=5)
        trace.digests()
        return trace.count

    assert benchmark(run) == LINES
