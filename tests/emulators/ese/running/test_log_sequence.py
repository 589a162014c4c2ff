"""The last log generation: what comes before it, and how a group ends there (exchange.md F12)."""

from itertools import pairwise

import pytest
from mail_world import EPOCH_NS, LOG_BYTES, Disks, World, recover, recover_and_check

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_stream import blank_log
from emulators.ese.formats.values import LogTime, Signature
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.running.log_sequence import sequence_end, warning_is_due
from emulators.ese.running.parameters import Parameters

LAST = EXCHANGE_2007.generation_max
NOW = LogTime.from_ns(EPOCH_NS)


def world_from(generation, **settings):
    return World(parameters=Parameters(generation_first=generation), **settings)


def mail(world, megabytes):
    world.spawn(world.drip(megabytes * 8, 131_072, every_ms=40))
    world.run(megabytes + 2)


def test_a_stream_begins_at_the_generation_that_is_asked_for_and_recovers():
    world = world_from(0x12345)
    mail(world, 3)
    recovered = recover_and_check(world.files(), world.ledger())
    assert recovered.problems == []
    assert recovered.report.generations[0] == 0x12345
    assert world.logs.exists("E0000012345.log")
    assert not world.logs.exists("E0000000001.log")


def test_the_group_goes_up_to_the_last_generation_and_stops_there_with_519():
    world = world_from(LAST - 3)
    mail(world, 6)
    error = world.group.error
    assert error.code == -519
    assert error.event_id == 514
    assert "delete" in error.hint or "move the logs away" in error.hint
    assert world.group.log.buffer.flushing.generation == LAST
    assert 20 < len(world.acknowledged) == len(world.submitted) < 48
    assert world.kernel.unobserved_errors == []
    recovered = recover_and_check(world.files(), world.ledger())
    assert recovered.problems == []
    assert recovered.report.was_clean, "the last generation is for the dismount"


def test_a_stream_that_has_ended_is_not_gone_on_with():
    world = world_from(LAST - 3)
    mail(world, 6)
    group = world.group
    failures = []

    def restart():
        log = group.log
        try:
            header = LogHeader.unpack(world.logs.peek("E00.log", 0, 4096))
            yield from log.resume_stream(log.buffer.flushing, header)
        except EseError as error:
            failures.append(error.code)

    world.spawn(restart())
    world.run(1)
    assert failures == [-548]


def test_more_than_the_last_generation_holds_is_refused_and_never_acknowledged():
    world = world_from(LAST - 1)
    for _ in range(30):
        world.send(200_000)
    world.run(60)
    assert world.group.error.code == -519
    assert 4 < len(world.acknowledged) < 12
    assert world.kernel.unobserved_errors == []
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_a_freeze_that_would_make_the_last_generation_fails():
    world = world_from(LAST - 1)
    assert world.freeze_error().code == -519
    assert recover_and_check(world.files(), world.ledger()).problems == []


def test_an_undo_may_go_beyond_the_last_generation_as_far_as_there_are_logs_for_it():
    world = world_from(LAST - 1)
    mail(world, 4)
    done = max(n for n, op in enumerate(world.operations, 1) if op.new_name == "E00.log")
    disks = Disks(world.operations)
    disks.advance(done)
    files = disks.copy()
    header = LogHeader.unpack(files.read("E00.log", 0, 4096))
    log = OfflineLog(files, "E00", "E00.log", header, NOW)
    while log.generation < LAST + 3:
        log.append(bytes(LOG_BYTES // 2))
    log.flush()
    assert log.generation == LAST + 3
    recovered = recover_and_check(files, world.ledger(done))
    assert recovered.problems == []
    assert recovered.report.last_generation == LAST + 3


def test_a_recovery_that_would_need_more_logs_than_there_are_is_refused():
    last = EXCHANGE_2007.generation_max_recovery
    header = LogHeader(last, NOW, NOW, Signature(1, NOW, ""))
    files = MemoryFiles({"E00.log": b"".join(blank_log(header.pack(), last, LOG_BYTES))})
    log = OfflineLog(files, "E00", "E00.log", header, NOW)
    log.append(bytes(LOG_BYTES // 2 + 1))
    with pytest.raises(EseError, match="-519"):
        log.append(bytes(LOG_BYTES // 2 + 1))


def test_event_514_is_written_while_the_generations_come_to_their_end():
    assert not world_from(0x3FFFFFFF - 2).group.log.events
    world = world_from(0x7FFFF002)
    mail(world, 14)
    events = world.group.log.events
    assert [event_id for event_id, _ in events] == [514]
    assert "generation 0x7ffff008, 2040 are left" in events[0].text
    assert world.group.error is None


@pytest.mark.parametrize(
    ("file_format", "above", "every", "until"),
    [
        (EXCHANGE_2003, 0xE0000, 1_000, 0xFF000),
        (EXCHANGE_2003, 0xFF000, 10, EXCHANGE_2003.generation_max),
        (EXCHANGE_2007, 0x40000000, 20_000, 0x40000000 + 10**6),
        (EXCHANGE_2007, 0x7FFFF000, 10, EXCHANGE_2007.generation_max),
    ],
)
def test_warnings_come_as_often_as_the_sheet_says(file_format, above, every, until):
    due = [g for g in range(above - every, until) if warning_is_due(g, file_format)]
    distances = [later - earlier for earlier, later in pairwise(due)]
    assert distances[1:] == [every] * (len(due) - 2)
    first = next(g for g in due if g > above)
    assert first - above <= every


def test_no_warning_comes_before_the_threshold():
    assert not any(warning_is_due(g, EXCHANGE_2003) for g in range(1, 0xE0001))
    assert not any(warning_is_due(g, EXCHANGE_2007) for g in range(1, 0x40000001, 1_000))


def test_a_consistent_stream_that_has_ended_is_named_by_an_error_of_its_own():
    assert sequence_end("E00.log", is_consistent=False).code == -519
    assert sequence_end("E00.log", is_consistent=True).code == -548
    assert recover(world_from(LAST - 1).files()).was_clean is False
