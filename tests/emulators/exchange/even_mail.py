"""A day's mail without luck: exactly as many messages as the profile says, exactly as large.

Of drawn mail one message of three hundred holds a tenth of all bytes, and it is chance how often
just that one is saved: a day of 40 light users is easily a fifth off its profile. Here the sizes of
each kind of mail are the means of equal parts of their distribution, in random order, and the days
that follow fill up what the first has too few of. Who writes to whom, when, and what becomes of a
message is drawn as ever.
"""

from dataclasses import replace
from operator import itemgetter

from emulators.exchange.arrivals import INBOUND_SHARE, _RecipientCount
from emulators.exchange.sizes import MessageSizes

DAY_NS = 24 * 3600 * 10**9
PARTS = 50
"""The largest part has a mean of half a megabyte."""
SAMPLES_OF_MESSAGE = 64


class EvenDraws:
    """A stream that gives the same uniform numbers in each round."""

    def __init__(self, uniform):
        self.uniform = uniform

    def random(self):
        return self.uniform


def even_sizes(mean_bytes, messages):
    """Return the sizes of some messages in whole bytes; their mean is the distribution's."""
    sizes = MessageSizes(mean_bytes)
    total = messages * SAMPLES_OF_MESSAGE
    drawn = [sizes.draw(EvenDraws((number + 0.5) / total)) for number in range(total)]
    scale = mean_bytes * total / sum(drawn)
    even = []
    for part in range(PARTS):
        first, end = part * messages // PARTS, (part + 1) * messages // PARTS
        of_part = drawn[first * SAMPLES_OF_MESSAGE : end * SAMPLES_OF_MESSAGE]
        even += [round(scale * sum(of_part) / len(of_part))] * (end - first) if of_part else []
    return even


def shuffled(items, stream):
    """Return the items in the order of as many draws."""
    draws = [(stream.random(), number) for number in range(len(items))]
    return [items[number] for _, number in sorted(draws)]


def even_day(arrivals, profile, mailboxes, stream):
    """Return the arrivals of a day of mailboxes, in order of time: all that the profile says.

    Args:
        arrivals: those of the profile, for ever.
        profile: how many they are, and how large.
        mailboxes: their addresses.
        stream: orders the sizes.
    """
    submitted = profile.sent_per_day * len(mailboxes)
    within = profile.received_per_day * (1 - INBOUND_SHARE) / max(profile.sent_per_day, 1)
    delivered = submitted * _RecipientCount(within, len(mailboxes) - 1).mean
    inbound = round(profile.received_per_day * len(mailboxes) - delivered)
    names = frozenset(mailboxes)
    left = {True: submitted, False: inbound}
    sizes = {
        kind: iter(shuffled(even_sizes(profile.message_bytes_mean, number), stream))
        for kind, number in left.items()
        if number
    }
    day = []
    while any(left.values()):
        time_ns, send = next(arrivals)
        kind = send.sender in names
        if left[kind]:
            left[kind] -= 1
            day.append((time_ns % DAY_NS, replace(send, size_bytes=next(sizes[kind]))))
    return sorted(day, key=itemgetter(0))
