import os
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import faker
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.arrivals import Send
from emulators.exchange.content import DOMAIN, DOMAIN_OUTSIDE, LETTER_BYTES_MAX, ContentPools
from emulators.exchange.message import Message
from sim.streams import Streams

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pools():
    return ContentPools(Streams(1).stream("content"))


def pools_of(seed, **kwargs):
    return ContentPools(Streams(seed).stream("content"), **kwargs)


def draw_some(pools):
    users = pools.mailboxes(3)
    return [pools.draw(users[0], users[1:], size, 7) for size in (100, 1_000, 50_000, 5_000)]


@given(st.integers(0, 30_000_000))
@settings(deadline=None, max_examples=60)
def test_a_message_has_exactly_the_size_asked_for_or_the_least_possible(pools, size):
    user, other = pools.mailboxes(2)
    message = pools.draw(user, (other,), size, 1)
    least = message.size_bytes - message.body_bytes + 1
    assert message.size_bytes == max(size, least)


def test_a_body_is_text_that_greets_the_recipient_and_is_signed_by_the_sender(pools):
    sender, recipient = pools.people(2)
    message = pools.draw(sender.address, (recipient.address,), 4_000, 1)
    (body,) = message.body
    assert body.startswith(f"Hi {recipient.first_name},\r\n\r\n".encode())
    assert body.endswith(f"{sender.first_name} {sender.last_name}\r\n".encode())
    assert b"\0" not in body
    assert body.isascii()
    assert body.count(b"\r\n\r\n") > 3


def test_a_body_longer_than_all_the_text_there_is_goes_on(pools):
    user, other = pools.mailboxes(2)
    size = 3 * len(pools._reel)
    message = pools.draw(user, (other,), size, 1)
    assert message.size_bytes == size
    [attachment] = message.attachments
    assert message.body_bytes == LETTER_BYTES_MAX
    assert attachment.content[0].count(b". ") > 3 * pools._reel.count(b". ") * 0.9


def test_what_is_longer_than_a_letter_is_attached_and_goes_on_in_the_same_text(pools):
    user, other = pools.mailboxes(2)
    for size in (LETTER_BYTES_MAX - 100, LETTER_BYTES_MAX + 1000, 400_000):
        message = pools.draw(user, (other,), size, 1)
        assert message.size_bytes == size
        assert message.body_bytes <= LETTER_BYTES_MAX
        assert len(message.attachments) == (size > LETTER_BYTES_MAX)


def test_a_strangers_mail_has_a_body_too(pools):
    message = pools.draw("nobody@nowhere.example", ("x@nowhere.example",), 2_000, 1)
    assert message.size_bytes == 2_000


def test_text_shrinks_about_as_much_as_real_mail_does(pools):
    user, other = pools.mailboxes(2)
    text = b"".join(pools.draw(user, (other,), 20_000, 1).body[0] for _ in range(100))
    blocks = [text[i : i + 65_536] for i in range(0, len(text), 65_536)]
    compressor = zstandard.ZstdCompressor(level=3)
    shrunk = sum(len(compressor.compress(block)) for block in blocks)
    assert 2.2 < len(text) / shrunk < 4.0


def test_addresses_are_never_given_twice(pools):
    addresses = [*pools.mailboxes(5_000), *pools.correspondents]
    assert len(set(addresses)) == len(addresses)
    assert all(name.endswith((f"@{DOMAIN}", f"@{DOMAIN_OUTSIDE}")) for name in addresses)
    assert all(name.isascii() and " " not in name for name in addresses)


def test_message_ids_and_messages_are_never_the_same_twice(pools):
    user, other = pools.mailboxes(2)
    messages = [pools.draw(user, (other,), 300, 1) for _ in range(5_000)]
    assert len({message.internet_message_id for message in messages}) == 5_000
    assert len({message.digest for message in messages}) == 5_000
    assert len({message.subject for message in messages}) > 500


def test_the_same_seed_gives_the_same_mail_and_another_does_not():
    assert draw_some(pools_of(1)) == draw_some(pools_of(1))
    assert draw_some(pools_of(1)) != draw_some(pools_of(2))


def test_two_pools_side_by_side_do_not_disturb_each_other():
    expected = [message.digest for message in draw_some(pools_of(1))]
    one, other = pools_of(1), pools_of(2)
    draw_some(other)
    assert [message.digest for message in draw_some(one)] == expected


def test_sparse_mail_differs_from_full_mail_in_its_bodies_only():
    full, sparse = draw_some(pools_of(1)), draw_some(pools_of(1, sparse=True))
    for one, other in zip(full, sparse, strict=True):
        assert other.body == (one.body_bytes,)
        assert (one.sender, one.recipients, one.subject, one.internet_message_id) == (
            other.sender,
            other.recipients,
            other.subject,
            other.internet_message_id,
        )


def test_a_send_that_brings_its_message_gets_that_message(pools):
    message = Message("a@x", ("b@x",), "s", (b"body",), "<1>", 0)
    send = Send("a@x", ("b@x",), message.size_bytes, message)
    assert pools.message_for(send, 5) is message


def test_a_send_without_a_message_gets_one_of_its_size(pools):
    user, other = pools.mailboxes(2)
    message = pools.message_for(Send(user, (other,), 7_000), 123)
    assert (message.size_bytes, message.sent_ns, message.sender) == (7_000, 123, user)


DIGEST_PROGRAM = """
from emulators.exchange.content import ContentPools
from sim.streams import Streams
from hashlib import blake2b
pools = ContentPools(Streams(42).stream("content"))
users = pools.mailboxes(20)
total = blake2b(digest_size=16)
for index in range(200):
    message = pools.draw(users[index % 20], (users[(index + 1) % 20],), 100 + 301 * index, index)
    total.update(message.digest)
print(total.hexdigest())
"""


def digest_of_child(hash_seed):
    run = subprocess.run(
        [sys.executable, "-c", DIGEST_PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
        cwd=ROOT,
    )
    return run.stdout.strip()


def digest_here():
    pools = ContentPools(Streams(42).stream("content"))
    users = pools.mailboxes(20)
    total = blake2b(digest_size=16)
    for index in range(200):
        message = pools.draw(
            users[index % 20], (users[(index + 1) % 20],), 100 + 301 * index, index
        )
        total.update(message.digest)
    return total.hexdigest()


def test_the_text_does_not_depend_on_the_hash_seed():
    assert digest_of_child("1") == digest_of_child("2") == digest_here()


FAKER_OF_BASELINE = "40.54.0"
DIGEST_BASELINE = "4f2a3fe2349af76b322ca2b7d4be0798"  # equal on Python 3.11, 3.12 and 3.13


@pytest.mark.skipif(
    faker.VERSION != FAKER_OF_BASELINE, reason=f"the baseline is of Faker {FAKER_OF_BASELINE}"
)
def test_the_text_is_the_baseline_on_every_supported_python():
    assert digest_here() == DIGEST_BASELINE
