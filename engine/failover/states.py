"""Every state and every transition of a promotion and of a failback, as tables."""

from enum import Enum


class PromotionState(Enum):
    """States of a copy on its way from standby to primary; what leads there is in the record file.

    DRAINING is a planned switch that waits for the last record; from HOLDING on nothing of the old
    source is taken; ASKING waits for the one authority. PROMOTED can still be rolled back, by the
    operator or by the time limit. ROLLING_BACK waits until the authority has given a new epoch to
    the copy before.
    """

    STANDBY = "standby"
    TESTING = "testing"
    DRAINING = "draining"
    READING = "reading"
    HOLDING = "holding"
    ASKING = "asking"
    PROMOTED = "promoted"
    COMMITTED = "committed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"


class PromotionTrigger(Enum):
    """What moves a promotion from one state to another."""

    TEST = "test"
    TEST_ENDS = "test ends"
    SWITCH = "planned switch"
    PROMOTE = "promote"
    DRAINED = "last record durable"
    REGISTER_READ = "register read"
    SETTLED = "all received is durable"
    GRANTED = "epoch granted"
    REFUSED = "refused or given up"
    COMMIT = "commit"
    ROLL_BACK = "roll back"
    GIVEN_BACK = "epoch given back"
    HIGHER_EPOCH = "higher epoch found"


_S, _T = PromotionState, PromotionTrigger
PROMOTION_TRANSITIONS: dict[tuple[PromotionState, PromotionTrigger], PromotionState] = {
    (_S.STANDBY, _T.TEST): _S.TESTING,
    (_S.TESTING, _T.TEST_ENDS): _S.STANDBY,
    (_S.STANDBY, _T.SWITCH): _S.DRAINING,
    (_S.STANDBY, _T.PROMOTE): _S.READING,
    (_S.DRAINING, _T.DRAINED): _S.READING,
    (_S.DRAINING, _T.REFUSED): _S.STANDBY,
    (_S.READING, _T.REGISTER_READ): _S.HOLDING,
    (_S.READING, _T.REFUSED): _S.STANDBY,
    (_S.HOLDING, _T.SETTLED): _S.ASKING,
    (_S.HOLDING, _T.REFUSED): _S.STANDBY,
    (_S.ASKING, _T.GRANTED): _S.PROMOTED,
    (_S.ASKING, _T.REFUSED): _S.STANDBY,
    (_S.PROMOTED, _T.COMMIT): _S.COMMITTED,
    (_S.PROMOTED, _T.ROLL_BACK): _S.ROLLING_BACK,
    (_S.ROLLING_BACK, _T.GIVEN_BACK): _S.ROLLED_BACK,
    (_S.PROMOTED, _T.HIGHER_EPOCH): _S.SUPERSEDED,
    (_S.COMMITTED, _T.HIGHER_EPOCH): _S.SUPERSEDED,
}


class FailbackState(Enum):
    """States of a failback; in COPYING and COMPARING, and once STOPPED, the files are of no point.

    LEVEL: they are those of a sequence of the new branch; what came since is another round.
    """

    SAVING = "saving"
    SAVED = "saved"
    COPYING = "copying"
    STOPPED = "stopped"
    COMPARING = "comparing"
    LEVEL = "level"


class FailbackTrigger(Enum):
    """What moves a failback from one state to another."""

    SAVED = "orphan tail complete"
    COPY = "round by delta"
    COMPARE = "round by comparison"
    FLUSHED = "all flushed"


_F, _B = FailbackState, FailbackTrigger
FAILBACK_TRANSITIONS: dict[tuple[FailbackState, FailbackTrigger], FailbackState] = {
    (_F.SAVING, _B.SAVED): _F.SAVED,
    (_F.SAVED, _B.COPY): _F.COPYING,
    (_F.SAVED, _B.COMPARE): _F.COMPARING,
    (_F.STOPPED, _B.COMPARE): _F.COMPARING,
    (_F.LEVEL, _B.COPY): _F.COPYING,
    (_F.LEVEL, _B.COMPARE): _F.COMPARING,
    (_F.COPYING, _B.FLUSHED): _F.LEVEL,
    (_F.COMPARING, _B.FLUSHED): _F.LEVEL,
}
