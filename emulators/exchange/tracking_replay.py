"""Replays message tracking logs as arrivals: each logged delivery at its real distance in time.

Assumptions, because the log does not say: a message's body is drawn text, so that the message has
the logged size; so is its subject where subjects are not logged. Its sender, if they have a
mailbox here, keeps one copy in Sent Items, from its first logged delivery on. The mailboxes of the
storage group are the log's recipients in the order of their first delivery; what was delivered to
more recipients than there are mailboxes is left out and counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emulators.exchange.arrivals import NS_PER_HOUR, Arrival, Send
from emulators.exchange.input_files import BadRows
from emulators.exchange.tracking_log import Delivered, read_tracking_log

__all__ = ["TrackedMail"]


@dataclass(frozen=True, slots=True)
class TrackedMail:
    """All deliveries of the logs in memory, in order of time; equal times keep the logs' order."""

    deliveries: tuple[Delivered, ...]
    bad_rows: BadRows

    @classmethod
    def load(cls, path: Path) -> "TrackedMail":
        """Read the log file or the folder of logs at `path`.

        Raises:
            TrackingLogError: it holds no usable delivery.
            OSError: it cannot be read.
        """
        bad_rows = BadRows()
        found = sorted(read_tracking_log(path, bad_rows), key=_delivered_ns)
        return cls(tuple(found), bad_rows)

    @property
    def starts_ns(self) -> int:
        """When the replay starts: the first delivery floored to the hour, in ns since 1970 UTC."""
        first_ns = self.deliveries[0].delivered_ns
        return first_ns - first_ns % NS_PER_HOUR

    @property
    def duration_ns(self) -> int:
        """From the start of the replay to the last delivery."""
        return self.deliveries[-1].delivered_ns - self.starts_ns

    def recipients(self) -> tuple[str, ...]:
        """Return every recipient once, in the order of their first delivery, in lower case."""
        found = (name.lower() for item in self.deliveries for name in item.recipients)
        return tuple(dict.fromkeys(found))

    def left_out(self, mailboxes: int) -> int:
        """Return how many copies go to recipients beyond that number of mailboxes."""
        kept = frozenset(self.recipients()[:mailboxes])
        copies = (name.lower() for item in self.deliveries for name in item.recipients)
        return sum(name not in kept for name in copies)

    def arrivals(self) -> Iterator[Arrival]:
        """Yield every delivery, times relative to `starts_ns`."""
        starts_ns = self.starts_ns
        seen: set[tuple[str, str]] = set()  # only asked, never walked through
        for item in self.deliveries:
            sender = item.sender.lower()
            key = (sender, item.internet_message_id)
            send = Send(
                sender,
                tuple(dict.fromkeys(name.lower() for name in item.recipients)),
                item.size_bytes,
                subject=item.subject or None,
                internet_message_id=item.internet_message_id or None,
                to_sent_items=not item.internet_message_id or key not in seen,
            )
            seen.add(key)
            yield item.delivered_ns - starts_ns, send


def _delivered_ns(item: Delivered) -> int:
    return item.delivered_ns
