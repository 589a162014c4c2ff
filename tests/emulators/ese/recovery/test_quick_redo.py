"""Easy records redone from a log's bytes leave the same as records that were decoded first."""

from itertools import accumulate, pairwise

import pytest
from group_world import ONE, TWO, GroupWorld
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_world import Disks, World, recover_only
from twin import STEPS, Twin, redo_of

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery import soft_recovery
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.quick_redo import QuickRedo
from emulators.ese.trees.change import Context
from emulators.ese.trees.page_cache import LGPOS_MAX

START = Lgpos(1, 8, 22)
TRANSACTION = Context(procid=1, trx=7, versioned=True)


class Way:
    """One way through a log, and all that it leaves."""

    def __init__(self, disk):
        self.cache, self.redo = redo_of(disk)
        self.opened = OpenTransactions()
        self.quick = QuickRedo(self.cache, self.redo, self.opened, START).operations
        self.done_quickly = 0

    def play(self, log, *, is_quick):
        """Redo records one after another; returns the error that stops it, as text.

        A page that is nowhere is a KeyError.
        """
        buffer = b"".join(log)
        spans = pairwise(accumulate(map(len, log), initial=0))
        for number, (offset, end) in enumerate(spans):
            lgpos = Lgpos(1, 9 + number, 0)
            operation = self.quick.get(buffer[offset])
            if is_quick and operation is not None and operation(buffer, offset, end, lgpos):
                self.done_quickly += 1
                continue
            record = log_records.decode_whole(buffer, offset, end)
            self.opened.note(record)
            try:
                self.redo.apply(record, lgpos)
            except (EseError, KeyError) as error:
                return repr(error)
        return None

    def state(self):
        buffers = self.cache.plain_buffers
        return (
            {pgno: buffer.page.to_bytes(pgno) for pgno, buffer in buffers.items()},
            {pgno: (each.dirty, each.oldest, each.newest) for pgno, each in buffers.items()},
            self.cache.due(waypoint=1, older_than=LGPOS_MAX),
            (self.redo.applied, self.redo.skipped, self.redo.dbtime),
            [(each.trx, each.changes, each.flagged) for each in self.opened.newest_first()],
            self.opened.unfinished,
        )


def both(disk, log):
    """Go through a log both ways and compare; returns the share that was done quickly."""
    quick, slow = Way(disk), Way(disk)
    assert quick.play(log, is_quick=True) == slow.play(log, is_quick=False)
    assert quick.state() == slow.state()
    return quick.done_quickly / max(len(log), 1)


def log_of(before, during, ending):
    """The pages of a tree, and the log of a transaction that changes it."""
    twin = Twin()
    twin.play(before)
    twin.disk = twin.images()
    twin.log[:] = [log_records.encode_begin0(1, 7)]
    twin.play(during, TRANSACTION)
    twin.log.extend(ending)
    return twin


COMMIT = log_records.encode_commit0(1, 8)
ENDINGS = st.sampled_from(((), (COMMIT,), (log_records.encode(log_records.Rollback(1, 1)),)))


@settings(deadline=None)
@given(STEPS, STEPS, ENDINGS)
def test_both_ways_leave_the_same_pages_order_counts_and_open_changes(before, during, ending):
    twin = log_of(before, during, ending)
    both(twin.disk, twin.log)
    both(twin.images(), twin.log)


def test_most_of_a_log_is_easy(figure):
    keys = [b"%05d" % number for number in range(600)]
    twin = log_of([], [("insert", key, 90) for key in keys], [COMMIT])
    share = both(twin.disk, twin.log)
    figure(f"{share:.0%} of the records")
    assert share > 0.9


KINDS = (log_records.Insert, log_records.Replace, log_records.FlagDelete, log_records.Delete)
MISFITS = (
    ({"line": 12}, "-500"),
    ({"data": bytes(9000)}, "-500"),
    ({"dbtime": 1}, None),
    ({"dbtime_before": 1}, "-567"),
    ({"dbtime_before": 1 << 40}, "-566"),
    ({"dbtime": 3, "dbtime_before": 1 << 40}, None),
    ({"procid": 2}, None),
    ({"trx_begin0": 6}, None),
    ({"flags": 0}, None),
)


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        (kind, change, code)
        for kind in KINDS
        for change, code in MISFITS
        if change.keys() <= set(kind._fields)
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_a_last_record_that_does_not_belong_here_ends_both_ways_alike(kind, change, code):
    steps = [("insert", b"%02d" % number, 50) for number in range(12)]
    steps += [("replace", b"05", 60), ("delete", b"07", 1)]
    twin = log_of([], steps, [])
    twin.play([("delete", b"08", 1)])
    records = [log_records.decode(each)[0] for each in twin.log]
    last = max(number for number, record in enumerate(records) if isinstance(record, kind))
    del twin.log[last:]
    both(twin.disk, [*twin.log, log_records.encode(records[last])])
    twin.log.append(log_records.encode(records[last]._replace(**change)))
    both(twin.disk, twin.log)
    error = Way(twin.disk).play(twin.log, is_quick=True)
    assert error is None if code is None else code in error


def changed(draw, record):
    """The record with one field as another history might have it."""
    fields = [name for name in record._fields if name in CHANGED_FIELDS]
    if not fields:
        return record
    name = draw(st.sampled_from(fields))
    if name == "data":
        return record._replace(data=b"d" * draw(st.integers(1, 9000)))
    return record._replace(**{name: draw(CHANGED_FIELDS[name])})


CHANGED_FIELDS = {
    "pgno": st.integers(1, 24),
    "dbtime": st.integers(0, 400),
    "dbtime_before": st.integers(0, 400),
    "line": st.integers(0, 40),
    "procid": st.integers(0, 2),
    "trx_begin0": st.integers(6, 8),
    "flags": st.integers(0, 5),
    "prefix": st.binary(max_size=6),
    "data": st.nothing(),
}


@settings(deadline=None, max_examples=150)
@given(STEPS, STEPS, st.data())
def test_a_record_of_another_history_is_skipped_or_refused_in_the_same_words(before, during, data):
    twin = log_of(before, during, [])
    numbers = st.integers(0, len(twin.log) - 1)
    for number in data.draw(st.lists(numbers, min_size=1, max_size=3)):
        record = log_records.decode(twin.log[number])[0]
        twin.log[number] = log_records.encode(changed(data.draw, record))
    both(twin.disk, twin.log)


def test_records_before_the_attach_are_left_alone():
    twin = log_of([("insert", b"a", 10)], [("insert", b"b", 10)], [COMMIT])
    cache, redo = redo_of(twin.disk)
    for pgno in twin.disk:
        cache.page(pgno)
        cache.touch(pgno, START)
    opened = OpenTransactions()
    quick = QuickRedo(cache, redo, opened, Lgpos(3, 8, 22)).operations
    easy = [record for record in twin.log if record[0] in quick]
    assert easy
    assert not any(quick[each[0]](each, 0, len(each), Lgpos(3, 8, 21)) for each in easy)
    assert redo.applied == 0
    assert all(quick[each[0]](each, 0, len(each), Lgpos(3, 8, 22)) for each in easy)


def mail_world():
    world = World()
    world.spawn(world.drip(40, 9000, every_ms=10))
    world.run(1)
    return Disks(world.operations), recover_only


def group_world():
    """Two databases, one of which goes and comes under the other's eyes."""
    world = GroupWorld().create()
    world.drip(20, 40_000)
    world.do(world.group.dismount(TWO))
    world.drip(4, 40_000, names=[ONE])
    world.do(world.group.mount(TWO))
    world.drip(12, 3000)
    return Disks(world.operations), recover_two


def recover_two(files):
    return soft_recovery.soft_recover(files, "E00", [ONE, TWO], now_ns=10**18)


@pytest.mark.parametrize("make", [mail_world, group_world])
def test_soft_recovery_gives_the_same_files_and_report_either_way(make, monkeypatch, figure):
    disks, run = make()
    total = len(disks.operations)
    for done in sorted({total, *range(total // 2, total, max(total // 6, 1))}):
        disks.advance(done)
        quick, slow = disks.copy(), disks.copy()
        report = run(quick)
        with monkeypatch.context() as patch:
            patch.setattr(soft_recovery, "QUICK_RECORDS", frozenset())
            assert run(slow) == report
        for name in quick.names():
            assert quick.read(name, 0, 1 << 30) == slow.read(name, 0, 1 << 30), name
    figure(f"{report.applied} changes applied")
    assert report.applied > 0
    assert quick.names() == slow.names()
