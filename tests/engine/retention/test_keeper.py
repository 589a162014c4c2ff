"""The keeper of retention: kept points read as ever, all others are refused, no crash costs one."""

from dataclasses import replace

import pytest
from engine_model import app_tag, crash_tag, create, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import cut_before_each_action
from retention_model import HISTORIES, SMALL, KeptShop

from engine import Image
from engine.basics.errors import CertificateMismatch, LocalProtocolError, PointRefused
from engine.layers.certified import certificate_from_nothing
from engine.retention.candidates import used_bytes
from engine.retention.settings import Stage
from engine.retention.space import SpaceWatch

FATES = ("kept", "torn", "lost", "cut")


def work(count=60, tag_every=6):
    """A history of writes with an app tag now and then, one time unit apart."""
    history = [(1, create("a")), (2, create("b"))]
    for n in range(3, count):
        change = write("ab"[n % 2], n % 7 * 8, bytes([n % 251]) * 20)
        if n % tag_every == 0:
            change = app_tag(f"app{n}") if n % (2 * tag_every) == 0 else crash_tag(f"crash{n}")
        history.append((n, change))
    return history


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.data())
def test_every_kept_point_reads_as_the_reference_and_every_other_is_refused(history, data):
    check_a_history(history, data)


@pytest.mark.nightly
@settings(deadline=None, max_examples=5_000)
@given(HISTORIES, st.data())
def test_every_kept_point_of_many_histories_reads_as_the_reference(history, data):
    check_a_history(history, data)


def check_a_history(history, data):
    policy = replace(
        SMALL,
        when_full=data.draw(st.sampled_from(["purge_oldest", "coarsen_first"])),
        space_bytes_max=data.draw(st.sampled_from([None, None, 3_000, 8_000])),
    )
    shop = KeptShop([], data.draw(st.sampled_from([1, 150, 400])), policy)
    keeper = shop.retention()
    for time_ns, change in history:
        shop.show_at(change, time_ns)
        event = data.draw(st.integers(0, 9))
        if event == 0:
            keeper = shop.restart()
        elif event == 1:
            pin(shop, keeper, data.draw(st.integers(1, len(shop.references) - 1)))
        elif event <= 4:
            now_ns = data.draw(st.sampled_from([shop.now_ns, shop.now_ns // 2, shop.now_ns + 99]))
            shop.keep(keeper, now_ns)
    shop.keep(keeper)
    shop.check()
    shop.keep(shop.restart())
    shop.check()
    kept = shop.kept
    shop.keep(now_ns=0)
    shop.keep()
    assert shop.kept == kept
    pinned = {point.sequence for point in shop.journal.manifest.pins}
    assert {sequence for sequence in pinned if kept and sequence <= kept[-1]} <= set(kept)


def pin(shop, keeper, sequence):
    try:
        pinned = keeper.pin(sequence, f"pin{len(shop.references)}", "the auditors asked for it")
    except PointRefused:
        return
    for action in pinned:
        if hasattr(action, "token"):
            keeper.sync_done(action.token)
        else:
            shop.storage.carry_out(action)


def test_the_past_becomes_coarser_as_it_ages(figure):
    shop = KeptShop(work(150), segment_bytes_max=300)
    before = used_bytes(shop.journal)
    shop.keep()
    daily, hourly, bookmarks = [36, 48, 72, 84], [90, 96, 108, 114], [120, 126, 132, 138]
    assert shop.kept == [*daily, *hourly, *bookmarks]
    refused = shop.check()
    apps = [point.sequence for point in shop.points.app_points()]
    assert [sequence for sequence in apps if sequence <= shop.kept[-1]] == [
        sequence for sequence in shop.kept if sequence % 12 == 0
    ]
    after = used_bytes(shop.journal)
    figure(f"{refused} of 149 points given up, {before} bytes became {after}")


@pytest.mark.parametrize("fate", FATES)
def test_a_crash_after_any_action_costs_no_kept_point(fate, crashes):
    policy = replace(SMALL, every_write_ns=4, stages=(Stage(12), Stage(24, 8)))
    fresh, actions_cut = KeptShop(work(30), 300, policy), 0
    fresh.keep()
    kept = fresh.kept
    for time_ns, change in work(44)[29:]:
        fresh.show_at(change, time_ns)
    assert len(kept) > 2
    for shop in cut_before_each_action(
        fresh, lambda shop, at_action: shop.keep(at_action=at_action), fate
    ):
        actions_cut += 1
        keeper = shop.restart()
        shop.check()
        shop.keep(keeper)
        shop.check_kept_points()
        assert {name for name in shop.storage.names() if name.endswith(".layer")} == {
            entry.name for entry in shop.layers
        }
    assert actions_cut > 30
    crashes("retention", actions_cut, actions_cut * len(fresh.references))


def test_a_pinned_point_stays_until_it_is_unpinned_and_an_expired_one_cannot_be_pinned():
    shop = KeptShop(work(40), 300)
    keeper = shop.retention()
    pin(shop, keeper, 9)
    with pytest.raises(LocalProtocolError, match="there already"):
        keeper.pin(20, "pin40", "again")
    for time_ns, change in work(400)[39:]:
        shop.show_at(change, time_ns)
    shop.keep()
    assert shop.kept[0] == 9
    assert [(one.sequence, one.reason) for one in shop.journal.manifest.pins] == [
        (9, "the auditors asked for it")
    ]
    shop.check()
    keeper = shop.retention()
    with pytest.raises(PointRefused, match="no longer kept"):
        keeper.pin(10, "late", "too late")
    with pytest.raises(LocalProtocolError, match="no pin"):
        keeper.unpin("another")
    for action in keeper.unpin("pin40"):
        if hasattr(action, "token"):
            keeper.sync_done(action.token)
        else:
            shop.storage.carry_out(action)
    shop.keep(keeper)
    assert shop.kept[0] > 9
    shop.check()


def test_each_kept_point_is_proven_by_its_certificate_from_nothing():
    shop = KeptShop(work(80), 300)
    shop.keep()
    for point in shop.journal.manifest.points:
        assert certificate_from_nothing(shop.map, point.cursor.sequence) == point.certificate


def test_files_that_are_not_as_published_halt_the_keeper_before_anything_leaves():
    shop = KeptShop(work(48), 300)
    shop.keep()
    manifest = shop.journal.manifest
    wrong = tuple(point._replace(certificate=b"another content.") for point in manifest.points)
    shop.journal.manifest = manifest._replace(points=wrong)
    for time_ns, change in work(90)[47:]:
        shop.show_at(change, time_ns)
    keeper, before = shop.retention(), set(shop.storage.names())
    with pytest.raises(AssertionError):
        shop.keep(keeper)
    assert isinstance(keeper.failure, CertificateMismatch)
    assert keeper.step(shop.now_ns) == []
    assert before <= set(shop.storage.names())


@pytest.mark.parametrize("when_full", ["purge_oldest", "coarsen_first"])
def test_when_the_space_runs_out_history_is_shortened_loudly_until_it_fits(when_full, figure):
    shop = KeptShop(work(150), 300, replace(SMALL, every_write_ns=90, stages=(Stage(140, 8),)))
    shop.keep()
    before, kept, used = shop.check(), shop.kept, used_bytes(shop.journal)
    shop.policy = replace(shop.policy, when_full=when_full, space_bytes_max=used * 3 // 4)
    told = shop.keep()
    space = [notice for notice in told if hasattr(notice, "used_bytes")]
    shortened = [notice for notice in told if hasattr(notice, "points_given_up")]
    assert space[0].state == "full"
    assert space[0].used_bytes == used
    assert space[-1].state != "full"
    assert shortened
    assert used_bytes(shop.journal) <= used * 3 // 4
    assert shop.check() > before
    assert (shop.kept[0] == kept[0]) is (when_full == "coarsen_first")
    assert shop.points.app_points()
    figure(f"{when_full}: {len(shortened)} notices, {used} bytes became {used_bytes(shop.journal)}")


def test_a_full_copy_that_is_to_pause_loses_nothing_and_goes_on_when_there_is_room():
    shop = KeptShop(work(60), 300, replace(SMALL, when_full="pause", space_bytes_max=500))
    keeper = shop.retention()
    told = shop.keep(keeper)
    assert [notice.state for notice in told] == ["full"]
    assert keeper.is_paused
    shop.check()
    keeper.policy = replace(keeper.policy, space_bytes_max=1 << 20)
    assert not keeper.is_paused
    assert shop.keep(keeper) == []


def test_the_warning_comes_at_four_fifths_and_does_not_flap():
    watch = SpaceWatch(replace(SMALL, space_bytes_max=100))
    used = (79, 80, 79, 81, 76, 74, 79, 80, 101, 99, 101)
    states = [notice.state for bytes_used in used for notice in watch.look(bytes_used)]
    assert states == ["low", "enough", "low", "full", "low", "full"]


def test_an_image_that_is_held_keeps_what_it_reads():
    shop = KeptShop(work(60), 300)
    keeper, image = shop.retention(), Image(shop.journal, 20)
    keeper._layers.hold()
    for _ in range(300):
        for action in keeper.step(shop.now_ns):
            if hasattr(action, "token"):
                shop.storage.unsynced.pop(action.name, None)
                keeper.sync_done(action.token)
            elif not hasattr(action, "notice"):
                shop.storage.carry_out(action)
    assert keeper.is_waiting
    for name, content in shop.references[20].items():
        assert image.read(name, 0, 100) == content
    keeper._layers.release()
    shop.keep(keeper)
    shop.check()
