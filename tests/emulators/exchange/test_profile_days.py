"""A simulated day of each kind of user makes the transaction logs that the sizing table expects.

The table and what users do are assumptions (exchange.md 5.3, `user_actions`); what is tested is
that they agree. Sparse bodies: zeros are logged at their full size.
"""

import pytest
from mail_day import MailDay
from mail_world import LOG_BYTES, recover_and_check

from emulators.exchange.log_rates import RECEIVED, SENT
from emulators.exchange.profiles import PROFILES, profile_named

PROFILES_2007 = [name for version, name in PROFILES if version == 2007]


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
