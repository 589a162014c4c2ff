"""How much a scenario's users write, by the sizing tables: what the closed forms of `check` use.

Assumptions, all of them. The logs of a mailbox and day are those of exchange.md 5.3; those of other
users as much for each message as that table's (24 MiB for 100 messages of 50 KiB), and nine tenths
more for each doubling of its size. The database takes 4/3 of what the logs take (exchange.md 5.3).
Hours that the scenario does not write are the working day of exchange.md 5.4. The laboratory's own
users write within a fifth of that, and their mail is a sixth of it on a line that compresses.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scenarios.draft import Draft
from scenarios.grammar import QuantityError
from scenarios.phases import Span
from scenarios.quantities import DAY_NS, HOUR_NS, SIZE, parse_share

MIB = 1 << 20
LOG_MIB_PER_DAY = {"light": 6, "average": 12, "heavy": 24, "very_heavy": 36, "extra_heavy": 48}
MESSAGES_PER_DAY_2003 = {"light": 70, "average": 105, "heavy": 140, "large": 210}
LOG_MIB_PER_MESSAGE = Fraction(24, 100)
MESSAGE_BYTES = 50 * 1024
LOG_GROWTH_PER_SIZE = Fraction(9, 10)
DATABASE_PER_LOG = Fraction(4, 3)
WIRE_PER_BYTE = Fraction(1, 6)
"""What is left of a byte on a line that compresses; the laboratory's own mail, measured."""
DAY_PPM = (
    6435, 6436, 6442, 6507, 7008, 9663, 19319, 42831, 79288, 110359, 114876, 98321,
    88447, 96003, 100832, 83693, 52142, 25655, 12159, 7642, 6615, 6454, 6437, 6436,
)  # fmt: skip
"""Shares of a working day in parts per million, from 00:00 on."""
SOURCE = "by the sizing tables (exchange.md 5.3 and 5.4, assumptions)"

Hours = tuple[Fraction, ...]
_WORKING_DAY: Hours = tuple(Fraction(share, 10**6) for share in DAY_PPM)


@dataclass(frozen=True, slots=True)
class Churn:
    """What the users write: bytes of logs and databases in a day of each group, and its hours."""

    groups: tuple[tuple[Fraction, Hours], ...]
    mailboxes: int
    start_ns: int

    def written_bytes(self, span: Span) -> int:
        """What is written in a stretch of the run."""
        total = Fraction(0)
        position = span.start_ns
        while position < span.end_ns:
            clock_ns = (self.start_ns + position) % DAY_NS
            end = min(span.end_ns, position + HOUR_NS - clock_ns % HOUR_NS)
            part = Fraction(end - position, HOUR_NS)
            total += sum(day * hours[clock_ns // HOUR_NS] * part for day, hours in self.groups)
            position = end
        return int(total)

    def busiest_bytes_s(self, span: Span) -> int:
        """What is written in a second of the busiest hour that a stretch touches."""
        first = (self.start_ns + span.start_ns) // HOUR_NS
        last = (self.start_ns + max(span.end_ns - 1, span.start_ns)) // HOUR_NS
        hours = range(first, min(last, first + 23) + 1)
        return max(
            int(sum(day * shares[hour % 24] for day, shares in self.groups) / 3600)
            for hour in hours
        )


def churn_of(draft: Draft) -> Churn | None:
    """What the scenario's users write; None where their mail is real, or cannot be read."""
    exchange = draft.plain.get("exchange")
    if draft.workload or draft.start_ns is None or not isinstance(exchange, dict):
        return None
    written = exchange.get("storage_groups")
    if not isinstance(written, tuple):
        return None
    groups, mailboxes = [], 0
    for group in written:
        if isinstance(group, dict) and group.get("mail_days"):
            return None  # less on some days: which, depends on how long the run lasts
        try:
            count, day, hours = _group(exchange.get("version"), group)
        except (QuantityError, KeyError, TypeError, ValueError):
            return None  # reported as a value
        groups.append((count * day, hours))
        mailboxes += count
    return Churn(tuple(groups), mailboxes, draft.start_ns)


def _group(version: Any, group: Any) -> tuple[int, Fraction, Hours]:
    """Mailboxes, bytes a mailbox writes in a day, and the shares of the hours."""
    profile = group.get("profile", "average")
    hours = _WORKING_DAY
    if isinstance(profile, str):
        if version == 2007:
            logs = Fraction(LOG_MIB_PER_DAY[profile] * MIB)
        else:
            logs = MESSAGES_PER_DAY_2003[profile] * LOG_MIB_PER_MESSAGE * MIB
    else:
        growth = Fraction(SIZE.parse(profile.get("size", "50 KiB")), MESSAGE_BYTES) - 1
        per_message = LOG_MIB_PER_MESSAGE * MIB * (1 + LOG_GROWTH_PER_SIZE * growth)
        logs = (profile["sent"] + profile["received"]) * per_message
        if "hours" in profile:
            hours = tuple(parse_share(share) for share in profile["hours"])
    return int(group["mailboxes"]), logs * (1 + DATABASE_PER_LOG), hours
