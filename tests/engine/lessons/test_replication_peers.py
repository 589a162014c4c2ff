"""What users of zrepl, Bucardo, syncoid and DRBD had to learn, one test for each thread."""

from random import Random

import pytest
from engine_direct import Direct
from engine_failover import Copy, Place
from engine_frames import ack_of, only_failure, welcome_at
from engine_harness import SMALL
from engine_lessons import pair_of, refuse_connections
from engine_model import (
    INCARNATION,
    MemoryStorage,
    app_tag,
    check_images,
    contents,
    create,
    settle,
    write,
)
from engine_overload import pair_of as overload_pair_of
from engine_points import check_live, check_points
from layer_model import Shop
from verified_world import CounterChecker, Draws

from engine import (
    CaptureSettings,
    Image,
    LayerMap,
    RecoveryPoints,
    SessionSettings,
    SourceSession,
    SourceState,
    Verifier,
    VerifierSettings,
    actions,
    events,
)
from engine.basics.errors import CursorNeverSent, CursorRegressed, EpochFenced, JournalRegressed
from engine.basics.settings import SECOND_NS
from engine.contract.promotions import Promote
from engine.failover.branches import begin_capture


@pytest.mark.parametrize("outage_s", [1, 60, 3_600])
def test_bucardo_213_after_an_outage_of_a_minute_it_goes_on_by_itself(outage_s):
    """After 15 s without its database it came back; after 60 s only a restart helped.

    https://github.com/bucardo/bucardo/issues/213
    """
    pair = pair_of()
    back_ns = pair.now_ns + outage_s * SECOND_NS
    pair.disconnect()
    while pair.now_ns < back_ns:
        pair.show(write("db/a", pair.now_ns % 100, b"captured meanwhile"))
        refuse_connections(pair)
        pair.step() or pair.advance()
    pair.converge()
    assert pair.now_ns - back_ns <= 2 * SessionSettings().reconnect_delay_ns_max
    assert pair.journal.durable == pair.capture.newest
    check_images(pair.journal, pair.shown)


def test_zrepl_250_the_cursor_cannot_be_set_back():
    """The cursor could only advance, rightly; but the error said neither whose it was nor why.

    https://github.com/zrepl/zrepl/issues/250
    """
    pair = pair_of()
    capture = pair.capture
    pair.show(write("db/a", 0, b"y"))
    held = capture.acknowledged
    old = held._replace(sequence=held.sequence - 2, chain=pair.journal.index.chain(4))
    number = pair.source_number
    given = pair.source.handle(events.BytesReceived(number, ack_of(old)), pair.now_ns)
    error = only_failure(given).error
    assert isinstance(error, CursorRegressed)
    assert str(old.sequence) in error.message
    assert str(held.sequence) in error.message
    assert capture.acknowledged == held
    retry_ns = pair.now_ns + SECOND_NS
    (opened,) = [
        action
        for action in pair.source.handle(events.TimerFired(), retry_ns)
        if isinstance(action, actions.OpenConnection)
    ]
    pair.source.handle(events.Connected(opened.connection), retry_ns)
    welcome = events.BytesReceived(opened.connection, welcome_at(old))
    given = pair.source.handle(welcome, retry_ns)
    assert isinstance(only_failure(given).error, JournalRegressed)
    assert pair.source.state is SourceState.HALTED
    assert capture.acknowledged == held


def run_while_it_can(shop, keeper):
    """Let the keeper work until it is idle or waits; return whether it waits."""
    for _ in range(1_000):
        if keeper.is_idle or keeper.is_waiting:
            return keeper.is_waiting
        for action in keeper.step():
            if isinstance(action, actions.SyncFile):
                shop.storage.sync(action.name, len(shop.storage.unsynced.get(action.name, [])))
                for following in keeper.sync_done(action.token):
                    shop.storage.carry_out(following)
            else:
                shop.storage.carry_out(action)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("end", ["the check ends", "its disk fails", "the host stops"])
def test_zrepl_288_a_hold_goes_when_its_holder_goes_however_that_is(end):
    """Holds for a transfer that never ended kept snapshots for years; pruning failed each time.

    Here a hold keeps files while a check reads them, and no longer: whether the check ends, fails,
    or its host stops. https://github.com/zrepl/zrepl/issues/288
    """
    number = b"00000001"
    changes = [create("log"), create("database"), write("log", 0, number)]
    changes += [write("database", 0, number), *[write("log", n, b"1") for n in (20, 40, 60)]]
    shop = Shop(changes, 150)
    last = len(changes)
    shop.show(app_tag("bookmark"))
    shop.show(write("log", 80, b"1"))
    keeper, scratch = shop.keeper(), MemoryStorage()
    verifier = Verifier(
        shop.journal,
        lambda sequence: Image(shop.journal, sequence),
        CounterChecker(),
        Draws(),
        scratch,
        holds=keeper,
        settings=VerifierSettings(),
    )
    for action in verifier.step(0):
        scratch.carry_out(action)
    keeper.compact(0, last)
    segments = shop.journal.manifest.segments
    assert run_while_it_can(shop, keeper), "files that are read stay"
    assert shop.journal.manifest.segments == segments
    if end == "the check ends":
        while not verifier.take_results():
            for action in verifier.step(0):
                scratch.carry_out(action)
    elif end == "its disk fails":
        verifier.action_failed("no space", 0)
    else:
        shop.storage.crash(lambda: "lost")
        shop.open()
        keeper = shop.keeper()
        for action in keeper.leftovers():
            shop.storage.carry_out(action)
        keeper.compact(0, last)
    assert not run_while_it_can(shop, keeper)
    assert keeper.failure is None
    gone = {entry.name for entry in segments} - set(shop.storage.files)
    assert gone, "the files are gone once nobody reads them"
    assert shop.check_kept({0, last}) > 0


def test_syncoid_847_a_source_that_was_rolled_back_does_not_take_the_history_with_it():
    """The source was rolled back, by an attacker perhaps, and the next run rolled the target back.

    Here the target only ever gets records. A source that goes on from an older state of itself is
    halted with nothing changed; after a resync the old state is a new point, and every point that
    there was can be recovered as before. https://github.com/jimsalterjrs/sanoid/issues/847
    """
    direct = Direct(CaptureSettings())
    for change in (create("db"), write("db", 0, b"first" * 900), app_tag("monday")):
        direct.show(change)
    direct.ship()
    files = {name: bytes(content) for name, content in direct.volume.files.items()}
    direct.restart_cleanly()
    rolled_back_to = direct.capture.newest
    direct.show(write("db", 2_000, b"second" * 700))
    direct.show(app_tag("tuesday"))
    direct.ship()
    durable, kept = direct.journal.durable, dict(direct.storage.files)
    images = {n: contents(Image(direct.journal, n)) for n in range(1, durable.sequence + 1)}

    direct.volume.files = {name: bytearray(content) for name, content in files.items()}
    stale = Direct(CaptureSettings())
    for change in (create("db"), write("db", 0, b"first" * 900), app_tag("monday")):
        stale.show(change)
    assert stale.capture.newest == rolled_back_to, "the source as it was on Monday"
    with pytest.raises(CursorNeverSent):
        stale.capture.check_welcome(durable)
    assert direct.storage.files == kept

    direct.stop_host()
    direct.compare(Random(1))
    check_points(direct)
    check_live(direct)
    for sequence, image in images.items():
        assert contents(Image(direct.journal, sequence)) == image, sequence
    labels = [point.label for point in RecoveryPoints(direct.journal).app_points()]
    assert labels == ["monday", "tuesday"]


@pytest.mark.parametrize("spool_bytes_max", [0, 1 << 20])
def test_drbd_145_a_copy_that_rejoins_after_a_clean_stop_gets_all_that_it_missed(spool_bytes_max):
    """A secondary stopped cleanly and came back; the survivor cleared the bitmap of what it had
    written meanwhile, and both called themselves up to date.

    Here the copy's cursor alone decides: what was written while it was away reaches it, from pool,
    spool or dirty map, and no end says that it is there before it is durable.
    https://github.com/LINBIT/drbd/issues/145
    """
    settings = CaptureSettings(
        pool_bytes_max=4_000,
        overflow="spill",
        spool_bytes_max=spool_bytes_max,
        time_interval_ns=1 << 50,
    )
    pair = overload_pair_of(settings, Random(3))
    pair.show(create("a"))
    pair.show(write("a", 0, b"before" * 100))
    pair.converge()
    left_at = pair.journal.durable
    pair.crash_target()  # all was durable and acknowledged: a clean stop is no other
    pair.is_cut = True
    for number in range(30):
        pair.show(write("a", number * 700, b"%02d" % number * 300))
        assert pair.capture.acknowledged == left_at
    assert pair.capture.is_in_gap == (spool_bytes_max == 0)
    assert pair.journal.received == left_at
    pair.is_cut = False
    pair.converge()
    check_points(pair)
    check_live(pair)


def test_drbd_145_whom_the_tie_breaker_did_not_choose_never_calls_itself_up_to_date():
    """The same with a tie-breaker: it chose one end, which wrote on while the other was away.

    Here the choice is an epoch. The end that comes back speaks of the old one: it is refused by
    name, nothing of it is taken for newer, and what it alone had is kept beside the new branch.
    """
    pair = pair_of(3, settings=SMALL)
    pair.disconnect()
    pair.show(write("db/a", 0, b"never shipped"))  # and then it stops cleanly
    copy = Copy(Place(), storage=pair.storage)
    copy.journal = copy.promotion.journal = pair.journal
    copy.tell(Promote())
    copy.settle()
    base = copy.promotion.record.base
    assert copy.place.register.newest.holder == copy.holder
    capture = begin_capture(copy.branch, epoch=copy.fenced_by, incarnation=INCARNATION + 1)
    copy.branch.adopt(copy.fenced_by, INCARNATION + 1)
    capture.admit(write("db/a", 0, b"written by the one that was chosen"), pair.now_ns)
    records = [capture.entry(n).record for n in range(base.sequence + 1, base.sequence + 3)]
    settle(copy.branch, copy.branches, copy.branch.ingest(b"".join(records)))

    pair.tell_target(events.Fenced(copy.fenced_by))
    acknowledged = pair.capture.acknowledged
    pair.run(lambda pair: pair.source.state is SourceState.HALTED)
    assert isinstance(pair.source.fatal_error, EpochFenced)
    assert pair.capture.acknowledged == acknowledged == base
    pair.source = SourceSession(pair.capture, SMALL, is_orphan=True)
    pair.tell_source(events.Started())
    pair.converge()
    newest = pair.journal.durable.sequence
    assert newest == base.sequence + 1
    assert contents(Image(pair.journal, newest))["db/a"].startswith(b"never shipped")
    branch = Image(copy.branch, copy.branch.durable.sequence, parent=LayerMap(pair.journal))
    assert contents(branch)["db/a"].startswith(b"written by the one")
