"""A journal with layers, driven by hand, and what every sequence of it must read as."""

from collections import deque
from contextlib import contextmanager, suppress
from copy import copy, deepcopy
from itertools import count

import pytest
from engine_model import (
    EPOCH,
    GROUP,
    INCARNATION,
    MemoryStorage,
    Reference,
    create,
    delete,
    opened,
    rename,
    settle,
    truncate,
    write,
)
from hypothesis import strategies as st

from engine import Capture, JournalSettings, actions
from engine.basics.cursor import Cursor, genesis
from engine.basics.errors import PointRefused
from engine.basics.payload import to_bytes
from engine.basics.settings import LayerSettings
from engine.contract import volumes
from engine.formats.layers import LayerHeader, LayerKind, layer_name
from engine.layers import certificates, differences
from engine.layers.certificates import Roll, certificate_of, key_of
from engine.layers.keeper import LayerKeeper
from engine.layers.plan import LayerMap
from engine.layers.strata import View
from engine.layers.writer import LayerPlan, LayerWriter, table_of

SMALL = LayerSettings(
    segments_per_delta=2,
    deltas_per_merge=2,
    deltas_per_image=2,
    image_share_min=0.0,
    step_bytes_max=64,
    block_bytes_max=16,
)
KEY = key_of(GROUP)

KINDS = ("write", "write", "write", "truncate", "rename", "delete")
_LARGE = 70
_STEP = st.one_of(
    st.tuples(
        st.just("write"),
        st.integers(0, 2),
        st.integers(0, _LARGE),
        st.one_of(st.binary(min_size=1, max_size=40), st.integers(1, 50)),
    ),
    st.tuples(st.just("truncate"), st.integers(0, 2), st.integers(0, _LARGE), st.just(0)),
    st.tuples(st.just("rename"), st.integers(0, 2), st.just(0), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 2), st.just(0), st.just(0)),
)


def as_changes(steps):
    """Turn drawn steps into changes that fit the files, which are created on first use."""
    names, changes, made = {}, [], 0
    for kind, slot, offset, payload in steps:
        if slot not in names:
            made += 1
            names[slot] = f"f{made}"
            changes.append(create(names[slot]))
        name = names[slot]
        if kind == "write":
            changes.append(write(name, offset, payload))
        elif kind == "truncate":
            changes.append(truncate(name, offset))
        elif kind == "rename":
            made += 1
            names[slot] = f"r{made}"
            changes.append(rename(name, names[slot]))
        else:
            del names[slot]
            changes.append(delete(name))
    return changes


CHANGES = st.lists(_STEP, min_size=1, max_size=20).map(as_changes)


class Shop:
    """A journal of changes, all durable, with layers beside it.

    `references[n]` is what the files are at sequence n.
    """

    def __init__(self, changes, segment_bytes_max=400):
        self.storage = MemoryStorage()
        self.segment_bytes_max = segment_bytes_max
        self.open()
        self.journal.adopt(EPOCH, INCARNATION)
        self.capture = Capture(group=GROUP, epoch=EPOCH, incarnation=INCARNATION)
        self.references = [{}]
        self._reference = Reference()
        self.generation = 0
        for change in changes:
            self.show(change)

    def open(self):
        """Open everything from what the storage holds, as after a crash."""
        settings = JournalSettings(segment_bytes_max=self.segment_bytes_max)
        self.journal = opened(self.storage, settings)

    def twin(self):
        """Return another of the same content."""
        twin = copy(self)
        twin.storage = deepcopy(self.storage)
        twin.open()
        return twin

    def keeper(self, settings=SMALL):
        return LayerKeeper(self.journal, settings)

    def time_of_next(self):
        return len(self.references)

    def show(self, change):
        self.capture.admit(change, self.time_of_next())
        record = self.capture.entry(self.capture.newest.sequence).record
        settle(self.journal, self.storage, self.journal.ingest(record))
        self._reference.apply(change)
        self.references.append(
            {name: bytes(content) for name, content in self._reference.files.items()}
        )

    @property
    def layers(self):
        return self.journal.manifest.layers

    def publish(self, layers):
        settle(self.journal, self.storage, self.journal.publish(layers=layers))

    @property
    def map(self):
        return LayerMap(self.journal)

    def run(self, keeper, at_action=lambda action: None):
        """Let the keeper work until it has nothing to do; each action first asks `at_action`."""
        while not keeper.is_idle:
            queue = deque(keeper.step())
            while queue:
                action = queue.popleft()
                at_action(action)
                if isinstance(action, actions.SyncFile):
                    self.storage.sync(action.name, len(self.storage.unsynced.get(action.name, [])))
                    queue += keeper.sync_done(action.token)
                else:
                    self.storage.carry_out(action)
        assert keeper.failure is None, keeper.failure

    def cursor(self, sequence):
        if not sequence:
            return genesis(EPOCH)
        return Cursor(EPOCH, sequence, self.journal.index.chain(sequence))

    def flatten(self, low, high, *, is_image=False, settings=SMALL):
        """Write the layer of (low, high] at once; return its entry."""
        layer_map, self.generation = self.map, self.generation + 1
        view = layer_map.view(high)
        strata = view.strata if is_image else layer_map.strata_between(low, high)
        digests = Roll(View([]), view, view.strata, {}, KEY).run()
        table = table_of(view, strata, digests, is_image=is_image)
        header = LayerHeader(
            LayerKind.IMAGE if is_image else LayerKind.DELTA,
            1,
            GROUP,
            self.cursor(0 if is_image else low),
            self.cursor(high),
        )
        plan = LayerPlan(
            layer_name(low, high, self.generation),
            header,
            strata,
            table,
            certificate_of(table, KEY),
        )
        writer = LayerWriter(plan, view, settings)
        self.storage.create(plan.name)
        for action in writer.appends():
            self.storage.carry_out(action)
        self.publish([*self.layers, writer.entry])
        return writer.entry

    def drop_layers(self, keep):
        self.publish(self.layers[-keep:])

    def check_kept(self, kept):
        """Kept points, and those after the last of them, read right; no other reads wrong."""
        refused = 0
        for sequence, reference in enumerate(self.references):
            found = None
            with suppress(PointRefused):
                found = contents_of(self.map.view(sequence))
            if found is None:
                assert sequence not in kept
                assert sequence < max(kept)
                refused += 1
            else:
                assert found == reference, sequence
        return refused

    def check_all(self):
        for sequence in range(len(self.references)):
            assert contents_of(self.map.view(sequence)) == self.references[sequence], sequence


def contents_of(view):
    """Read every file whole, in two different ways."""
    files = {}
    for file, name in view.names.items():
        size = view.size(file)
        content = to_bytes(view.read(file, 0, size + 1))
        by_pieces = bytearray(size)
        for piece in view.pieces(file, 7):
            by_pieces[piece.start : piece.stop] = to_bytes(view.content(piece))
        assert content == by_pieces
        assert len(content) == size
        files[name] = content
    return files


class Crash(Exception):  # noqa: N818 - it is the event, not an error
    """Power is cut before an action."""


def cut_before_each_action(fresh, work, fate):
    """Yield a twin of a shop for each action of some work, whose power was cut before it.

    Args:
        fresh: The shop before the work.
        work: Does it: `work(shop, at_action)`.
        fate: What becomes of unsynced writes.
    """
    for actions_left in count():
        shop, left = fresh.twin(), [actions_left]

        def at_action(_, left=left):
            if not left[0]:
                raise Crash
            left[0] -= 1

        try:
            work(shop, at_action)
        except Crash:
            shop.storage.crash(lambda: fate)
            yield shop
        else:
            return


@contextmanager
def small_blocks():
    """Let blocks be so small that small files have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "BLOCK_BYTES", 8)
        patch.setattr(differences, "_WINDOW_BYTES", 16)
        patch.setattr(certificates, "BLOCK_BYTES", 8)
        patch.setattr(certificates, "_ZERO_BLOCK", bytes(8))
        yield


class Volume:
    """An application's volume: carries out what restoring asks for, and is strict about it."""

    def __init__(self, files=None):
        self.files = {name: bytearray(content) for name, content in (files or {}).items()}
        self.written = 0

    def carry_out(self, action):
        files = self.files
        if isinstance(action, volumes.MakeFile):
            assert action.name not in files
            files[action.name] = bytearray()
        elif isinstance(action, volumes.WriteRange):
            data, content = to_bytes(action.payload), files[action.name]
            self.written += len(data)
            content.extend(bytes(max(action.offset + len(data) - len(content), 0)))
            content[action.offset : action.offset + len(data)] = data
        elif isinstance(action, volumes.SizeFile):
            content = files[action.name]
            del content[action.size :]
            content.extend(bytes(action.size - len(content)))
        elif isinstance(action, volumes.MoveFile):
            assert action.new_name not in files
            files[action.new_name] = files.pop(action.name)
        elif isinstance(action, volumes.RemoveFile):
            del files[action.name]
