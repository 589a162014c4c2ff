"""The five edges of SimPy that would forge or hide a lost log (simulation.md), each closed."""

import gc

import pytest

from sim.kernel import TIMED_OUT, Host, Kernel
from sim.streams import Streams


class KeywordOnlyError(Exception):
    def __init__(self, *, generation, offset):
        super().__init__(f"{generation} {offset}")
        self.generation = generation


def test_edge_1_a_receive_that_timed_out_swallows_no_later_item(kernel):
    channel = kernel.channel()
    received = []

    def receiver():
        received.append((yield from channel.receive(limit_ns=10)))
        yield kernel.sleep(20)
        received.append((yield from channel.receive(limit_ns=10)))

    kernel.spawn(receiver(), name="receiver")
    kernel.call_after(15, channel.put, "the log")
    kernel.run(100)
    assert received == [TIMED_OUT, "the log"]


@pytest.mark.parametrize("seed", range(20))
def test_edge_1_an_item_and_a_timeout_of_the_same_instant_lose_nothing(seed):
    kernel = Kernel(Streams(seed))
    channel = kernel.channel()
    received = []

    def receiver():
        received.append((yield from channel.receive(limit_ns=10)))

    kernel.spawn(receiver(), name="receiver")
    kernel.call_after(10, channel.put, "the log")
    kernel.run(100)
    assert received[0] == "the log" or (received[0] is TIMED_OUT and len(channel) == 1)


def test_edge_1_both_outcomes_of_that_race_are_explored():
    outcomes = set()
    for seed in range(20):
        kernel = Kernel(Streams(seed))
        channel = kernel.channel()

        def receiver(channel=channel):
            outcomes.add(str((yield from channel.receive(limit_ns=10))))

        kernel.spawn(receiver(), name="receiver")
        kernel.call_after(10, channel.put, "the log")
        kernel.run(100)
    assert outcomes == {"the log", "TIMED_OUT"}


def test_edge_2_an_exception_crosses_a_wait_as_the_same_object(kernel):
    error = KeywordOnlyError(generation=7, offset=512)
    caught = []

    def failing():
        yield kernel.sleep(5)
        raise error

    def waiting():
        try:
            yield kernel.spawn(failing(), name="failing")
        except KeywordOnlyError as arrived:
            caught.append(arrived)

    kernel.spawn(waiting(), name="waiting")
    kernel.run(10)
    assert caught[0] is error
    assert caught[0].generation == 7


def test_edge_2_an_exception_that_nobody_waits_for_leaves_run_as_the_same_object(kernel):
    error = KeywordOnlyError(generation=7, offset=512)

    def failing():
        yield kernel.sleep(5)
        raise error

    task = kernel.spawn(failing(), name="failing")
    with pytest.raises(KeywordOnlyError) as raised:
        kernel.run(10)
    assert raised.value is error
    with pytest.raises(KeywordOnlyError):
        _ = task.result


def test_edge_3_a_run_ends_at_its_end_and_not_at_an_orphaned_timeout(kernel):
    kernel.sleep(10**15)
    kernel.run(1_000)
    assert kernel.now_ns == 1_000


def test_edge_3_a_run_without_events_reaches_its_end(kernel):
    kernel.run(1_000)
    assert kernel.now_ns == 1_000
    kernel.run(1_000)
    assert kernel.now_ns == 1_000


def test_edge_4_ten_tenths_of_a_second_are_one_second(kernel):
    times = []

    def ticking():
        for _ in range(10):
            yield kernel.sleep(100_000_000)
        times.append(kernel.now_ns)

    kernel.spawn(ticking(), name="ticking")
    kernel.run(2_000_000_000)
    assert times == [1_000_000_000]
    assert isinstance(times[0], int)


def test_edge_5_a_power_cut_runs_neither_except_nor_finally(kernel):
    host = Host(kernel, "mbx1")
    ran = []

    def careful():
        try:
            yield kernel.sleep(100)
            ran.append("body")
        except BaseException:
            ran.append("except")
            raise
        finally:
            ran.append("finally")

    host.spawn(careful(), name="careful")
    kernel.call_after(50, host.power_cut)
    kernel.run(1_000)
    gc.collect()
    assert ran == []


def test_edge_5_a_process_below_a_dropped_one_is_dropped_with_it(kernel):
    host = Host(kernel, "mbx1")
    ran = []

    def inner():
        try:
            yield kernel.sleep(100)
        finally:
            ran.append("inner")

    def outer():
        try:
            yield from inner()
        finally:
            ran.append("outer")

    host.spawn(outer(), name="outer")
    kernel.call_after(50, host.power_cut)
    kernel.run(1_000)
    gc.collect()
    assert ran == []


def test_edge_5_a_task_that_waits_for_what_was_lost_is_not_collected(kernel):
    ran = []

    def waiting():
        try:
            yield kernel.signal()
        finally:
            ran.append("finally")

    kernel.spawn(waiting(), name="waiting")
    kernel.run(10)
    gc.collect()
    assert ran == []


def test_edge_5_teardown_survives_a_process_that_waits_in_its_finally(kernel):
    host = Host(kernel, "mbx1")

    def stubborn():
        try:
            yield kernel.sleep(100)
        finally:
            yield kernel.sleep(100)

    host.spawn(stubborn(), name="stubborn")
    kernel.call_after(50, host.power_cut)
    kernel.run(1_000)
    kernel.close()
    gc.collect()
