"""The server: what it acknowledges is on the log disk, and each copy goes where it belongs."""

from collections import Counter

from mail_world import LOG_BYTES, MAILBOXES, MS, World, recover_and_check

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.running.parameters import Parameters
from emulators.exchange.snapshot_group import SnapshotGroup
from emulators.vss.components import components_of
from sim.volume import Kind

ANN, BOB, CY = MAILBOXES
OUTSIDE = "outside@example.org"


def folders(deliveries):
    return Counter((delivery.mailbox, delivery.folder) for delivery in deliveries.values())


def test_a_message_goes_to_each_recipient_and_to_its_senders_sent_items():
    world = World()
    world.send(500, sender=ANN, recipients=[BOB, CY, OUTSIDE])
    world.run(1)
    assert folders(world.acknowledged) == {
        (ANN, "Sent Items"): 1,
        (BOB, "Inbox"): 1,
        (CY, "Inbox"): 1,
    }


def test_mail_from_outside_and_to_outside_leaves_one_copy_each():
    world = World()
    world.send(500, sender=OUTSIDE, recipients=[BOB])
    world.send(500, sender=CY, recipients=[OUTSIDE])
    world.send(500, sender=OUTSIDE, recipients=[OUTSIDE])
    world.run(1)
    assert folders(world.acknowledged) == {(BOB, "Inbox"): 1, (CY, "Sent Items"): 1}


def test_nothing_is_acknowledged_before_its_log_is_flushed():
    world = World(latency_ns=50 * MS)
    world.send(500)
    assert len(world.submitted) == 1
    world.run(0.09)
    assert world.acknowledged == {}
    flushed = [op for op in world.operations[world.mounted_after :] if op.kind is Kind.FLUSH]
    assert flushed == []
    world.run(0.02)
    assert len(world.acknowledged) == 1
    assert [op.kind for op in world.operations[world.mounted_after :]] == [Kind.WRITE, Kind.FLUSH]


def test_messages_of_one_moment_share_a_flush():
    world = World()
    for _ in range(50):
        world.send(700)
    world.run(1)
    flushes = [op for op in world.operations[world.mounted_after :] if op.kind is Kind.FLUSH]
    assert len(world.acknowledged) == 50
    assert len(flushes) <= 2


def test_acknowledgements_come_in_the_order_of_submission():
    world = World()
    world.spawn(world.drip(60, 20_000, every_ms=1))
    world.run(3)
    assert [message_id for _, message_id in world.acknowledged_after] == list(world.submitted)


def test_after_a_full_disk_no_message_is_taken_any_more():
    world = World(log_bytes=4 * LOG_BYTES)
    world.spawn(world.drip(40, 200_000, every_ms=20))
    world.run(5)
    assert world.server.error.code == -529
    assert 0 < len(world.acknowledged) == len(world.submitted) < 40
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_snapshot_group_freezes_and_thaws_its_storage_group_and_names_its_files():
    world = World()
    group = SnapshotGroup(world.group, world.streams.stream("vss"))
    stood = []

    def snapshot():
        world.send(3000)
        yield from group.freeze()
        stood.append((world.group.is_frozen, world.logs.exists("E00.log")))
        yield from group.thaw()

    world.spawn(snapshot())
    world.run(2)
    assert stood == [(True, False)]
    assert not world.group.is_frozen
    assert len(world.acknowledged) == len(world.submitted) == 1
    files = group.files
    assert (files.name, files.prefix, files.log_volume) == ("SG1", "E00", "logs")
    (database,) = files.databases
    assert database.name == "MDB1.edb"


def test_a_snapshot_group_of_2003_names_the_streaming_file_of_each_database():
    for file_format, patterns in (
        (EXCHANGE_2003, ["MDB1.edb", "MDB1.stm"]),
        (EXCHANGE_2007, ["MDB1.edb"]),
    ):
        world = World(parameters=Parameters(file_format=file_format))
        files = SnapshotGroup(world.group, world.streams.stream("vss")).files
        _, component = components_of("MBX1", files)
        assert [spec.pattern for spec in component.files] == patterns
        assert {spec.volume for spec in component.files} == {world.data.name}
        assert all(world.data.exists(pattern) for pattern in patterns)


def test_a_snapshot_of_a_group_that_has_stopped_fails():
    world = World(log_bytes=int(3.5 * LOG_BYTES))
    world.send(int(1.5 * LOG_BYTES))
    world.run(5)
    group = SnapshotGroup(world.group, world.streams.stream("vss"))
    codes = []

    def snapshot():
        try:
            yield from group.freeze()
        except EseError as error:
            codes.append(error.code)

    world.spawn(snapshot())
    world.run(2)
    assert codes == [-529]


def test_a_snapshot_group_tells_which_databases_are_mounted():
    world = World()
    group = SnapshotGroup(world.group, world.streams.stream("vss"))
    assert group.files.mounted
    world.spawn(world.group.dismount("MDB1.edb"))
    world.run(5)
    assert not group.files.mounted


def test_after_a_power_cut_a_new_server_recovers_and_goes_on_with_the_same_mailboxes():
    world = World()
    world.spawn(world.drip(6, 3000, every_ms=20))
    world.run(0.09)
    before = world.server.mailboxes
    world.power_cycle()
    assert world.server.mailboxes == before
    acknowledged = len(world.acknowledged)
    assert 0 < acknowledged <= len(world.submitted)
    world.send(500, sender=ANN, recipients=[BOB])
    world.run(1)
    assert len(world.acknowledged) == acknowledged + 2
    assert recover_and_check(world.files(), world.ledger()).problems == []
