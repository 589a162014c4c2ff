"""Numbers of the Volume Shadow Copy Service: result codes, writer states, backup types.

The values are those of exchange.md 4.3 and 4.4; some of the codes' values are known from memory
only and are marked there.
"""

from enum import IntEnum

__all__ = [
    "RETRYABLE",
    "BackupType",
    "VssCode",
    "VssError",
    "WriterLevel",
    "WriterState",
    "last_error_text",
]


class VssCode(IntEnum):
    """A result code (exchange.md 4.4)."""

    S_OK = 0
    VSS_E_BAD_STATE = 0x80042301
    VSS_E_PROVIDER_VETO = 0x80042306
    VSS_E_OBJECT_NOT_FOUND = 0x80042308
    VSS_E_VOLUME_NOT_SUPPORTED = 0x8004230C
    VSS_E_OBJECT_ALREADY_EXISTS = 0x8004230D
    VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER = 0x8004230E
    VSS_E_UNEXPECTED_PROVIDER_ERROR = 0x8004230F
    VSS_E_CORRUPT_XML_DOCUMENT = 0x80042310
    VSS_E_INVALID_XML_DOCUMENT = 0x80042311
    VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED = 0x80042312
    VSS_E_FLUSH_WRITES_TIMEOUT = 0x80042313
    VSS_E_HOLD_WRITES_TIMEOUT = 0x80042314
    VSS_E_UNEXPECTED_WRITER_ERROR = 0x80042315
    VSS_E_SNAPSHOT_SET_IN_PROGRESS = 0x80042316
    VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED = 0x80042317
    VSS_E_WRITER_INFRASTRUCTURE = 0x80042318
    VSS_E_WRITER_NOT_RESPONDING = 0x80042319
    VSS_E_INSUFFICIENT_STORAGE = 0x8004231F
    VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT = 0x800423F0
    VSS_E_WRITERERROR_OUTOFRESOURCES = 0x800423F1
    VSS_E_WRITERERROR_TIMEOUT = 0x800423F2
    VSS_E_WRITERERROR_RETRYABLE = 0x800423F3
    VSS_E_WRITERERROR_NONRETRYABLE = 0x800423F4


RETRYABLE = frozenset(
    {
        # exchange.md 4.4, writer guidance: the requestor may retry the whole sequence.
        VssCode.VSS_E_WRITERERROR_TIMEOUT,
        VssCode.VSS_E_WRITERERROR_RETRYABLE,
        VssCode.VSS_E_WRITERERROR_OUTOFRESOURCES,
        # That a missed flush or hold is retried too is an assumption: load passes.
        VssCode.VSS_E_FLUSH_WRITES_TIMEOUT,
        VssCode.VSS_E_HOLD_WRITES_TIMEOUT,
    }
)
"""Codes after which the whole sequence may be tried again."""


class WriterState(IntEnum):
    """Where a writer stands in the sequence (exchange.md 4.3)."""

    UNKNOWN = 0
    STABLE = 1
    WAITING_FOR_FREEZE = 2
    WAITING_FOR_THAW = 3
    WAITING_FOR_POST_SNAPSHOT = 4
    WAITING_FOR_BACKUP_COMPLETE = 5
    FAILED_AT_IDENTIFY = 6
    FAILED_AT_PREPARE_BACKUP = 7
    FAILED_AT_PREPARE_SNAPSHOT = 8
    FAILED_AT_FREEZE = 9
    FAILED_AT_THAW = 10
    FAILED_AT_POST_SNAPSHOT = 11
    FAILED_AT_BACKUP_COMPLETE = 12
    FAILED_AT_PRE_RESTORE = 13
    FAILED_AT_POST_RESTORE = 14
    FAILED_AT_BACKUPSHUTDOWN = 15

    @property
    def failed(self) -> bool:
        """Whether the writer has failed somewhere."""
        return self >= WriterState.FAILED_AT_IDENTIFY


class WriterLevel(IntEnum):
    """The order in which writers are frozen: front-end, back-end, system (exchange.md 4.1, 9)."""

    FRONT_END = 1
    BACK_END = 2
    SYSTEM = 3


class BackupType(IntEnum):
    """What kind of backup a requestor announces (exchange.md 4.3)."""

    UNDEFINED = 0
    FULL = 1
    INCREMENTAL = 2
    DIFFERENTIAL = 3
    LOG = 4
    COPY = 5
    OTHER = 6


class VssError(Exception):
    """An operation of the shadow copy service failed."""

    def __init__(self, code: VssCode, where: str, problem: str, hint: str) -> None:
        self.code = code
        self.where = where
        self.problem = problem
        self.hint = hint
        super().__init__(code, where, problem, hint)

    def __str__(self) -> str:
        return (
            f"0x{self.code:08X} {self.code.name}: {self.where}: {self.problem} (hint: {self.hint})"
        )


_LAST_ERRORS = {
    VssCode.S_OK: "No error",
    VssCode.VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT: "Inconsistent shadow copy",
    VssCode.VSS_E_WRITERERROR_OUTOFRESOURCES: "Out of resources",
    VssCode.VSS_E_WRITERERROR_TIMEOUT: "Timed out",
    VssCode.VSS_E_WRITERERROR_RETRYABLE: "Retryable error",
    VssCode.VSS_E_WRITERERROR_NONRETRYABLE: "Non-retryable error",
    VssCode.VSS_E_WRITER_NOT_RESPONDING: "Not responding",
}


def last_error_text(code: VssCode) -> str:
    """Return how `vssadmin list writers` words a writer's last error (exchange.md 4.10).

    The wordings of 'Inconsistent shadow copy' and 'Out of resources' are assumptions.
    """
    return _LAST_ERRORS.get(code, f"Unexpected error 0x{code:08X}")
