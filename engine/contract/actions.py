"""What a session asks its driver to do. Actions are carried out in the order given.

File actions on one journal are carried out in order; only SyncFile reports back (SyncDone).
CreateFile, TruncateFile, ReplaceFile and DeleteFile are durable when carried out: the live driver
syncs the directory or the file before it goes on.
"""

from dataclasses import dataclass
from typing import Literal

from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError
from engine.basics.payload import Parts


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Connect to the target; answer with Connected or ConnectFailed of the same number."""

    connection: int


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send these bytes; `raw_bytes` is what they stand for, before compression and zero runs."""

    connection: int
    data: bytes
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the connection after what was sent on it; Disconnected may follow or not."""

    connection: int
    reason: str


@dataclass(frozen=True, slots=True)
class CreateFile:
    """Create an empty journal file, durably."""

    name: str


@dataclass(frozen=True, slots=True)
class AppendFile:
    """Append to a journal file; durable only after a later SyncFile of it is done.

    `offset` is where the bytes must come to lie (the file's size): a driver may check it. The bytes
    are in parts, one after the other, so that nobody copies them only to join them.
    """

    name: str
    offset: int
    parts: Parts
    raw_bytes: int

    @property
    def data(self) -> bytes:
        """Return all parts as one."""
        return b"".join(self.parts)


@dataclass(frozen=True, slots=True)
class TruncateFile:
    """Cut a journal file to `size` bytes, durably."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class SyncFile:
    """Make all appended bytes of the file durable, then give SyncDone(token)."""

    name: str
    token: int


@dataclass(frozen=True, slots=True)
class ReadSource:
    """Read a protected file as it is now, and answer with SourceRead(token).

    For a drain or a resync: the bytes that a completed read gives are those of one moment between
    this action and its event. A write that completes in between is shown to the capture as ever.
    """

    token: int
    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ReplaceFile:
    """Give the file this content, whether it was there or not: all of it or, in a crash, nothing.

    The driver writes a new file, syncs it, renames it over the old one and syncs the directory.
    """

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Delete a file, durably; nothing is to be done where it is gone already."""

    name: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Give TimerFired at this time; it replaces the WakeAt before it."""

    time_ns: int


@dataclass(frozen=True, slots=True)
class ReleaseWriters:
    """There is room: complete, in order, the writes of `capture.take_released()`."""


# --- notices: nothing to carry out, but somebody may want to know -------------------------------


@dataclass(frozen=True, slots=True)
class Established:
    """Both ends agree on the history up to the cursor; records flow from there."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class DurableAdvanced:
    """Everything up to the cursor is durable at the target.

    `source_time_ns` is that of the newest durable record (at the source: as acknowledged).
    """

    cursor: Cursor
    source_time_ns: int


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection ended; the source tries again at `retry_at_ns` (None at the target)."""

    reason: str
    retry_at_ns: int | None


@dataclass(frozen=True, slots=True)
class CaptureModeChanged:
    """The capture keeps changes in another way from now on; `hint` says what can be done."""

    before: str
    after: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class GapOpened:
    """Order is lost: no point exists from this sequence on until the gap is closed."""

    sequence: int
    is_resync: bool
    reason: str


@dataclass(frozen=True, slots=True)
class GapClosed:
    """The stream says again what the source's files say: this sequence is a point."""

    sequence: int
    is_resync: bool


@dataclass(frozen=True, slots=True)
class HistoryRewound:
    """The capture lost what followed this sequence before it was sent: tags there are no points."""

    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """The session found `error`; when it is fatal the session has halted for the operator."""

    error: EngineError
    is_fatal: bool


@dataclass(frozen=True, slots=True)
class ClockJumped:
    """A wall clock was stepped further than the settings tolerate (protection.md 1.2, 3.8).

    `clock` says whose; `step_ns` is negative for a step backward. Stamps stay monotone: after a
    step backward all records bear one time until the clock has caught up, and points by time
    cannot tell them apart till then.
    """

    clock: Literal["own", "peer"]
    step_ns: int


SpaceState = Literal["enough", "low", "full"]


@dataclass(frozen=True, slots=True)
class SpaceChanged:
    """The journal takes more, or less, of its space than a threshold.

    `when_full` is the policy's answer: with `pause`, a full copy is to take nothing more.
    """

    state: SpaceState
    used_bytes: int
    limit_bytes: int
    when_full: str
    hint: str


@dataclass(frozen=True, slots=True)
class HistoryShortened:
    """Points left before their age, because the space ran out: the retention is not met.

    Times are source times: from when on every write is a point, and of the oldest point; None
    where nothing had left before, and the beginning was kept.
    """

    policy: str
    points_given_up: int
    every_write_from_ns_before: int | None
    every_write_from_ns: int
    oldest_ns_before: int | None
    oldest_ns: int
    hint: str


CaptureNotice = CaptureModeChanged | GapOpened | GapClosed | HistoryRewound
Notice = (
    Established
    | DurableAdvanced
    | ConnectionLost
    | SessionFailed
    | ClockJumped
    | CaptureNotice
    | SpaceChanged
    | HistoryShortened
)


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell whoever watches."""

    notice: Notice


FileAction = CreateFile | AppendFile | TruncateFile | SyncFile | ReplaceFile | DeleteFile
Action = (
    OpenConnection
    | SendBytes
    | CloseConnection
    | CreateFile
    | AppendFile
    | TruncateFile
    | SyncFile
    | ReadSource
    | ReplaceFile
    | DeleteFile
    | WakeAt
    | ReleaseWriters
    | Notify
)
