"""A workload: nothing but a newsletter, to everybody at once."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from rpolab.hooks import Arrival, Interval, OwnMail, OwnWorkload, Send, Size, setting

SENDER = "newsletter@example.org"


class NewsletterKeys(OwnWorkload):
    """A newsletter that comes from outside to every mailbox."""

    kind: Literal["newsletter"]
    every_ns: Interval = Field(
        alias="every", description="Time from one to the next.", examples=["1 min"]
    )
    size_bytes: Size = setting("50 KiB", key="size", description="How large each is.")


class Newsletter(OwnMail):
    """The newsletter's mail."""

    settings = NewsletterKeys

    def arrivals(
        self, streams: object, mailboxes: tuple[str, ...], start_of_day_ns: int
    ) -> Iterator[Arrival]:
        """Yield one newsletter at each interval, for ever; nothing of it is drawn."""
        del streams, start_of_day_ns
        keys = self.keys
        assert isinstance(keys, NewsletterKeys)
        time_ns = keys.every_ns
        while True:
            yield time_ns, Send(SENDER, mailboxes, keys.size_bytes)
            time_ns += keys.every_ns
