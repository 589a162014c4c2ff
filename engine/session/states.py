"""Every state and every transition of the two sessions, as tables.

A trigger that a state's row does not name is impossible there: as an event of the driver it is a
LocalProtocolError, as a frame of the peer FrameUnexpected.
"""

from enum import Enum

from engine.basics.errors import FrameUnexpected
from engine.formats.wire import FrameType


class SourceState(Enum):
    """States of the source session."""

    IDLE = "idle"
    CONNECTING = "connecting"
    GREETING = "greeting"
    STREAMING = "streaming"
    BACKING_OFF = "backing_off"
    HALTED = "halted"


class TargetState(Enum):
    """States of the target session; SETTLING waits for the journal to be durable throughout."""

    LISTENING = "listening"
    GREETING = "greeting"
    SETTLING = "settling"
    STREAMING = "streaming"
    HALTED = "halted"


class Trigger(Enum):
    """What moves a session from one state to another."""

    START = "start"
    CONNECTED = "connected"
    WELCOMED = "welcomed"
    GREETED = "greeted"
    SETTLED = "settled"
    LOST = "lost"
    RETRY = "retry"
    REFUSED = "refused"


_S, _T = SourceState, TargetState
SOURCE_TRANSITIONS: dict[tuple[SourceState, Trigger], SourceState] = {
    (_S.IDLE, Trigger.START): _S.CONNECTING,
    (_S.CONNECTING, Trigger.CONNECTED): _S.GREETING,
    (_S.CONNECTING, Trigger.LOST): _S.BACKING_OFF,
    (_S.GREETING, Trigger.WELCOMED): _S.STREAMING,
    (_S.GREETING, Trigger.LOST): _S.BACKING_OFF,
    (_S.GREETING, Trigger.REFUSED): _S.HALTED,
    (_S.STREAMING, Trigger.LOST): _S.BACKING_OFF,
    (_S.STREAMING, Trigger.REFUSED): _S.HALTED,
    (_S.BACKING_OFF, Trigger.RETRY): _S.CONNECTING,
}
TARGET_TRANSITIONS: dict[tuple[TargetState, Trigger], TargetState] = {
    (_T.LISTENING, Trigger.CONNECTED): _T.GREETING,
    (_T.GREETING, Trigger.GREETED): _T.SETTLING,
    (_T.SETTLING, Trigger.SETTLED): _T.STREAMING,
    (_T.GREETING, Trigger.LOST): _T.LISTENING,
    (_T.SETTLING, Trigger.LOST): _T.LISTENING,
    (_T.STREAMING, Trigger.LOST): _T.LISTENING,
    # A new connection replaces one that the target does not yet know to be dead.
    (_T.GREETING, Trigger.CONNECTED): _T.GREETING,
    (_T.SETTLING, Trigger.CONNECTED): _T.GREETING,
    (_T.STREAMING, Trigger.CONNECTED): _T.GREETING,
    # Only the journal's storage halts a target; a refused source may be replaced by a right one.
    (_T.LISTENING, Trigger.REFUSED): _T.HALTED,
    (_T.GREETING, Trigger.REFUSED): _T.HALTED,
    (_T.SETTLING, Trigger.REFUSED): _T.HALTED,
    (_T.STREAMING, Trigger.REFUSED): _T.HALTED,
}

SOURCE_FRAMES: frozenset[tuple[SourceState, FrameType]] = frozenset(
    {
        (_S.GREETING, FrameType.WELCOME),
        (_S.GREETING, FrameType.HEARTBEAT),
        (_S.GREETING, FrameType.ERROR),
        (_S.STREAMING, FrameType.ACK),
        (_S.STREAMING, FrameType.HEARTBEAT),
        (_S.STREAMING, FrameType.ERROR),
        (_S.STREAMING, FrameType.RESYNC_STANDING),
        (_S.STREAMING, FrameType.RESYNC_HASHES),
    }
)
TARGET_FRAMES: frozenset[tuple[TargetState, FrameType]] = frozenset(
    {
        (_T.GREETING, FrameType.HELLO),
        (_T.GREETING, FrameType.ERROR),
        (_T.SETTLING, FrameType.HEARTBEAT),
        (_T.SETTLING, FrameType.ERROR),
        (_T.STREAMING, FrameType.BATCH),
        (_T.STREAMING, FrameType.HEARTBEAT),
        (_T.STREAMING, FrameType.ERROR),
        (_T.STREAMING, FrameType.RESYNC_ASK),
    }
)


def require_source_frame(state: SourceState, kind: FrameType) -> None:
    """Check that the target may send this frame now.

    Raises:
        FrameUnexpected: It may not.
    """
    if (state, kind) not in SOURCE_FRAMES:
        raise FrameUnexpected(f"{kind.name} from the target while the source is {state.value}")


def require_target_frame(state: TargetState, kind: FrameType) -> None:
    """Check that the source may send this frame now.

    Raises:
        FrameUnexpected: It may not.
    """
    if (state, kind) not in TARGET_FRAMES:
        raise FrameUnexpected(f"{kind.name} from the source while the target is {state.value}")
