"""A simulated day of each kind of user reads and writes the pages that the sizing table expects.

The basis, all of it an assumption: the table's IOPS are the mean of the busiest hour, which has its
share of the day's mail; each page read or written is one operation, as in a database whose pages
years of use have scattered (here neighbours go together, three or four to an operation); 250
mailboxes share a storage group's checkpoint depth; an Inbox holds 300 messages when the day begins.

What users look up (`user_actions.UserLooks`) is calibrated for the heavy users of Exchange 2007;
tested is that the others agree with that. Two parts of the tables are not reproduced, and so not
tested: light users, whose row asks for more operations per message than any other, and Exchange
2003, of whose cache and message sizes nothing is sourced.
"""

import pytest
from mail_day import GROUP_MAILBOXES, MailDay

from emulators.exchange.profiles import profile_named
from emulators.exchange.user_actions import USER_LOOKS

OLD_MESSAGES = 300


def check_iops(name, mailboxes, figure):
    profile = profile_named(2007, name)
    day = MailDay(
        profile,
        mailboxes,
        old_messages=OLD_MESSAGES,
        cache_bytes=profile.cache_bytes,
        looks=USER_LOOKS,
        depth_share=mailboxes / GROUP_MAILBOXES,
    )
    figure(
        f"{name}: {day.iops_each:.3f} pages a second for a mailbox in the busiest hour, "
        f"{day.read_share:.0%} of them read; the table says {profile.database_iops:.2f}"
    )
    return profile, day


@pytest.mark.parametrize(
    ("name", "mailboxes"),
    [
        ("heavy", 8),
        pytest.param("average", 12, marks=pytest.mark.nightly),
        pytest.param("very_heavy", 8, marks=pytest.mark.nightly),
        pytest.param("extra_heavy", 6, marks=pytest.mark.nightly),
    ],
)
def test_a_day_reads_and_writes_the_pages_that_the_table_expects(name, mailboxes, figure):
    profile, day = check_iops(name, mailboxes, figure)
    assert day.iops_each == pytest.approx(profile.database_iops, rel=0.1)
    assert day.read_share == pytest.approx(0.5, abs=0.1)
