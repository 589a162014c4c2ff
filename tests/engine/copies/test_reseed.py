"""A copy is made from a sister: the same images at every sequence, whatever stops it on the way."""

import pytest
from engine_model import GROUP, MemoryStorage, create, settle, write
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_model import copy_of
from layer_model import CHANGES, Shop, as_changes, contents_of

from engine import Capture, LayerMap, open_journal, verify_journal
from engine.basics.errors import EngineError, JournalDamaged
from engine.copies.fanout import CopyPlan, Fanout
from engine.copies.reseed import Reseed

USUAL = as_changes([("write", n % 3, n * 3, b"%d" % n * 9) for n in range(20)])


def made_from(shop, storage, stop_after=None):
    """Re-seed a copy; return its journal, None where it was stopped before that action."""
    job, steps = Reseed(storage, shop.journal, batch_bytes_max=150), 0
    for action in (*job.begin(), *job.files()):
        if steps == stop_after:
            return None
        storage.carry_out(action)
        steps += 1
    result = job.open(shop.journal.settings)
    settle(result.journal, storage, result.actions)
    while batch := job.next_batch(result.journal):
        if steps == stop_after:
            return None
        settle(result.journal, storage, result.journal.ingest(batch))
        steps += 1
    return result.journal


def check(journal, shop):
    assert journal.durable == shop.journal.durable
    for sequence, reference in enumerate(shop.references):
        assert contents_of(LayerMap(journal).view(sequence)) == reference, sequence
    verify_journal(journal.storage, group=GROUP)


@settings(deadline=None, max_examples=40)
@given(CHANGES, st.booleans(), st.sampled_from([150, 400, 1 << 20]))
def test_a_copy_that_was_made_from_a_sister_reads_as_the_sister_does(changes, has_layers, size):
    shop = Shop(changes, segment_bytes_max=size)
    if has_layers:
        shop.run(shop.keeper())
    storage = MemoryStorage()
    storage.replace("left over", b"from a copy that was given up")
    journal = made_from(shop, storage)
    check(journal, shop)
    assert not storage.exists("left over")
    again = open_journal(storage, group=GROUP, settings=shop.journal.settings).journal
    assert again.received == journal.durable


def test_a_reseed_that_was_stopped_anywhere_begins_anew_and_is_never_taken_for_whole(crashes):
    shop = Shop(USUAL, segment_bytes_max=200)
    shop.run(shop.keeper())
    stop = 0
    while True:
        storage = copy_of(Shop(USUAL[:9], segment_bytes_max=150).storage)
        if made_from(shop, storage, stop) is not None:
            break
        try:
            prefix = open_journal(storage, group=GROUP, settings=shop.journal.settings).journal
        except JournalDamaged:
            pass
        else:
            newest = prefix.received.sequence
            chains = shop.journal.index
            assert not newest or prefix.received.chain == chains.chain(newest), "a true prefix"
        check(made_from(shop, storage), shop)
        stop += 1
    assert stop > 15
    crashes("re-seed", stop, stop * len(shop.references))


def test_a_damaged_sister_is_refused_and_nothing_of_it_is_published():
    shop = Shop(USUAL, segment_bytes_max=200)
    name = shop.journal.segments[2].name
    shop.storage.files[name][80] ^= 1
    storage = MemoryStorage()
    with pytest.raises(EngineError):
        made_from(shop, storage)
    assert not storage.exists("manifest")


def test_a_detached_copy_is_made_anew_from_its_sister_and_follows_the_source():
    capture = Capture(group=GROUP, epoch=3, incarnation=0xC0FFEE)
    fanout = Fanout(capture, [CopyPlan("local"), CopyPlan("far", behind_bytes_max=100)])
    shop = Shop([], segment_bytes_max=300)
    shop.capture = capture

    def show(change):
        shop.show(change)
        fanout.feeds["local"].acknowledge(shop.journal.durable, 0)
        return fanout.watch(0)

    assert not show(create("a"))
    assert [notice.name for notice in show(write("a", 0, b"x" * 200))] == ["far"]
    for number in range(5):
        show(write("a", number, b"y" * 50))
    feed = fanout.attach(CopyPlan("far"), shop.journal.durable)
    show(write("a", 3, b"while it is made"))
    journal = made_from(shop, MemoryStorage())
    show(write("a", 5, b"after it was made"))
    first, last = journal.received.sequence + 1, capture.newest.sequence
    assert feed.oldest_sequence <= first
    data = b"".join(feed.entry(n).record for n in range(first, last + 1))
    settle(journal, journal.storage, journal.ingest(data))
    feed.acknowledge(journal.durable, 0)
    check(journal, shop)
    assert capture.pool_bytes == 0
