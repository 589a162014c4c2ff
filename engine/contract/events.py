"""What can happen to a session: the driver tells it, one event at a time.

A connection is named by a number: at the source the one in OpenConnection, at the target one that
the driver never uses twice, from 1 on. Events of a connection that a
session has already given up are ignored, because they may be under way when it does.
"""

from dataclasses import dataclass

from engine.basics.payload import Segments


@dataclass(frozen=True, slots=True)
class Started:
    """The source session's process runs; it asks for a connection."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection stands: at the source the one asked for, at the target a new one."""

    connection: int


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """The connection asked for could not be made."""

    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Bytes arrived, cut anywhere."""

    connection: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, whoever closed it."""

    connection: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time of the last WakeAt has come."""


@dataclass(frozen=True, slots=True)
class Captured:
    """The capture has new records (any number of them)."""


@dataclass(frozen=True, slots=True)
class SourceRead:
    """A ReadSource is done: what was read, shorter where the file ended.

    `data` is None where the file could not be read, as after it was deleted or renamed.
    """

    token: int
    data: Segments | None


@dataclass(frozen=True, slots=True)
class ResyncOrdered:
    """The operator's word: from now on this session compares both ends wherever that is needed."""


@dataclass(frozen=True, slots=True)
class SyncDone:
    """All that was appended to the file before this SyncFile is durable now."""

    token: int


@dataclass(frozen=True, slots=True)
class ActionFailed:
    """The storage could not carry out a file action; later ones must not be tried."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fenced:
    """The one authority has issued a higher epoch: the branch of this target has ended.

    From now on no source writes to it but one that brings the branch's orphan tail.
    """

    epoch: int


SourceEvent = (
    Started
    | Connected
    | ConnectFailed
    | BytesReceived
    | Disconnected
    | TimerFired
    | Captured
    | SourceRead
    | ResyncOrdered
)
TargetEvent = (
    Connected | BytesReceived | Disconnected | TimerFired | SyncDone | ActionFailed | Fenced
)
