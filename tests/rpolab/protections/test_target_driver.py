"""The simulated target's file actions: a replaced file is wholly old or wholly new."""

import pytest

from engine import JournalSettings, SessionSettings
from engine.contract.actions import DeleteFile, ReplaceFile
from rpolab.protections.target_driver import TargetDriver
from sim.disk import Disk
from sim.host import Host
from sim.kernel import Kernel
from sim.streams import Streams
from sim.volume import Fate, Volume

OLD, NEW = b"old" * 500, b"new and longer" * 300


class Watcher:
    """Counts the actions and keeps the notices."""

    def __init__(self):
        self.acted = 0
        self.notices = []

    def source_acted(self, action):
        pytest.fail("there is no source")

    def target_acted(self, action):
        self.acted += 1

    def source_notice(self, notice):
        pytest.fail("there is no source")

    def target_notice(self, notice):
        self.notices.append(notice)


class World:
    def __init__(self):
        self.kernel = Kernel(Streams(1))
        host = Host(self.kernel, "copy")
        disk = Disk(self.kernel, "disk", throughput_bytes_s=10**6, latency_ns=1_000)
        self.volume = Volume(self.kernel, "journal", disk, capacity_bytes=10**6)
        self.watcher = Watcher()
        self.driver = TargetDriver(
            self.kernel,
            host,
            self.volume,
            group=7,
            session_settings=SessionSettings(),
            journal_settings=JournalSettings(),
            observer=self.watcher,
        )
        self.driver.start()

    def run(self, duration_ns=10**9):
        self.kernel.run(self.kernel.now_ns + duration_ns)


@pytest.mark.parametrize("fate", [Fate.KEPT, Fate.LOST])
def test_a_power_cut_at_any_moment_of_a_replacement_leaves_the_old_or_the_new_file(fate):
    contents = []
    for duration_ns in range(0, 16_000_000, 100_000):
        world = World()
        world.driver.carry_out_all([ReplaceFile("some file", OLD)])
        world.run()
        world.driver.carry_out_all([ReplaceFile("some file", NEW)])
        world.run(duration_ns)
        world.volume.power_cut(lambda _: fate)
        contents.append(world.volume.peek("some file", 0, len(NEW)))
        world.driver.crash()
        world.driver.start()
        world.driver.carry_out_all([ReplaceFile("some file", OLD)])
        world.run()
        assert world.volume.names() == ["some file"], "what was left over is deleted"
        assert world.volume.peek("some file", 0, len(NEW)) == OLD
        assert world.watcher.notices == []
    assert contents == sorted(contents, reverse=True), "first the old one, then the new one"
    assert {OLD, NEW} == set(contents)


def test_a_file_that_is_gone_already_is_deleted_without_a_word_and_a_full_disk_is_told():
    world = World()
    world.driver.carry_out_all([ReplaceFile("a", OLD), DeleteFile("a"), DeleteFile("a")])
    world.run()
    assert world.volume.names() == []
    assert world.watcher.notices == []
    world.volume.reserve(10**6)
    world.driver.carry_out_all([ReplaceFile("a", OLD)])
    world.run()
    (failed,) = world.watcher.notices
    assert "'a' failed" in str(failed.error)
