"""Who sends what when: the mail that a set of mailboxes of one profile submits and receives.

The times are a Poisson process whose rate follows the working day (inversion of the unit-rate
process hour by hour, in whole nanoseconds, so nothing drifts over long runs). Two processes make
up the traffic of a set of mailboxes: what its own users submit, and what comes in from outside.
Together each mailbox sends and receives exactly what its profile says, in the long-run mean.

Assumptions (no source gives them): three quarters of what a mailbox receives come from outside; the
number of a message's recipients is geometric; every user of a profile is equally active.
"""

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.exchange.sizes import MessageSizes
from emulators.exchange.working_day import PARTS, WORKING_DAY, DayCurve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emulators.exchange.message import Message
    from emulators.exchange.profiles import Profile
    from sim.streams import Stream, Streams

__all__ = [
    "INBOUND_SHARE",
    "Arrival",
    "Send",
    "merge_arrivals",
    "profile_arrivals",
    "times_of_day",
]

INBOUND_SHARE = 0.75
"""Share of a mailbox's received mail whose sender has no mailbox in the same storage group (an
assumption: most colleagues are on other databases, and what they send comes by transport too)."""

NS_PER_HOUR = 3600 * 10**9
NS_PER_DAY = 24 * NS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Send:
    """One submission of a message to the transport.

    `sender` is one of the mailboxes, or an address outside. `recipients` holds distinct
    addresses, of generated mail never the sender's; those that are no mailbox leave the
    organisation. `message` is the message itself where its content is given (a replayed archive),
    else None: its content is then drawn from `ContentPools`, save for `subject` and
    `internet_message_id` where they are known. With `to_sent_items` a sender who has a mailbox
    keeps a copy.
    """

    sender: str
    recipients: tuple[str, ...]
    size_bytes: int
    message: "Message | None" = None
    subject: str | None = None
    internet_message_id: str | None = None
    to_sent_items: bool = True


Arrival = tuple[int, Send]
"""A time in nanoseconds after the start of the run, and what is sent then."""


def profile_arrivals(
    streams: "Streams",
    profile: "Profile",
    mailboxes: "Sequence[str]",
    correspondents: "Sequence[str]",
    *,
    name: str,
    start_of_day_ns: int = 0,
    inbound_share: float = INBOUND_SHARE,
    curve: DayCurve = WORKING_DAY,
    scale: float = 1.0,
) -> "Iterator[Arrival]":
    """Yield the mail of `mailboxes` for ever, in order of time, lazily.

    `correspondents` are addresses outside. `name` names the random streams
    ('arrivals:<name>:...'), so that two groups of mailboxes never share one. `start_of_day_ns` is
    the time of day at which the run begins. What mailboxes cannot send each other (there may be
    one only) comes from outside, so the rates of the profile hold for any number of them. `scale`
    makes all of it more or less frequent, and changes nothing else.
    """
    assert mailboxes
    assert correspondents
    assert len(frozenset(mailboxes)) == len(mailboxes), "a mailbox is listed twice"
    assert 0 <= inbound_share <= 1
    assert 0 <= start_of_day_ns < NS_PER_DAY
    count = len(mailboxes)
    wanted = profile.received_per_day * (1 - inbound_share) / max(profile.sent_per_day, 1)
    recipients = _RecipientCount(wanted, count - 1)
    inbound_per_mailbox = profile.received_per_day - profile.sent_per_day * recipients.mean
    prefix = f"arrivals:{name}"
    sizes = MessageSizes(profile.message_bytes_mean)
    submitted = _submitted(
        times_of_day(
            streams.stream(f"{prefix}:submitted:time"),
            profile.sent_per_day * count * scale,
            curve,
            start_of_day_ns,
        ),
        _Draws(streams, f"{prefix}:submitted", sizes),
        mailboxes,
        correspondents,
        recipients,
    )
    inbound = _inbound(
        times_of_day(
            streams.stream(f"{prefix}:inbound:time"),
            inbound_per_mailbox * count * scale,
            curve,
            start_of_day_ns,
        ),
        _Draws(streams, f"{prefix}:inbound", sizes),
        mailboxes,
        correspondents,
    )
    return merge_arrivals(submitted, inbound)


def merge_arrivals(*arrivals: "Iterator[Arrival]") -> "Iterator[Arrival]":
    """Merge several arrival processes into one; of equal times the earlier argument's comes first.

    Lazy: it holds one arrival of each process.
    """
    return heapq.merge(*arrivals, key=_time_of)


def _time_of(arrival: Arrival) -> int:
    return arrival[0]


class _RecipientCount:
    """How many mailboxes a submitted message goes to: geometric, cut at the number of others.

    A wanted mean below one is a coin: one mailbox, or none (the message leaves the house).
    """

    def __init__(self, mean_wanted: float, count_max: int) -> None:
        self._count_max = count_max
        self._chance_of_any = min(mean_wanted, 1.0)
        success = 1.0 / max(mean_wanted, 1.0)
        self._log_failure = math.log(1 - success) if success < 1 else -math.inf
        self.mean = 0.0
        if count_max > 0:
            # E[min(K, n)] of a geometric K >= 1: the sum of P(K >= k) for k = 1..n.
            self.mean = self._chance_of_any * (1 - (1 - success) ** count_max) / success

    def draw(self, stream: "Stream") -> int:
        """Return a number from 0 to `count_max`; one draw of the stream."""
        uniform = stream.random()
        if self._count_max == 0 or uniform >= self._chance_of_any:
            return 0
        if self._log_failure == -math.inf:
            return 1
        return min(1 + int(math.log(1 - uniform) / self._log_failure), self._count_max)


class _Draws:
    """The streams of one process: one for each purpose, so that one never shifts another."""

    def __init__(self, streams: "Streams", prefix: str, sizes: MessageSizes) -> None:
        self.sender = streams.stream(f"{prefix}:sender")
        self.recipients = streams.stream(f"{prefix}:recipients")
        self._size = streams.stream(f"{prefix}:size")
        self._sizes = sizes

    def size_bytes(self) -> int:
        return self._sizes.draw(self._size)


def _submitted(
    times: "Iterator[int]",
    draws: _Draws,
    mailboxes: "Sequence[str]",
    correspondents: "Sequence[str]",
    recipient_count: _RecipientCount,
) -> "Iterator[Arrival]":
    """Yield what the users of the mailboxes send, to each other or out of the house."""
    for time_ns in times:
        sender = draws.sender.below(len(mailboxes))
        count = recipient_count.draw(draws.recipients)
        if count:
            chosen = _others(draws.recipients, sender, count, mailboxes)
        else:
            chosen = (draws.recipients.choice(correspondents),)
        yield time_ns, Send(mailboxes[sender], chosen, draws.size_bytes())


def _inbound(
    times: "Iterator[int]",
    draws: _Draws,
    mailboxes: "Sequence[str]",
    correspondents: "Sequence[str]",
) -> "Iterator[Arrival]":
    """Yield what comes in from outside, one recipient each."""
    for time_ns in times:
        sender = draws.sender.choice(correspondents)
        recipient = draws.recipients.choice(mailboxes)
        yield time_ns, Send(sender, (recipient,), draws.size_bytes())


def _others(
    stream: "Stream", sender: int, count: int, mailboxes: "Sequence[str]"
) -> tuple[str, ...]:
    """Draw `count` distinct mailboxes that are not the sender's, in the order drawn."""
    assert count < len(mailboxes)
    chosen: dict[int, None] = {}
    while len(chosen) < count:
        index = stream.below(len(mailboxes) - 1)
        chosen[index + (index >= sender)] = None
    return tuple(mailboxes[index] for index in chosen)


def times_of_day(
    stream: "Stream", per_day: float, curve: DayCurve, start_of_day_ns: int
) -> "Iterator[int]":
    """Yield the times of a Poisson process with `per_day` events a day shaped by `curve`.

    Inversion: a gap of the unit-rate process is spent hour by hour at each hour's own rate.
    """
    if per_day <= 0:
        return
    rates = [per_day * share / PARTS / NS_PER_HOUR for share in curve.shares]  # events per ns
    hour, into_hour_ns = divmod(start_of_day_ns, NS_PER_HOUR)
    hour_began_ns = -into_hour_ns  # in time of the run
    while True:
        gap = stream.exponential(1.0)
        while gap >= (left := rates[hour] * (NS_PER_HOUR - into_hour_ns)):
            gap -= left
            hour = (hour + 1) % len(rates)
            hour_began_ns += NS_PER_HOUR
            into_hour_ns = 0
        into_hour_ns = min(into_hour_ns + int(gap / rates[hour]), NS_PER_HOUR - 1)
        yield hour_began_ns + into_hour_ns
