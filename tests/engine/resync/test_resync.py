"""The source's host stopped without warning: both ends are compared, and the protection goes on."""

from dataclasses import replace
from random import Random

import pytest
from engine_harness import SMALL
from engine_model import app_tag, contents, create, rename, truncate, write
from engine_points import check_live, check_points
from engine_resync import AUTOMATIC, figures, first_copy, session_settings, stop_host

from engine import (
    CaptureSettings,
    Image,
    RecordType,
    RecoveryPoints,
    SourceState,
    TargetState,
    actions,
    events,
)
from engine.basics.errors import ResyncRequired
from engine.basics.settings import SECOND_NS, BandwidthRule, DailyHours, ResyncSettings

RANDOM = Random(5)
DATA = {name: RANDOM.randbytes(200_000) for name in ("db/a", "db/b", "logs/c")}
HOUR_NS = 3600 * SECOND_NS


def joined(**arguments):
    pair = first_copy(DATA, **arguments)
    pair.converge()
    return pair


def test_a_first_copy_brings_all_there_is_while_the_source_goes_on_writing():
    pair = first_copy(DATA)
    pair.run(lambda pair: pair.capture.is_comparing)
    pair.show(write("db/a", 150_000, b"late" * 4_000))
    pair.converge()
    check_live(pair)
    points, inside = check_points(pair)
    assert points >= 1
    assert inside > 10


def test_a_comparison_waits_while_the_bandwidth_schedule_says_silence():
    """Only the first asks were on their way: what they compare is done, nothing more is asked."""
    until_ns = SECOND_NS // 20
    silence = BandwidthRule(0b1111111, 0, until_ns, 0)
    pair = first_copy(DATA, settings=replace(session_settings(), bandwidth=(silence,)))
    pair.capture.clock_offset_ns = HOUR_NS
    pair.run(lambda pair: figures(pair).compared_bytes > 0)
    pair.capture.clock_offset_ns = 0
    pair.run(lambda pair: pair.now_ns > until_ns // 2)
    wire_bytes, compared_bytes = pair.source.figures.wire_bytes, figures(pair).compared_bytes
    assert compared_bytes < sum(map(len, DATA.values()))
    pair.run(lambda pair: pair.now_ns > until_ns * 9 // 10)
    assert pair.now_ns < until_ns
    assert figures(pair).compared_bytes == compared_bytes
    assert pair.source.figures.wire_bytes == wire_bytes
    pair.converge()
    check_live(pair)


def test_after_a_host_crash_no_more_is_sent_than_the_blocks_that_differ(figure):
    pair = joined()
    before = pair.journal.durable.sequence
    pair.volume.apply(write("db/b", 100_000, b"x" * 9_300))
    stop_host(pair)
    pair.converge()
    check_live(pair)
    check_points(pair)
    assert contents(Image(pair.journal, before)) == DATA
    sent = pair.capture.figures(pair.now_ns).drained_bytes
    assert sent == 12_288, "the three blocks that the change touches"
    figure(f"{sent} bytes sent for 9,300 that differ, of {figures(pair).compared_bytes} compared")


def test_files_that_were_cut_renamed_or_made_meanwhile_are_so_at_the_target_too():
    pair = joined()
    for change in (
        truncate("db/a", 65_536),
        rename("db/b", "db/z"),
        create("db/b"),
        write("db/b", 30_000, b"new"),
        truncate("logs/c", 300_000),
    ):
        pair.volume.apply(change)
    stop_host(pair)
    pair.converge()
    check_live(pair)
    check_points(pair)


def test_zeros_cost_nothing_neither_hashes_of_data_nor_data():
    pair = first_copy({"db/a": bytes(300_000), "db/b": b"A" * 4_096 + bytes(100_000)})
    pair.converge()
    check_live(pair)
    assert pair.capture.figures(pair.now_ns).drained_bytes == 4_096


def test_the_last_good_point_stays_usable_all_through_and_the_end_publishes():
    pair = joined()
    good = pair.journal.durable.sequence
    before = {name: bytes(data) for name, data in pair.volume.files.items()}
    pair.volume.apply(write("db/b", 0, bytes([7]) * 150_000))
    stop_host(pair)

    def check(pair):
        latest = RecoveryPoints(pair.journal).latest().sequence
        now = contents(Image(pair.journal, latest))
        if latest <= good:
            assert now == before
        else:
            assert pair.journal.index.row(latest).kind in (RecordType.RESYNC_END, RecordType.TIME)
            check_live(pair)

    pair.at_step = check
    pair.converge()
    check_live(pair)


def test_no_tag_is_taken_during_a_resync_and_one_is_right_after_it():
    pair = joined()
    pair.volume.apply(write("db/b", 0, b"x"))
    stop_host(pair)
    pair.run(lambda pair: pair.capture.is_comparing)
    assert "gap is open" in pair.show(app_tag("refused")).reason
    pair.converge()
    pair.show(app_tag("taken"))
    pair.converge()
    assert [tag.label for tag in pair.journal.index.tags] == ["taken"]


def test_a_comparison_goes_on_where_it_was_after_a_disconnect_and_a_new_session(figure):
    pair = joined()
    stop_host(pair)
    pair.run(lambda pair: pair.capture.is_comparing)
    first = min(entry.file for entry in pair.capture.live_files().entries)

    def position():
        progress = pair.capture.progress
        return max(progress.file - first, 0) * 200_000 + progress.offset

    for wanted, interrupt in (
        (150_000, pair.disconnect),
        (300_000, pair.crash_source),
        (450_000, pair.disconnect),
    ):
        pair.run(lambda _, wanted=wanted: position() > wanted)
        reached, compared = position(), figures(pair).compared_bytes
        interrupt()
        assert position() == reached
        figure(f"interrupted at {reached} of 600,000 bytes, {compared} compared by this session")
    pair.converge()
    check_live(pair)
    check_points(pair)
    assert figures(pair).compared_bytes < 300_000 + 50_000, "the new session did not begin anew"


def test_by_default_the_session_halts_until_the_operator_says_so():
    pair = joined()
    pair.volume.apply(write("db/b", 0, b"x" * 5_000))
    pair.settings = SMALL
    stop_host(pair)
    pair.run(lambda pair: pair.source.state is SourceState.HALTED)
    assert isinstance(pair.source.fatal_error, ResyncRequired)
    assert "resync" in pair.source.fatal_error.hint
    assert pair.journal.incarnation == 1, "the target is as it was"
    pair.crash_source()
    pair.tell_source(events.ResyncOrdered())
    pair.converge()
    check_live(pair)
    check_points(pair)
    assert pair.journal.incarnation == 2


def test_a_resync_waits_for_its_hours_and_the_connection_stands_meanwhile():
    night = DailyHours(weekdays=127, from_ns=22 * HOUR_NS, until_ns=24 * HOUR_NS)
    settings = session_settings(replace(AUTOMATIC, policy="hours", hours=(night,)))
    settings = replace(
        settings, heartbeat_interval_ns=1000 * SECOND_NS, peer_timeout_ns=3000 * SECOND_NS
    )
    pair = joined()
    pair.settings = settings
    pair.crash_target()
    stop_host(pair)
    pair.run(lambda pair: pair.target.state is TargetState.STREAMING and not pair.to_source)
    assert not pair.capture.is_based
    pair.show(write("db/a", 3, b"in the evening"))
    pair.run(lambda pair: pair.capture.is_comparing)
    assert pair.now_ns == 22 * HOUR_NS
    pair.converge()
    check_live(pair)


def test_what_a_policy_broke_off_is_compared_as_soon_as_all_else_is_there():
    settings = CaptureSettings(pool_bytes_max=120_000, overflow="break", time_interval_ns=1 << 40)
    pair = joined()
    stop_host(pair, settings=settings)
    pair.converge()
    pair.is_cut = True
    pair.disconnect()
    for number in range(40):
        pair.show(write("db/a", number * 4_096, bytes([number]) * 4_096))
    assert pair.capture.is_resync_needed
    pair.is_cut = False
    pair.converge()
    check_live(pair)
    check_points(pair)
    closed = [notice for _, notice in pair.notices if isinstance(notice, actions.GapClosed)]
    assert [notice.is_resync for notice in closed] == [True, True, True]


@pytest.mark.parametrize("kind", ["renamed", "deleted, and another file has its name"])
def test_a_read_that_may_be_of_another_file_is_not_believed(kind):
    """The new file of the name has, of all things, what the target has of the old one."""
    pair = joined()
    live = b"not what the target has" * 3_000
    pair.volume.apply(write("db/a", 0, live))
    stop_host(pair)
    pair.run(lambda pair: bool(pair.reads) and pair.capture.is_comparing)
    assert pair.reads[0].file == "db/a"
    pair.show(rename("db/a", "db/z"))
    pair.show(create("db/a"))
    pair.show(write("db/a", 0, DATA["db/a"]))
    if kind != "renamed":
        pair.show(rename("db/a", "db/y"))
        pair.show(rename("db/z", "db/a"))
    pair.converge()
    check_live(pair)
    check_points(pair)


def test_a_capture_that_is_not_allowed_to_resync_says_so_even_to_an_empty_target():
    pair = first_copy(DATA, settings=replace(session_settings(), resync=ResyncSettings()))
    pair.run(lambda pair: pair.source.state is SourceState.HALTED)
    assert isinstance(pair.source.fatal_error, ResyncRequired)


def test_what_is_damaged_at_the_target_counts_as_different_and_is_sent_again():
    pair = joined()
    stop_host(pair)
    journal, storage = pair.journal, pair.storage
    damaged = next(
        row
        for n in range(2, journal.durable.sequence)
        if (row := journal.index.row(n)).kind == RecordType.WRITE
    )
    (name,) = [name for name in storage.files if name.endswith(".segment")][:1]
    storage.files[name][damaged.position + 200] ^= 1
    pair.converge()
    check_live(pair)
