"""Repair and defragmentation of databases that a server wrote, between power cuts."""

import pytest
from mail_world import DATABASE, EPOCH_NS, LOG_BYTES, Disks, S, World, recover

from emulators.ese.formats.database_header import read_header
from emulators.ese.integrity.check import check_database
from emulators.ese.maintenance.defragmentation import defragment
from emulators.ese.maintenance.repair import repair
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters

NOW_NS = EPOCH_NS + 3600 * S


@pytest.fixture(scope="module")
def world():
    """Small and large messages, with pages written all the time."""
    made = World(parameters=Parameters(checkpoint_depth_bytes=2 * LOG_BYTES))
    made.spawn(made.drip(250, 600, every_ms=3))
    made.spawn(made.drip(20, 90_000, every_ms=40))
    made.spawn(made.drip(30, 9000, every_ms=30))
    made.run(1.1)
    return made


def mail_in(files):
    """Every message as it is in the database, but for the count of folders that show it."""
    table = open_database(files, DATABASE).table("Msg")
    shown = table.definition.index_of("ReferenceCount")
    return {row[0]: (*row[:shown], *row[shown + 1 :]) for row in table.rows()}


@pytest.mark.parametrize("crashes", [12, pytest.param(50, marks=pytest.mark.nightly)])
def test_a_database_repaired_after_a_crash_holds_only_mail_that_was_sent(world, crashes, figure):
    """Without its logs, at many points: each time a part of the mail, each message as it was."""
    files = world.files()
    recover(files)
    truth = mail_in(files)
    total = len(world.operations)
    disks = Disks(world.operations)
    kept = []
    for done in range(world.mounted_after, total + 1, max(1, total // crashes)):
        disks.advance(done)
        files = disks.copy()
        if read_header(files, DATABASE).is_clean:
            continue
        repair(files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
        assert check_database(files, DATABASE).findings == []
        found = mail_in(files)
        assert found.items() <= truth.items(), f"after {done} operations"
        kept.append(len(found))
    assert kept[-1] > 80
    figure(f"{len(kept)} crashes repaired without logs, {kept[-1]} messages kept after the last")


def test_a_recovered_database_loses_nothing_by_defragmentation_and_is_smaller(world):
    files = world.files()
    recover(files)
    before = {t.definition.name: list(t.rows()) for t in open_database(files, DATABASE).tables()}
    sizes = defragment(files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
    assert sizes.bytes_after < sizes.bytes_before
    assert check_database(files, DATABASE).findings == []
    after = {t.definition.name: list(t.rows()) for t in open_database(files, DATABASE).tables()}
    assert after == before
    assert world.ledger().compare(files) == []


def replace_file(world, files):
    """Put a file in the place of the database on its volume; a process."""
    image = files.read(DATABASE, 0, files.size(DATABASE))
    yield world.data.delete(DATABASE)
    yield world.data.create(DATABASE)
    yield world.data.write(DATABASE, 0, (image,))
    yield world.data.flush(DATABASE)


@pytest.mark.parametrize("tool", [defragment, repair])
def test_a_database_made_anew_is_mounted_written_to_and_recovered(tool):
    """Its signature is new, and the log stream that it is attached to is the old one."""
    world = World()
    world.spawn(world.drip(60, 3000, every_ms=2))
    world.run(1)
    group = world.group
    dismounted = world.spawn(group.dismount(DATABASE))
    while not dismounted.fired:
        world.run(0.1)
    files = world.files()
    if tool is repair:
        files.write(DATABASE, 8192 * 40, bytes(8192))
    tool(files, DATABASE, temporary="TEMP.EDB", now_ns=NOW_NS)
    rows = len(list(open_database(files, DATABASE).table("Msg").records()))

    def go_on():
        yield from replace_file(world, files)
        yield from group.mount(DATABASE)
        transaction = group.begin(DATABASE)
        group.database(DATABASE).table("PerUserRead").insert(transaction, (99, 1, 2, 3))
        yield group.commit(transaction)

    world.spawn(go_on())
    world.run(1)
    after = world.files()
    assert not read_header(after, DATABASE).is_clean
    recover(after)
    assert check_database(after, DATABASE).findings == []
    database = open_database(after, DATABASE)
    assert database.table("PerUserRead").get(99, 1) == (99, 1, 2, 3)
    assert len(list(database.table("Msg").records())) == rows
