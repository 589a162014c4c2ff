"""The proof by exhaustion: every workload of up to three operations, cut off at every point.

Each operation is begun while those before it are still under way. A workload runs as the shorter
one that it goes on from, up to where its last operation begins (the same seed gives the same
bytes, which a test here shows): the instants before that are cut once, with the shorter one.

Where the database is flushed after two or three pages, each choice of what is kept, torn or lost
is tried at each point. Where all pages that may be written together are, there are up to a billion
choices at a point, and some are drawn. Soft recovery refuses a torn page (-1018), as no log has its
other half; then the last backup is restored and the logs that are left are replayed, so that at
each point everything acknowledged comes back.
"""

from functools import cache
from itertools import product

import pytest
from every_fate import Proof
from group_world import ONE
from mail_group import MailGroup
from mail_world import LOG_BYTES
from power_cuts import Replayed

from emulators.ese.formats.format import EXCHANGE_2003, EXCHANGE_2007
from emulators.ese.running.parameters import Parameters
from sim.volume import Fate, Kind

OPERATIONS = ("send", "move", "delete", "mount", "roll", "backup")
NEXT_BEGINS_S = 0.006
CHOICES_MAX = 10_000
"""More than there are anywhere, where pages are flushed by twos or threes."""


@cache
def world_of(workload, file_format=EXCHANGE_2007, pages_max=None):
    """Run a workload on a mailbox with three messages, of which there is a backup.

    `began` is where its last operation begins.
    """
    parameters = Parameters(
        file_format=file_format, checkpoint_depth_bytes=LOG_BYTES, unflushed_pages_max=pages_max
    )
    world = MailGroup((ONE,), parameters=parameters).create()
    for size in (500, 30_000, 4000):
        world.begin("send", size=size)
        world.settle()
    world.begin("backup")
    world.settle()
    world.began = len(world.operations)
    for operation in workload:
        world.began = len(world.operations)
        world.begin(operation)
        world.run(NEXT_BEGINS_S)
    world.settle()
    assert not world.refused_backups or "mount" in workload
    return world


def prove(workloads, file_format=EXCHANGE_2007, pages_max=None, *, cuts_max):
    """Cut each of these workloads at every operation from where its last one begins."""
    proof = Proof()
    for workload in workloads:
        world = world_of(workload, file_format, pages_max)
        for done in range(world.began, len(world.operations) + 1):
            proof.cut_after(world, done, cuts_max=cuts_max)
        world_of.cache_clear()
    return proof, f"{len(workloads)} workloads: {proof}"


def prove_all(workloads, file_format, pages_max):
    """Try every choice at every point; returns what was counted, in words."""
    proof, told = prove(workloads, file_format, pages_max, cuts_max=CHOICES_MAX)
    counts = proof.counts
    assert counts["instants with every choice"] == counts["instants"] > 0
    assert counts["restored and played forward"] > 0
    assert counts["without a backup to go on from"] == 0
    return told


def workloads_of(length):
    return list(product(OPERATIONS, repeat=length))


def workloads_that_begin_with(first):
    """Return the one, the six and the thirty-six workloads of up to three operations."""
    every = [workload for length in (1, 2, 3) for workload in workloads_of(length)]
    return [workload for workload in every if workload[0] == first]


SAMPLE = workloads_of(3)[5::43]


def test_a_workload_runs_as_the_shorter_one_until_its_last_operation_begins():
    for workload in [*workloads_of(2), *SAMPLE]:
        world, shorter = world_of(workload), world_of(workload[:-1])
        assert world.operations[: world.began] == shorter.operations[: world.began]
        assert shorter.began <= world.began < len(shorter.operations) + 1


def test_every_choice_at_every_point_of_every_single_operation_keeps_what_was_acknowledged(figure):
    figure(prove_all(workloads_of(1), EXCHANGE_2007, 2))


@pytest.mark.nightly
@pytest.mark.parametrize("first", OPERATIONS)
@pytest.mark.parametrize(
    ("file_format", "pages_max"), [(EXCHANGE_2007, 3), (EXCHANGE_2003, 2)], ids=["2007", "2003"]
)
def test_every_choice_at_every_point_of_up_to_three_operations(
    figure, file_format, pages_max, first
):
    figure(prove_all(workloads_that_begin_with(first), file_format, pages_max))


def test_every_pair_of_operations_cut_anywhere_keeps_what_was_acknowledged(figure):
    proof, told = prove(workloads_of(2), cuts_max=3)
    assert proof.counts["instants"] > 500
    figure(told)


@pytest.mark.parametrize("file_format", [EXCHANGE_2007, EXCHANGE_2003], ids=["2007", "2003"])
def test_a_sample_of_three_operations_cut_anywhere_keeps_what_was_acknowledged(figure, file_format):
    proof, told = prove(SAMPLE, file_format, cuts_max=4)
    assert proof.counts["power cuts"] > 100
    figure(told)


@pytest.mark.nightly
def test_single_operations_with_thousands_of_choices_at_each_point(figure):
    """Up to 6,561 choices: eight pages, of which each is written, torn or not."""
    figure(prove(workloads_of(1), cuts_max=6561)[1])


@pytest.mark.nightly
@pytest.mark.parametrize("first", OPERATIONS)
def test_all_workloads_of_three_operations_that_begin_alike(figure, first):
    proof, told = prove(workloads_that_begin_with(first), cuts_max=50)
    figure(told)
    assert proof.counts["power cuts"] > 1000


@pytest.mark.nightly
def test_pairs_of_operations_of_2003(figure):
    figure(prove(workloads_of(2), EXCHANGE_2003, cuts_max=12)[1])


def test_a_disk_that_only_says_that_it_has_flushed_the_log_is_found_out():
    """The proof of the proof: acknowledged mail that was lost does not pass."""
    world, proof = world_of(("send",)), Proof()
    done = len(world.operations)
    flushes = [op for op in world.operations if op.kind is Kind.FLUSH and op.file == "E00.log"]
    kept = [op for op in world.operations if op is not flushes[-1]]
    files, _ = Replayed(kept).cut(lambda _: Fate.LOST)
    with pytest.raises(AssertionError, match=r"message \d+ is lost"):
        proof.judge(world, files, done, torn_page=False, fate={})
