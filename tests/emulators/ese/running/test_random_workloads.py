"""Longer workloads that are drawn: two databases, both versions, circular logging or not.

A failure names its seed; `world_of(seed)` runs the same workload again.
"""

from dataclasses import replace
from random import Random

import pytest
from every_fate import Proof
from group_world import ONE, TWO
from mail_group import MailGroup
from mail_world import LOG_BYTES

from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.running.parameters import Parameters

OPERATIONS = ("send", "send", "send", "move", "move", "delete", "mount", "roll", "backup")
OF_2003 = replace(EXCHANGE_2003, log_bytes=LOG_BYTES)
"""Exchange 2003 with logs of 1 MB, so that a short workload has several."""


def world_of(seed):
    random = Random(seed)
    parameters = Parameters(
        file_format=random.choice((EXCHANGE_2007, OF_2003)),
        checkpoint_depth_bytes=random.randint(1, 3) * LOG_BYTES,
        waypoint_depth=random.randint(1, 3),
        circular_logging=random.random() < 0.5,
    )
    names = random.choice(((ONE,), (ONE, TWO), (ONE, TWO)))
    world = MailGroup(names, parameters=parameters, seed=seed).create()
    world.begin("backup")
    world.settle()
    world.began = len(world.operations)
    for _ in range(random.randint(6, 24)):
        size = random.choice((300, 3000, 30_000, 300_000))
        world.begin(random.choice(OPERATIONS), random.choice(names), size)
        world.run(random.choice((0, 0.001, 0.006, 0.05, 0.3)))
    world.settle()
    return world


def prove(seeds, *, instants, cuts_max):
    """Cut the workload of each seed at so many instants."""
    proof = Proof()
    for seed in seeds:
        world = world_of(seed)
        points = range(world.began, len(world.operations) + 1)
        for done in Random(seed).sample(points, min(instants, len(points))):
            try:
                proof.cut_after(world, done, cuts_max=cuts_max)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
    return proof, f"{len(seeds)} workloads: {proof}"


def test_forty_random_workloads_cut_anywhere_keep_what_was_acknowledged(figure):
    proof, told = prove(range(40), instants=3, cuts_max=3)
    assert proof.counts["power cuts"] > 200
    figure(told)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(0, 2000, 200))
def test_two_thousand_random_workloads_cut_anywhere_keep_what_was_acknowledged(figure, first):
    figure(prove(range(first, first + 200), instants=8, cuts_max=6)[1])
