"""What a power cut leaves, over every combination of fates of small histories."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.disk import Disk
from sim.kernel import Host, Kernel
from sim.payload import to_bytes
from sim.site import Site
from sim.stored_file import SECTOR_BYTES, WRITE_CACHE_BYTES
from sim.streams import Streams
from sim.volume import Fate, FileMissing, Torn, UnflushedWrite, Volume

FATES = (Fate.KEPT, Fate.LOST, Torn(0), Torn(1), Torn(2))


def make_volume(seed=1, *, host=False):
    kernel = Kernel(Streams(seed))
    disk = Disk(kernel, "disk", throughput_bytes_s=10**9, latency_ns=100)
    machine = Host(kernel, "mbx1", Site("primary")) if host else None
    return kernel, Volume(kernel, "logs", disk, capacity_bytes=1 << 40, host=machine)


def settle(kernel):
    kernel.run(kernel.now_ns + 10**9)


def kept_prefix(offset, data, fate):
    """The reference: how much of a write survives, sector by sector."""
    if fate is Fate.KEPT:
        return data
    if fate is Fate.LOST:
        return b""
    kept = b""
    sector = offset // SECTOR_BYTES
    for ordinal in range(fate.sectors):
        end = (sector + ordinal + 1) * SECTOR_BYTES - offset
        kept = data[: max(end, 0)]
    return kept


def expected_content(durable, changes, fates):
    """The reference: the durable bytes with what each fate leaves of each change."""
    content = bytearray(durable)
    fates = iter(fates)
    for change in changes:
        if change[0] == "truncate":
            del content[change[1] :]
            content.extend(bytes(change[1] - len(content)))
            continue
        _, offset, data = change
        kept = kept_prefix(offset, data, next(fates))
        if kept:
            content.extend(bytes(max(offset - len(content), 0)))
            content[offset : offset + len(kept)] = kept
    return bytes(content)


HISTORIES = [
    [("write", 0, b"a" * 1_024)],
    [("write", 0, b"a" * 512), ("write", 512, b"b" * 512), ("write", 1_024, b"c" * 512)],
    [("write", 300, b"a" * 900), ("write", 700, b"b" * 100)],
    [("write", 0, b"a" * 100), ("write", 50, b"b" * 1_000), ("write", 8_000, b"c" * 700)],
    [("write", 0, b"a" * 9_000), ("truncate", 500), ("write", 600, b"b" * 10)],
    [("truncate", 3_000), ("write", 2_900, b"a" * 300), ("write", 100, b"b" * 1_500)],
    [("write", 8_192, b"p" * 8_192), ("write", 8_192, b"q" * 8_192), ("truncate", 8_200)],
]


@pytest.mark.parametrize("durable", [b"", b"D" * 2_000], ids=["empty", "flushed"])
@pytest.mark.parametrize("history", HISTORIES)
def test_every_combination_of_fates_leaves_exactly_what_it_says(history, durable):
    writes = sum(change[0] == "write" for change in history)
    for fates in product(FATES, repeat=writes):
        kernel, volume = make_volume()
        volume.create("f")
        volume.write("f", 0, (durable,))
        volume.flush("f")
        for change in history:
            if change[0] == "write":
                volume.write("f", change[1], (change[2],))
            else:
                volume.truncate("f", change[1])
        settle(kernel)
        volume.power_cut(lambda write, fates=fates: fates[write.ordinal])
        expected = expected_content(durable, history, fates)
        assert volume.peek("f", 0, 100_000) == expected, fates
        assert volume.used_bytes == len(expected)


def test_a_torn_write_of_zeros_keeps_its_first_sectors():
    kernel, volume = make_volume()
    volume.create("f")
    volume.write("f", 0, (b"D" * 2_048,))
    volume.flush("f")
    volume.write("f", 0, (1_000, b"x" * 1_000))
    settle(kernel)
    volume.power_cut(lambda _: Torn(2))
    assert volume.peek("f", 0, 4_096) == bytes(1_000) + b"x" * 24 + b"D" * 1_024


@pytest.mark.parametrize("offset", [0, 100, 8_192, 12_000])
@pytest.mark.parametrize("length", [1, 8_192, 20_000, 40_000])
def test_a_lost_run_of_zeros_gives_every_block_back(offset, length):
    durable = bytes(index % 251 for index in range(40_000))
    kernel, volume = make_volume()
    volume.create("f")
    volume.write("f", 0, (durable,))
    volume.flush("f")
    volume.write("f", offset, (length,))
    settle(kernel)
    assert volume.peek("f", offset, length) == bytes(length)
    volume.power_cut(lambda _: Fate.LOST)
    assert volume.peek("f", 0, 100_000) == durable


def test_a_truncation_is_durable_and_what_follows_is_lost_on_top_of_it():
    kernel, volume = make_volume()
    volume.create("f")
    volume.write("f", 0, (b"D" * 30_000,))
    volume.flush("f")
    volume.write("f", 0, (b"x" * 10,))
    volume.truncate("f", 9_000)
    volume.write("f", 20_000, (b"y" * 10,))
    settle(kernel)
    volume.power_cut(lambda _: Fate.LOST)
    assert volume.peek("f", 0, 100_000) == b"D" * 9_000


def test_what_was_flushed_survives_any_seed():
    for seed in range(50):
        kernel, volume = make_volume(seed)
        volume.create("f")
        for index in range(5):
            volume.append("f", (bytes([index]) * 700,))
        volume.flush("f")
        volume.append("f", (b"z" * 700,))
        settle(kernel)
        volume.power_cut()
        flushed = b"".join(bytes([index]) * 700 for index in range(5))
        assert volume.peek("f", 0, 3_500) == flushed
        assert b"z" * len(volume.peek("f", 3_500, 700)) == volume.peek("f", 3_500, 700)


def test_every_fate_is_drawn_and_one_seed_draws_the_same():
    def fates(seed):
        kernel, volume = make_volume(seed)
        for name in "ab":
            volume.create(name)
            for _ in range(10):
                volume.append(name, (b"z" * 2_000,))
        settle(kernel)
        volume.power_cut()
        return [fate for _, fate in volume.fates]

    drawn = fates(1)
    assert len(drawn) == 20
    assert {type(fate) for fate in drawn} == {Fate, Torn}
    assert {Fate.KEPT, Fate.LOST} <= {fate for fate in drawn if isinstance(fate, Fate)}
    assert drawn == fates(1)
    assert drawn != fates(2)


def test_changes_of_names_survive_and_carry_the_unflushed_writes_along():
    kernel, volume = make_volume()
    for name in ("E00.log", "old.log"):
        volume.create(name)
    volume.write("E00.log", 0, (b"x" * 512,))
    volume.delete("old.log")
    volume.rename("E00.log", "E0000001.log")
    volume.create("E00.log")
    settle(kernel)
    seen = []

    def fate(write):
        seen.append(write)
        return Fate.KEPT

    volume.power_cut(fate)
    assert volume.names() == ["E00.log", "E0000001.log"]
    assert seen == [UnflushedWrite("E0000001.log", 0, (b"x" * 512,), 0)]
    assert volume.peek("E0000001.log", 0, 512) == b"x" * 512


def test_a_second_power_cut_takes_nothing_more():
    kernel, volume = make_volume()
    volume.create("f")
    volume.write("f", 0, (b"x" * 512,))
    settle(kernel)
    volume.power_cut(lambda _: Fate.KEPT)
    volume.power_cut(lambda _: Fate.LOST)
    assert volume.peek("f", 0, 512) == b"x" * 512
    assert volume.fates == []


def test_operations_on_the_way_are_dropped_and_their_signals_never_fire():
    kernel, volume = make_volume(host=True)
    seen = []
    volume.attach(seen.append)
    signals = [volume.create("a"), volume.append("a", (b"x",)), volume.create("b")]
    kernel.call_at(4_500, volume.host.power_cut)
    settle(kernel)
    assert [signal.fired for signal in signals] == [True, True, False]
    assert [operation.file for operation in seen] == ["a", "a"]
    assert len(volume.disk) == 0
    after = volume.create("c")
    settle(kernel)
    assert not after.fired
    volume.host.power_on()
    again = volume.create("c")
    settle(kernel)
    assert again.fired
    assert volume.names() == ["a", "c"]
    assert len(seen) == 2  # the filter was software of the host: it is gone


def test_a_power_cut_ends_hold_and_push_back():
    kernel, volume = make_volume(host=True)
    gate = kernel.signal()
    volume.attach(lambda _: gate)
    pushed_back = volume.create("a")
    held = volume.hold()
    waiting = volume.create("b")
    settle(kernel)
    volume.host.power_cut()
    volume.host.power_on()
    gate.fire()
    after = volume.create("c")
    settle(kernel)
    assert not any(signal.fired for signal in (pushed_back, held, waiting))
    assert after.fired
    assert volume.names() == ["a", "c"]


def test_a_filter_may_cut_the_power_itself():
    kernel, volume = make_volume(host=True)
    seen = []

    def crashing(operation):
        seen.append(operation.file)
        volume.host.power_cut()

    volume.attach(crashing)
    volume.attach(lambda operation: seen.append(f"second {operation.file}"))
    signals = [volume.create("a"), volume.create("b")]
    settle(kernel)
    assert seen == ["a"]
    assert not any(signal.fired for signal in signals)
    assert volume.names() == ["a"]


def test_a_full_write_cache_is_written_out():
    kernel, volume = make_volume()
    volume.create("f")
    volume.write("f", 0, (b"first", WRITE_CACHE_BYTES))
    volume.write("f", 0, (b"later",))
    settle(kernel)
    volume.power_cut(lambda _: Fate.LOST)
    assert volume.peek("f", 0, 5) == b"first"


def test_the_disk_goes_on_with_other_volumes():
    kernel, volume = make_volume()
    other = Volume(kernel, "other", volume.disk, capacity_bytes=1_000)
    dropped = volume.create("a")
    kept = other.create("b")
    volume.power_cut()
    settle(kernel)
    assert not dropped.fired
    assert kept.fired


def test_a_destroyed_volume_of_a_dead_host_says_nothing():
    kernel, volume = make_volume(host=True)
    signal = volume.create("a")
    volume.host.site.lose()
    settle(kernel)
    assert not signal.fired
    assert volume.lost
    with pytest.raises(FileMissing):
        volume.peek("a", 0, 1)


@given(
    fate=st.sampled_from(FATES),
    offset=st.integers(0, 3_000),
    length=st.integers(1, 3_000),
)
def test_a_fate_keeps_a_prefix_that_ends_at_a_sector(fate, offset, length):
    data = bytes(index % 251 for index in range(length))
    write = UnflushedWrite("f", offset, (data,), 0)
    kept = write.kept_bytes(fate)
    assert data[:kept] == kept_prefix(offset, data, fate)
    assert kept in (0, length) or (offset + kept) % SECTOR_BYTES == 0
    assert 1 <= write.sectors <= length // SECTOR_BYTES + 2
    assert to_bytes(write.payload) == data
