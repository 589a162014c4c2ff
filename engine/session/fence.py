"""Whether a promotion has ended a journal's branch: its record file beside the journal tells.

So a target refuses the old source after any restart, and even if nobody has told it of the
promotion, for the record is written before anything else follows from a grant.
"""

from engine.basics.errors import EpochFenced
from engine.formats.promotion_state import PROMOTION_FILE, STATE_ASKING, decode_promotion
from engine.journal.journal import Journal


def fence_of(journal: Journal, told: int | None) -> int | None:
    """Return the newest epoch that superseded this journal's, as recorded or as told; None: none.

    Raises:
        EpochFenced: The record is there, but unreadable: nobody knows who writes.
    """
    storage = journal.storage
    if not storage.exists(PROMOTION_FILE):
        return told
    record = decode_promotion(storage.read(PROMOTION_FILE, 0, storage.size(PROMOTION_FILE)))
    if record is None or record.group != journal.group:
        raise EpochFenced(
            "The record of a promotion beside this journal is unreadable: nobody knows who writes",
            "Ask the authority's register who holds the newest epoch before anybody writes.",
        )
    return told if record.state == STATE_ASKING else max(record.epoch, told or 0)
