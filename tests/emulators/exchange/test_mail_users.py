"""Users write drafts before they send, and read, file and delete what they get; nightly purges."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_world import MAILBOXES, S, World, recover_and_check, state

from emulators.ese.errors import EseError, ese_error
from emulators.exchange.arrivals import Send, profile_arrivals
from emulators.exchange.changes import ChangeKind
from emulators.exchange.content import ContentPools
from emulators.exchange.mail_users import FILED, MailUsers
from emulators.exchange.maintenance import HOUR_NS, RETENTION_NS, maintain
from emulators.exchange.profiles import profile_named
from emulators.exchange.user_actions import USER_ACTIONS, Assumed
from rpolab.mail.users import act_as_users
from sim.streams import Streams

ANN, BOB, CY = MAILBOXES
MINUTE = 60 * S


def always(**rows):
    """Actions of users who do the same thing with every message."""
    never = dict.fromkeys(("edit_share", "delete_share", "file_share", "appointment_share"), 0.0)
    values = {"draft_saves": 0.0, "read_share": 1.0, **never, **rows}
    return USER_ACTIONS._replace(
        **{name: Assumed(value, "for every one", "a test") for name, value in values.items()}
    )


def office(actions, arrivals, *, hours=8, **world):
    world = World(**world)
    pools = ContentPools(world.streams.stream("content"))
    users = MailUsers(
        world.server,
        pools,
        iter(arrivals),
        lambda: world.kernel.now_ns,
        world.streams,
        name="SG1",
        actions=actions,
    )
    world.spawn(act_as_users(world.kernel, [world.group], users, hours * 3600 * S))
    world.run(hours * 3600)
    assert world.kernel.unobserved_errors == []
    return world


def kinds(world):
    return [[change.kind.value for change in history] for history in world.histories.values()]


def test_without_actions_mail_is_submitted_when_it_comes_and_left_alone():
    world = office(None, [(MINUTE, Send(ANN, (BOB,), 3000)), (2 * MINUTE, Send("x@y", (CY,), 900))])
    assert kinds(world) == [["created"]] * 3
    places = Counter((change.mailbox, change.folder) for change in world.submitted.values())
    assert places == {(ANN, "Sent Items"): 1, (BOB, "Inbox"): 1, (CY, "Inbox"): 1}


def test_a_message_is_saved_while_it_is_written_and_goes_from_drafts_to_sent_items():
    world = office(always(draft_saves=4.0), [(90 * MINUTE, Send(ANN, (BOB,), 60_000))])
    mine, theirs = world.histories.values()
    assert [change.folder for change in mine][-2:] == ["Outbox", "Sent Items"]
    saves = [change for change in mine if change.kind is ChangeKind.SAVED]
    assert [change.folder for change in saves] == ["Drafts"] * len(saves)
    times = [change.message.sent_ns for change in mine if change.folder == "Drafts"]
    assert times == [90 * MINUTE - n * 3 * MINUTE for n in range(len(saves), -1, -1)]
    assert theirs[0].message.digest == mine[-1].message.digest
    assert [change.kind.value for change in theirs] == ["created", "read"]


def test_what_was_saved_before_the_run_began_is_not_seen():
    world = office(always(draft_saves=50.0), [(10 * MINUTE, Send(ANN, (BOB,), 600))])
    mine, _ = world.histories.values()
    assert [change.kind.value for change in mine] == ["created", *["saved"] * 3, "moved", "moved"]


@pytest.mark.parametrize(
    ("share", "done"),
    [
        ({"read_share": 0.0}, ["created"]),
        ({}, ["created", "read"]),
        ({"file_share": 1.0}, ["created", "read", "moved"]),
        ({"edit_share": 1.0}, ["created", "read", "saved"]),
        ({"delete_share": 1.0, "empty_share": 0.0}, ["created", "read", "moved"]),
        ({"delete_share": 1.0, "empty_share": 1.0}, ["created", "read", "moved", "deleted"]),
    ],
)
def test_what_is_delivered_is_read_and_then_kept_filed_edited_or_deleted(share, done):
    world = office(always(**share), [(MINUTE, Send("x@y", (BOB,), 3000))], hours=48)
    assert kinds(world) == [done]
    folder = world.histories[1][-1].folder
    assert folder == ("Inbox" if "moved" not in done else folder)
    assert folder == (FILED if share.get("file_share") else folder)


def test_a_message_may_bring_an_appointment_into_the_calendar():
    world = office(always(appointment_share=1.0), [(MINUTE, Send(ANN, (BOB,), 9000))])
    [meeting] = [c for c in world.submitted.values() if c.folder == "Calendar"]
    assert meeting.message.message_class == "IPM.Appointment"
    assert meeting.message.ends_ns - meeting.message.starts_ns == HOUR_NS
    assert meeting.message.starts_ns > world.submitted[1].message.sent_ns


def test_what_users_do_with_their_mail_does_not_change_what_mail_there_is():
    def delivered(actions):
        streams = Streams(3)
        pools = ContentPools(streams.stream("content"))
        arrivals = profile_arrivals(
            streams, profile_named(2007, "heavy"), MAILBOXES, pools.correspondents, name="SG1"
        )
        world = office(actions, arrivals, hours=3)
        found = [c for c in world.submitted.values() if c.folder == "Inbox"]
        return [(c.mailbox, c.message.size_bytes, c.message.recipients) for c in found]

    assert delivered(always()) == delivered(None) != []


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_after_a_busy_day_recovery_finds_every_message_where_its_user_has_put_it(seed):
    streams = Streams(seed)
    pools = ContentPools(streams.stream("content"))
    busy = USER_ACTIONS._replace(read_delay=Assumed(1.0, "minutes, mean", "a test"))
    arrivals = profile_arrivals(
        streams, profile_named(2007, "light"), MAILBOXES, pools.correspondents, name="SG1"
    )
    world = office(busy, arrivals, hours=14, seed=seed)
    world.run(5)
    assert len(world.acknowledged_after) == sum(map(len, world.histories.values())) > 20
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_maintenance_purges_at_night_what_was_deleted_longer_ago_than_it_is_kept():
    world = World()
    mail, mailbox = world.server.mail_of(ANN), world.server.mailboxes[ANN]
    items = [world.send(2000, recipients=[ANN])[0] for _ in range(5)]
    wall_ns = world.group.wall_ns()
    for number, item in enumerate(items[:4]):
        mail.delete(mailbox, item, wall_ns)
        mail.delete(mailbox, item, wall_ns + number * 2 * HOUR_NS)
    mail.restore(items[0])
    world.spawn(maintain(world.kernel, world.server, 24 * HOUR_NS))
    until_one = (HOUR_NS - wall_ns) % (24 * HOUR_NS)
    world.kernel.run(world.kernel.now_ns + until_one + 23 * HOUR_NS)
    assert [h[-1].kind for h in world.histories.values()].count(ChangeKind.PURGED) == 0
    world.run(2 * 3600)
    due = [
        number for number in range(1, 4)
        if wall_ns + number * 2 * HOUR_NS < world.group.wall_ns() - 25 * HOUR_NS
    ]  # fmt: skip
    purged = [
        number for number, item in enumerate(items)
        if world.histories[item.message_id][-1].kind is ChangeKind.PURGED
    ]  # fmt: skip
    assert purged == due != []
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_deleted_items_are_kept_a_week_or_two():
    assert {version: time // HOUR_NS for version, time in RETENTION_NS.items()} == {
        2003: 7 * 24,
        2007: 14 * 24,
    }


def test_what_needs_a_page_of_a_lost_disk_is_refused_and_users_do_not_fail_with_it():
    """The pages are not in the cache: the server has come up anew and nobody has read them yet."""
    world = World(mailboxes=MAILBOXES[:2])
    for _ in range(3):
        world.send(5000, sender=ANN, recipients=[BOB])
    world.run(5)
    world.power_cycle()
    submitted = dict(world.submitted)
    world.data.destroy()
    now_ns = world.kernel.now_ns
    users = MailUsers(
        world.server,
        ContentPools(world.streams.stream("content")),
        iter([(now_ns + n * MINUTE, Send(ANN, (BOB, CY), 3000)) for n in range(1, 4)]),
        lambda: world.kernel.now_ns,
        world.streams,
        name="SG1",
        actions=always(),
    )
    while users.next_ns() is not None:
        users.act()
    assert world.server.refused == 3
    assert world.group.error.code == -1022
    assert world.submitted == submitted
    world.run(60)
    assert world.kernel.unobserved_errors == []


def test_what_is_due_in_a_mailbox_of_a_dismounted_database_is_refused():
    world = World()
    world.spawn(world.group.dismount("MDB1.edb"))
    world.run(5)
    world.send(3000, sender=ANN, recipients=[BOB, "outside@example.org"])
    assert world.server.refused == 2
    assert world.submitted == {}


def test_a_transaction_that_meets_an_unreadable_page_is_taken_back():
    """Else the log had one that never ended, and the next of the group would hide it."""
    world = World()
    [item] = world.send(9000, recipients=[ANN])
    world.run(1)
    lost = ese_error(-1022, "MDB1.edb", "recover from a copy")
    store = world.server.mail_of(ANN).store

    def move_and_fail(transaction, place, folder):
        type(store).move(store, transaction, place, folder)
        raise lost

    store.move = move_and_fail
    with pytest.raises(EseError) as caught:
        world.server.mail_of(ANN).move(world.server.mailboxes[ANN], item, "Drafts")
    assert caught.value is lost
    world.send(1000, recipients=[BOB])
    world.run(1)
    assert item.folder == "Inbox"
    assert len(world.histories[item.message_id]) == 1
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_maintenance_leaves_a_database_whose_disk_is_lost_and_goes_on():
    world = World()
    mail, mailbox = world.server.mail_of(ANN), world.server.mailboxes[ANN]
    [item] = world.send(2000, recipients=[ANN])
    for _ in range(2):
        mail.delete(mailbox, item, world.group.wall_ns())
    world.run(5)
    world.power_cycle()
    world.data.destroy()
    world.spawn(maintain(world.kernel, world.server, HOUR_NS))
    world.run(2 * 24 * 3600)
    assert world.kernel.unobserved_errors == []


def test_changes_are_told_in_the_order_in_which_they_were_made():
    world = World()
    [item] = world.send(2000, recipients=[ANN])
    mail, mailbox = world.server.mail_of(ANN), world.server.mailboxes[ANN]
    mail.set_read(item, world.group.wall_ns())
    mail.move(mailbox, item, "Drafts")
    mail.delete(mailbox, item, world.group.wall_ns())
    assert world.acknowledged_after == []
    world.run(1)
    assert [message_id for _, message_id in world.acknowledged_after] == [item.message_id] * 4
    assert state(world.histories[item.message_id][-1]) == state(item)
    assert item.folder == "Deleted Items"
    assert recover_and_check(world.files(), world.ledger()).problems == []
