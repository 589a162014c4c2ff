"""Every state and every transition of a rewrite, as a table."""

from enum import Enum


class RewriteState(Enum):
    """States of a rewrite; whatever happens before READY has changed no manifest."""

    ROLLING = "rolling"
    WRITING = "writing"
    SYNCING = "syncing"
    CHECKING = "checking"
    READY = "ready"
    PUBLISHED = "published"
    ABANDONED = "abandoned"


class RewriteTrigger(Enum):
    """What moves a rewrite from one state to another."""

    EXPECTED = "expected certificate known"
    WRITTEN = "all appended"
    SYNCED = "sync done"
    AGREED = "read back, certificates agree"
    PUBLISH = "manifest replaced"
    GIVEN_UP = "damage found or storage failed"


_S, _T = RewriteState, RewriteTrigger
REWRITE_TRANSITIONS: dict[tuple[RewriteState, RewriteTrigger], RewriteState] = {
    (_S.ROLLING, _T.EXPECTED): _S.WRITING,
    (_S.WRITING, _T.WRITTEN): _S.SYNCING,
    (_S.SYNCING, _T.SYNCED): _S.CHECKING,
    (_S.CHECKING, _T.AGREED): _S.READY,
    (_S.READY, _T.PUBLISH): _S.PUBLISHED,
    (_S.ROLLING, _T.GIVEN_UP): _S.ABANDONED,
    (_S.WRITING, _T.GIVEN_UP): _S.ABANDONED,
    (_S.SYNCING, _T.GIVEN_UP): _S.ABANDONED,
    (_S.CHECKING, _T.GIVEN_UP): _S.ABANDONED,
    (_S.READY, _T.GIVEN_UP): _S.ABANDONED,
}
