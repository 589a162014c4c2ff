"""The mail server's machine stops without warning, and comes back: so does its protection."""

import copy
from random import Random

import pytest

import scenarios
from engine import Image, RecoveryPoints, ResyncSettings, SourceState
from engine.basics.errors import PeerTimedOut, ResyncRequired
from rpolab.laboratory.world import Laboratory, clock_of
from rpolab.protections.cdp import Cdp

SECOND_NS = 10**9
KIB = 1 << 10
SCENARIO = {
    "title": "A machine that stops",
    "seed": 11,
    "start": "10:00",
    "duration": "10 min",
    "exchange": {
        "version": 2007,
        "storage_groups": [
            {"name": "SG1", "databases": ["MDB1"], "mailboxes": 40, "profile": "heavy"}
        ],
    },
    "sites": {"primary": {}, "recovery": {}},
    "links": [{"between": ["primary", "recovery"], "bandwidth": "4 Mbit/s", "latency": "20 ms"}],
    "protect": {"cdp": {"kind": "cdp", "copies": [{"site": "recovery", "retention": "1 d"}]}},
}


class World:
    """A protected machine whose volumes are written to by a plain program."""

    def __init__(self, policy, **protection):
        world = copy.deepcopy(SCENARIO)
        world["protect"]["cdp"].update(protection)
        scenario = scenarios.parse(world)
        self.laboratory = Laboratory(scenario, clock_of(scenario, None))
        self.kernel, self.host = self.laboratory.kernel, self.laboratory.mail_host
        self.random = Random(7)
        self.pause_ns = SECOND_NS // 5
        self.cdp = Cdp(
            "cdp", scenario.protect["cdp"], self.laboratory, resync=ResyncSettings(policy=policy)
        )
        [group] = self.laboratory.groups
        self.volumes = self.laboratory.protected_volumes(group)
        self.cdp.start()
        for number, volume in enumerate(self.volumes.values()):
            volume.create(f"file{number}")
        self.run(1)

    def run(self, seconds):
        self.kernel.run(self.kernel.now_ns + seconds * SECOND_NS)

    def write_for(self, seconds):
        self.is_writing = True
        self.host.spawn(self._writes(), name="a program")
        self.run(seconds)

    def _writes(self):
        while self.is_writing:
            for number, volume in enumerate(self.volumes.values()):
                offset = self.random.randrange(300) * 4 * KIB
                data = self.random.randbytes(self.random.choice((4 * KIB, 16 * KIB)))
                yield volume.write(f"file{number}", offset, (data,))
                if self.random.random() < 0.1:
                    yield volume.flush(f"file{number}")
            yield self.kernel.sleep(self.pause_ns)

    def stop_and_start(self):
        self.host.power_cut()
        self.run(5)
        self.host.power_on()

    def live(self):
        return {
            f"{label}/{name}": volume.peek(name, 0, volume.size(name))
            for label, volume in self.volumes.items()
            for name in volume.names()
        }

    def image(self, sequence=None):
        journal = self.cdp.copy.journal
        sequence = sequence or RecoveryPoints(journal).latest().sequence
        image = Image(journal, sequence)
        return {name: image.read(name, 0, image.size(name)) for name in image.names()}


def test_with_the_policy_automatic_the_protection_comes_back_by_itself(figure):
    world = World("automatic")
    world.write_for(20)
    good = RecoveryPoints(world.cdp.copy.journal).latest().sequence
    before = world.image(good)
    world.stop_and_start()
    written = world.cdp.copy.source.capture.figures(0).drained_bytes
    world.run(60)
    assert world.image() == world.live()
    assert world.image(good) == before, "what was a point before it is one still"
    capture = world.cdp.copy.source.capture
    compared = world.cdp.copy.source.session.resync.comparison.figures
    figure(
        f"{compared.compared_bytes} bytes compared, {capture.figures(0).drained_bytes - written} "
        "sent"
    )
    world.write_for(10)
    world.is_writing = False  # so that all of it can arrive
    world.run(60)
    assert world.image() == world.live()
    assert not [error for error in world.cdp.errors if not isinstance(error, PeerTimedOut)]


def test_by_default_it_says_that_a_resync_is_required_and_keeps_the_old_points():
    world = World("operator")
    world.write_for(20)
    good = RecoveryPoints(world.cdp.copy.journal).latest().sequence
    before = world.image(good)
    world.stop_and_start()
    world.write_for(20)
    assert world.cdp.copy.source.session.state is SourceState.HALTED
    error = world.cdp.copy.source.session.fatal_error
    assert isinstance(error, ResyncRequired)
    assert "resync" in error.hint
    assert error in world.cdp.errors
    assert world.image() == world.image(good) == before


def test_what_the_old_capture_had_spooled_is_cleared_away():
    world = World("automatic", overflow="spill", pool="64 KiB")
    world.pause_ns = SECOND_NS // 50
    world.write_for(20)
    spool = world.laboratory.volumes["cdp-spool@primary"]
    assert any(name.endswith(".spool") for name in spool.names())
    world.stop_and_start()
    world.run(60)
    assert spool.names() == []
    assert world.image() == world.live()


@pytest.mark.parametrize("seconds", [1, 4, 9])
def test_a_second_stop_during_the_resync_only_takes_longer(seconds):
    world = World("automatic")
    world.write_for(20)
    world.stop_and_start()
    world.run(seconds)
    world.stop_and_start()
    world.write_for(3)
    world.stop_and_start()
    world.run(60)
    assert world.image() == world.live()
