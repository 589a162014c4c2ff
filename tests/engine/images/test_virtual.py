"""Virtual images against the reference: written to, hydrated meanwhile, dropped, never felt."""

from copy import deepcopy

import pytest
from engine_model import MemoryStorage, create, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, Shop, Volume

from engine import Image
from engine.basics.errors import (
    FileAlreadyExists,
    ImageFileMissing,
    JournalDamaged,
    OverlayFull,
)
from engine.basics.settings import LayerSettings
from engine.contract import volumes
from engine.images.hydration import Hydration
from engine.images.virtual import VirtualImage


class Bench:
    """A virtual image at the newest point of a history, its scratch storage, and a reference."""

    def __init__(self, changes, sequence=None, bytes_max=1 << 30):
        self.shop = Shop(changes, segment_bytes_max=200)
        self.shop.run(self.shop.keeper())
        self.before = deepcopy(self.shop.storage.files)
        sequence = len(changes) if sequence is None else sequence
        self.expected = {n: bytearray(c) for n, c in self.shop.references[sequence].items()}
        self.scratch = MemoryStorage()
        image = Image(self.shop.journal, sequence)
        self.virtual = VirtualImage(image, self.scratch, "overlay", bytes_max)
        self.carry_out(self.virtual.begin())

    def carry_out(self, actions):
        for action in actions:
            self.scratch.carry_out(action)

    def apply(self, step):
        """Do a drawn step to the virtual image and to the reference, where it is possible."""
        kind, slot, offset, payload = step
        names, virtual = sorted(self.expected), self.virtual
        name = names[slot % len(names)] if names else None
        if name is None or kind == "create":
            name = f"new{slot}"
            if name not in self.expected:
                self.carry_out(virtual.create(name))
                self.expected[name] = bytearray()
        elif kind == "write":
            data = bytes(payload) if isinstance(payload, int) else payload
            self.carry_out(virtual.write(name, offset, (payload,)))
            content = self.expected[name]
            content.extend(bytes(max(offset + len(data) - len(content), 0)))
            content[offset : offset + len(data)] = data
        elif kind == "truncate":
            self.carry_out(virtual.truncate(name, offset))
            del self.expected[name][offset:]
            self.expected[name].extend(bytes(offset - len(self.expected[name])))
        elif kind == "rename":
            if (new := f"{name}'") not in self.expected:
                self.carry_out(virtual.rename(name, new))
                self.expected[new] = self.expected.pop(name)
        else:
            self.carry_out(virtual.delete(name))
            del self.expected[name]

    def check(self):
        assert self.virtual.names() == sorted(self.expected)
        for name, content in self.expected.items():
            assert self.virtual.size(name) == len(content)
            assert self.virtual.read(name, 0, len(content) + 1) == content
            middle = len(content) // 2
            assert self.virtual.read(name, middle, 7) == content[middle : middle + 7]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("write", "write", "truncate", "rename", "delete", "create")),
        st.integers(0, 4),
        st.integers(0, 70),
        st.one_of(st.binary(min_size=1, max_size=40), st.integers(1, 50)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=80)
@given(CHANGES, STEPS, st.data())
def test_a_virtual_image_is_written_to_as_files_are_and_the_journal_does_not_feel_it(
    changes, steps, data
):
    bench = Bench(changes, data.draw(st.integers(0, len(changes))))
    bench.check()
    for step in steps:
        bench.apply(step)
        bench.check()
    assert bench.shop.storage.files == bench.before
    bench.carry_out(bench.virtual.drop())
    assert bench.scratch.names() == []
    bench.shop.check_all()


@settings(deadline=None, max_examples=80)
@given(CHANGES, STEPS, st.data())
def test_a_hydration_is_right_whatever_is_written_while_it_runs(changes, steps, data):
    bench, volume = Bench(changes), Volume()
    hydration = Hydration(bench.virtual, step_bytes_max=16)

    def hydrate():
        actions = hydration.step()
        for action in actions:
            volume.carry_out(action)
            if isinstance(action, volumes.FlushVolume):
                hydration.flushed(action.token)
        return actions

    for step in steps:
        if data.draw(st.booleans()):
            hydrate()
        bench.apply(step)
    while not hydration.is_done:
        assert hydrate(), "a step that is not done has something to do"
    assert hydration.bytes_left == 0
    assert volume.files == bench.expected
    assert hydration.step() == []


def test_a_hydration_moves_only_what_was_ever_written_and_says_how_far_it_is():
    bench, volume = Bench([create("a"), write("a", 10_000_000, b"x" * 100)]), Volume()
    hydration = Hydration(bench.virtual)
    assert hydration.bytes_total == hydration.bytes_left == 10_000_100
    for action in hydration.step():
        volume.carry_out(action)
    assert (hydration.bytes_left, hydration.is_copied, hydration.is_done) == (0, True, False)
    assert volume.written == 100
    assert volume.files == bench.expected


def test_a_write_after_the_flush_was_asked_for_is_flushed_again():
    bench, volume = Bench([create("a"), write("a", 0, b"x")]), Volume()
    hydration, tokens = Hydration(bench.virtual), []

    def step():
        for action in hydration.step():
            volume.carry_out(action)
            tokens.extend([action.token] if isinstance(action, volumes.FlushVolume) else [])

    step()
    step()
    bench.apply(("write", 0, 0, b"later"))
    hydration.flushed(tokens[-1])
    assert not hydration.is_done
    step()
    step()
    hydration.flushed(tokens[-1])
    assert hydration.is_done
    assert volume.files == bench.expected


def test_what_cannot_be_done_is_refused_and_changes_nothing():
    bench = Bench([create("a"), write("a", 0, b"content")], bytes_max=10)
    virtual = bench.virtual
    with pytest.raises(ImageFileMissing):
        virtual.read("b", 0, 1)
    with pytest.raises(FileAlreadyExists):
        virtual.create("a")
    with pytest.raises(ImageFileMissing):
        virtual.write("b", 0, (b"x",))
    bench.carry_out(virtual.write("a", 0, (b"12345678",)))
    bench.expected["a"][:] = b"12345678"
    with pytest.raises(OverlayFull, match="holds 8 of at most 10") as refused:
        virtual.write("a", 0, (b"abc",))
    assert "bytes_max" in refused.value.hint
    bench.check()


def test_an_overlay_that_rots_is_told_from_a_damaged_journal():
    bench = Bench([create("a")])
    bench.carry_out(bench.virtual.write("a", 0, (b"12345678",)))
    bench.scratch.files["overlay"][3] ^= 1
    with pytest.raises(JournalDamaged, match="overlay") as refused:
        bench.virtual.read("a", 0, 8)
    assert "the journal is not concerned" in refused.value.hint


def test_an_image_is_ready_without_a_look_at_any_file(figure):
    changes = [create("a"), *[write("a", 64 * n, b"y" * 64) for n in range(3_000)]]
    shop = Shop(changes, segment_bytes_max=4_000)
    shop.run(shop.keeper(LayerSettings()))
    reads = []
    read = shop.storage.read
    shop.storage.read = lambda *arguments: reads.append(arguments) or read(*arguments)
    virtual = VirtualImage(Image(shop.journal, 3_001), MemoryStorage(), "overlay")
    assert reads == []
    assert virtual.read("a", 64 * 2_990, 64) == b"y" * 64
    assert len(reads) == 1, "the rows of the open segment are in memory"
    assert virtual.read("a", 64 * 777, 64) == b"y" * 64
    files = len(shop.storage.names())
    figure(f"reads of {files} files: none to open, {len(reads)} for one new and one old block")
    segments_above = shop.keeper(LayerSettings()).segments_behind
    assert len(reads) <= 4 * segments_above + 10
