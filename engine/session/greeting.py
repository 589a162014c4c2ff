"""May this source continue this journal? All that a target asks before it says WELCOME."""

from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    EpochFenced,
    FrameUnexpected,
    JournalRegressed,
    ResyncRequired,
    WrongGroup,
)
from engine.formats.wire import Hello, HelloFlag
from engine.journal.journal import Journal


def check_hello(hello: Hello, journal: Journal, fenced_by: int | None) -> None:
    """Check that the source continues this journal exactly; adopt the first source of all.

    Args:
        hello: What the source says of itself.
        journal: The journal it would write to.
        fenced_by: The epoch that superseded this journal's, None where none has.

    Raises:
        EngineError: By its name, why it may not; the journal is unchanged.
    """
    if hello.group != journal.group:
        raise WrongGroup(
            f"The source protects group {hello.group}, this journal is of {journal.group}"
        )
    is_orphan = bool(hello.flags & HelloFlag.ORPHAN)
    if fenced_by is not None and hello.epoch < fenced_by and not is_orphan:
        raise EpochFenced(
            f"The source writes in epoch {hello.epoch}, epoch {fenced_by} has superseded it"
        )
    is_nothing = journal.incarnation is None and not journal.received.sequence
    if is_orphan and (fenced_by is None or is_nothing):
        raise FrameUnexpected(
            "The source brings the orphan tail of a branch, but this journal was not superseded"
        )
    is_unbased = hello.flags & HelloFlag.UNBASED and not is_orphan
    if journal.incarnation is None:
        _check_first_hello(hello, journal.received, is_unbased=bool(is_unbased))
        journal.adopt(hello.epoch, hello.incarnation)
        return
    received = journal.received
    if hello.epoch < received.epoch:
        raise EpochFenced(
            f"The source writes in epoch {hello.epoch}, this journal is in {received.epoch}"
        )
    if is_unbased and hello.epoch == received.epoch:
        return  # it will go on from wherever this journal ends
    continues = hello.flags & HelloFlag.RESYNCING and hello.oldest == received.sequence + 1
    is_known = hello.incarnation == journal.incarnation or continues
    if hello.epoch > received.epoch or not is_known:
        raise ResyncRequired(
            f"The journal was written by capture {journal.incarnation:#x} in epoch "
            f"{received.epoch}; this is {hello.incarnation:#x} in epoch {hello.epoch}"
        )
    _check_overlap(hello, journal, received)


def _check_first_hello(hello: Hello, base: Cursor, *, is_unbased: bool) -> None:
    """Check who begins a journal; `base` is where it does, in a branch a point of the parent.

    An unbased one says nothing of its records: it will go on from the base.
    """
    if hello.oldest > base.sequence + 1:
        raise JournalRegressed(
            f"This journal is empty after sequence {base.sequence}; the source's pool begins at "
            f"sequence {hello.oldest}"
        )
    if not base.sequence:
        return
    if hello.epoch <= base.epoch:
        raise EpochFenced(
            f"The source writes in epoch {hello.epoch}, this branch began after {base.epoch}"
        )
    if is_unbased:
        return
    if hello.oldest <= base.sequence or hello.chain != base.chain:
        raise ChainMismatch(
            f"This branch begins after {base}; the source goes on from sequence "
            f"{hello.oldest - 1} with chain {hello.chain:#010x}"
        )


def _check_overlap(hello: Hello, journal: Journal, received: Cursor) -> None:
    if hello.oldest > received.sequence + 1:
        raise JournalRegressed(
            f"This journal ends at sequence {received.sequence}; it had acknowledged "
            f"everything before {hello.oldest}, where the source's pool begins"
        )
    if hello.newest < received.sequence:
        raise ResyncRequired(
            f"This journal holds sequence {received.sequence}, the source's newest is "
            f"{hello.newest}"
        )
    before = hello.oldest - 1
    chain = journal.index.chain(before) if journal.index.holds(before) else hello.chain
    if chain != hello.chain:
        raise ChainMismatch(
            f"At sequence {before} this journal's chain is {chain:#010x}, the source's "
            f"{hello.chain:#010x}"
        )
