"""Small records of the shadow copy service: sessions, faults, status."""

from dataclasses import dataclass

from emulators.vss.codes import BackupType, VssCode, WriterState

__all__ = ["PhaseFault", "Session", "WriterStatus", "guid_from"]


@dataclass(frozen=True, slots=True)
class Session:
    """What a writer is told about the backup it takes part in.

    `volumes` are the names of the volumes in the snapshot set; `succeeded` is the requestor's
    SetBackupSucceeded, None before it has spoken.
    """

    set_id: str
    backup_type: BackupType = BackupType.COPY
    volumes: tuple[str, ...] = ()
    succeeded: bool | None = None


@dataclass(frozen=True, slots=True)
class PhaseFault:
    """Something that goes wrong in one event: it takes longer, then it fails unless S_OK.

    A thaw or an abort that is made to fail still thaws: the fault is in what is reported.
    """

    delay_ns: int = 0
    code: VssCode = VssCode.S_OK


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """What GatherWriterStatus tells of a writer."""

    name: str
    writer_id: str
    instance_id: str
    state: WriterState
    last_error: VssCode


def guid_from(bits: int) -> str:
    """Return 128 random bits as a GUID of version 4 in braces, lower case."""
    assert 0 <= bits < 1 << 128
    # RFC 9562, 5.4: four bits of version, two of variant.
    bits = bits & ~(0xF << 76) | 4 << 76
    bits = bits & ~(0b11 << 62) | 0b10 << 62
    text = f"{bits:032x}"
    return f"{{{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}}}"
