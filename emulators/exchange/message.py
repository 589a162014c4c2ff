"""A mail message as the store keeps it and as the ledger compares it."""

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from sim.payload import Segments, length_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["APPOINTMENT", "NOTE", "Attachment", "Message", "Segments"]

NOTE = "IPM.Note"
APPOINTMENT = "IPM.Appointment"
"""Message classes: mail, and an item of the calendar."""

DIGEST_BYTES = 16

# Zeros in a row that the digest treats as a run. Real mail has none; a sparse body is one.
_RUN_MIN = 64
_PLAIN = (NOTE, 0, None, None)
_STRETCH = re.compile(rb"([^\0]*)(\0*)")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries."""

    name: str
    content: Segments

    @property
    def size_bytes(self) -> int:
        """The length of name and content in bytes."""
        return length_of(self.content) + len(self.name.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Message:
    """One message; two are the same mail exactly when their digests are equal.

    `sender` and `recipients` are addresses, `sent_ns` is a time of the run in nanoseconds. The
    body of a real mail is its exact bytes, headers included. The last `cc_count` recipients get
    a carbon copy, the others are addressed. `starts_ns` and `ends_ns` are those of an
    appointment, and None of mail.
    """

    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: Segments
    internet_message_id: str
    sent_ns: int
    attachments: tuple[Attachment, ...] = ()
    message_class: str = NOTE
    cc_count: int = 0
    starts_ns: int | None = None
    ends_ns: int | None = None
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def body_bytes(self) -> int:
        """The length of the body in bytes, zero runs counted in full."""
        return length_of(self.body)

    @property
    def size_bytes(self) -> int:
        """The length of body, attachments, addresses, subject and message id in bytes."""
        addresses = len(self.sender) + sum(map(len, self.recipients))
        subject = len(self.subject.encode("utf-8", "surrogatepass"))
        attached = sum(attachment.size_bytes for attachment in self.attachments)
        texts = addresses + subject + len(self.internet_message_id)
        return self.body_bytes + attached + texts

    @property
    def digest(self) -> bytes:
        """16 bytes of BLAKE2b over the whole content, the same however the body is cut up.

        Computed once. A body read back as bytes has the digest of the segments that were
        written.
        """
        if not self._digest:
            object.__setattr__(self, "_digest", _digest_of(self))
        return self._digest


def _digest_of(message: Message) -> bytes:
    content = blake2b(digest_size=DIGEST_BYTES)
    texts = (message.sender, *message.recipients, message.subject, message.internet_message_id)
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    lengths = (message.sent_ns, len(message.recipients), *map(len, encoded))
    content.update(repr(lengths).encode())
    content.update(b"".join(encoded))
    _update_with_body(content, message.body)
    extras = (message.message_class, message.cc_count, message.starts_ns, message.ends_ns)
    if message.attachments or extras != _PLAIN:
        content.update(repr((*extras, [item.name for item in message.attachments])).encode())
        for attachment in message.attachments:
            _update_with_body(content, attachment.content)
    return content.digest()


def _update_with_body(content: "blake2b", body: Segments) -> None:
    """Feed the body without its long zero runs, then where those were.

    Only runs that are maximal in the whole body count, so the cutting into segments cannot
    show; and a sparse body of megabytes costs nothing.
    """
    runs: list[tuple[int, int]] = []
    position = zeros = 0
    for data, zeros_after in _data_and_zeros(body):
        if data:
            _end_run(content, runs, position, zeros)
            content.update(data)
            position += zeros + len(data)
            zeros = 0
        zeros += zeros_after
    _end_run(content, runs, position, zeros)
    content.update(repr((position + zeros, runs)).encode())


def _end_run(content: "blake2b", runs: list[tuple[int, int]], position: int, zeros: int) -> None:
    if zeros >= _RUN_MIN:
        runs.append((position, zeros))
    elif zeros:
        content.update(bytes(zeros))


def _data_and_zeros(body: Segments) -> "Iterator[tuple[bytes, int]]":
    """Yield the body as stretches without a zero byte, each with the zeros that follow it."""
    for segment in body:
        if isinstance(segment, int):
            yield b"", segment
        elif b"\0" not in segment:  # all text: one fast scan and no copy
            yield segment, 0
        else:
            for match in _STRETCH.finditer(segment):
                yield match[1], len(match[2])
