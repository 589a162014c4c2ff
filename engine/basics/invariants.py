"""The invariants of protection.md 3.9 that hold from now on, as assertions that stay on.

I1 an acknowledged sequence never decreases; I2 a published point never changes; I3 no point inside
a gap; I4 one cut for all files of the group; I6 at most one writer epoch; I7 the newest
application-consistent point is kept; I8 a reported RPO is never better than the journal's newest
durable record allows.
A broken invariant is a defect of the engine: it must stop before it writes anything more.
"""

from collections.abc import Collection, Mapping

from engine.basics.cursor import Cursor


def acknowledged_never_decreases(before: Cursor, after: Cursor) -> None:
    """I1: within an epoch the acknowledged position only moves forward, and never changes."""
    assert after.epoch == before.epoch, f"I1: {before} and {after} are of different epochs"
    assert after.sequence >= before.sequence, f"I1: {before} went back to {after}"
    if after.sequence == before.sequence:
        assert after.chain == before.chain, f"I1: {before} became {after}"


def pool_is_contiguous(acknowledged: Cursor, newest: Cursor, pooled: int) -> None:
    """The pool holds exactly what was captured and not yet acknowledged."""
    assert pooled == newest.sequence - acknowledged.sequence, (
        f"the pool holds {pooled} records between {acknowledged} and {newest}"
    )


def durable_follows_received(durable: Cursor, received: Cursor) -> None:
    """What is durable was received first."""
    assert durable.sequence <= received.sequence, f"durable {durable} beyond received {received}"
    if durable.sequence == received.sequence:
        assert durable == received, f"durable {durable} is another history than {received}"


def published_points_never_change(
    before: Mapping[int, object], after: Mapping[int, object]
) -> None:
    """I2: a kept point leaves or stays, by sequence; its certificate and all stay with it.

    That its files still are what the certificate says is checked whenever a layer that ends there
    is made, before anything is deleted (CertificateMismatch).
    """
    for sequence, point in after.items():
        assert before.get(sequence, point) == point, f"I2: {before[sequence]} became {point}"


def no_kept_point_is_compacted_away(low: int, high: int, kept: Collection[int]) -> None:
    """I2: what is compacted into one layer gives up all points but its ends."""
    inside = [sequence for sequence in kept if low < sequence < high]
    assert not inside, f"I2: compacting ({low}, {high}] would give {inside} up"


def the_newest_app_point_is_kept(newest_app: int | None, kept: Collection[int]) -> None:
    """I7: the retained range always contains the newest application-consistent point."""
    assert newest_app is None or newest_app in kept, f"I7: {newest_app} would leave"


def pinned_points_are_kept(pinned: Collection[int], kept: Collection[int], frontier: int) -> None:
    """Up to the frontier nothing is left but what is kept, and that are all pinned points."""
    leaving = [sequence for sequence in pinned if sequence <= frontier and sequence not in kept]
    assert not leaving, f"pinned points would leave: {leaving}"


def no_point_lies_in_a_gap(sequence: int, gap: object) -> None:
    """I3: the records of a gap describe states that no moment had."""
    assert gap is None, f"I3: a point at {sequence}, in {gap}"


def applied_follows_durable(before: Cursor | None, applied: Cursor, durable: Cursor) -> None:
    """What is applied was durable first, and is never taken back."""
    assert applied.sequence <= durable.sequence, f"applied {applied} beyond durable {durable}"
    if before is not None:
        acknowledged_never_decreases(before, applied)


def a_gap_closes_on_the_live_files(dirty_count: int, reads: int, *, is_parted: bool) -> None:
    """I3, the other side: the closing record is a point, so nothing may be missing there."""
    assert not dirty_count, f"I3: a gap closes while {dirty_count} ranges are dirty"
    assert not reads, f"I3: a gap closes while {reads} bytes are being read"
    assert not is_parted, "I3: a gap closes while the stream's files are not the live ones"


def stream_meets_the_live_files(emitted: object, live: object, cuts: object) -> None:
    """Where order begins again, the stream's names and sizes are the live ones."""
    assert emitted == live, f"the stream has {emitted}, the source {live}"
    assert not cuts, f"truncates that the stream has not heard of: {cuts}"


def one_cut_for_the_group(cut: int, sequences: list[int]) -> None:
    """I4: no file of an image at `cut` holds a record captured after it."""
    assert not sequences or max(sequences) <= cut, f"I4: a file passes the cut at {cut}"


def one_writer_epoch(journal_epoch: int, record_epoch: int) -> None:
    """I6: a record is accepted from the journal's own epoch only."""
    assert journal_epoch == record_epoch, f"I6: epoch {record_epoch} in journal {journal_epoch}"


def reported_rpo_is_not_optimistic(reported_ns: int, now_ns: int, durable_time_ns: int) -> None:
    """I8: the reported RPO reaches back at least to the newest durable record."""
    assert reported_ns >= now_ns - durable_time_ns, (
        f"I8: {reported_ns} ns reported, the newest durable record is {now_ns - durable_time_ns}"
    )


def a_mark_lies_in_its_segment(before: Cursor, marked: Cursor, last: Cursor) -> None:
    """A mark names a durable record of its own segment."""
    assert before.sequence < marked.sequence <= last.sequence, (
        f"a mark of {marked} in the segment after {before} up to {last}"
    )
    assert marked.epoch == last.epoch, f"a mark of {marked} in a segment of epoch {last.epoch}"


def segments_are_contiguous(previous_end: Cursor, first_sequence: int, chain_before: int) -> None:
    """A segment begins exactly where its predecessor ends."""
    assert first_sequence == previous_end.sequence + 1, (
        f"segment at {first_sequence} after {previous_end}"
    )
    assert chain_before == previous_end.chain, f"segment at {first_sequence}: another chain"


def no_stage_is_ahead(received_ns: int | None, later_ns: int | None) -> None:
    """I8: what is applied or verified is never newer than what is durable."""
    if later_ns is not None:
        assert received_ns is not None, f"I8: a point of {later_ns} ns, and none is durable"
        assert later_ns <= received_ns, f"I8: {later_ns} ns is newer than {received_ns} ns"
