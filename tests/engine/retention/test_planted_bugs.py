"""Bugs that retention could have, each put in by a test, and each found by the model or I2, I7."""

from random import Random

import pytest
from engine_model import create
from layer_model import KINDS, Crash, as_changes
from retention_model import KeptShop, timed

from engine import actions
from engine.basics.errors import EngineError
from engine.journal.journal import Journal
from engine.layers.keeper import LayerKeeper
from engine.retention import policy
from engine.retention.keeper import RetentionKeeper

HISTORIES_MAX = 100


def history(seed):
    """Writes over some 100 units of time, with tags of both kinds among them."""
    random = Random(seed)
    changes = as_changes(
        [
            (
                random.choice(KINDS),
                random.randrange(3),
                random.randrange(70),
                random.randbytes(random.randrange(1, 40)),
            )
            for _ in range(30)
        ]
    )
    tags = [random.choice(["none", "none", "app", "crash"]) for _ in changes]
    return timed(changes, [(tag, random.choice([0, 1, 3, 8])) for tag in tags])


def histories_until_found(keeper_type=RetentionKeeper):
    """Return how many histories it takes until something is found, and what it was."""
    for seed in range(HISTORIES_MAX):
        shop = KeptShop([], segment_bytes_max=150)
        try:
            for at, (time_ns, change) in enumerate(history(seed)):
                shop.show_at(change, time_ns)
                if at % 10 == 0:
                    keep(shop, keeper_type)
            keep(shop, keeper_type)
            shop.check()
        except (AssertionError, EngineError) as found:
            return seed + 1, str(found).split("\n")[0]
    return None, ""


def keep(shop, keeper_type):
    keeper = keeper_type(shop.journal, LayerKeeper(shop.journal), shop.policy)
    shop.keep(keeper, steps_max=600)


def test_without_a_planted_bug_nothing_is_found():
    for seed in range(15):
        shop = KeptShop(history(seed), segment_bytes_max=150)
        shop.keep()
        shop.check()


@pytest.mark.parametrize("fate", ["kept", "cut"])
def test_files_that_leave_before_the_manifest_is_durable_are_found(monkeypatch, planted, fate):
    publish = Journal.publish

    def deleted_too_early(self, **changes):
        found = publish(self, **changes)
        return sorted(found, key=lambda action: not isinstance(action, actions.DeleteFile))

    monkeypatch.setattr(Journal, "publish", deleted_too_early)
    fresh = KeptShop([*history(3), (200, create("last"))], segment_bytes_max=150)
    for point in range(200):
        shop, left = fresh.twin(), [point]

        def count(action, left=left):
            if not left[0]:
                raise Crash
            left[0] -= 1

        with pytest.raises(Crash):
            shop.keep(at_action=count)
        shop.storage.crash(lambda: fate)
        try:
            shop.restart()
            shop.check()
        except (AssertionError, EngineError):
            planted(f"files leave before the manifest, {fate}", f"action {point}")
            return
    pytest.fail("the crash sweep did not find it")


def test_a_policy_that_lets_the_newest_application_consistent_point_go_is_found(
    monkeypatch, planted
):
    monkeypatch.setattr(policy, "newest_app_of", lambda points: None)
    found, what = histories_until_found()
    assert what.startswith("I7")
    planted("the newest application-consistent point may go", f"history {found}")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, -1), (1, 0)])
def test_an_interval_that_ends_beside_a_kept_point_is_found(planted, low, high):
    class OffByOne(RetentionKeeper):
        def _unfinished(self):
            found = super()._unfinished()
            return None if found is None else (found[0] + low, found[1] + high)

    found, what = histories_until_found(OffByOne)
    assert found, what
    planted(f"an interval ends beside a kept point ({low:+}, {high:+})", f"history {found}")


def test_a_certificate_that_changes_after_it_was_published_is_found():
    shop = KeptShop(history(1), segment_bytes_max=150)
    shop.keep()
    points = shop.journal.manifest.points
    changed = points[0]._replace(certificate=b"another content.")
    with pytest.raises(AssertionError, match="I2"):
        shop.journal.publish(points=[changed, *points[1:]])
