"""A simulated day of each kind of user makes the transaction logs that the sizing table expects.

The table and what users do are assumptions (exchange.md 5.3, `user_actions`); what is tested is
that they agree. Sparse bodies: zeros are logged at their full size.
"""

import pytest
from mail_world import DATABASE, LOG_BYTES, S, World, recover_and_check

from emulators.exchange.arrivals import profile_arrivals
from emulators.exchange.content import ContentPools
from emulators.exchange.log_rates import RECEIVED, SENT
from emulators.exchange.mail_users import MailUsers
from emulators.exchange.profiles import PROFILES, profile_named
from emulators.exchange.user_actions import USER_ACTIONS
from rpolab.mail_users import act_as_users
from sim.streams import Streams

DAY_S = 24 * 3600
PROFILES_2007 = [name for version, name in PROFILES if version == 2007]


class Forgetful(list):
    """Operations of which none is kept: those of a day are gigabytes."""

    def append(self, operation):
        pass


class MailDay:
    """A day of some mailboxes of one profile in one database, counted and not kept."""

    def __init__(self, profile, mailboxes, *, seed=1, seconds=DAY_S):
        streams = Streams(seed)
        pools = ContentPools(streams.stream("content"), sparse=True)
        names = pools.mailboxes(mailboxes)
        self.world = world = World(seed, mailboxes=names)
        world.operations = Forgetful()
        self.log_bytes = 0
        editor = world.group.mounted(DATABASE).editor
        self._log, editor.log = editor.log, self._note
        arrivals = profile_arrivals(streams, profile, names, pools.correspondents, name="SG1")
        users = MailUsers(
            world.server,
            pools,
            arrivals,
            lambda: world.kernel.now_ns,
            streams,
            name="SG1",
            actions=USER_ACTIONS,
        )
        world.spawn(act_as_users(world.kernel, [world.group], users, seconds * S))
        world.run(seconds)
        self.logs_each = self.log_bytes / LOG_BYTES / mailboxes
        self.pages_each = world.group.mounted(DATABASE).file.pages_written / mailboxes

    def _note(self, record):
        self.log_bytes += len(record)
        return self._log(record)

    def told(self):
        return (
            f"{self.logs_each:.2f} logs of 1 MiB for a mailbox and day, "
            f"{self.pages_each:.0f} pages written"
        )


def check_day(name, mailboxes, figure):
    profile = profile_named(2007, name)
    day = MailDay(profile, mailboxes)
    expected = profile.log_bytes_per_day / LOG_BYTES
    figure(f"{day.told()}; the table says {expected:.0f}")
    assert day.logs_each == pytest.approx(expected, rel=0.1)
    return day


def test_a_day_of_light_users_makes_the_logs_that_the_table_expects(figure):
    day = check_day("light", 40, figure)
    world = day.world
    world.run(5)
    assert len(world.acknowledged_after) == sum(map(len, world.histories.values())) > 1000
    assert recover_and_check(world.files(), world.ledger()).problems == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", PROFILES_2007)
def test_a_day_of_every_profile_makes_the_logs_that_the_table_expects(name, figure):
    messages_each = sum(vars_of(profile_named(2007, name)))
    check_day(name, 4000 // messages_each, figure)


def vars_of(profile):
    return profile.sent_per_day, profile.received_per_day


@pytest.mark.parametrize("name", PROFILES_2007)
def test_the_model_of_logs_from_mail_agrees_with_the_table(name):
    profile = profile_named(2007, name)
    size = profile.message_bytes_mean
    modelled = profile.sent_per_day * SENT.of(size) + profile.received_per_day * RECEIVED.of(size)
    assert modelled == pytest.approx(profile.log_bytes_per_day, rel=0.1)
