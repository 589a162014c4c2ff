import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.disk import Disk
from sim.kernel import Kernel
from sim.streams import Streams


def make_disk(seed=1):
    kernel = Kernel(Streams(seed))
    return kernel, Disk(kernel, "d", throughput_bytes_s=1_000_000, latency_ns=500)


def test_a_request_takes_its_latency_and_its_bytes():
    kernel, disk = make_disk()
    done = []
    disk.submit(7, lambda: done.append(kernel.now_ns))
    kernel.run(100_000)
    assert done == [500 + 7 * 1_000]
    assert disk.busy_ns == 7_500
    assert disk.bytes_moved == 7


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=20), seed=st.integers(0, 1000))
def test_requests_are_served_one_after_the_other_in_order(sizes, seed):
    kernel, disk = make_disk(seed)
    done = []
    for index, size in enumerate(sizes):
        disk.submit(size, lambda index=index: done.append((index, kernel.now_ns)))
    kernel.run(10_000_000)
    due_ns = 0
    for (index, at_ns), (expected, size) in zip(done, enumerate(sizes), strict=True):
        due_ns += disk.service_ns(size)
        assert (index, at_ns) == (expected, due_ns)
    assert kernel.steps == len(sizes)


def test_a_disk_without_latency_keeps_the_order_within_one_instant():
    for seed in range(20):
        kernel = Kernel(Streams(seed))
        disk = Disk(kernel, "d", throughput_bytes_s=10**12, latency_ns=0)
        done = []
        for index in range(10):
            disk.submit(0, lambda index=index, done=done: done.append(index))
        kernel.run(0)
        assert done == list(range(10))


@pytest.mark.parametrize("stall_at_ns", [0, 1, 499, 1_499, 1_500, 1_501, 2_000])
def test_a_stall_delays_by_exactly_its_length(stall_at_ns):
    kernel, disk = make_disk()
    done = []
    for _ in range(2):
        disk.submit(1, lambda: done.append(kernel.now_ns))
    kernel.call_at(stall_at_ns, disk.stall, stall_at_ns + 10_000)
    kernel.run(100_000)
    expected = [1_500, 3_000]
    # The stall is an intervention: it comes before a completion of the same instant.
    assert done == [due if due < stall_at_ns else due + 10_000 for due in expected]
    assert disk.busy_ns == 3_000


def test_a_stall_without_an_end_lasts_until_resume():
    kernel, disk = make_disk()
    done = []
    disk.stall()
    disk.submit(1, lambda: done.append(kernel.now_ns))
    kernel.run(1_000_000)
    assert done == []
    disk.resume()
    disk.resume()
    kernel.run(2_000_000)
    assert done == [1_001_500]


def test_a_later_stall_replaces_the_end_of_an_earlier_one():
    kernel, disk = make_disk()
    done = []
    disk.stall(1_000)
    disk.stall(5_000)
    disk.submit(0, lambda: done.append(kernel.now_ns))
    kernel.run(100_000)
    assert done == [5_500]


def test_dropping_an_owner_keeps_the_others_and_frees_the_disk():
    kernel, disk = make_disk()
    done = []
    owners = [object(), object()]
    for index, owner in enumerate(owners * 2):
        disk.submit(1, lambda index=index: done.append((index, kernel.now_ns)), owner)
    kernel.run(100)
    assert disk.drop(owners[0]) == 2
    kernel.run(100_000)
    assert done == [(1, 1_600), (3, 3_100)]
    assert disk.drop(owners[0]) == 0


def test_who_is_told_may_submit_again():
    kernel, disk = make_disk()
    done = []

    def again():
        done.append(kernel.now_ns)
        if len(done) < 3:
            disk.submit(0, again)

    disk.submit(0, again)
    kernel.run(100_000)
    assert done == [500, 1_000, 1_500]
