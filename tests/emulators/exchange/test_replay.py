import re
from io import BytesIO
from pathlib import Path

import pytest

from emulators.exchange.arrivals import NS_PER_HOUR
from emulators.exchange.mbox import MboxError, scan_mbox
from emulators.exchange.replay import MailArchive

REAL = Path(__file__).parents[4] / "shared" / "data" / "r-help-2007-06.mbox"
real = pytest.mark.skipif(not REAL.exists(), reason=f"the real archive is not at {REAL}")


def archive_of(*mails):
    data = b"".join(
        f"From {name}@corp.example Fri Jun  1 {time} 2007\n\n{name} writes\n\n".encode()
        for name, time in mails
    )
    return MailArchive.of(scan_mbox(BytesIO(data), "test.mbox"))


def test_a_replay_begins_at_the_hour_of_the_first_message():
    archive = archive_of(("ann", "09:59:59"), ("bob", "10:00:00"), ("cy", "12:30:00"))
    times = [time_ns for time_ns, _ in archive.arrivals(("x@corp.example",))]
    assert times == [3599 * 10**9, NS_PER_HOUR, 3 * NS_PER_HOUR + 30 * 60 * 10**9]
    assert archive.starts_ns % NS_PER_HOUR == 0
    assert archive.duration_ns == times[-1]


def test_mail_out_of_order_is_sorted_stably_and_counted():
    archive = archive_of(
        ("ann", "10:00:00"), ("bob", "09:00:00"), ("cy", "10:00:00"), ("dan", "09:00:00")
    )
    assert [mail.sender[:3] for mail in archive.mails] == ["bob", "dan", "ann", "cy@"]
    assert archive.out_of_order == 2


def test_mail_in_order_counts_nothing():
    assert archive_of(("ann", "10:00:00"), ("bob", "10:00:00")).out_of_order == 0


def test_every_mail_goes_to_every_recipient_but_its_sender():
    archive = archive_of(("ann", "10:00:00"), ("bob", "10:00:01"))
    everyone = ("ann@corp.example", "cy@corp.example")
    sends = [send for _, send in archive.arrivals(everyone)]
    assert [send.recipients for send in sends] == [("cy@corp.example",), everyone]


def test_a_mail_only_its_sender_could_get_still_arrives():
    archive = archive_of(("ann", "10:00:00"))
    ((_, send),) = archive.arrivals(("ann@corp.example",))
    assert send.recipients == ("ann@corp.example",)


def test_a_message_carries_its_exact_bytes_and_its_time():
    archive = archive_of(("ann", "10:30:00"))
    ((time_ns, send),) = archive.arrivals(("x@corp.example",))
    assert send.message.body == (b"\nann writes\n\n",)
    assert send.message.sent_ns == time_ns == 30 * 60 * 10**9
    assert send.size_bytes == send.message.size_bytes


@real
def test_the_real_archive_is_read_completely_and_to_the_byte():
    data = REAL.read_bytes()
    archive = MailArchive.load(REAL)
    in_file = sorted(archive.mails, key=lambda mail: mail.line)
    assert len(in_file) == 2_318
    assert b"".join(mail.separator + mail.raw for mail in in_file) == data
    separators = re.findall(rb"^From .* 2007\n", data, re.MULTILINE)
    assert [mail.separator for mail in in_file] == separators
    assert archive.raw_bytes == len(data) - sum(map(len, separators)) == 4_049_150


@real
def test_the_real_archive_is_in_order_from_the_first_to_the_last_of_june():
    archive = MailArchive.load(REAL)
    times = [time_ns for time_ns, _ in archive.arrivals(("x@corp.example",))]
    assert times == sorted(times)
    assert archive.starts_ns == 1_180_656_000 * 10**9  # 2007-06-01 00:00:00 UTC
    assert times[0] == (4 * 60 + 24) * 10**9
    assert times[-1] == archive.duration_ns == (30 * 86_400 - 26 * 60 - 38) * 10**9
    assert archive.out_of_order == 287


@real
def test_every_real_message_has_a_sender_a_subject_and_an_id():
    archive = MailArchive.load(REAL)
    assert all("@" in mail.sender and mail.subject for mail in archive.mails)
    assert all(mail.internet_message_id for mail in archive.mails)
    assert {mail.subject for mail in archive.mails if not mail.subject.isascii()} == {
        "[R] Peter Moser ist außer Haus."
    }


@real
def test_real_message_ids_repeat_and_four_messages_are_there_twice_to_the_byte():
    sends = [send for _, send in MailArchive.load(REAL).arrivals(("x@corp.example",))]
    assert len({send.message.internet_message_id for send in sends}) == 2_307
    assert len({send.message.digest for send in sends}) == 2_314
    mails = MailArchive.load(REAL).mails
    assert len({(mail.separator, mail.raw) for mail in mails}) == 2_314


@real
@pytest.mark.parametrize("length", [100_003, 2_000_000, 4_180_398])
def test_the_real_archive_cut_short_is_refused(tmp_path, length):
    path = tmp_path / "cut.mbox"
    path.write_bytes(REAL.read_bytes()[:length])
    with pytest.raises(MboxError, match="truncated"):
        MailArchive.load(path)
