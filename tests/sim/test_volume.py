import pytest

from sim.disk import Disk
from sim.kernel import Kernel
from sim.payload import to_bytes
from sim.streams import Streams
from sim.volume import (
    DiskFull,
    FileExists,
    FileMissing,
    Kind,
    Volume,
    VolumeHeld,
    VolumeLost,
)


def make_volume(seed=1, *, capacity_bytes=1_000_000, latency_ns=100):
    kernel = Kernel(Streams(seed), steps_max=100_000)
    disk = Disk(kernel, "disk", throughput_bytes_s=1_000_000_000, latency_ns=latency_ns)
    return kernel, Volume(kernel, "logs", disk, capacity_bytes=capacity_bytes)


def settle(kernel):
    kernel.run(kernel.now_ns + 10_000_000)


def test_an_operation_costs_one_kernel_event_and_its_disk_time():
    kernel, volume = make_volume()
    volume.create("E00.log")
    signal = volume.write("E00.log", 0, (b"x" * 1_000,))
    done = []
    signal.then(lambda _: done.append(kernel.now_ns))
    settle(kernel)
    assert done == [(100 + 4_096) + (100 + 1_000)]
    assert kernel.steps == 2


def test_operations_complete_in_the_order_of_issue():
    for seed in range(10):
        kernel, volume = make_volume(seed, latency_ns=0)
        order = []
        signals = [volume.create("a"), volume.write("a", 0, ()), volume.flush("a")]
        signals += [volume.append("a", (b"x",)) for _ in range(5)]
        for index, signal in enumerate(signals):
            signal.then(lambda _, index=index, order=order: order.append(index))
        settle(kernel)
        assert order == list(range(8))


def test_an_append_fires_with_its_offset():
    kernel, volume = make_volume()
    volume.create("a")
    first = volume.append("a", (b"xyz", 7))
    second = volume.append("a", (b"end",))
    settle(kernel)
    assert (first.value, second.value) == (0, 10)
    assert volume.peek("a", 0, 100) == b"xyz" + bytes(7) + b"end"


def test_a_read_sees_what_was_issued_before_it():
    kernel, volume = make_volume()
    volume.create("a")
    volume.write("a", 0, (b"old",))
    before = volume.read("a", 0, 10)
    volume.write("a", 0, (b"new",))
    after = volume.read("a", 1, 1)
    settle(kernel)
    assert to_bytes(before.value) == b"old"
    assert to_bytes(after.value) == b"e"


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda volume: volume.create("a"), FileExists),
        (lambda volume: volume.write("missing", 0, (b"x",)), FileMissing),
        (lambda volume: volume.append("missing", (b"x",)), FileMissing),
        (lambda volume: volume.truncate("missing", 0), FileMissing),
        (lambda volume: volume.rename("missing", "c"), FileMissing),
        (lambda volume: volume.rename("a", "b"), FileExists),
        (lambda volume: volume.replace("missing", "a"), FileMissing),
        (lambda volume: volume.delete("missing"), FileMissing),
        (lambda volume: volume.flush("missing"), FileMissing),
        (lambda volume: volume.read("missing", 0, 1), FileMissing),
        (lambda volume: volume.write("a", 0, (1_000_001,)), DiskFull),
        (lambda volume: volume.append("a", (1_000_000,)), DiskFull),
        (lambda volume: volume.write("a", 1_000_000, (b"x",)), DiskFull),
        (lambda volume: volume.truncate("a", 1_000_001), DiskFull),
    ],
)
def test_a_failed_operation_changes_nothing_and_is_shown_to_no_filter(act, error):
    kernel, volume = make_volume()
    for name in "ab":
        volume.create(name)
        volume.write(name, 0, (name.encode() * 100,))
    settle(kernel)
    seen = []
    volume.attach(seen.append)
    used_bytes = volume.used_bytes
    signal = act(volume)
    signal.then(lambda _: None)
    settle(kernel)
    assert isinstance(signal.error, error)
    assert "Hint" in str(signal.error)
    assert seen == []
    assert volume.used_bytes == used_bytes == 200
    assert volume.names() == ["a", "b"]
    assert [volume.peek(name, 0, 1_000) for name in "ab"] == [b"a" * 100, b"b" * 100]
    assert volume.refused_count == (error is DiskFull)


def test_the_operation_after_a_failed_one_goes_on():
    kernel, volume = make_volume()
    failed = volume.delete("missing")
    failed.then(lambda _: None)
    created = volume.create("a")
    settle(kernel)
    assert isinstance(failed.error, FileMissing)
    assert created.fired
    assert created.error is None


def test_a_replaced_file_gives_its_room_back_and_the_other_keeps_its_flushed_bytes():
    kernel, volume = make_volume(capacity_bytes=100)
    for name, text in (("a", b"old"), ("a.new", b"newer")):
        volume.create(name)
        volume.write(name, 0, (text,))
        volume.flush(name)
    volume.replace("a.new", "a")
    volume.replace("a", "a")
    settle(kernel)
    volume.power_cut(lambda _: pytest.fail("all of it was flushed"))
    assert kernel.unobserved_errors == []
    assert volume.names() == ["a"]
    assert volume.peek("a", 0, 99) == b"newer"
    assert volume.used_bytes == 5


def test_room_is_given_back_by_truncation_and_deletion():
    kernel, volume = make_volume(capacity_bytes=100)
    volume.create("a")
    volume.write("a", 0, (100,))
    volume.truncate("a", 40)
    volume.create("b")
    volume.write("b", 0, (60,))
    volume.delete("a")
    volume.append("b", (40,))
    settle(kernel)
    assert kernel.unobserved_errors == []
    assert volume.used_bytes == 100
    assert volume.free_bytes == 0


def test_overwriting_a_full_volume_is_possible():
    kernel, volume = make_volume(capacity_bytes=100)
    volume.create("a")
    volume.write("a", 0, (100,))
    signal = volume.write("a", 10, (b"x" * 90,))
    settle(kernel)
    assert signal.error is None
    assert volume.peek("a", 0, 100) == bytes(10) + b"x" * 90


def test_filters_see_every_completed_change_in_order_and_no_read():
    kernel, volume = make_volume()
    seen = []
    volume.attach(seen.append)
    volume.create("a")
    volume.write("a", 4, (b"data", 4))
    volume.read("a", 0, 4)
    volume.append("a", (b"tail",))
    volume.truncate("a", 6)
    volume.flush("a")
    volume.rename("a", "b")
    volume.delete("b")
    settle(kernel)
    shown = [(o.kind, o.file, o.offset, o.payload, o.new_name, o.size) for o in seen]
    assert shown == [
        (Kind.CREATE, "a", 0, (), "", 0),
        (Kind.WRITE, "a", 4, (b"data", 4), "", 8),
        (Kind.WRITE, "a", 12, (b"tail",), "", 4),
        (Kind.TRUNCATE, "a", 0, (), "", 6),
        (Kind.FLUSH, "a", 0, (), "", 0),
        (Kind.RENAME, "a", 0, (), "b", 0),
        (Kind.DELETE, "b", 0, (), "", 0),
    ]
    times = [operation.completed_ns for operation in seen]
    assert times == sorted(times)
    assert {operation.volume for operation in seen} == {"logs"}


def test_a_filter_is_shown_the_change_before_the_writer_is_told():
    kernel, volume = make_volume()
    order = []
    volume.attach(lambda operation: order.append(("filter", volume.exists("a"), operation.file)))
    volume.create("a").then(lambda _: order.append(("writer",)))
    settle(kernel)
    assert order == [("filter", True, "a"), ("writer",)]


def test_push_back_delays_an_operation_and_all_after_it():
    kernel, volume = make_volume()
    gates = [kernel.signal(), kernel.signal()]
    shown = []

    def observer(operation):
        shown.append((operation.kind, kernel.now_ns))
        return gates[0] if operation.kind is Kind.CREATE else None

    volume.attach(observer)
    volume.attach(lambda o: gates[1] if o.kind is Kind.CREATE else None)
    told = []
    volume.create("a").then(lambda _: told.append(("create", kernel.now_ns)))
    volume.append("a", (b"x",)).then(lambda signal: told.append((signal.value, kernel.now_ns)))
    kernel.call_at(50_000, gates[1].fire)
    kernel.call_at(70_000, gates[0].fire)
    settle(kernel)
    assert told == [("create", 70_000), (0, 70_000)]
    assert shown == [(Kind.CREATE, 4_196), (Kind.WRITE, 70_000)]


def test_push_back_that_is_lifted_already_delays_nothing():
    kernel, volume = make_volume()
    lifted = kernel.signal()
    lifted.fire()
    volume.attach(lambda _: lifted)
    signal = volume.create("a")
    settle(kernel)
    assert signal.fired


def test_a_detached_filter_sees_nothing_more():
    kernel, volume = make_volume()
    seen = []
    detach = volume.attach(seen.append)
    volume.create("a")
    settle(kernel)
    detach()
    detach()
    volume.create("b")
    settle(kernel)
    assert [operation.file for operation in seen] == ["a"]


def test_hold_fires_after_the_earlier_and_keeps_the_later():
    kernel, volume = make_volume()
    order = []
    for name in "ab":
        volume.create(name).then(lambda _, name=name: order.append(name))
    volume.hold().then(lambda _: order.append("held"))
    for name in "cd":
        volume.create(name).then(lambda _, name=name: order.append(name))
    settle(kernel)
    assert order == ["a", "b", "held"]
    assert volume.names() == ["a", "b"]
    assert volume.is_held
    volume.release()
    settle(kernel)
    assert order == ["a", "b", "held", "c", "d"]
    assert not volume.is_held


def test_hold_waits_for_push_back():
    kernel, volume = make_volume()
    gate = kernel.signal()
    volume.attach(lambda _: gate)
    volume.create("a")
    held = volume.hold()
    settle(kernel)
    assert not held.fired
    gate.fire()
    assert held.fired


def test_hold_of_an_idle_volume_fires_at_once_and_a_second_hold_is_refused():
    _, volume = make_volume()
    assert volume.hold().fired
    with pytest.raises(VolumeHeld, match="Hint"):
        volume.hold()
    volume.release()
    volume.release()
    assert volume.hold().fired


def test_who_is_told_may_issue_and_hold():
    kernel, volume = make_volume()
    order = []

    def at_create(_):
        volume.append("a", (b"x",)).then(lambda _: order.append("append"))
        volume.hold().then(lambda _: order.append("held"))

    volume.create("a").then(at_create)
    settle(kernel)
    assert order == ["append", "held"]


def test_a_snapshot_stays_as_it_was():
    kernel, volume = make_volume()
    volume.create("a")
    volume.write("a", 0, (b"1" * 20_000,))
    settle(kernel)
    snapshot = volume.snapshot()
    volume.write("a", 100, (b"2" * 10_000,))
    volume.truncate("a", 12_000)
    volume.rename("a", "b")
    settle(kernel)
    assert snapshot.names() == ["a"]
    assert snapshot.size("a") == 20_000
    assert to_bytes(snapshot.read("a", 0, 30_000)) == b"1" * 20_000
    assert not snapshot.exists("b")
    with pytest.raises(FileMissing):
        snapshot.size("b")


def test_a_whole_block_is_kept_without_a_copy():
    kernel, volume = make_volume()
    block = bytes(range(256)) * 32
    volume.create("a")
    for index in range(3):
        volume.write("a", index * 8_192, (block,))
    settle(kernel)
    content = volume._files.get("a").content
    assert all(stored is block for stored in content.blocks.values())
    assert len(content.blocks) == 3


def test_zeros_take_no_blocks():
    kernel, volume = make_volume(capacity_bytes=1 << 40)
    volume.create("a")
    volume.write("a", 0, (1 << 35,))
    volume.write("a", 1 << 35, (b"end",))
    signal = volume.read("a", 0, 1 << 36)
    kernel.run(10**15)
    assert signal.value == (1 << 35, b"end")
    assert len(volume._files.get("a").content.blocks) == 1


def test_a_destroyed_volume_fails_everything_on_the_way_and_later():
    kernel, volume = make_volume()
    volume.create("a")
    volume.write("a", 0, (b"x" * 10,))
    settle(kernel)
    errors = []
    volume.create("b").then(lambda signal: errors.append(signal.error))
    volume.hold()
    volume.create("c").then(lambda signal: errors.append(signal.error))
    assert volume.destroy() == 10
    volume.create("d").then(lambda signal: errors.append(signal.error))
    settle(kernel)
    assert [type(error) for error in errors] == [VolumeLost] * 3
    assert volume.names() == []
    assert volume.used_bytes == 0
    assert not volume.is_held


def test_reserved_room_refuses_and_is_given_back():
    kernel, volume = make_volume(capacity_bytes=100)
    volume.create("a")
    volume.reserve(95)
    refused = volume.append("a", (10,))
    refused.then(lambda _: None)
    settle(kernel)
    assert isinstance(refused.error, DiskFull)
    assert refused.error.free_bytes == 5
    volume.reserve(0)
    accepted = volume.append("a", (10,))
    settle(kernel)
    assert accepted.error is None
