import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernel import TIMED_OUT, Host, Kernel, StepBudgetExceeded
from sim.streams import Streams


def order_of_simultaneous(seed, count=8):
    kernel = Kernel(Streams(seed))
    order = []
    for index in range(count):
        kernel.call_after(10, order.append, index)
    kernel.run(10)
    return order


def test_one_seed_gives_one_order_of_simultaneous_events():
    assert order_of_simultaneous(1) == order_of_simultaneous(1)


def test_two_seeds_give_two_orders_of_simultaneous_events():
    assert order_of_simultaneous(1) != order_of_simultaneous(2)
    assert sorted(order_of_simultaneous(1)) == sorted(order_of_simultaneous(2))


def test_every_order_of_three_simultaneous_events_occurs():
    assert len({tuple(order_of_simultaneous(seed, 3)) for seed in range(100)}) == 6


@given(delays=st.lists(st.integers(0, 50), max_size=30), seed=st.integers(0, 1000))
def test_events_happen_in_the_order_of_their_times(delays, seed):
    kernel = Kernel(Streams(seed))
    seen = []
    for delay_ns in delays:
        kernel.call_after(delay_ns, lambda due=delay_ns: seen.append((due, kernel.now_ns)))
    kernel.run(50)
    assert [due for due, _ in seen] == sorted(delays)
    assert all(due == now for due, now in seen)


def test_a_run_in_slices_is_the_run_in_one_piece():
    def ticking(kernel, seen, name):
        for _ in range(20):
            yield kernel.sleep(5)
            seen.append((kernel.now_ns, name))

    results = []
    for slices in ([100], [1, 5, 33, 50, 99, 100]):
        kernel = Kernel(Streams(3))
        seen = []
        for name in "abc":
            kernel.spawn(ticking(kernel, seen, name), name=name)
        for until_ns in slices:
            kernel.run(until_ns)
        results.append(seen)
    assert results[0] == results[1]
    assert len(results[0]) == 60


def test_an_intervention_comes_first_and_shifts_no_other_event():
    def order(*, intervene):
        kernel = Kernel(Streams(5))
        seen = []
        if intervene:
            kernel.call_at(10, seen.append, "intervention")
        for index in range(8):
            kernel.call_after(10, seen.append, index)
        kernel.run(20)
        return seen

    assert order(intervene=True) == ["intervention", *order(intervene=False)]


def test_interventions_of_one_instant_keep_their_order(kernel):
    seen = []
    for index in range(10):
        kernel.call_at(10, seen.append, index)
    kernel.run(10)
    assert seen == list(range(10))


def test_a_sleep_costs_one_kernel_event_and_a_signal_one(kernel):
    signal = kernel.signal()

    def sleeping():
        for _ in range(10):
            yield kernel.sleep(1)
        signal.fire("done")

    def waiting():
        assert (yield signal) == "done"

    kernel.spawn(sleeping(), name="sleeping")
    waiter = kernel.spawn(waiting(), name="waiting")
    kernel.run(100)
    assert waiter.fired
    assert kernel.steps == 2 + 10 + 1


def test_a_signal_that_has_fired_is_waited_for_no_longer(kernel):
    signal = kernel.signal()
    signal.fire(3)

    def waiting():
        return (yield signal)

    task = kernel.spawn(waiting(), name="waiting")
    kernel.run(0)
    assert task.result == 3


def test_callbacks_of_a_signal_run_at_once_and_in_order(kernel):
    signal = kernel.signal()
    seen = []
    for index in range(5):
        signal.then(lambda fired, index=index: seen.append((index, fired.value)))
    signal.fire("v")
    assert seen == [(index, "v") for index in range(5)]
    signal.then(lambda fired: seen.append(("late", fired.value)))
    assert seen[-1] == ("late", "v")


def test_a_signal_fires_once(kernel):
    signal = kernel.signal()
    signal.fire()
    with pytest.raises(AssertionError, match="fired before"):
        signal.fire()


def test_a_failed_signal_raises_its_error_in_every_waiter(kernel):
    signal = kernel.signal()
    error = OSError("disk")
    caught = []

    def waiting():
        try:
            yield signal
        except OSError as arrived:
            caught.append(arrived)

    for _ in range(3):
        kernel.spawn(waiting(), name="waiting")
    kernel.call_after(5, signal.fail, error)
    kernel.run(10)
    assert caught == [error] * 3
    assert kernel.unobserved_errors == []


def test_a_failure_that_nobody_looks_at_is_listed(kernel):
    signal = kernel.signal()
    error = OSError("disk")
    signal.fail(error)
    assert kernel.unobserved_errors == [error]
    signal.then(lambda _: None)
    assert kernel.unobserved_errors == []


def test_a_failure_after_the_end_of_a_limited_wait_is_listed(kernel):
    signal = kernel.signal()
    error = OSError("late")

    def waiting():
        return (yield from kernel.wait(signal, limit_ns=5))

    task = kernel.spawn(waiting(), name="waiting")
    kernel.call_after(10, signal.fail, error)
    kernel.run(20)
    assert task.result is TIMED_OUT
    assert kernel.unobserved_errors == [error]


@pytest.mark.parametrize(("fires_at_ns", "expected"), [(4, "v"), (6, TIMED_OUT)])
def test_a_limited_wait_ends_with_the_value_or_at_its_limit(kernel, fires_at_ns, expected):
    signal = kernel.signal()
    ended = []

    def waiting():
        value = yield from kernel.wait(signal, limit_ns=5)
        ended.append(kernel.now_ns)
        return value

    task = kernel.spawn(waiting(), name="waiting")
    kernel.call_after(fires_at_ns, signal.fire, "v")
    kernel.run(20)
    assert task.result == expected
    assert ended == [min(fires_at_ns, 5)]


def test_a_limited_wait_passes_a_failure_on(kernel):
    signal = kernel.signal()
    error = OSError("disk")

    def waiting():
        yield from kernel.wait(signal, limit_ns=5)

    kernel.spawn(waiting(), name="waiting")
    kernel.call_after(2, signal.fail, error)
    with pytest.raises(OSError, match="disk") as raised:
        kernel.run(20)
    assert raised.value is error


def test_all_of_collects_the_values_in_the_order_given(kernel):
    signals = [kernel.signal() for _ in range(3)]
    combined = kernel.all_of(signals)
    for delay_ns, signal in zip((3, 1, 2), signals, strict=True):
        kernel.call_after(delay_ns, signal.fire, delay_ns)
    kernel.run(2)
    assert not combined.fired
    kernel.run(3)
    assert combined.value == [3, 1, 2]
    assert kernel.all_of([]).value == []


def test_all_of_fails_with_the_first_failure(kernel):
    signals = [kernel.signal() for _ in range(3)]
    combined = kernel.all_of(signals)
    first = OSError("first")
    signals[1].fail(first)
    signals[0].fail(OSError("second"))
    signals[2].fire()
    assert combined.error is first


def test_the_step_budget_names_the_time_and_the_busiest(kernel):
    def spinning():
        while True:
            yield kernel.sleep(0)

    def calm():
        while True:
            yield kernel.sleep(1)

    kernel.spawn(calm(), name="calm")
    kernel.call_after(7, lambda: kernel.spawn(spinning(), name="the spinner"))
    with pytest.raises(StepBudgetExceeded, match=r"at 7 ns .* the spinner \(\d+\)") as raised:
        kernel.run(1_000)
    assert kernel.steps == 100_000
    assert raised.value.now_ns == 7
    assert raised.value.busiest[0][0] == "the spinner"


def test_a_run_within_its_budget_is_not_stopped():
    kernel = Kernel(Streams(1), steps_max=11)

    def sleeping():
        for _ in range(10):
            yield kernel.sleep(1)

    kernel.spawn(sleeping(), name="sleeping")
    kernel.run(1_000)
    assert kernel.steps == 11
    kernel.call_after(1, lambda: None)
    with pytest.raises(StepBudgetExceeded):
        kernel.run(2_000)


def test_a_cancelled_call_is_not_made(kernel):
    seen = []
    call = kernel.call_after(5, seen.append, "cancelled")
    kernel.call_after(6, seen.append, "made")
    call.cancel()
    call.cancel()
    kernel.run(10)
    assert seen == ["made"]


def test_cancelled_calls_do_not_fill_the_queue_and_disturb_no_order():
    def run(*, cancelled):
        kernel = Kernel(Streams(9))
        seen = []
        calls = [kernel.call_after(10, seen.append, index) for index in range(5_000)]
        kept = [index for index in range(5_000) if index % 7 == 0]
        for index in range(5_000):
            if index % 7 and cancelled:
                calls[index].cancel()
        size = len(kernel._schedule._queue)
        kernel.run(10)
        return [index for index in seen if index in kept], size

    kept_order, size = run(cancelled=True)
    assert kept_order == run(cancelled=False)[0]
    assert size < 2_500


def test_a_forgotten_yield_from_is_named(kernel):
    channel = kernel.channel()

    def forgetful():
        yield channel.receive()

    kernel.spawn(forgetful(), name="forgetful")
    with pytest.raises(TypeError, match=r"task forgetful yielded generator.*'yield from'"):
        kernel.run(10)


def test_a_function_that_is_no_generator_is_refused(kernel):
    with pytest.raises(AssertionError, match="task wrong"):
        kernel.spawn(lambda: None, name="wrong")


def test_a_delay_into_the_past_is_refused(kernel):
    with pytest.raises(AssertionError, match="past"):
        kernel.sleep(-1)
    kernel.run(10)
    with pytest.raises(AssertionError, match="past"):
        kernel.call_at(9, lambda: None)


def test_a_task_waited_for_passes_its_return_value(kernel):
    def inner():
        yield kernel.sleep(5)
        return "value"

    def outer():
        return (yield kernel.spawn(inner(), name="inner"))

    task = kernel.spawn(outer(), name="outer")
    kernel.run(10)
    assert task.result == "value"


def test_a_failure_is_raised_when_the_only_waiter_has_lost_its_power(kernel):
    host = Host(kernel, "mbx1")

    def failing():
        yield kernel.sleep(10)
        message = "nobody alive is listening"
        raise OSError(message)

    task = kernel.spawn(failing(), name="failing")

    def waiting():
        yield task

    host.spawn(waiting(), name="waiting")
    kernel.call_after(5, host.power_cut)
    with pytest.raises(OSError, match="nobody alive"):
        kernel.run(20)
