"""Every state and every transition of the keeper of retention, as a table."""

from enum import Enum


class RetentionState(Enum):
    """States of the keeper; the manifest says what a new one has to finish, after a crash."""

    RESTING = "resting"
    CERTIFYING = "certifying"
    COMPACTING = "compacting"
    HALTED = "halted"


class RetentionTrigger(Enum):
    """What moves the keeper from one state to another."""

    POINT_AGED = "a point is to be kept alone"
    POINTS_LEFT = "manifest without points that leave"
    CERTIFIED = "manifest with the point and its certificate"
    PINNED = "pins changed meanwhile"
    UNFINISHED = "manifest names points without the layer between"
    COMPACTED = "layer between the points published"
    FAILED = "damage found or storage failed"


_S, _T = RetentionState, RetentionTrigger
RETENTION_TRANSITIONS: dict[tuple[RetentionState, RetentionTrigger], RetentionState] = {
    (_S.RESTING, _T.POINT_AGED): _S.CERTIFYING,
    (_S.RESTING, _T.POINTS_LEFT): _S.RESTING,
    (_S.CERTIFYING, _T.CERTIFIED): _S.RESTING,
    (_S.CERTIFYING, _T.PINNED): _S.RESTING,
    (_S.RESTING, _T.UNFINISHED): _S.COMPACTING,
    (_S.COMPACTING, _T.COMPACTED): _S.RESTING,
    (_S.RESTING, _T.FAILED): _S.HALTED,
    (_S.CERTIFYING, _T.FAILED): _S.HALTED,
    (_S.COMPACTING, _T.FAILED): _S.HALTED,
}
