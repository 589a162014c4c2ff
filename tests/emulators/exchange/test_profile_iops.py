"""A simulated day of each kind of user reads and writes the pages that the sizing tables expect.

The basis, all of it an assumption: the tables' IOPS are the mean of the busiest hour, which has its
share of the day's mail; each page read or written is one operation, as in a database whose pages
years of use have scattered (here neighbours go together, three or four to an operation); 250
mailboxes share a storage group's checkpoint depth; an Inbox holds some hundred messages when the
day begins, many times what its part of the cache has room for.

What users look up (`user_actions.UserLooks`) is calibrated for light and heavy users of Exchange
2007. Those of 2003 do the same with their mail, and it is as large; only pages and cache are
smaller. That their rows come out, which are sourced, is the test of the calibration.
"""

import pytest
from mail_day import GROUP_MAILBOXES, MailDay

from emulators.exchange.profiles import profile_named
from emulators.exchange.user_actions import USER_LOOKS

OLD_MESSAGES = {2003: 150, 2007: 300}
READ_SHARES = {2003: (0.6, 0.75), 2007: (0.4, 0.6)}
"""Limits: exchange.md 5.2 says two thirds to three quarters, 5.3 about a half."""


def nightly(version, name, mailboxes):
    return pytest.param(version, name, mailboxes, marks=pytest.mark.nightly)


@pytest.mark.parametrize(
    ("version", "name", "mailboxes"),
    [
        (2007, "heavy", 6),
        nightly(2007, "light", 24),
        nightly(2007, "average", 14),
        nightly(2007, "very_heavy", 6),
        nightly(2007, "extra_heavy", 5),
        nightly(2003, "light", 12),
        nightly(2003, "average", 8),
        nightly(2003, "heavy", 6),
        nightly(2003, "large", 6),
    ],
)
def test_a_day_reads_and_writes_the_pages_that_the_table_expects(version, name, mailboxes, figure):
    profile = profile_named(version, name)
    day = MailDay(
        profile,
        mailboxes,
        old_messages=OLD_MESSAGES[version],
        cache_bytes=profile.cache_bytes,
        looks=USER_LOOKS,
        depth_share=mailboxes / GROUP_MAILBOXES,
    )
    figure(
        f"{version} {name}: {day.iops_each:.3f} pages a second for a mailbox in the busiest hour, "
        f"{day.read_share:.0%} of them read; the table says {profile.database_iops:.2f}"
    )
    assert day.iops_each == pytest.approx(profile.database_iops, rel=0.1)
    least, most = READ_SHARES[version]
    assert least <= day.read_share <= most
