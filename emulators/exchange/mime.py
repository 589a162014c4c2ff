"""A message as the stream of a mail server: what a store keeps of mail that came by transport.

The stream holds headers, the text as it is, and each attachment in base64. Runs of zeros stay
runs: base64 makes zeros of zeros here, so that sparse mail stays sparse and has its full size.

Not modelled: encodings of headers and of text that is not ASCII.
"""

from base64 import b64encode

from emulators.exchange.message import Attachment, Message
from sim.payload import Segments

_LINE_BYTES = 57
_ENCODED_LINE_BYTES = 78
_BOUNDARY = b"----=_NextPart_000"


def mime_of(message: Message) -> Segments:
    """Return the MIME stream of a message."""
    headers = (
        f"From: {message.sender}\r\n"
        f"To: {', '.join(message.recipients)}\r\n"
        f"Subject: {message.subject}\r\n"
        f"Message-ID: {message.internet_message_id}\r\n"
        f"Date: {message.sent_ns}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="'
    ).encode("utf-8", "surrogatepass")
    stream: list[bytes | int] = [headers + _BOUNDARY + b'"\r\n\r\n', *message.body]
    for attachment in message.attachments:
        stream += [_part_header(attachment), *_encoded(attachment.content)]
    if message.attachments:
        stream.append(b"\r\n--" + _BOUNDARY + b"--\r\n")
    return tuple(stream)


def _part_header(attachment: Attachment) -> bytes:
    name = attachment.name.encode("utf-8", "surrogatepass")
    return (
        b"\r\n--" + _BOUNDARY + b"\r\nContent-Type: application/octet-stream; name="
        + name + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )  # fmt: skip


def _encoded(content: Segments) -> Segments:
    """Return content in base64, in lines of 76 characters; segment by segment."""
    return tuple(
        _encoded_bytes(segment) if isinstance(segment, int) else _encoded_text(segment)
        for segment in content
    )


def _encoded_bytes(length: int) -> int:
    lines, rest = divmod(length, _LINE_BYTES)
    return lines * _ENCODED_LINE_BYTES + (-(-rest // 3) * 4 + 2 if rest else 0)


def _encoded_text(data: bytes) -> bytes:
    encoded = b64encode(data)
    width = _ENCODED_LINE_BYTES - 2
    lines = [encoded[start : start + width] for start in range(0, len(encoded), width)]
    return b"".join(line + b"\r\n" for line in lines)
