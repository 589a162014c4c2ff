"""The log records of transactions, databases and the engine, as named tuples (ese-format.md G).

Those of changes to pages are in `log_page_operations`; `Record` is any of both.
"""

from typing import NamedTuple, TypeAlias

from emulators.ese.formats.log_page_operations import (
    CreateMultipleExtentFdp,
    Delete,
    FlagDelete,
    FlagInsert,
    FlagInsertAndReplace,
    Insert,
    Merge,
    Replace,
    ReplaceDifference,
    SetExternalHeader,
    Split,
    Undo,
    UndoInfo,
)
from emulators.ese.formats.log_types import RecordType
from emulators.ese.formats.values import DbmsParam, Lgpos, LogTime, Signature


class Nop(NamedTuple):
    """Fills space."""


class Begin0(NamedTuple):
    """A transaction began; `levels` is 0x10 for one level from level 0."""

    procid: int
    levels: int
    trx: int


class Commit0(NamedTuple):
    """A transaction committed at the outermost level."""

    procid: int
    level: int
    trx: int


class Rollback(NamedTuple):
    """The session rolled back `levels` levels."""

    procid: int
    levels: int


class MacroBegin(NamedTuple):
    """The following records of this session are applied together or not at all."""

    procid: int
    dbtime: int


class MacroCommit(NamedTuple):
    """The macro that the session began is complete."""

    procid: int
    dbtime: int


class MacroAbort(NamedTuple):
    """The macro that the session began is given up."""

    procid: int
    dbtime: int


class ExtendDb(NamedTuple):
    """The database file was made longer; its last page is `pgno_last`."""

    dbid: int
    pgno_last: int


class CreateDb(NamedTuple):
    """A database was created."""

    procid: int
    dbid: int
    options: int
    pages_max: int
    signature: Signature
    path: str
    has_unicode_names: bool = True


class AttachDb(NamedTuple):
    """A database was attached."""

    procid: int
    dbid: int
    pages_max: int
    lgpos_consistent: Lgpos
    signature: Signature
    log_signature: Signature
    path: str
    has_unicode_names: bool = True


class DetachDb(NamedTuple):
    """A database was detached: all its changes up to here are in it."""

    procid: int
    dbid: int
    path: str
    has_unicode_names: bool = True


class Init2(NamedTuple):
    """The engine started."""

    parameters: DbmsParam
    time: LogTime


class Term2(NamedTuple):
    """The engine shut down; `lgpos_redo_from` is where a later recovery would begin."""

    lgpos: Lgpos
    lgpos_redo_from: Lgpos
    hard: int
    time: LogTime


class RecoveryUndo2(NamedTuple):
    """A recovery began its undo phase."""

    time: LogTime


class RecoveryQuit2(NamedTuple):
    """A recovery is complete."""

    lgpos: Lgpos
    lgpos_redo_from: Lgpos
    hard: int
    time: LogTime


class Backup2(NamedTuple):
    """A phase of a backup; `details` are 24 bytes that depend on the phase."""

    phase: int
    kind: int
    scope: int
    dbid: int
    details: bytes
    reserved: int
    data: bytes


class ForceWriteLog(NamedTuple):
    """Something outside a transaction asked for the log to be written."""

    procid: int


class ForceLogRollover(NamedTuple):
    """The log was rolled before it was full; `trace` says why."""

    procid: int
    trace: bytes


class Other(NamedTuple):
    """A record that this project does not write, with all its bytes."""

    record_type: RecordType
    image: bytes


Record: TypeAlias = (
    Nop
    | Begin0
    | Commit0
    | Rollback
    | MacroBegin
    | MacroCommit
    | MacroAbort
    | Insert
    | Replace
    | ReplaceDifference
    | FlagInsert
    | FlagInsertAndReplace
    | FlagDelete
    | Delete
    | Undo
    | UndoInfo
    | SetExternalHeader
    | Split
    | Merge
    | CreateMultipleExtentFdp
    | ExtendDb
    | CreateDb
    | AttachDb
    | DetachDb
    | Init2
    | Term2
    | RecoveryUndo2
    | RecoveryQuit2
    | Backup2
    | ForceWriteLog
    | ForceLogRollover
    | Other
)
