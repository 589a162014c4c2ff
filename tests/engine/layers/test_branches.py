"""Branches: a point's view goes down through the parent's layers, and two branches are compared."""

import pytest
from engine_model import (
    GROUP,
    INCARNATION,
    MemoryStorage,
    RecordStream,
    create,
    settle,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_model import CHANGES, SMALL, Shop, Volume, contents_of, small_blocks

from engine import Image, JournalSettings, RecordType, open_journal
from engine.basics.errors import PointRefused
from engine.formats.control import encode_parent
from engine.images.rollback import Rollback
from engine.layers.differences import DiffMap
from engine.layers.keeper import LayerKeeper
from engine.layers.plan import LayerMap

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("write", "write", "truncate", "delete", "create", "rename")),
        st.integers(0, 4),
        st.integers(0, 70),
        st.binary(min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=12,
)


class Branch(Shop):
    """A branch of a parent from `ancestor` on; `references` go by the sequences from there."""

    def __init__(self, parent, ancestor, steps):
        self.storage = MemoryStorage()
        self.segment_bytes_max = 200
        self.parent, self.ancestor = parent, ancestor
        self.references = [parent.references[ancestor]]
        self._base = parent.journal.standing_at(ancestor)
        self.journal = open_journal(
            self.storage, group=GROUP, settings=JournalSettings(200), base=self._base
        ).journal
        epoch = self._base.cursor.epoch + 1
        self.journal.adopt(epoch, INCARNATION + 1)
        self.stream = RecordStream(self._base.cursor)
        self.files = dict(parent.map.view(ancestor).names)
        self.contents = {name: bytearray(c) for name, c in self.references[0].items()}
        self.add(RecordType.EPOCH, encode_parent(self._base.cursor), epoch=epoch)
        for step in steps:
            self.change(*step)

    @property
    def map(self):
        return LayerMap(self.journal, self.parent.map)

    def keeper(self, settings=SMALL):
        return LayerKeeper(self.journal, settings, parent=self.parent.map)

    def add(self, kind, body=b"", **fields):
        self.stream.add(kind, body, **fields)
        settle(self.journal, self.storage, self.journal.ingest(self.stream.records[-1]))
        self.references.append({name: bytes(c) for name, c in self.contents.items()})

    def change(self, kind, slot, offset, payload):
        files, contents = self.files, self.contents
        if not files or kind == "create":
            file = max([*files, self._base.id_newest, *self.made()]) + 1
            name = files[file] = f"own{file}"
            contents[name] = bytearray()
            self.add(RecordType.CREATE, name.encode(), file=file)
            return
        file = sorted(files)[slot % len(files)]
        content = contents[files[file]]
        if kind == "write":
            content.extend(bytes(max(offset + len(payload) - len(content), 0)))
            content[offset : offset + len(payload)] = payload
            self.add(RecordType.WRITE, payload, file=file, offset=offset)
        elif kind == "truncate":
            del content[offset:]
            content.extend(bytes(offset - len(content)))
            self.add(RecordType.TRUNCATE, file=file, offset=offset)
        elif kind == "rename":
            old, files[file] = files[file], f"{files[file]}'"
            contents[files[file]] = contents.pop(old)
            self.add(RecordType.RENAME, files[file].encode(), file=file)
        else:
            del contents[files.pop(file)]
            self.add(RecordType.DELETE, file=file)

    def made(self):
        return [
            int(name[3:].rstrip("'"))
            for names in self.references
            for name in names
            if name.startswith("own")
        ]

    def check_all(self):
        for step, reference in enumerate(self.references):
            view = self.map.view(self.ancestor + step)
            assert contents_of(view) == reference, step


@settings(deadline=None, max_examples=60)
@given(CHANGES, STEPS, st.data())
def test_a_branch_reads_through_its_parent_and_the_parents_tail_stays_readable(
    changes, steps, data
):
    parent = Shop(changes, segment_bytes_max=200)
    if data.draw(st.booleans()):
        parent.run(parent.keeper())
    branch = Branch(parent, data.draw(st.integers(1, len(changes))), steps)
    branch.check_all()
    branch.run(branch.keeper())
    branch.check_all()
    last = branch.journal.durable.sequence
    image = Image(branch.journal, last, parent=parent.map)
    assert {n: image.read(n, 0, 200) for n in image.names()} == branch.references[-1]
    parent.check_all()


@settings(deadline=None, max_examples=60)
@given(CHANGES, STEPS, st.data())
def test_the_files_of_one_branch_become_those_of_another_by_what_changed_on_either_side(
    changes, steps, data
):
    parent = Shop(changes, segment_bytes_max=200)
    ancestor = data.draw(st.integers(1, len(changes)))
    branch = Branch(parent, ancestor, steps)
    if data.draw(st.booleans()):
        branch.run(branch.keeper())
    old, new = (parent.map, len(changes)), (branch.map, branch.journal.durable.sequence)
    with small_blocks():
        differences = DiffMap.across(ancestor, old, new)
        volume, rollback = Volume(parent.references[-1]), Rollback(differences)
        while actions := rollback.step():
            for action in actions:
                volume.carry_out(action)
    assert volume.files == branch.references[-1]
    assert volume.written <= differences.bytes_at_most()


def test_a_branch_is_not_read_without_what_lies_below_it():
    """What was written before the branch would read as zeros, and as if it had never been."""
    parent = Shop([create("a"), write("a", 0, b"before")])
    branch = Branch(parent, 2, [("write", 0, 3, b"after")])
    for sequence in (2, 3, 4):
        with pytest.raises(PointRefused, match="below was not given"):
            Image(branch.journal, sequence)
        assert Image(branch.journal, sequence, parent=parent.map).names() == ["a"]
