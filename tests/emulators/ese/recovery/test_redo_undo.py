"""Redo and undo on real logs and pages: once, in order, and only on pages of this history."""

import pytest
from checker import check_database, check_trees
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_world import DATABASE, LOG_BYTES, MAILBOXES, Disks, World, copy_of, recover
from twin import STEPS, Twin, redo_of

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.page import Page
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.undo import Undo
from emulators.ese.trees.change import SYSTEM, Context
from emulators.ese.trees.database import ROOT
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.space import Space
from emulators.ese.trees.structure import MERGE_FULL_RIGHT
from emulators.exchange.store import Store


def apply_all(redo, log):
    for number, record in enumerate(log):
        redo.apply(log_records.decode(record)[0], Lgpos(1, 9 + number, 0))


@settings(deadline=None)
@given(STEPS)
def test_redo_makes_every_page_as_it_was_at_run_time(steps):
    twin = Twin()
    twin.play(steps)
    cache, redo = redo_of(twin.disk)
    apply_all(redo, twin.log)
    now = twin.images()
    changed = {pgno for pgno, image in now.items() if image != twin.disk.get(pgno)}
    assert {pgno: cache.page(pgno).to_bytes(pgno) for pgno in changed} == {
        pgno: now[pgno] for pgno in changed
    }


@settings(deadline=None, max_examples=250)
@given(STEPS, st.data())
def test_redo_over_any_pages_that_were_written_in_order_comes_to_the_same(steps, data):
    """Some pages are on disk in a later version: whatever their batches allow."""
    twin = Twin()
    versions = []

    def note():
        levels = twin.cache.levels(list(twin.cache.resident()))
        versions.append((twin.images(), levels))

    for number in range(0, len(steps), 7):
        twin.play(steps[number : number + 7])
        note()
    disk = dict(twin.disk)
    images, levels = versions[data.draw(st.integers(0, len(versions) - 1))]
    batches = data.draw(st.integers(0, len(levels)))
    for level in levels[:batches]:
        disk.update((pgno, images[pgno]) for pgno in level)
    if batches < len(levels):
        part = data.draw(st.sets(st.sampled_from(levels[batches]), min_size=1))
        disk.update((pgno, images[pgno]) for pgno in sorted(part))
    cache, redo = redo_of(disk)
    apply_all(redo, twin.log)
    for pgno, image in twin.images().items():
        if pgno in disk or cache.holds(pgno):
            assert cache.page(pgno).to_bytes(pgno) == image, f"page {pgno}"


@settings(deadline=None)
@given(STEPS)
def test_redo_done_twice_changes_nothing_the_second_time(steps):
    twin = Twin()
    twin.play(steps)
    cache, redo = redo_of(twin.disk)
    apply_all(redo, twin.log)
    applied = redo.applied
    apply_all(redo, twin.log)
    assert redo.applied == applied
    assert redo.skipped > 0 or not twin.log
    assert redo.dbtime == max((log_records.decode(r)[0].dbtime for r in twin.log), default=0)
    assert cache.holds(twin.identity.fdp)


@settings(deadline=None)
@given(STEPS, STEPS, st.integers(0, 400))
def test_undo_gives_the_tree_back_as_it_was_before_the_transaction(before, during, cut):
    """The log may end anywhere in the transaction, and undo may itself be undone half-way."""
    twin = Twin()
    committed = twin.play(before)
    twin.log.append(log_records.encode_begin0(1, 7))
    begun = len(twin.log)
    twin.play(during, Context(1, 7, versioned=True))
    log = twin.log[: begun + cut]
    rest = check_after_undo(twin, log, committed)
    check_after_undo(twin, log + rest[: len(rest) // 2], committed)


def check_after_undo(twin, log, committed):
    """Redo a log, undo what is open, and check the tree; returns what undo logged."""
    cache, redo = redo_of(twin.disk)
    opened = OpenTransactions()
    for record in log:
        opened.note(log_records.decode(record)[0])
    apply_all(redo, log)
    added = []

    def append(record):
        added.append(record)
        return Lgpos(2, 8 + len(added), 0)

    editor = Editor(cache, append, max(redo.dbtime, 1000))
    Undo(cache, editor, Space(cache, editor, twin.grow)).run(opened)
    fdp = twin.identity.fdp
    findings = check_trees(cache.page, [ROOT.fdp, fdp], twin.last_pgno)
    assert findings.problems == []
    assert dict(findings.nodes[fdp]) == committed
    return added


def test_undo_that_must_split_a_page_takes_it_from_the_trees_own_parent():
    """Giving a shortened node its length back may need a page, and that must be owned."""
    twin = Twin()
    keys = [b"%04d" % number for number in range(150)]
    for key in keys:
        twin.tree.insert(SYSTEM, key, b"x" * 700)
    twin.log.append(log_records.encode_begin0(1, 7))
    for key in keys:
        twin.tree.replace(Context(1, 7, versioned=True), key, b"y")
    for number in range(1, 150, 2):
        for part in range(5):
            twin.tree.insert(SYSTEM, b"%04d.%d" % (number, part), b"z" * 600)
    while twin.cache.page(twin.identity.fdp + 2).keys:
        twin.space.allocate(twin.identity)
    committed = dict.fromkeys(keys, b"x" * 700)
    committed |= {key: data for key, data in twin.tree.scan() if b"." in key}
    added = check_after_undo(twin, twin.log, committed)
    kinds = [type(log_records.decode(record)[0]) for record in added]
    assert log_records.Split in kinds
    assert kinds[-1] is log_records.Rollback


def test_nodes_merged_into_a_page_that_lacks_them_are_not_made_up():
    """The page they came from was written without them: only a refusal is right."""
    twin = Twin()
    keys = [b"%03d" % number * 20 for number in range(30)]
    twin.play([("insert", key, 1500) for key in keys])
    twin.disk = twin.images()
    twin.log.clear()
    twin.play([("delete", key, 1) for key in keys if int(key[:3]) % 5])
    records = [log_records.decode(record)[0] for record in twin.log]
    merges = [each for each in records if isinstance(each, log_records.Merge)]
    moving = [each for each in merges if each.merge_type == MERGE_FULL_RIGHT]
    assert moving
    cache, redo = redo_of(twin.disk)
    apply_all(redo, twin.log)
    for merge in moving:
        levels = cache.levels([merge.pgno, merge.pgno_right])
        place = {pgno: number for number, level in enumerate(levels) for pgno in level}
        assert place[merge.pgno_right] < place[merge.pgno]
    disk = dict(twin.disk)
    disk[moving[0].pgno] = twin.images()[moving[0].pgno]
    _, redo = redo_of(disk)
    with pytest.raises(EseError, match=f"-567.*page {moving[0].pgno_right} ") as caught:
        apply_all(redo, twin.log)
    assert f"page {moving[0].pgno} was written before it" in caught.value.hint


def test_open_transactions_are_those_without_commit_or_rollback():
    opened = OpenTransactions()
    begin = log_records.encode_begin0
    for record in (begin(1, 5), begin(2, 6), begin(3, 7), log_records.encode_commit0(2, 8)):
        opened.note(log_records.decode(record)[0])
    opened.note(log_records.Rollback(1, 1))
    assert [(item.procid, item.trx) for item in opened.newest_first()] == [(3, 7)]


def test_a_change_whose_begin_lies_before_the_replayed_logs_is_of_a_committed_transaction():
    twin = Twin()
    twin.play([("insert", b"a", 10)], Context(1, 7, versioned=True))
    opened = OpenTransactions()
    for record in twin.log:
        opened.note(log_records.decode(record)[0])
    assert opened.newest_first() == []


@pytest.mark.parametrize(("drift", "code"), [(-1, -566), (1, -567)])
def test_a_page_of_another_history_is_refused_by_its_time(drift, code):
    """R15: the record expects the page as it stood just before, and it stands otherwise."""
    world = World()
    world.spawn(world.drip(4, 2000, every_ms=20))
    world.run(2)
    files = world.files()
    recovered = copy_of(files)
    recover(recovered)
    fdp = open_database(recovered, DATABASE).table("Folders").tree.tree.fdp
    place = (fdp + 1) * 8192
    page = Page.from_bytes(files.read(DATABASE, place, 8192), fdp)
    page.dbtime += drift
    files.write(DATABASE, place, page.to_bytes(fdp))
    before = copy_of(files)
    with pytest.raises(EseError) as caught:
        recover(files)
    assert caught.value.code == code
    assert f"{DATABASE}, page {fdp}: dbtime {page.dbtime}" in str(caught.value)
    assert files._files == before._files


def test_nodes_moved_to_a_page_that_is_nowhere_are_not_made_up():
    """The page they came from was written without them: only a refusal is right."""
    twin = Twin()
    twin.play([("insert", b"%03d" % number * 20, 900) for number in range(40)])
    images = twin.images()
    splits = [log_records.decode(record)[0] for record in twin.log]
    moving = [s for s in splits if isinstance(s, log_records.Split) and s.lines > s.line_split]
    assert moving
    disk = dict(twin.disk)
    disk[moving[0].pgno] = images[moving[0].pgno]
    _, redo = redo_of(disk)
    with pytest.raises(EseError, match=f"-567.*page {moving[0].pgno_new} ") as caught:
        apply_all(redo, twin.log)
    assert f"page {moving[0].pgno} was written before it" in caught.value.hint


def test_a_message_of_which_the_log_ends_in_the_middle_leaves_no_trace():
    world = World(mailboxes=MAILBOXES[:1])
    world.send(2000, subject="before")
    world.run(1)
    mounted = len(world.operations)
    world.send(int(1.6 * LOG_BYTES), subject="half")
    world.run(5)
    disks = Disks(world.operations)
    undone = []
    for done in range(mounted, len(world.operations) + 1):
        disks.advance(done)
        files = disks.copy()
        report = recover(files)
        if report.undone:
            undone.append(report.undone)
            store = Store(open_database(files, DATABASE))
            assert [m.message.subject for m in store.messages()] == ["before"]
            assert store.folder_counts()[MAILBOXES[0], "Inbox"] == 1
            assert check_database(files).problems == []
    assert undone
    assert min(undone) > 100, "the chunks of the first log were taken back"
