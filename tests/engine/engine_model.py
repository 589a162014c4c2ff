"""The reference model, the plainest storage that forgets, and short names for changes."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from engine import (
    Change,
    Cursor,
    Image,
    Journal,
    JournalSettings,
    RecordType,
    SessionSettings,
    actions,
    open_journal,
)
from engine.basics.payload import to_bytes
from engine.formats.marks import MARK_BYTES, decode_mark
from engine.formats.records import (
    RECORD_VERSION,
    RecordHeader,
    ScannedRecord,
    encode_record,
    scan_record,
)
from engine.formats.segments import FOOTER_BYTES, SEGMENT_HEADER_BYTES, decode_footer

GROUP = 7
EPOCH = 3
INCARNATION = 0xC0FFEE
SECTOR_BYTES = 512
#: Times and sizes of a session that is over in milliseconds.
SMALL = SessionSettings(
    batch_bytes_max=2_000,
    window_bytes_max=6_000,
    batch_linger_ns=1_000,
    heartbeat_interval_ns=1_000_000,
    peer_timeout_ns=5_000_000,
    connect_timeout_ns=2_000_000,
    reconnect_delay_ns_min=10_000,
    reconnect_delay_ns_max=100_000,
    frame_bytes_max=1 << 20,
)
#: Records that the capture makes itself: no change was shown for them.
MADE_BY_CAPTURE = (RecordType.TIME, RecordType.TAG_COMMIT, RecordType.TAG_REVOKE)


def create(name):
    return Change(RecordType.CREATE, name)


def write(name, offset, *payload):
    return Change(RecordType.WRITE, name, offset, payload)


def truncate(name, size):
    return Change(RecordType.TRUNCATE, name, size)


def rename(name, new_name):
    return Change(RecordType.RENAME, name, new_name=new_name)


def delete(name):
    return Change(RecordType.DELETE, name)


def flush(name):
    return Change(RecordType.FLUSH, name)


def app_tag(label):
    return Change(RecordType.TAG_APP, "", payload=(label.encode(),))


def pending_app_tag(label):
    return Change(RecordType.TAG_APP, "", payload=(label.encode(),), is_pending=True)


def crash_tag(label=""):
    return Change(RecordType.TAG_CRASH, "", payload=(label.encode(),) if label else ())


class RecordStream:
    """Encodes any records one after the other, sensible or not: what a capture would never do."""

    def __init__(self, base=None):
        self.base = base or Cursor(EPOCH, 0, 0)
        self.newest = self.base
        self.records: list[bytes] = []

    def add(self, kind, body=b"", *, file=0, offset=0, time_ns=None, epoch=None, flags=0):
        """Add one record; its time is its sequence where none is given."""
        sequence = self.newest.sequence + 1
        header = RecordHeader(
            version=RECORD_VERSION,
            type=kind,
            flags=flags,
            file=file,
            sequence=sequence,
            source_time_ns=sequence if time_ns is None else time_ns,
            offset=offset,
            epoch=self.newest.epoch if epoch is None else epoch,
            group=GROUP,
            raw_length=len(body),
            stored_length=len(body),
            body_crc=0,
            chain=0,
        )
        record, chain = encode_record(header, body, self.newest.chain)
        self.newest = Cursor(header.epoch, sequence, chain)
        self.records.append(record)
        return self


class Reference:
    """What the files must be: the plainest model, a dict of bytearrays."""

    def __init__(self):
        self.files: dict[str, bytearray] = {}

    def apply(self, change: Change) -> None:
        kind, files = change.kind, self.files
        if kind == RecordType.CREATE:
            files[change.file] = bytearray()
        elif kind == RecordType.WRITE:
            data = to_bytes(change.payload)
            content = files[change.file]
            if data and len(content) < change.offset:
                content.extend(bytes(change.offset - len(content)))
            content[change.offset : change.offset + len(data)] = data
        elif kind == RecordType.TRUNCATE:
            content = files[change.file]
            del content[change.offset :]
            content.extend(bytes(change.offset - len(content)))
        elif kind == RecordType.RENAME:
            files[change.new_name] = files.pop(change.file)
        elif kind == RecordType.DELETE:
            del files[change.file]


def contents(image: Image) -> dict[str, bytes]:
    return {name: image.read(name, 0, image.size(name) + 1) for name in image.names()}


def materialised(image: Image) -> dict[str, bytes]:
    files = {}
    for name in image.names():
        content = bytearray(image.size(name))
        for offset, segments in image.pieces(name):
            data = to_bytes(segments)
            content[offset : offset + len(data)] = data
        files[name] = bytes(content)
    return files


def check_images(journal: Journal, shown: Iterable[Change]) -> None:
    """Every image, at every durable sequence, equals the reference there."""
    changes, reference = iter(shown), Reference()
    assert contents(Image(journal, 0)) == {}
    for sequence in range(1, journal.durable.sequence + 1):
        kind = journal.index.row(sequence).kind
        if kind not in MADE_BY_CAPTURE:
            change = next(changes)
            assert change.kind == kind
            reference.apply(change)
        image = Image(journal, sequence)
        assert contents(image) == reference.files, f"image at {sequence}"
        assert materialised(image) == reference.files, f"materialised image at {sequence}"


# --- storage that forgets ------------------------------------------------------------------------


class MemoryStorage:
    """Files in memory; appends not yet synced are remembered one by one."""

    def __init__(self):
        self.files: dict[str, bytearray] = {}
        self.unsynced: dict[str, list[tuple[int, int]]] = {}

    def names(self):
        return list(self.files)

    def exists(self, name):
        return name in self.files

    def size(self, name):
        return len(self.files[name])

    def read(self, name, offset, length):
        return bytes(self.files.get(name, b"")[offset : offset + length])

    def create(self, name):
        assert name not in self.files
        self.files[name] = bytearray()

    def append(self, name, offset, data):
        assert len(self.files[name]) == offset, "appends continue the file"
        self.files[name] += data
        self.unsynced.setdefault(name, []).append((offset, len(data)))

    def truncate(self, name, size):
        del self.files[name][size:]
        self.unsynced.pop(name, None)

    def replace(self, name, data):
        """Give the file this content, durably: a crash leaves the old or the new, nothing else."""
        self.files[name] = bytearray(data)
        self.unsynced.pop(name, None)

    def delete(self, name):
        self.files.pop(name, None)
        self.unsynced.pop(name, None)

    def sync(self, name, count):
        """Make the first `count` unsynced appends durable."""
        del self.unsynced.get(name, [])[:count]

    def crash(self, fate: Callable[[], str]) -> None:
        """Let each unsynced append be kept, torn, lost (a hole), or all from here on be cut."""
        for name in sorted(self.unsynced):
            content = self.files[name]
            for offset, length in self.unsynced[name]:
                outcome = fate()
                if outcome == "cut":
                    del content[offset:]
                    break
                keep = {"kept": length, "torn": length // 2 // 8 * 8, "lost": 0}[outcome]
                if outcome == "torn" and length > SECTOR_BYTES:
                    keep = length // 2 // SECTOR_BYTES * SECTOR_BYTES
                content[offset + keep : offset + length] = bytes(length - keep)
        self.unsynced.clear()

    def carry_out(self, action) -> None:
        """Carry out all but SyncFile."""
        if isinstance(action, actions.CreateFile):
            self.create(action.name)
        elif isinstance(action, actions.AppendFile):
            self.append(action.name, action.offset, action.data)
        elif isinstance(action, actions.TruncateFile):
            self.truncate(action.name, action.size)
        elif isinstance(action, actions.ReplaceFile):
            self.replace(action.name, action.data)
        elif isinstance(action, actions.DeleteFile):
            self.delete(action.name)


class Part(NamedTuple):
    """A header, record, mark or footer of a segment file, and where it lies."""

    kind: str
    start: int
    end: int


def parts_of(data: bytes) -> list[Part]:
    """Return the parts of an undamaged segment file, read by the format's description alone."""
    parts, position = [Part("header", 0, SEGMENT_HEADER_BYTES)], SEGMENT_HEADER_BYTES
    while position < len(data):
        record = scan_record(memoryview(data), position)
        if isinstance(record, ScannedRecord):
            part = Part("record", position, record.end)
        elif decode_mark(data[position : position + MARK_BYTES]):
            part = Part("mark", position, position + MARK_BYTES)
        else:
            assert decode_footer(data[position : position + FOOTER_BYTES])
            part = Part("footer", position, position + FOOTER_BYTES)
        parts.append(part)
        position = part.end
    return parts


def settle(journal: Journal, storage: MemoryStorage, file_actions) -> None:
    """Carry actions out at once, syncs included, until none is left."""
    queue = deque(file_actions)
    while queue:
        action = queue.popleft()
        if isinstance(action, actions.SyncFile):
            storage.unsynced.pop(action.name, None)
            queue.extend(journal.sync_done(action.token))
        else:
            storage.carry_out(action)


def opened(storage: MemoryStorage, settings: JournalSettings | None = None) -> Journal:
    """Open a journal and carry its opening out."""
    result = open_journal(storage, group=GROUP, settings=settings)
    settle(result.journal, storage, result.actions)
    return result.journal
