"""A simulated day of each kind of user makes the transaction logs that the sizing table expects.

The table and what users do are assumptions (exchange.md 5.3, `user_actions`); what is tested is
that they agree. Sparse bodies: zeros are logged at their full size. Days are even (`even_mail`):
with mail drawn at random, 40 light users may well be a fifth off.
"""

from dataclasses import replace

import pytest
from mail_day import MailDay
from mail_world import LOG_BYTES, recover_and_check

from emulators.exchange.log_rates import RECEIVED, SENT
from emulators.exchange.profiles import PROFILES, profile_named

PROFILES_2007 = [name for version, name in PROFILES if version == 2007]
MAILBOXES = {"light": 40, "average": 40, "heavy": 20, "very_heavy": 14, "extra_heavy": 10}
"""Mailboxes of each kind that exchange 1,000 to 2,000 messages a day."""


def check_day(name, figure):
    profile = profile_named(2007, name)
    day = MailDay(profile, MAILBOXES[name])
    expected = profile.log_bytes_per_day / LOG_BYTES
    figure(f"{name}: {day.told()}; the table says {expected:.0f}")
    assert day.logs_each == pytest.approx(expected, rel=0.1)
    return day


def test_a_day_of_light_users_makes_the_logs_that_the_table_expects(figure):
    world = check_day("light", figure).world
    world.run(5)
    assert len(world.acknowledged_after) == sum(map(len, world.histories.values())) > 1000
    assert recover_and_check(world.files(), world.ledger()).problems == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", PROFILES_2007[1:])
def test_a_day_of_every_profile_makes_the_logs_that_the_table_expects(name, figure):
    check_day(name, figure)


@pytest.mark.nightly
def test_the_logs_of_a_mailbox_hardly_depend_on_how_many_others_there_are(figure):
    profile = profile_named(2007, "light")
    few = [MailDay(profile, 40, seed=seed).logs_each for seed in (1, 2, 3)]
    many = MailDay(profile, 120).logs_each
    drawn = [MailDay(profile, 40, seed=seed, is_even=False).logs_each for seed in (1, 2, 3)]
    figure(
        f"light: {told(few)} logs for each of 40 mailboxes, {many:.2f} for each of 120; "
        f"of mail drawn at random {told(drawn)}"
    )
    assert sum(few) / len(few) == pytest.approx(many, rel=0.05)


@pytest.mark.nightly
def test_messages_twice_as_large_make_less_than_twice_the_logs(figure):
    profile = profile_named(2007, "heavy")
    larger = replace(profile, message_bytes_mean=2 * profile.message_bytes_mean)
    factor = MailDay(larger, 12).logs_each / MailDay(profile, 12).logs_each
    figure(f"twice as large messages make {factor:.2f} times the logs; exchange.md 5.3 says 1.9")
    assert factor == pytest.approx(1.9, abs=0.1)


def told(logs):
    return ", ".join(f"{logs_each:.2f}" for logs_each in logs)


@pytest.mark.parametrize("name", PROFILES_2007)
def test_the_model_of_logs_from_mail_agrees_with_the_table(name):
    profile = profile_named(2007, name)
    size = profile.message_bytes_mean
    modelled = profile.sent_per_day * SENT.of(size) + profile.received_per_day * RECEIVED.of(size)
    assert modelled == pytest.approx(profile.log_bytes_per_day, rel=0.1)


@pytest.mark.nightly
@pytest.mark.parametrize(("sent", "received", "log"), [(20, 0, SENT), (0, 80, RECEIVED)])
@pytest.mark.parametrize("kib", [8, 50, 100])
def test_who_only_sends_or_only_receives_makes_the_logs_of_the_model(
    sent, received, log, kib, figure
):
    one_way = replace(
        profile_named(2007, "heavy"),
        sent_per_day=sent,
        received_per_day=received,
        message_bytes_mean=kib * 1024,
    )
    measured = MailDay(one_way, 20).logs_each * LOG_BYTES / (sent + received)
    modelled = log.of(kib * 1024)
    way = "sent" if sent else "received"
    figure(f"{way}, {kib} KiB: {measured / 1024:.0f} KiB of log, by model {modelled / 1024:.0f}")
    assert modelled == pytest.approx(measured, rel=0.1)
