"""Logs of another group, and of another life of the same one, under the right names (F14).

Two lives of a stream are two runs of one seed that part at some moment: what lies before it is
equal to the byte, as after the return to a copy of the machine; what follows has the same names,
the same signature and other creation times.
"""

from functools import cache

import pytest
from mail_world import EPOCH_NS, LOG_BYTES, S, World, copy_of, recover
from recovery_case import CURRENT, Case, archive, mail_in

from emulators.ese.errors import EseError
from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_records import Insert, decode
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.formats.log_stream import blank_log
from emulators.ese.formats.page import FLAG_LEAF, Page
from emulators.ese.formats.values import Lgpos, LogTime
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.redo import Redo
from emulators.ese.running.parameters import Parameters
from emulators.ese.trees.page_cache import PageCache


@cache
def life(which, *, seed=1, depth=3):
    """One of two lives that part after 60 messages."""
    parameters = Parameters(checkpoint_depth_bytes=9 * LOG_BYTES, waypoint_depth=depth)
    world = World(seed, parameters=parameters)
    world.spawn(world.drip(60, 130_000, every_ms=50))
    world.run(4)
    world.run(0.5 if which == "other" else 0)
    count, size = (60, 120_000) if which == "other" else (40, 130_000)
    world.spawn(world.drip(count, size, every_ms=50))
    world.run(6)
    assert world.group.error is None
    return world


def case_of(world):
    return Case(world.files(), world.ledger())


def name_at(case, generation):
    return CURRENT if generation == case.committed else archive(generation)


def parting():
    """Return the first generation whose file is not the same in both lives."""
    own, other = case_of(life("one")), case_of(life("other"))
    return next(
        generation
        for generation in range(1, own.committed + 1)
        if own.files.read(name_at(own, generation), 0, LOG_BYTES)
        != other.files.read(name_at(other, generation), 0, LOG_BYTES)
    )


def put_in(case, other, generations):
    """Let the logs of another run take the places of the same names."""
    for generation in generations:
        content = other.files.read(name_at(other, generation), 0, LOG_BYTES)
        case.files.write(name_at(case, generation), 0, content)


def test_a_log_of_another_group_is_530_at_any_place_that_is_replayed():
    stranger = case_of(life("one", seed=2))
    case = case_of(life("one"))
    for generation in range(case.first, case.committed + 1):
        case = case_of(life("one"))
        put_in(case, stranger, [generation])
        for lossy in (False, True):
            error = case.refuses(-530, name_at(case, generation), lossy=lossy)
            assert "signature" in error.where


def test_all_logs_of_another_group_are_530():
    stranger = case_of(life("one", seed=2))
    case = case_of(life("one"))
    put_in(case, stranger, range(1, case.committed + 1))
    case.refuses(-530, ranged=False)


def refusal_of(case, **switches):
    before = copy_of(case.files)
    with pytest.raises(EseError) as caught:
        recover(case.files, **switches)
    assert case.files._files == before._files
    return caught.value


def test_one_log_of_another_life_breaks_the_chain_of_creation_times():
    """At itself; the first one after the parting still follows the log before it."""
    other = case_of(life("other"))
    first = parting()
    case = case_of(life("one"))
    assert case.first <= first < case.last < case.committed
    for generation in range(first + 1, case.committed + 1):
        case = case_of(life("one"))
        put_in(case, other, [generation])
        error = refusal_of(case)
        broken = generation + (generation == first + 1)
        is_required = broken - 1 < case.last
        assert error.code == (-515 if is_required else -582), generation
        assert name_at(case, broken) in error.where
        assert "follows a log created" in error.where


def test_the_log_in_which_two_lives_part_has_one_header_in_both_and_its_records_are_refused():
    """The checksum of the log before, which tells them apart, came after 2007 (-590)."""
    case = case_of(life("one"))
    put_in(case, case_of(life("other")), [parting()])
    assert refusal_of(case).code in (-500, -566, -567, -1019)


def test_the_newest_logs_of_another_life_never_give_a_mixture_of_both():
    """From any generation on; the creation time in the database header tells them apart."""
    other = case_of(life("other"))
    case = case_of(life("one"))
    for generation in range(case.first, case.committed + 1):
        case = case_of(life("one"))
        put_in(case, other, range(generation, case.committed + 1))
        error = refusal_of(case)
        assert error.code in (-515, -582), generation


def test_lossy_recovery_removes_logs_of_another_life_that_no_page_rests_on():
    other = case_of(life("other"))
    case = case_of(life("one"))
    removed = 0
    for generation in range(case.last + 1, case.committed + 1):
        case = case_of(life("one"))
        put_in(case, other, [generation])
        report = recover(case.files, lossy=True)
        assert report.warning.code == 587
        assert report.last_generation == generation - 1
        own = {d.message_id: d.message.digest for d in life("one").submitted.values()}
        for message_id, (_, _, digest) in mail_in(case.files).items():
            assert own[message_id] == digest, "mail of the other life"
        removed += 1
    assert removed > 1


def test_a_sequence_that_was_begun_again_has_a_new_signature():
    """Old logs with the names of the new ones: the databases were clean when they were deleted."""
    now = LogTime.from_ns(EPOCH_NS - 3600 * S)
    case = case_of(life("one"))
    header = LogSet(case.files, "E00", EXCHANGE_2007).current.header
    old = LogHeader(case.last, now, now, header.signature._replace(create=now))
    case.files.write(archive(case.last), 0, old.pack())
    case.refuses(-530, archive(case.last))


def test_a_log_under_the_name_of_another_generation_is_515():
    case = case_of(life("one"))
    content = case.files.read(archive(case.last - 1), 0, LOG_BYTES)
    case.files.write(archive(case.last), 0, content)
    error = case.refuses(-515, archive(case.last))
    assert f"its header says generation {case.last - 1}" in error.where


def test_a_log_of_exchange_2003_among_those_of_2007_is_refused_for_size_or_version():
    case = case_of(life("one"))
    header = LogSet(case.files, "E00", EXCHANGE_2007).archives[case.last].header
    values = {field: getattr(header, field) for field in LogHeader.__dataclass_fields__}
    old = LogHeader(**values | {"log_format": EXCHANGE_2003})
    image = b"".join(blank_log(old.pack(), case.last, EXCHANGE_2003.log_bytes))
    case.files.delete(archive(case.last))
    case.files.create(archive(case.last))
    case.files.write(archive(case.last), 0, image)
    case.refuses(-541, archive(case.last))


def test_a_log_of_a_newer_version_is_514():
    case = case_of(life("one"))
    name = archive(case.first)
    block = bytearray(case.files.read(name, 0, 4096))
    header = LogHeader.unpack(bytes(block))
    newer = header.log_format.log_version[2] + 1
    changed = LogHeader.unpack(bytes(block))
    block = changed.pack()
    patched = block[:40] + newer.to_bytes(4, "little") + block[44:]
    xor = int.from_bytes(block[40:44], "little") ^ newer
    checksum = int.from_bytes(patched[:4], "little") ^ xor
    case.files.write(name, 0, checksum.to_bytes(4, "little") + patched[4:])
    case.refuses(-514, name)


@pytest.mark.parametrize(
    "change", [{"line": 3}, {"line": 0, "data": bytes(9000)}], ids=["no such place", "no room"]
)
def test_a_record_that_does_not_fit_its_page_is_refused_although_its_time_agrees(change):
    case = case_of(life("one"))
    content = case.files.read(archive(case.last), 0, LOG_BYTES)
    records = (record for _, record in records_in(content, case.last))
    insert = next(record for record in records if isinstance(record, Insert))
    page = Page(5, 1, FLAG_LEAF, dbtime=9)
    cache = PageCache(lambda _: page, EXCHANGE_2007)
    redo = Redo(cache, lambda _: True, lambda _: None, "MDB1.edb")
    with pytest.raises(EseError, match=r"-500.*MDB1\.edb, page 5, node.*does not fit"):
        redo.apply(insert._replace(pgno=5, dbtime=10, dbtime_before=9, **change), Lgpos(2, 8, 22))
    assert not cache.dirty_count


def records_in(content, generation):
    scan = scan_log(content, generation)
    for lgpos, offset in scan.records():
        yield lgpos, decode(scan.buffer, offset)[0]
