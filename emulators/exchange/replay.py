"""Replays a mail archive as arrivals: each real message at its real distance in time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.exchange.arrivals import NS_PER_HOUR, Send
from emulators.exchange.mbox import read_mbox
from emulators.exchange.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from emulators.exchange.arrivals import Arrival
    from emulators.exchange.mbox import MboxMail

__all__ = ["MailArchive"]


@dataclass(frozen=True, slots=True)
class MailArchive:
    """A whole archive in memory, in order of arrival; equal times keep the order of the file.

    `out_of_order` counts the messages that the file holds after one that arrived later.
    """

    mails: "tuple[MboxMail, ...]"
    out_of_order: int

    @classmethod
    def load(cls, path: "Path") -> "MailArchive":
        """Read the mbox file at `path`.

        Raises:
            MboxError: the file is not a complete mbox archive.
            OSError: it cannot be read.
        """
        return cls.of(read_mbox(path))

    @classmethod
    def of(cls, mails: "Iterator[MboxMail]") -> "MailArchive":
        """Sort messages given in the order of their file."""
        in_file_order = tuple(mails)
        latest_ns = -1
        out_of_order = 0
        for mail in in_file_order:
            out_of_order += mail.arrived_ns < latest_ns
            latest_ns = max(latest_ns, mail.arrived_ns)
        return cls(tuple(sorted(in_file_order, key=_arrived_ns)), out_of_order)

    @property
    def starts_ns(self) -> int:
        """When the replay starts: the first arrival floored to the hour, in ns since 1970 UTC."""
        first_ns = self.mails[0].arrived_ns
        return first_ns - first_ns % NS_PER_HOUR

    @property
    def duration_ns(self) -> int:
        """From the start of the replay to the last arrival."""
        return self.mails[-1].arrived_ns - self.starts_ns

    @property
    def raw_bytes(self) -> int:
        """The sum of the messages' sizes without separators."""
        return sum(len(mail.raw) for mail in self.mails)

    def arrivals(self, recipients: "Sequence[str]") -> "Iterator[Arrival]":
        """Yield every message as a send to all of `recipients`, times relative to `starts_ns`.

        A list's members each get each mail; a recipient who wrote it gets no second copy (their
        own is the one sent), so a mail may have fewer recipients, or, where its sender is the
        only one, none but the sender.
        """
        assert recipients
        everyone = tuple(recipients)
        starts_ns = self.starts_ns
        for mail in self.mails:
            yield mail.arrived_ns - starts_ns, _send(mail, everyone, mail.arrived_ns - starts_ns)


def _arrived_ns(mail: "MboxMail") -> int:
    return mail.arrived_ns


def _send(mail: "MboxMail", everyone: tuple[str, ...], time_ns: int) -> Send:
    recipients = tuple(name for name in everyone if name != mail.sender) or everyone
    message = Message(
        sender=mail.sender,
        recipients=recipients,
        subject=mail.subject,
        body=(mail.raw,),
        internet_message_id=mail.internet_message_id,
        sent_ns=time_ns,
    )
    return Send(mail.sender, recipients, message.size_bytes, message)
