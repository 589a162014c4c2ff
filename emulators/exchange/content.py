"""What the mail says: text, names and subjects, drawn from pools made once per run.

Faker gives the words and names when the pools are made; a message is then a few draws and one
slice of text. Text is laid out as one long reel of paragraphs of randomly ordered words. A body
is a stretch of the reel that begins at a paragraph, so it costs one copy however large it is; and
the reel is longer than what a compressor remembers, so bodies shrink about as much as real mail
does (zstd level 3, blocks of 64 KiB: 2.9 to 1; a real mailing list: 3.3 to 1).

Faker is given its own generator, seeded from the run's stream: nothing here touches a global one.
The pools are equal on every Python from 3.11 on; another version of Faker may have other words.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faker import Faker

from emulators.exchange.message import Attachment, Message

if TYPE_CHECKING:
    from emulators.exchange.arrivals import Send
    from sim.streams import Stream

__all__ = ["DOMAIN", "DOMAIN_OUTSIDE", "ContentPools", "Person"]

DOMAIN = "corp.example"
DOMAIN_OUTSIDE = "partner.example"

LETTER_BYTES_MAX = 16 * 1024
"""What a drawn message has beyond this is an attachment (an assumption: few people write more)."""

ATTACHMENT_NAME = "attachment.doc"

_LOCALE = "en_US"
_PROVIDERS = ["faker.providers.person", "faker.providers.lorem", "faker.providers.company"]

_FIRST_NAMES = 200
_LAST_NAMES = 400
_SUBJECTS = 2048
_CORRESPONDENTS = 512

_TOKENS = 4096  # a power of two: two random bytes give an index by a mask
_REEL_TOKENS = 640_000  # about 4 MiB of text
_SENTENCE_ENDS = 340  # tokens of the 4,096 that end a sentence: one in twelve
_PARAGRAPH_ENDS = 70  # of those, tokens that end a paragraph: one in five sentences


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an address."""

    first_name: str
    last_name: str
    address: str


class ContentPools:
    """The run's pools of people, subjects and text.

    `stream` feeds the making of the pools and every later draw. With `sparse` a body is a run of
    zeros as long as the text would have been; everything else, and every draw, is the same.
    """

    def __init__(self, stream: "Stream", *, sparse: bool = False) -> None:
        self._stream = stream
        self._sparse = sparse
        faker = Faker(_LOCALE, providers=_PROVIDERS)
        faker.seed_instance(stream.bits(64))
        self._first_names = [faker.first_name() for _ in range(_FIRST_NAMES)]
        self._last_names = [faker.last_name() for _ in range(_LAST_NAMES)]
        self._subjects = _make_subjects(faker, stream)
        self._reel = _make_reel(faker, stream)
        self._paragraphs = _paragraph_starts(self._reel)
        self._addresses_taken: dict[str, int] = {}
        self._greetings: dict[str, bytes] = {}
        self._signatures: dict[str, bytes] = {}
        self._messages = 0
        self.correspondents = tuple(
            person.address for person in self.people(_CORRESPONDENTS, domain=DOMAIN_OUTSIDE)
        )
        """Addresses outside the organisation."""

    def people(self, count: int, *, domain: str = DOMAIN) -> tuple[Person, ...]:
        """Return `count` new people; no address is ever given twice."""
        return tuple(self._new_person(domain) for _ in range(count))

    def mailboxes(self, count: int) -> tuple[str, ...]:
        """Return the addresses of `count` new people of the organisation."""
        return tuple(person.address for person in self.people(count))

    def message_for(self, send: "Send", sent_ns: int) -> Message:
        """Return the message that `send` submits: its own, or one drawn from the pools."""
        if send.message is not None:
            return send.message
        return self.draw(
            send.sender,
            send.recipients,
            send.size_bytes,
            sent_ns,
            subject=send.subject,
            message_id=send.internet_message_id,
        )

    def draw(
        self,
        sender: str,
        recipients: tuple[str, ...],
        size_bytes: int,
        sent_ns: int,
        *,
        subject: str | None = None,
        message_id: str | None = None,
    ) -> Message:
        """Return a new message of exactly `size_bytes`, or slightly more if that is very small.

        (Addresses, subject and message id have their lengths, and no body is empty.) A subject or
        message id that is given takes the place of the one drawn; the draws are the same.
        """
        stream = self._stream
        drawn_subject = self._subjects[stream.below(_SUBJECTS)]
        start = self._paragraphs[stream.below(len(self._paragraphs))]
        self._messages += 1
        drawn_id = f"<{self._messages:08X}.{stream.bits(64):016x}@{DOMAIN}>"
        subject = drawn_subject if subject is None else subject
        message_id = drawn_id if message_id is None else message_id
        subject_bytes = len(subject.encode())
        overhead = len(sender) + subject_bytes + len(message_id) + sum(map(len, recipients))
        length = max(size_bytes - overhead, 1)
        attached = length - LETTER_BYTES_MAX - len(ATTACHMENT_NAME)
        if attached <= 0:
            text = self._text(sender, recipients[0], start, length)
            return Message(sender, recipients, subject, (text,), message_id, sent_ns)
        text = self._text(sender, recipients[0], start, LETTER_BYTES_MAX)
        content = attached if self._sparse else self._reel_from(start + LETTER_BYTES_MAX, attached)
        attachments = (Attachment(ATTACHMENT_NAME, (content,)),)
        return Message(sender, recipients, subject, (text,), message_id, sent_ns, attachments)

    def _text(self, sender: str, recipient: str, start: int, length: int) -> bytes | int:
        return length if self._sparse else self._body(sender, recipient, start, length)

    def _body(self, sender: str, recipient: str, start: int, length: int) -> bytes:
        """Return a letter of `length` bytes: greeting, text of the reel from `start`, signature."""
        greeting = self._greetings.get(recipient, b"Hello,\r\n\r\n")
        signature = self._signatures.get(sender, b"\r\n")
        text_length = length - len(greeting) - len(signature)
        if text_length <= 0:
            return self._reel[start : start + length]
        return b"".join((greeting, self._reel_from(start, text_length), signature))

    def _reel_from(self, start: int, length: int) -> bytes:
        """Return `length` bytes of the reel, which begins again after its end."""
        reel = self._reel
        start %= len(reel)
        if start + length <= len(reel):
            return reel[start : start + length]
        rounds, rest = divmod(start + length - len(reel), len(reel))
        return b"".join((reel[start:], *([reel] * rounds), reel[:rest]))

    def _new_person(self, domain: str) -> Person:
        first = self._stream.choice(self._first_names)
        last = self._stream.choice(self._last_names)
        local = f"{first}.{last}".lower()
        number = self._addresses_taken.get(local, 0) + 1
        self._addresses_taken[local] = number
        address = f"{local}{number if number > 1 else ''}@{domain}"
        self._greetings[address] = f"Hi {first},\r\n\r\n".encode()
        self._signatures[address] = f"\r\n\r\nRegards,\r\n{first} {last}\r\n".encode()
        return Person(first, last, address)


def _make_subjects(faker: Faker, stream: "Stream") -> list[str]:
    """Return subjects as offices write them; a third of them answer or pass on another."""
    subjects = []
    for _ in range(_SUBJECTS):
        phrase = faker.catch_phrase() if stream.chance(0.5) else faker.bs().capitalize()
        prefix = stream.choice(("", "", "", "", "RE: ", "FW: "))
        subjects.append(prefix + phrase)
    return subjects


def _make_reel(faker: Faker, stream: "Stream") -> bytes:
    """Return some MiB of text: sentences and paragraphs of words in random order.

    The end of a sentence is part of a token, so that joining tokens is all there is to do.
    """
    words = faker.words(_TOKENS + _SENTENCE_ENDS)
    tokens = [word.encode() for word in words[:_TOKENS]]
    for index, next_word in enumerate(words[_TOKENS:]):
        end = b".\r\n\r\n" if index < _PARAGRAPH_ENDS else b". "
        tokens[index] += end + next_word.capitalize().encode()
    mask = _TOKENS - 1
    draws = stream.bytes(2 * _REEL_TOKENS)
    indexes = zip(draws[::2], draws[1::2], strict=True)
    return b" ".join([tokens[(high << 8 | low) & mask] for high, low in indexes])


def _paragraph_starts(reel: bytes) -> list[int]:
    """Return where paragraphs begin."""
    starts = []
    position = reel.find(b"\r\n\r\n")
    while position >= 0:
        starts.append(position + 4)
        position = reel.find(b"\r\n\r\n", position + 4)
    return starts
