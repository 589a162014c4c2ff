"""What may go wrong while databases of a group come and go: snapshots, full disks, size limits."""

from dataclasses import replace

from group_world import ONE, SHALLOW, TWO, GroupWorld, recover, refusal_of, steady

from emulators.ese.errors import EseError
from emulators.ese.formats.database_header import DatabaseState


def test_a_freeze_waits_for_a_dismount_and_a_mount_waits_for_the_thaw():
    world = steady()
    group = world.group
    told = []

    def leave():
        yield from group.dismount(ONE)
        told.append("dismounted")

    def snapshot():
        yield world.kernel.sleep(10**6)
        yield from group.freeze()
        told.append("frozen")
        yield world.kernel.sleep(10**9)
        told.append("thawed")
        group.thaw()

    def come():
        yield world.kernel.sleep(2 * 10**6)
        yield from group.mount(ONE)
        told.append("mounted")

    for process in (leave(), snapshot(), come()):
        world.kernel.spawn(process, name="test", host=world.host)
    world.run(5)
    assert told == ["dismounted", "frozen", "thawed", "mounted"]
    assert world.kernel.unobserved_errors == []


def test_a_thaw_before_the_freeze_was_reached_ends_it():
    world = steady()
    codes = []

    def snapshot():
        yield world.kernel.sleep(10**6)
        try:
            yield from world.group.freeze()
        except EseError as error:
            codes.append(error.code)

    world.kernel.spawn(world.group.dismount(ONE), name="test", host=world.host)
    world.kernel.spawn(snapshot(), name="test", host=world.host)
    world.run(0.002)
    assert world.group.is_frozen
    world.group.thaw()
    world.run(5)
    assert codes == [-2402]
    world.drip(5, 1000)
    assert len(world.promised(TWO)) == len(world.sent[TWO])


def test_a_database_whose_disk_is_full_stops_alone_and_stays_dirty():
    """The databases lie on one volume, but only one of them must grow."""
    world = GroupWorld(parameters=SHALLOW, data_bytes=12 << 20).create()
    world.put(TWO, 1000)
    for _ in range(60):
        if world.group.mounted(ONE).file.error is None:
            world.put(ONE, 200_000)
        world.run(0.3)
    assert world.group.mounted(ONE).file.error.code == -1808
    assert world.group.error is None, "the other database goes on"
    world.put(TWO, 1000)
    world.run(1)
    assert len(world.promised(TWO)) == 2
    assert refusal_of(world, world.group.dismount(ONE)) == -1808
    world.do(world.group.stop())
    assert world.header(ONE).state is DatabaseState.DIRTY_SHUTDOWN
    assert world.header(TWO).state is DatabaseState.CLEAN_SHUTDOWN
    files = world.files()
    recover(files)
    for name in (ONE, TWO):
        assert world.problems(files, name) == []


def test_a_database_that_outgrows_its_edition_is_dismounted_and_cannot_be_mounted_again():
    parameters = replace(SHALLOW, database_bytes_max=5 << 20)
    world = GroupWorld(parameters=parameters).create()
    for _ in range(40):
        if not world.group.is_mounted(ONE):
            break
        world.put(ONE, 200_000)
        world.run(0.3)
    world.run(5)
    assert world.group.mounted_names() == [TWO]
    assert world.header(ONE).state is DatabaseState.CLEAN_SHUTDOWN
    assert refusal_of(world, world.group.mount(ONE)) == -1012
    assert world.problems(world.files(), ONE) == []
    world.restart(SHALLOW)


def test_the_same_seed_gives_the_same_bytes_with_mounts_too():
    digests = []
    for _ in range(2):
        world = steady()
        world.do(world.group.dismount(ONE))
        world.drip(5, 10_000, names=[TWO])
        world.do(world.group.mount(ONE))
        files = world.files()
        digests.append({name: files.read(name, 0, files.size(name)) for name in files.names()})
    assert digests[0] == digests[1]
