"""The checkpoint file: from where on the log is needed (ese-format.md H).

Fault model: a write of the file may be torn or lost. It holds the same 4096 bytes twice, and either
copy alone is enough; both damaged is -533, which only costs recovery time (exchange.md R4).
"""

from dataclasses import dataclass, field
from struct import Struct

from emulators.ese.errors import ese_error
from emulators.ese.formats.checksum import block_checksum
from emulators.ese.formats.format import LOG_HEADER_BYTES
from emulators.ese.formats.values import (
    LGPOS_ZERO,
    LOG_TIME_ZERO,
    DbmsParam,
    Lgpos,
    LogTime,
    Signature,
)

CHECKPOINT_BYTES = 2 * LOG_HEADER_BYTES
FILE_TYPE_CHECKPOINT = 4
# Attach information begins with log version 8.4000.4.3; its area stays zero here (H).
_LAYOUT = Struct("<I8s8s28s567s8s8s8s8sB8s11xI")


@dataclass(slots=True)
class Checkpoint:
    """The contents of a checkpoint file; `checkpoint` moves, the rest seldom changes."""

    checkpoint: Lgpos
    signature: Signature
    parameters: DbmsParam = field(default_factory=DbmsParam)
    full_backup_checkpoint: Lgpos = LGPOS_ZERO
    full_backup: Lgpos = LGPOS_ZERO
    full_backup_time: LogTime = LOG_TIME_ZERO
    incremental_backup: Lgpos = LGPOS_ZERO
    incremental_backup_time: LogTime = LOG_TIME_ZERO
    database_consistency: Lgpos = LGPOS_ZERO

    def pack(self) -> bytes:
        """Return the 8192 bytes of the file."""
        fields = _LAYOUT.pack(
            0,
            self.full_backup_checkpoint.pack(),
            self.checkpoint.pack(),
            self.signature.pack(),
            self.parameters.pack(),
            self.full_backup.pack(),
            self.full_backup_time.pack(),
            self.incremental_backup.pack(),
            self.incremental_backup_time.pack(),
            0,
            self.database_consistency.pack(),
            FILE_TYPE_CHECKPOINT,
        )
        block = fields.ljust(LOG_HEADER_BYTES, b"\0")
        block = block_checksum(block).to_bytes(4, "little") + block[4:]
        return block + block

    @classmethod
    def unpack(cls, image: bytes, where: str = "checkpoint") -> "Checkpoint":
        """Read the file; raises EseError -533 when both copies are damaged."""
        for start in (0, LOG_HEADER_BYTES):
            block = image[start : start + LOG_HEADER_BYTES]
            if len(block) == LOG_HEADER_BYTES and _is_valid(block):
                return cls._read(block)
        hint = "delete the checkpoint file: recovery then starts at the oldest log"
        raise ese_error(-533, f"{where}: both copies are damaged", hint)

    @classmethod
    def _read(cls, block: bytes) -> "Checkpoint":
        (
            _, full_checkpoint, checkpoint, signature, parameters, full, full_time, incremental,
            incremental_time, _, consistency, _,
        ) = _LAYOUT.unpack_from(block)  # fmt: skip
        return cls(
            checkpoint=Lgpos.unpack(checkpoint),
            signature=Signature.unpack(signature),
            parameters=DbmsParam.unpack(parameters),
            full_backup_checkpoint=Lgpos.unpack(full_checkpoint),
            full_backup=Lgpos.unpack(full),
            full_backup_time=LogTime.unpack(full_time),
            incremental_backup=Lgpos.unpack(incremental),
            incremental_backup_time=LogTime.unpack(incremental_time),
            database_consistency=Lgpos.unpack(consistency),
        )


def _is_valid(block: bytes) -> bool:
    fields = _LAYOUT.unpack_from(block)
    return bool(fields[0] == block_checksum(block) and fields[-1] == FILE_TYPE_CHECKPOINT)
