"""Files of a real run that a test damages, and what recovery then says."""

from functools import cache

import pytest
from mail_world import (
    DATABASE,
    LOG_BYTES,
    Disks,
    World,
    copy_of,
    recover,
    recover_and_check,
)

from emulators.ese.errors import EseError
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.format import archive_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.opened import open_database
from emulators.ese.running.parameters import Parameters
from emulators.exchange.store import Store

CURRENT, TEMPORARY, CHECKPOINT = "E00.log", "E00tmp.log", "E00.chk"
PAGE_BYTES = 8192


@cache
def world_of(depth):
    """A server in steady state: the checkpoint has moved and the waypoint window is open."""
    parameters = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES, waypoint_depth=depth)
    world = World(parameters=parameters)
    world.spawn(world.drip(100, 130_000, every_ms=50))
    world.run(10)
    assert len(world.acknowledged) == 100
    return world


@cache
def world_after_mount(depth):
    """The same server when only a few logs were made since the mount."""
    parameters = Parameters(checkpoint_depth_bytes=6 * LOG_BYTES, waypoint_depth=depth)
    world = World(parameters=parameters)
    world.spawn(world.drip(24, 130_000, every_ms=50))
    world.run(5)
    return world


def mail_in(files):
    """Every message in a clean database, with its place and its digest."""
    store = Store(open_database(files, DATABASE))
    return {m.message_id: (m.mailbox, m.folder, m.message.digest) for m in store.messages()}


@cache
def mail_up_to(world, generation):
    """The mail whose commit lies in the logs up to a generation, and the ledger of that time.

    Known from the files as they were when that log had just been closed, recovered plainly.
    """
    closed = archive(generation)
    done = next(n for n, op in enumerate(world.operations, 1) if op.new_name == closed)
    disks = Disks(world.operations)
    disks.advance(done)
    files = disks.copy()
    recover(files)
    return mail_in(files), world.ledger(done)


@cache
def frozen_files():
    world = World(parameters=Parameters(checkpoint_depth_bytes=6 * LOG_BYTES))
    world.spawn(world.drip(100, 130_000, every_ms=50))
    world.run(10)
    world.spawn(world.group.freeze())
    world.run(1)
    return world.files(), world.ledger()


class Case:
    """Fresh files, and what their header and checkpoint say."""

    def __init__(self, files, ledger):
        self.files = copy_of(files)
        self.ledger = ledger
        header = DatabaseHeader.unpack(self.files.read(DATABASE, 0, PAGE_BYTES))
        self.first = header.generation_min_required
        self.last = header.generation_max_required
        self.committed = header.generation_max_committed
        self.range = f"{DATABASE} requires generations {self.first}-{self.last}"

    @property
    def checkpoint(self):
        return Checkpoint.unpack(self.files.read(CHECKPOINT, 0, PAGE_BYTES))

    def move_checkpoint(self, generation):
        checkpoint = self.checkpoint
        checkpoint.checkpoint = Lgpos(generation, 8, 22)
        self.files.write(CHECKPOINT, 0, checkpoint.pack())

    def lose(self, *generations):
        for generation in generations:
            self.files.delete(archive(generation))

    def make_current(self, generation):
        """What an operator does who has lost the newest logs: rename the last one he has."""
        for lost in range(generation + 1, self.committed):
            self.files.delete(archive(lost))
        self.files.delete(CURRENT)
        self.files.rename(archive(generation), CURRENT)

    def change_header(self, name, **fields):
        header = LogHeader.unpack(self.files.read(name, 0, 4096))
        values = {field: getattr(header, field) for field in LogHeader.__dataclass_fields__}
        self.files.write(name, 0, LogHeader(**values | fields).pack())

    def flip(self, name, offset):
        byte = self.files.read(name, offset, 1)[0]
        self.files.write(name, offset, bytes([byte ^ 0x10]))

    def refuses(self, code, *named, ranged=True, **switches):
        """Recovery gives this error and changes nothing; returns the error."""
        before = copy_of(self.files)
        with pytest.raises(EseError) as caught:
            recover(self.files, **switches)
        error = caught.value
        assert error.code == code, error
        for name in named:
            assert name in error.where, error
        if ranged:
            assert self.range in error.where, error
        assert error.hint
        assert self.files._files == before._files, "a refusal changed a file"
        return error

    def recovers(self, **switches):
        recovered = recover_and_check(self.files, self.ledger, **switches)
        assert recovered.problems == []
        return recovered.report


def archive(generation):
    return archive_name("E00", generation)
