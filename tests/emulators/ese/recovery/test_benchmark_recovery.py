"""Soft recovery on one core: megabytes of logs redone in a second, files in memory.

The timer counts this process's work alone, so that a busy machine does not show.
"""

from functools import cache
from time import process_time
from zlib import crc32

import pytest
from mail_world import World, copy_of, recover_only
from speeds import tell_megabytes

from emulators.ese.running.parameters import Parameters

BAR_MB_S = 50
WORKLOADS = {"small transactions": (10_000, 300), "messages of 50 KB": (160, 50_000)}
"""How many messages, and of how many bytes: about 8 MB of logs."""


@cache
def crashed(workload):
    """Return the files of a server that lost its power, with nothing of the database written."""
    messages, size = WORKLOADS[workload]
    parameters = Parameters(checkpoint_depth_bytes=1 << 34)
    world = World(parameters=parameters, throughput_bytes_s=1 << 40, latency_ns=1_000)
    world.spawn(world.drip(messages, size, every_ms=1))
    world.run(messages / 1_000 + 1)
    return world.files()


def logs_of(files):
    return [files.read(name, 0, files.size(name)) for name in files.names() if ".log" in name]


@pytest.mark.benchmark(timer=process_time)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_soft_recovery(benchmark, figure, workload):
    benchmark.group = f"soft recovery of {workload}"
    files = crashed(workload)

    def setup():
        return (copy_of(files),), {}

    report = benchmark.pedantic(recover_only, setup=setup, rounds=5)
    assert report.applied > WORKLOADS[workload][0]
    tell_megabytes(figure, benchmark, sum(map(len, logs_of(files))), BAR_MB_S)


@pytest.mark.benchmark(timer=process_time)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_floor_crc32_of_the_same_logs(benchmark, workload):
    benchmark.group = f"soft recovery of {workload}"
    logs = logs_of(crashed(workload))
    assert benchmark(lambda: [crc32(log) for log in logs])
