"""The record file of a promotion: which states outlive a crash, and how they are read again."""

from enum import IntEnum

from engine.basics.errors import JournalDamaged
from engine.contract.actions import ReplaceFile
from engine.contract.storage import Storage
from engine.failover.states import PromotionState
from engine.formats.promotion_state import (
    PROMOTION_FILE,
    STATE_ASKING,
    PromotionRecord,
    decode_promotion,
    encode_promotion,
)


class RecordedState(IntEnum):
    """The states that are written down, by the names of the states; never renumbered."""

    ASKING = STATE_ASKING
    PROMOTED = 2
    COMMITTED = 3
    ROLLING_BACK = 4
    ROLLED_BACK = 5
    SUPERSEDED = 6


def code_of(state: PromotionState) -> int:
    """Return the number by which a state is written down."""
    return RecordedState[state.name]


def state_of(record: PromotionRecord | None) -> PromotionState:
    """Return the state that a record stands for."""
    if record is None:
        return PromotionState.STANDBY
    return PromotionState[RecordedState(record.state).name]


def keep(record: PromotionRecord) -> ReplaceFile:
    """Return the action that writes a record down."""
    return ReplaceFile(PROMOTION_FILE, encode_promotion(record))


def read_record(storage: Storage, group: int) -> PromotionRecord | None:
    """Return the record of a copy's promotion, None on standby.

    Raises:
        JournalDamaged: It is there, but unreadable: nobody knows who writes.
    """
    if not storage.exists(PROMOTION_FILE):
        return None
    record = decode_promotion(storage.read(PROMOTION_FILE, 0, storage.size(PROMOTION_FILE)))
    if record is None or record.group != group or record.state not in set(RecordedState):
        raise JournalDamaged(
            "The record of this copy's promotion is unreadable",
            "Ask the authority's register who holds the newest epoch before anybody writes.",
            file=PROMOTION_FILE,
        )
    return record
