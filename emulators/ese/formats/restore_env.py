"""The file restore.env: what a restore leaves for hard recovery (exchange.md 2.1, /c).

The layout is this project's own: the sheets give none of the original's, so neither tool reads the
other's file. It is one block, padded to whole sectors: checksum (as in headers, ese-format.md C),
magic number, length, status, generations, log signature, database revision, restore time, and then
the texts and the databases.

Fault model: a write may be torn or lost. The status is the only thing that changes later, by one
write of the whole block; a block whose checksum is wrong is refused, and the restore is made again.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.format import FORMATS, SECTOR_BYTES, Format
from emulators.ese.formats.values import SIGNATURE_BYTES, LogTime, Signature

RESTORE_ENV_NAME = "restore.env"
MAGIC = 0x564E4552
HINT_RESTORE_AGAIN = "restore the backup again: that writes the file anew"

_FIXED = Struct("<IIIIiiI28s8sI")
_LENGTH = Struct("<H")
_FORMATS = {each.revision: each for each in FORMATS}


class RecoverStatus(IntEnum):
    """How far hard recovery has come; from STARTED on, the databases have begun to change."""

    NOT_STARTED = 0
    STARTED = 1
    ENDED = 2


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """A database as it was called when it was backed up, and where it was restored to."""

    source: str
    target: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class RestoreEnv:
    """What is to be recovered.

    Args:
        prefix: base name of the logs ('E00').
        group: the storage group that was backed up.
        target_group: the one that the databases were restored to.
        databases: those restored.
        log_signature: that of the logs.
        file_format: sizes and versions of the files; its revision is stored.
        generation_low: the first log to replay.
        generation_high: the last log of the backups restored.
        restored: when the restore was made.
        status: how far recovery has come.
    """

    prefix: str
    group: str
    target_group: str
    databases: tuple[RestoredDatabase, ...]
    log_signature: Signature
    file_format: Format
    generation_low: int
    generation_high: int
    restored: LogTime
    status: RecoverStatus = RecoverStatus.NOT_STARTED

    def pack(self) -> bytes:
        """Return the bytes of the file, whole sectors."""
        texts = [self.prefix, self.group, self.target_group]
        body = b"".join(map(_pack_text, texts))
        for database in self.databases:
            body += _pack_text(database.source) + _pack_text(database.target)
            body += database.signature.pack()
        fixed = _FIXED.pack(
            0,
            MAGIC,
            _FIXED.size + len(body),
            self.status,
            self.generation_low,
            self.generation_high,
            self.file_format.revision,
            self.log_signature.pack(),
            self.restored.pack(),
            len(self.databases),
        )
        block = fixed + body
        block = block.ljust(_padded(len(block)), b"\0")
        return block_checksum(block).to_bytes(4, "little") + block[4:]

    @classmethod
    def unpack(cls, block: bytes, where: str = RESTORE_ENV_NAME) -> "RestoreEnv":
        """Read the file; raises EseError -1003 when it is damaged or none of ours."""
        if len(block) < _FIXED.size or len(block) % SECTOR_BYTES:
            raise ese_error(-1003, f"{where}: it has {len(block)} bytes", HINT_RESTORE_AGAIN)
        (
            checksum, magic, length, status, low, high, revision, signature, restored, count,
        ) = _FIXED.unpack_from(block)  # fmt: skip
        if magic != MAGIC:
            hint = f"name the folder of a restore; {HINT_RESTORE_AGAIN}"
            raise ese_error(-1003, f"{where}: it is no restore.env of this tool", hint)
        if checksum != block_checksum(block) or len(block) != _padded(length):
            raise ese_error(-1003, f"{where}: its checksum is wrong", HINT_RESTORE_AGAIN)
        if revision not in _FORMATS:
            where = f"{where}: database revision {revision:#x}"
            raise ese_error(-1003, where, "recover with the tool that made the backup")
        reader = _Reader(block[:length], _FIXED.size)
        prefix, group, target_group = reader.text(), reader.text(), reader.text()
        databases = tuple(
            RestoredDatabase(reader.text(), reader.text(), reader.signature()) for _ in range(count)
        )
        return cls(
            prefix,
            group,
            target_group,
            databases,
            Signature.unpack(signature),
            _FORMATS[revision],
            low,
            high,
            LogTime.unpack(restored),
            RecoverStatus(status),
        )


class _Reader:
    """Reads texts and signatures one after another; the checksum has proved the bytes."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    def text(self) -> str:
        (size,) = _LENGTH.unpack(self._take(_LENGTH.size))
        return self._take(size).decode("utf-16-le")

    def signature(self) -> Signature:
        return Signature.unpack(self._take(SIGNATURE_BYTES))

    def _take(self, size: int) -> bytes:
        start, self._offset = self._offset, self._offset + size
        assert self._offset <= len(self._data), "a proved restore.env ends within a field"
        return self._data[start : self._offset]


def _padded(length: int) -> int:
    return -(-length // SECTOR_BYTES) * SECTOR_BYTES


def _pack_text(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return _LENGTH.pack(len(data)) + data
