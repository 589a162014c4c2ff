"""The modes of a capture, and every transition between them, as a table (protection.md 1.2, 3.4).

What a mode means for tags: DATA and SPOOL keep the order, so a tag is accepted there, unless a gap
is still open.
"""

from enum import Enum


class CaptureMode(Enum):
    """What becomes of a change that is shown now.

    DATA: it is a record in the pool. SPOOL: the pool is full; records go to disk and come back in
    their turn, order holds. METADATA: the spool is full, too; only its place is kept, order is lost
    (GAP_OPEN). BITMAP: too many places; one bit per block. UNTRACKED: nobody knows what the target
    lacks; both ends must be compared.
    """

    DATA = "data"
    SPOOL = "spool"
    METADATA = "metadata"
    BITMAP = "bitmap"
    UNTRACKED = "untracked"


class CaptureTrigger(Enum):
    """What moves a capture from one mode to another."""

    POOL_FULL = "pool full"
    SPOOL_EMPTY = "spool empty"
    ORDER_LOST = "order lost"
    METADATA_FULL = "metadata full"
    DIRTY_FEW = "few dirty blocks"
    CAUGHT_UP = "caught up"
    BROKEN = "broken"
    RESYNC = "resync"


_M, _T = CaptureMode, CaptureTrigger
CAPTURE_TRANSITIONS: dict[tuple[CaptureMode, CaptureTrigger], CaptureMode] = {
    (_M.DATA, _T.POOL_FULL): _M.SPOOL,
    (_M.DATA, _T.ORDER_LOST): _M.METADATA,
    (_M.SPOOL, _T.SPOOL_EMPTY): _M.DATA,
    (_M.SPOOL, _T.ORDER_LOST): _M.METADATA,
    (_M.METADATA, _T.METADATA_FULL): _M.BITMAP,
    (_M.METADATA, _T.CAUGHT_UP): _M.DATA,
    (_M.BITMAP, _T.DIRTY_FEW): _M.METADATA,
    # A policy that keeps nothing, or a spool that failed: only a comparison helps.
    (_M.DATA, _T.BROKEN): _M.UNTRACKED,
    (_M.SPOOL, _T.BROKEN): _M.UNTRACKED,
    (_M.METADATA, _T.BROKEN): _M.UNTRACKED,
    (_M.BITMAP, _T.BROKEN): _M.UNTRACKED,
    (_M.UNTRACKED, _T.RESYNC): _M.DATA,
}

#: The modes in which every change becomes a record, in its order.
ORDERED = frozenset({CaptureMode.DATA, CaptureMode.SPOOL})
