"""Gaps in the stream: what may stand where, seen by the one gate for all records."""

from itertools import product

import pytest
from engine_model import EPOCH, GROUP, RecordStream

from engine.basics.cursor import Cursor
from engine.basics.errors import EngineError, HistoryContradictory, RecordDamaged
from engine.formats.control import (
    decode_incarnation,
    decode_parent,
    encode_incarnation,
    encode_parent,
)
from engine.formats.records import RecordType, scan_record
from engine.history.gaps import Gap, Gaps, OpenGap
from engine.history.gate import History

R = RecordType
KINDS = (R.GAP_OPEN, R.GAP_CLOSE, R.RESYNC_BEGIN, R.RESYNC_END, R.TAG_APP, R.TAG_CRASH, R.TIME)
INCARNATION = 0xFEED


def body_of(kind):
    return encode_incarnation(INCARNATION) if kind == R.RESYNC_BEGIN else b""


def accept(history, records):
    """Give the records to the gate one by one; an error leaves the history as it was."""
    for record in records:
        scanned = scan_record(memoryview(record), 0)
        try:
            history.stage(scanned, memoryview(record))
        except EngineError:
            history.discard()
            raise
        history.commit()


def gaps_of(kinds):
    gaps = Gaps()
    for sequence, kind in enumerate(kinds, 1):
        gaps.note(kind, sequence)
    return gaps


def history_of(kinds):
    history, stream = History(GROUP, Cursor(EPOCH, 0, 0)), RecordStream()
    for kind in kinds:
        stream.add(kind, body_of(kind))
    accept(history, stream.records)
    return history


def is_right(kinds):
    """The rules, written the plainest way."""
    opened_by = None
    for kind in kinds:
        if kind == R.RESYNC_BEGIN:
            opened_by = kind
        elif kind == R.GAP_OPEN:
            if opened_by:
                return False
            opened_by = kind
        elif kind in (R.GAP_CLOSE, R.RESYNC_END):
            if opened_by != kind - 1:
                return False
            opened_by = None
        elif kind != R.TIME and opened_by:
            return False
    return True


def test_every_sequence_of_four_records_is_taken_or_refused_as_the_rules_say(figure):
    taken = 0
    for kinds in product(KINDS, repeat=4):
        try:
            history_of(kinds)
        except HistoryContradictory:
            assert not is_right(kinds), kinds
        else:
            assert is_right(kinds), kinds
            taken += 1
    assert taken > 100
    figure(f"sequences of four gap records: {taken} of {len(KINDS) ** 4} are taken")


def test_a_refused_record_leaves_the_gap_as_it_was():
    history, stream = History(GROUP, Cursor(EPOCH, 0, 0)), RecordStream()
    stream.add(R.TIME).add(R.GAP_OPEN, b"pool full")
    accept(history, stream.records)
    assert history.gap == OpenGap(2, is_resync=False)
    for kind in (R.GAP_OPEN, R.TAG_APP, R.RESYNC_END):
        wrong = RecordStream(stream.newest).add(kind)
        with pytest.raises(HistoryContradictory):
            accept(history, wrong.records)
        assert history.gap == OpenGap(2, is_resync=False)
        assert history.newest.sequence == 2
    accept(history, RecordStream(stream.newest).add(R.GAP_CLOSE).records)
    assert history.gap is None


def test_a_resync_takes_an_open_gap_over_and_names_the_capture_that_goes_on():
    kinds = [R.TIME, R.GAP_OPEN, R.TIME, R.RESYNC_BEGIN, R.TIME]
    history = history_of(kinds)
    assert history.gap == OpenGap(2, is_resync=True)
    assert history.resync_incarnation == INCARNATION
    assert list(gaps_of(kinds)) == [Gap(2, R.GAP_OPEN)]


def test_it_is_known_in_which_gap_a_sequence_lies():
    kinds = [R.TIME, R.GAP_OPEN, R.TIME, R.GAP_CLOSE, R.TIME, R.RESYNC_BEGIN, R.RESYNC_END]
    gaps = gaps_of([*kinds, R.GAP_OPEN])
    assert list(gaps) == [
        Gap(2, R.GAP_OPEN, 4),
        Gap(6, R.RESYNC_BEGIN, 7),
        Gap(8, R.GAP_OPEN),
    ]
    inside = [sequence for sequence in range(1, 20) if gaps.at(sequence)]
    assert inside == [2, 3, 6, *range(8, 20)]


@pytest.mark.parametrize("kind", [R.GAP_OPEN, R.GAP_CLOSE, R.RESYNC_BEGIN, R.RESYNC_END, R.EPOCH])
def test_a_record_of_the_history_names_no_file(kind):
    stream = RecordStream().add(kind, body_of(kind), file=1)
    with pytest.raises(RecordDamaged, match="names file id 1"):
        accept(History(GROUP, Cursor(EPOCH, 0, 0)), stream.records)


@pytest.mark.parametrize("kind", [R.GAP_CLOSE, R.RESYNC_END])
def test_a_closing_record_has_no_body(kind):
    stream = RecordStream().add(kind, b"x")
    with pytest.raises(RecordDamaged, match="has a body"):
        accept(History(GROUP, Cursor(EPOCH, 0, 0)), stream.records)


def test_the_bodies_come_back_as_they_were_and_in_no_other_length():
    parent = Cursor(3, 1 << 40, 0xDEADBEEF)
    assert decode_parent(encode_parent(parent)) == parent
    assert decode_incarnation(encode_incarnation(1 << 63)) == 1 << 63
    for decode, body in ((decode_parent, encode_parent(parent)), (decode_incarnation, bytes(8))):
        for wrong in (b"", body[:-1], body + b"x"):
            with pytest.raises(RecordDamaged):
                decode(wrong)


# --- branches ---------------------------------------------------------------------------------

PARENT = Cursor(EPOCH, 40, 0x1234)


def branch():
    history = History(GROUP, PARENT)
    history.adopt(PARENT._replace(epoch=EPOCH + 1))
    return history, RecordStream(PARENT._replace(epoch=EPOCH + 1))


def test_a_branch_begins_with_the_epoch_record_that_names_its_parent():
    history, stream = branch()
    accept(history, stream.add(R.EPOCH, encode_parent(PARENT)).add(R.TIME).records)
    assert history.newest.sequence == 42
    assert history.newest.epoch == EPOCH + 1


def test_a_branch_that_begins_with_anything_else_is_refused():
    history, stream = branch()
    with pytest.raises(HistoryContradictory, match="EPOCH is the first record"):
        accept(history, stream.add(R.TIME).records)


def test_an_epoch_record_anywhere_else_is_refused():
    history, stream = branch()
    stream.add(R.EPOCH, encode_parent(PARENT)).add(R.EPOCH, encode_parent(PARENT))
    with pytest.raises(HistoryContradictory):
        accept(history, stream.records)
    first = RecordStream().add(R.EPOCH, encode_parent(Cursor(1, 0, 0)))
    with pytest.raises(HistoryContradictory):
        accept(History(GROUP, Cursor(EPOCH, 0, 0)), first.records)


def test_a_branch_of_another_parent_is_refused():
    history, stream = branch()
    wrong = PARENT._replace(chain=PARENT.chain ^ 1)
    with pytest.raises(HistoryContradictory, match="branches off"):
        accept(history, stream.add(R.EPOCH, encode_parent(wrong)).records)
