from types import SimpleNamespace

import pytest
from hypothesis import settings

from sim.disk import Disk
from sim.kernel import Host, Kernel
from sim.link import Link
from sim.site import Site
from sim.streams import Streams
from sim.volume import Volume

# Shared machines are slow at times: that is no failure.
settings.register_profile("sim", deadline=None)
settings.load_profile("sim")


class World(SimpleNamespace):
    """The devices, and ways to watch the link."""

    def connected(self):
        return self.link.connect(self.left.host, self.right.host)

    def arrivals_at(self, endpoint):
        """Start to note when what arrives."""
        seen = []

        def receiver():
            while True:
                item = yield from endpoint.inbox.receive()
                seen.append((self.kernel.now_ns, item))

        self.kernel.spawn(receiver(), name="receiver")
        return seen

    def noted(self, signal, times):
        """Note when a signal fires."""
        signal.then(lambda _: times.append(self.kernel.now_ns))


def build_world(seed=1, *, steps_max=100_000, loss=0.0, jitter_ns=0, capacity_bytes=1 << 30):
    """Two sites, each with a host, a disk and a volume, and a link between them."""
    streams = Streams(seed)
    kernel = Kernel(streams, steps_max=steps_max)
    world = World(kernel=kernel, streams=streams)
    for name in ("left", "right"):
        site = Site(f"site-{name}")
        host = Host(kernel, f"host-{name}", site)
        disk = Disk(kernel, f"disk-{name}", throughput_bytes_s=100_000_000, latency_ns=100_000)
        volume = Volume(
            kernel,
            f"volume-{name}",
            disk,
            capacity_bytes=capacity_bytes,
            host=host,
            streams=streams,
        )
        setattr(world, name, SimpleNamespace(site=site, host=host, disk=disk, volume=volume))
    world.link = Link(
        kernel,
        "wan",
        world.left.site,
        world.right.site,
        bandwidth_bit_s=8_000_000,  # a byte in a microsecond
        latency_ns=20_000_000,
        jitter_ns=jitter_ns,
        loss=loss,
        streams=streams,
    )
    return world


@pytest.fixture(scope="session")
def make_world():
    return build_world


@pytest.fixture
def world():
    return build_world()


@pytest.fixture
def kernel():
    return Kernel(Streams(1), steps_max=100_000)
