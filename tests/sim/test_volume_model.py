"""A volume against a reference model: a dictionary of bytearrays."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sim.disk import Disk
from sim.kernel import Kernel
from sim.payload import length_of, to_bytes
from sim.streams import Streams
from sim.volume import DiskFull, FileExists, FileMissing, Kind, Volume

CAPACITY_BYTES = 100_000

names = st.sampled_from(["E00.log", "E00.chk", "MDB1.edb"])
offsets = st.one_of(
    st.integers(0, 40_000), st.sampled_from([0, 512, 8_191, 8_192, 8_193, 16_384, 24_576])
)
runs = st.one_of(st.integers(0, 30_000), st.sampled_from([1, 512, 8_192, 16_384]))
texts = st.builds(lambda unit, count: unit * count, st.binary(min_size=1, max_size=3), runs)
payloads = st.lists(st.one_of(texts, runs), max_size=3).map(tuple)


class Reference:
    """The same operations, the simplest way."""

    def __init__(self):
        self.files = {}

    def need(self, name):
        if name not in self.files:
            raise FileMissing("", name)
        return self.files[name]

    def room(self, growth):
        used = sum(len(content) for content in self.files.values())
        if growth > 0 and used + growth > CAPACITY_BYTES:
            raise DiskFull("", "", growth, CAPACITY_BYTES - used)

    def create(self, name):
        if name in self.files:
            raise FileExists("", name)
        self.files[name] = bytearray()

    def write(self, name, offset, payload):
        content = self.need(name)
        data = to_bytes(payload)
        if data:
            self.room(offset + len(data) - len(content))
            content.extend(bytes(max(offset - len(content), 0)))
            content[offset : offset + len(data)] = data

    def append(self, name, payload):
        self.write(name, len(self.need(name)), payload)

    def truncate(self, name, size):
        content = self.need(name)
        self.room(size - len(content))
        del content[size:]
        content.extend(bytes(size - len(content)))

    def rename(self, old, new):
        self.need(old)
        if new in self.files:
            raise FileExists("", new)
        self.files[new] = self.files.pop(old)

    def replace(self, old, new):
        self.need(old)
        self.files[new] = self.files.pop(old)

    def delete(self, name):
        self.need(name)
        del self.files[name]

    def flush(self, name):
        self.need(name)


def apply_operation(files, operation):
    """Repeat a change from what a filter was shown."""
    if operation.kind is Kind.CREATE:
        files.create(operation.file)
    elif operation.kind is Kind.WRITE:
        assert operation.size == length_of(operation.payload)
        files.write(operation.file, operation.offset, operation.payload)
    elif operation.kind is Kind.TRUNCATE:
        files.truncate(operation.file, operation.size)
    elif operation.kind is Kind.RENAME:
        files.rename(operation.file, operation.new_name)
    elif operation.kind is Kind.REPLACE:
        files.replace(operation.file, operation.new_name)
    elif operation.kind is Kind.DELETE:
        files.delete(operation.file)


class VolumeMachine(RuleBasedStateMachine):
    """Drives a volume, the reference, and a copy that is fed by a filter only."""

    def __init__(self):
        super().__init__()
        self.kernel = Kernel(Streams(1))
        disk = Disk(self.kernel, "disk", throughput_bytes_s=10**9, latency_ns=10)
        self.volume = Volume(self.kernel, "v", disk, capacity_bytes=CAPACITY_BYTES)
        self.reference = Reference()
        self.copy = Reference()
        self.volume.attach(lambda operation: apply_operation(self.copy, operation))
        self.snapshots = []

    def both(self, action, *args):
        signal = getattr(self.volume, action)(*args)
        signal.then(lambda _: None)
        self.kernel.run(self.kernel.now_ns + 10**9)
        expected = None
        try:
            getattr(self.reference, action)(*args)
        except (DiskFull, FileExists, FileMissing) as error:
            expected = type(error)
        assert signal.fired
        assert type(signal.error) is (expected or type(None))

    @rule(name=names)
    def create(self, name):
        self.both("create", name)

    @rule(name=names, offset=offsets, payload=payloads)
    def write(self, name, offset, payload):
        self.both("write", name, offset, payload)

    @rule(name=names, payload=payloads)
    def append(self, name, payload):
        self.both("append", name, payload)

    @rule(name=names, size=offsets)
    def truncate(self, name, size):
        self.both("truncate", name, size)

    @rule(old=names, new=names)
    def rename(self, old, new):
        self.both("rename", old, new)

    @rule(old=names, new=names)
    def replace(self, old, new):
        self.both("replace", old, new)

    @rule(name=names)
    def delete(self, name):
        self.both("delete", name)

    @rule(name=names)
    def flush(self, name):
        self.both("flush", name)

    @rule()
    def flush_all_and_cut_the_power(self):
        for name in self.volume.names():
            self.both("flush", name)
        self.volume.power_cut()
        self.volume.attach(lambda operation: apply_operation(self.copy, operation))

    @rule()
    def take_a_snapshot(self):
        frozen = {name: bytes(content) for name, content in self.reference.files.items()}
        self.snapshots.append((self.volume.snapshot(), frozen))

    @rule(name=names, offset=offsets, length=runs)
    def read(self, name, offset, length):
        signal = self.volume.read(name, offset, length)
        signal.then(lambda _: None)
        self.kernel.run(self.kernel.now_ns + 10**9)
        if name in self.reference.files:
            expected = bytes(self.reference.files[name][offset : offset + length])
            assert to_bytes(signal.value) == expected
        else:
            assert isinstance(signal.error, FileMissing)

    @invariant()
    def the_files_are_those_of_the_reference(self):
        assert self.volume.names() == sorted(self.reference.files)
        for name, content in self.reference.files.items():
            assert self.volume.size(name) == len(content)
            assert self.volume.peek(name, 0, CAPACITY_BYTES) == content
        total = sum(len(content) for content in self.reference.files.values())
        assert self.volume.used_bytes == total

    @invariant()
    def the_copy_made_by_the_filter_is_equal(self):
        assert self.copy.files == self.reference.files

    @invariant()
    def no_snapshot_has_changed(self):
        for snapshot, frozen in self.snapshots:
            assert snapshot.names() == sorted(frozen)
            for name, content in frozen.items():
                assert to_bytes(snapshot.read(name, 0, CAPACITY_BYTES)) == content


VolumeMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestVolumeMachine = VolumeMachine.TestCase
