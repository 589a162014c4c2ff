"""The reader of message tracking logs: any order, any quoting, and nothing left out in silence."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.input_files import BadRows, WorkloadFileError
from emulators.exchange.tracking_log import (
    MESSAGE_BYTES_MAX,
    Delivered,
    TrackingLogError,
    read_tracking_log,
)
from emulators.exchange.tracking_replay import TrackedMail

FIELDS_2007 = re.split(
    ",",
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,"
    "source,event-id,internal-message-id,message-id,recipient-address,recipient-status,"
    "total-bytes,recipient-count,related-recipient-address,reference,message-subject,"
    "sender-address,return-path,message-info",
)
HEADER = (
    "#Software: Microsoft Exchange Server\r\n#Version: 8.0.0.0\r\n"
    "#Log-type: Message Tracking Log\r\n#Date: 2007-06-04T08:00:00.000Z\r\n"
)
HOUR_NS = 3600 * 10**9
EIGHT_NS = 1_180_944_000 * 10**9  # 2007-06-04 08:00 UTC


def row(**values):
    given = {
        "date-time": "2007-06-04T08:00:01.250Z",
        "source": "STOREDRIVER",
        "event-id": "DELIVER",
        "message-id": "<1@corp.example>",
        "recipient-address": "anna@corp.example",
        "total-bytes": "4096",
        "recipient-count": "1",
        "message-subject": "Hello",
        "sender-address": "bert@corp.example",
    }
    return given | {name.replace("_", "-"): value for name, value in values.items()}


def log_text(rows, fields=FIELDS_2007, header=HEADER, line_end="\r\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end, quoting=quoting)
    writer.writerows([item.get(name, "") for name in fields] for item in rows)
    return f"{header}#Fields: {','.join(fields)}{line_end}{out.getvalue()}"


@pytest.fixture
def write(tmp_path):
    def write_log(text, name="MSGTRK20070604-1.LOG"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_log


def read(path):
    bad_rows = BadRows()
    return list(read_tracking_log(path, bad_rows)), bad_rows


def test_a_delivery_is_read_with_all_that_it_says(write):
    found, bad_rows = read(write(log_text([row(recipient_address="a@x.com;B@x.com; A@X.com")])))
    assert found == [
        Delivered(
            EIGHT_NS + 1_250_000_000,
            "bert@corp.example",
            ("a@x.com", "B@x.com"),
            "Hello",
            "<1@corp.example>",
            4096,
        )
    ]
    assert bad_rows.count == 0


def test_only_deliveries_of_the_store_driver_are_mail(write):
    others = [
        row(event_id="RECEIVE", source="SMTP"),
        row(event_id="RECEIVE"),
        row(event_id="DELIVER", source="SMTP"),
        row(event_id="FAIL", source="ROUTING", total_bytes="", recipient_address=""),
    ]
    found, bad_rows = read(write(log_text([*others, row()])))
    assert len(found) == 1
    assert bad_rows.count == 0


def read_or_refusal(path):
    try:
        return read(path)[0]
    except WorkloadFileError as error:
        return error


field = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n"), max_size=12
).map(str.strip)
delivered_rows = st.builds(
    row,
    date_time=st.integers(0, 86_399_999).map(
        lambda ms: (
            f"2007-06-04T{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:"
            f"{ms // 1000 % 60:02}.{ms % 1000:03}Z"
        )
    ),
    message_subject=field,
    sender_address=field.filter(bool),
    message_id=field,
    source_context=field,
    recipient_address=st.lists(
        st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}", fullmatch=True), min_size=1, max_size=4, unique=True
    ).map(";".join),
    total_bytes=st.integers(1, MESSAGE_BYTES_MAX).map(str),
)


@settings(deadline=None)
@given(
    rows=st.lists(delivered_rows, min_size=1, max_size=6),
    fields=st.permutations([*FIELDS_2007, "custom-data", "directionality"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    has_bom=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    at=st.integers(0, 6),
)
def test_order_quotes_line_ends_and_unknown_fields_change_nothing(
    tmp_path_factory, rows, fields, line_end, has_bom, quoting, at
):
    if fields[0] == "message-subject":  # a row that begins with '#' is a comment
        fields = [*fields[1:], fields[0]]
    plain = [{**item, "source-context": item["source-context"].lstrip("#")} for item in rows]
    plain = [
        {**item, **{k: item[k].lstrip("#") or "x" for k in ("sender-address", "message-id")}}
        for item in plain
    ]
    text = log_text(plain[:at], fields, line_end=line_end, quoting=quoting)
    text += log_text(plain[at:], FIELDS_2007, "", line_end)
    path = tmp_path_factory.mktemp("logs") / "a.log"
    path.write_bytes(b"\xef\xbb\xbf" * has_bom + text.encode())
    found, bad_rows = read(path)
    assert bad_rows.count == 0
    assert [
        (item.sender, ";".join(item.recipients), item.subject, item.size_bytes) for item in found
    ] == [
        (
            item["sender-address"].strip() or "<>",
            item["recipient-address"],
            item["message-subject"].strip(),
            int(item["total-bytes"]),
        )
        for item in plain
    ]


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_whatever_follows_the_header_is_read_refused_or_counted(tmp_path_factory, rest):
    path = tmp_path_factory.mktemp("logs") / "a.log"
    path.write_bytes(log_text([row()]).encode() + rest)
    outcome = read_or_refusal(path)
    if isinstance(outcome, WorkloadFileError):
        assert outcome.line >= 6
        assert outcome.column >= 1
    else:
        assert len(outcome) >= 1


@pytest.mark.parametrize(
    ("values", "column_of", "part"),
    [
        ({"date_time": "2007-06-31T08:00:00.000Z"}, "2007-06-31", "no time"),
        ({"date_time": "yesterday"}, "yesterday", "no time"),
        ({"date_time": ""}, None, "no time"),
        ({"date_time": "1907-06-04T08:00:00.000Z"}, "1907", "no time"),
        ({"total_bytes": "0"}, None, "no size"),
        ({"total_bytes": "-5"}, "-5", "no size"),
        ({"total_bytes": "4 KB"}, "4 KB", "no size"),
        ({"total_bytes": str(MESSAGE_BYTES_MAX + 1)}, str(MESSAGE_BYTES_MAX + 1), "no size"),
        ({"total_bytes": "9" * 5000}, "9999", "no size"),
        ({"recipient_address": " ; "}, None, "no recipient"),
        ({"recipient_address": "x" * 128}, "xxx", "too long"),
    ],
)
def test_a_bad_row_is_left_out_and_told_with_its_place(write, values, column_of, part):
    text = log_text([row(), row(**values), row()])
    found, bad_rows = read(write(text))
    assert len(found) == 2
    [bad] = bad_rows.first
    assert bad_rows.count == 1
    assert bad.line == 7
    assert part in bad.reason
    if column_of is not None:
        assert text.splitlines()[6][bad.column - 1 :].startswith(column_of)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("2007-06-04T08:00:01.250Z,,,", "4 fields, and 21 are named"),
        ('2007-06-04T08:00:01.250Z,"never closed,,,', "no comma-separated values"),
        (",".join([""] * 22), "22 fields"),
    ],
)
def test_a_line_that_is_no_row_never_takes_the_next_with_it(write, line, part):
    found, bad_rows = read(write(log_text([row()]) + line + "\r\n" + log_text([row()])))
    assert len(found) == 2
    assert bad_rows.count == 1
    assert part in str(bad_rows.first[0])


def test_many_bad_rows_are_counted_and_the_first_five_told(write):
    found, bad_rows = read(write(log_text([row(), *[row(total_bytes="x")] * 12])))
    assert len(found) == 1
    assert bad_rows.count == 12
    assert [bad.line for bad in bad_rows.first] == [7, 8, 9, 10, 11]
    assert bad_rows.told().endswith("; and 7 more")


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("", 1, 1, "no '#Fields:' line"),
        ("Dear diary\n", 1, 1, "before the first row"),
        (HEADER, 1, 1, "no '#Fields:' line"),
        ("#Log-type: SMTP Send Protocol Log\n", 1, 11, "another log"),
        (HEADER + "#Fields: date-time,source\n", 5, 9, "event-id, recipient-address"),
        (log_text([]), 1, 1, "no delivery"),
        (log_text([row(event_id="SEND")]), 1, 1, "no delivery"),
        (log_text([row(total_bytes="x"), row(total_bytes="y")]), 6, 89, "none of the 2 rows"),
        (log_text([row()]).encode("utf-16"), 1, None, "binary"),
        ("#" + "x" * (1 << 20), 1, 1 << 20, "longer"),
    ],
)
def test_a_file_that_says_nothing_is_refused_with_its_place(write, text, line, column, part):
    path = write(text)
    with pytest.raises(ValueError, match=r".") as caught:
        read(path)
    error = caught.value
    assert str(error).startswith(f"{path}:{error.line}:{error.column}: ")
    assert error.line == line
    assert column is None or error.column == column
    assert part in error.problem
    assert error.hint


def test_the_logs_of_a_folder_are_read_by_name_and_sorted_by_time(write, tmp_path):
    write(log_text([row(date_time="2007-06-04T08:30:00.000Z", total_bytes="1")]), "a.log")
    write(log_text([row(date_time="2007-06-04T08:10:00.000Z", total_bytes="2")]), "B.LOG")
    write("not read", "readme.txt")
    mail = TrackedMail.load(tmp_path)
    assert [item.size_bytes for item in mail.deliveries] == [2, 1]
    assert mail.starts_ns == EIGHT_NS
    assert mail.duration_ns == HOUR_NS // 2
    assert [time_ns for time_ns, _ in mail.arrivals()] == [HOUR_NS // 6, HOUR_NS // 2]


def test_a_folder_without_logs_is_refused(tmp_path):
    with pytest.raises(TrackingLogError, match=r"no file '\*\.log'"):
        TrackedMail.load(tmp_path)


def test_a_message_for_two_databases_is_kept_once_by_its_sender(write):
    rows = [row(recipient_address="a@x.com"), row(recipient_address="b@x.com")]
    other = row(message_id="<2@corp.example>", recipient_address="a@x.com")
    sends = [send for _, send in TrackedMail.load(write(log_text([*rows, other]))).arrivals()]
    assert [send.to_sent_items for send in sends] == [True, False, True]


def test_copies_beyond_the_mailboxes_are_counted(write):
    rows = [row(recipient_address="a@x.com;b@x.com"), row(recipient_address="C@x.com;B@x.com")]
    mail = TrackedMail.load(write(log_text(rows)))
    assert mail.recipients() == ("a@x.com", "b@x.com", "c@x.com")
    assert [mail.left_out(count) for count in (1, 2, 3, 9)] == [3, 1, 0, 0]
