"""Reserve logs: a full log disk still takes what was appended (exchange.md F7, F17)."""

import pytest
from mail_world import DATABASE, EPOCH_NS, LOG_BYTES, MS, World, recover_and_check
from recovery_case import mail_in

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.log_file import FLAG_RESERVE_LOG, LogHeader
from emulators.ese.running.log_files import LogFiles
from emulators.ese.running.parameters import Parameters
from emulators.ese.running.storage_group import StorageGroup
from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams
from sim.volume import Volume

CURRENT = "E00.log"
RESERVES = ["E00res00001.jrs", "E00res00002.jrs"]
SMALL = 6 * LOG_BYTES


def reserves_of(world):
    return [name for name in world.logs.names() if name.endswith(".jrs")]


def flags_by_generation(world):
    headers = [
        LogHeader.unpack(world.logs.peek(name, 0, 4096))
        for name in world.logs.names()
        if name.endswith(".log")
    ]
    return {header.generation: header.flags for header in headers}


def burst(world, count, size):
    """Submit messages at one instant, and let the group come to its end."""
    for _ in range(count):
        world.send(size)
    world.run(60)


def test_two_reserve_logs_of_the_size_of_a_log_are_there_from_the_start():
    world = World()
    assert reserves_of(world) == RESERVES
    assert [world.logs.size(name) for name in RESERVES] == [LOG_BYTES] * 2


@pytest.mark.parametrize(
    ("file_format", "names"),
    [(EXCHANGE_2007, RESERVES), (EXCHANGE_2003, ["res1.log", "res2.log"])],
)
def test_each_start_makes_the_reserve_logs_that_are_missing(file_format, names):
    kernel = Kernel(Streams(1))
    disk = Disk(kernel, "logs", throughput_bytes_s=60 << 20, latency_ns=1)
    volume = Volume(kernel, "logs", disk, capacity_bytes=3 * file_format.log_bytes)
    files = LogFiles(volume, "E00", file_format, lambda *_: None, lambda: 0, circular=False)
    for lost in ([], names[:1], names):
        for name in lost:
            volume.delete(name)
        kernel.run(kernel.now_ns + MS)
        kernel.spawn(files.create_reserves(), name="start")
        kernel.run(kernel.now_ns + MS)
        assert volume.names() == sorted(names)
        assert volume.used_bytes == 2 * file_format.log_bytes


def test_what_was_appended_when_the_disk_was_full_is_written_and_acknowledged():
    world = World(log_bytes=SMALL)
    world.spawn(world.drip(30, 150_000, every_ms=150))
    world.run(60)
    assert world.group.error.code == -529
    assert world.group.error.event_id == 429
    assert [event_id for event_id, _ in world.group.log.events] == [428, 429]
    assert reserves_of(world) == RESERVES[:1]
    flags = flags_by_generation(world)
    newest = max(flags)
    assert flags.pop(newest) == FLAG_RESERVE_LOG
    assert set(flags.values()) == {0}
    assert 15 < len(world.acknowledged) == len(world.submitted) < 30
    assert world.kernel.unobserved_errors == []
    recovered = recover_and_check(world.files(), world.ledger())
    assert recovered.problems == []
    assert recovered.report.was_clean, "the dismount was logged in a reserve log"


def test_with_room_on_the_disk_the_database_is_mounted_again_and_the_reserve_is_back():
    world = World(log_bytes=SMALL)
    world.spawn(world.drip(30, 150_000, every_ms=150))
    world.run(60)
    before = mail_in(world.files())
    world.logs.delete("E0000000001.log")
    world.logs.delete("E0000000002.log")
    again = StorageGroup(
        world.kernel,
        world.trace,
        world.streams.stream("ese:SG1 again"),
        world.host,
        name="SG1",
        database_names=[DATABASE],
        log_volume=world.logs,
        database_volume=world.data,
        parameters=Parameters(),
        epoch_ns=EPOCH_NS,
    )

    def restart():
        yield from again.start()
        yield from again.mount(DATABASE)
        yield from again.dismount(DATABASE)

    world.spawn(restart())
    world.run(10)
    assert world.kernel.unobserved_errors == []
    assert again.error is None
    assert reserves_of(world) == RESERVES
    assert mail_in(world.files()) == before


def test_a_database_that_cannot_be_shut_down_cleanly_stays_dirty_and_loses_nothing():
    world = World(log_bytes=SMALL, database_bytes=5 << 20)
    burst(world, 25, 200_000)
    assert world.group.error.code in (-529, -1808)
    header = DatabaseHeader.unpack(world.data.peek(DATABASE, 0, 8192))
    assert header.state is DatabaseState.DIRTY_SHUTDOWN
    assert world.kernel.unobserved_errors == []
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_backlog_of_more_than_one_log_takes_both_reserve_logs():
    world = World(log_bytes=SMALL)
    burst(world, 25, 200_000)
    assert reserves_of(world) == []
    flags = flags_by_generation(world)
    assert [flags[generation] for generation in sorted(flags)][-2:] == [FLAG_RESERVE_LOG] * 2
    assert len(world.acknowledged) == len(world.submitted) == 25
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_backlog_beyond_the_reserve_logs_is_refused_and_never_acknowledged():
    world = World(log_bytes=SMALL)
    burst(world, 60, 200_000)
    assert reserves_of(world) == []
    assert 20 < len(world.acknowledged) < len(world.submitted) == 60
    assert [event_id for event_id, _ in world.group.log.events] == [428, 428, 429]
    assert world.kernel.unobserved_errors == []
    recovered = recover_and_check(world.files(), world.ledger())
    assert recovered.problems == []


def test_a_commit_after_the_disk_was_full_fails_at_once_though_older_ones_still_succeed():
    world = World(log_bytes=SMALL, latency_ns=50 * MS)
    outcomes = []

    def late(operation):
        if operation.new_name == CURRENT and reserves_of(world) == RESERVES[:1]:
            world.watch.clear()
            transaction = world.group.begin(DATABASE)
            signal = world.group.commit(transaction)
            signal.then(lambda done: outcomes.append((done.error, len(world.acknowledged))))

    world.watch.append(late)
    burst(world, 25, 200_000)
    ((error, acknowledged),) = outcomes
    assert isinstance(error, EseError)
    assert error.code == -529
    assert acknowledged < len(world.acknowledged) == 25


def test_a_freeze_that_needs_a_reserve_log_fails_and_the_log_is_closed_all_the_same():
    world = World(log_bytes=int(3.5 * LOG_BYTES))
    world.send(3000)
    world.run(1)
    assert world.freeze_error().code == -529
    assert world.group.error.code == -529
    assert not world.group.is_frozen
    assert max(flags_by_generation(world)) == 2
    assert recover_and_check(world.files(), world.ledger()).problems == []
