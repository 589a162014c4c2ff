"""How errors travel in an ERROR frame, and which of them end a session for good."""

from collections.abc import Sequence

from engine.basics.errors import (
    ChainMismatch,
    CursorNeverSent,
    CursorRegressed,
    EngineError,
    EpochFenced,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    HistoryContradictory,
    JournalRegressed,
    PeerTimedOut,
    RecordDamaged,
    RemoteProtocolError,
    ResyncRequired,
    SequenceGap,
    SequenceReplayed,
    StorageFailed,
    TimeRegressed,
    VersionUnsupported,
    WrongGroup,
)

_WIRE_ORDER: Sequence[type[EngineError]] = (
    RemoteProtocolError,
    FrameDamaged,
    FrameTooLarge,
    FrameUnexpected,
    VersionUnsupported,
    RecordDamaged,
    WrongGroup,
    EpochFenced,
    SequenceGap,
    SequenceReplayed,
    ChainMismatch,
    TimeRegressed,
    HistoryContradictory,
    CursorNeverSent,
    CursorRegressed,
    PeerTimedOut,
    ResyncRequired,
    JournalRegressed,
    StorageFailed,
)
#: Code in an ERROR frame -> error. Codes are part of the protocol: only ever add at the end.
ERROR_OF_CODE: dict[int, type[EngineError]] = dict(enumerate(_WIRE_ORDER, start=1))
CODE_OF_ERROR: dict[type[EngineError], int] = {kind: code for code, kind in ERROR_OF_CODE.items()}

#: After one of these a reconnect can only fail again: the session halts and tells the operator.
FATAL: tuple[type[EngineError], ...] = (
    VersionUnsupported,
    WrongGroup,
    EpochFenced,
    ChainMismatch,
    TimeRegressed,
    HistoryContradictory,
    CursorNeverSent,
    ResyncRequired,
)
