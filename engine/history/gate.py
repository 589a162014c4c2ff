"""The one gate for records: each must continue the group's history exactly.

Ingest from the wire and opening from disk pass the same checks, so nothing can be opened that
could not have been received. They cannot be switched off (Litestream's contiguity check was off
by default, protection.md 2.2).
"""

from typing import NamedTuple, NoReturn

from engine.basics import invariants
from engine.basics.cursor import Cursor
from engine.basics.errors import (
    ChainMismatch,
    EpochFenced,
    HistoryContradictory,
    RecordDamaged,
    ResyncRequired,
    SequenceGap,
    SequenceReplayed,
    TimeRegressed,
    WrongGroup,
)
from engine.basics.figures import time_text
from engine.formats.bodies import body_of, text_of
from engine.formats.control import decode_incarnation, decode_parent
from engine.formats.records import (
    FLAG_PENDING,
    RecordHeader,
    RecordType,
    ScannedRecord,
    chain_after,
)
from engine.formats.standings import Standing
from engine.history.filetable import FileTable
from engine.history.gaps import OpenGap, gap_after

_R = RecordType
_TEXT = frozenset({_R.CREATE, _R.RENAME, _R.TAG_CRASH, _R.TAG_APP, _R.GAP_OPEN})
#: They speak of the history itself; most records do not, and are spared the closer look.
_OF_HISTORY = frozenset({_R.GAP_OPEN, _R.GAP_CLOSE, _R.RESYNC_BEGIN, _R.RESYNC_END, _R.EPOCH})
_TAGS = frozenset({_R.TAG_CRASH, _R.TAG_APP})
_NAMING_A_TAG = frozenset({_R.TAG_COMMIT, _R.TAG_REVOKE})
_WITHOUT_FILE = _TAGS | _NAMING_A_TAG | _OF_HISTORY | {_R.TIME}
_WITHOUT_BODY = _NAMING_A_TAG | {
    _R.TRUNCATE,
    _R.DELETE,
    _R.FLUSH,
    _R.TIME,
    _R.GAP_CLOSE,
    _R.RESYNC_END,
}


class StagedRecord(NamedTuple):
    """A record that passed every check; `start`..`end` is its place in the batch."""

    header: RecordHeader
    start: int
    end: int
    text: str


class History:
    """The newest accepted record, the live files, the open gap.

    Args:
        group: The consistency group.
        base: The cursor before the first record.
        standing: What the history has come to so far; None where it begins at `base`.
    """

    def __init__(self, group: int, base: Cursor, standing: Standing | None = None) -> None:
        here = standing or Standing(base)
        self.group = group
        #: Where this history begins: in a parent branch after a promotion, else before everything.
        self.base = base
        self.newest = here.cursor
        self.source_time_ns = here.source_time_ns
        self.files = FileTable(here.files, here.id_newest)
        #: The gap that is open after the newest record, None where none is.
        self.gap = OpenGap(here.gap_opened, here.is_resync) if here.gap_opened else None
        #: The capture that the newest RESYNC_BEGIN names; None while there was none.
        self.resync_incarnation: int | None = None
        self._staged: list[StagedRecord] = []
        self._staged_newest = self.newest
        self._staged_time_ns = self.source_time_ns
        self._staged_gap = self.gap
        self._staged_incarnation: int | None = None

    def stage(self, record: ScannedRecord, view: memoryview) -> None:
        """Check one record against all before it and stage it.

        Raises:
            EngineError: By its name, what does not fit. Call `discard` then.
        """
        header = record.header
        self._check_place(header)
        self._check_chain(record, view)
        self._check_shape(header)
        self._check_beginning(record, view)
        if header.type in _OF_HISTORY or self._staged_gap is not None:
            self._stage_gap(record, view)
        text = self._text_of(record, view)
        self.files.stage(header.type, header.file, text)
        self._staged.append(StagedRecord(header, record.position, record.end, text))
        self._staged_newest = Cursor(header.epoch, header.sequence, header.chain)
        self._staged_time_ns = header.source_time_ns

    def discard(self) -> None:
        """Forget what was staged."""
        self.files.discard()
        self._staged = []
        self._staged_newest, self._staged_time_ns = self.newest, self.source_time_ns
        self._staged_gap, self._staged_incarnation = self.gap, self.resync_incarnation

    def commit(self) -> list[StagedRecord]:
        """Accept what was staged and return it; the caller places each record in the index."""
        staged, self._staged = self._staged, []
        self.files.commit()
        self.newest, self.source_time_ns = self._staged_newest, self._staged_time_ns
        self.gap, self.resync_incarnation = self._staged_gap, self._staged_incarnation
        return staged

    def adopt(self, base: Cursor) -> None:
        """Take the epoch of the first source; possible only while there is no record."""
        assert self.newest.sequence == self.base.sequence, (
            "a history that has begun keeps its epoch"
        )
        self.newest = self._staged_newest = base

    def _check_place(self, header: RecordHeader) -> None:
        newest = self._staged_newest
        is_next = (
            header.sequence == newest.sequence + 1
            and header.epoch == newest.epoch
            and header.group == self.group
            and header.source_time_ns >= self._staged_time_ns
        )
        if not is_next:
            self._refuse_place(header, newest)
        invariants.one_writer_epoch(newest.epoch, header.epoch)

    def _refuse_place(self, header: RecordHeader, newest: Cursor) -> NoReturn:
        what = f"Record {header.sequence}"
        if header.group != self.group:
            raise WrongGroup(f"{what} is of group {header.group}, this journal of {self.group}")
        if header.epoch < newest.epoch:
            raise EpochFenced(f"{what} is of epoch {header.epoch}, the journal of {newest.epoch}")
        if header.epoch > newest.epoch:
            raise ResyncRequired(
                f"{what} is of epoch {header.epoch}, the journal of {newest.epoch}"
            )
        if header.sequence > newest.sequence + 1:
            raise SequenceGap(
                f"{what} came after record {newest.sequence}, those between are missing"
            )
        if header.sequence <= newest.sequence:
            raise SequenceReplayed(f"{what} came again, {newest.sequence} is the newest")
        raise TimeRegressed(
            f"{what} is stamped {time_text(header.source_time_ns)}, its predecessor "
            f"{time_text(self._staged_time_ns)}"
        )

    def _check_chain(self, record: ScannedRecord, view: memoryview) -> None:
        expected = chain_after(view, record.position, self._staged_newest.chain)
        if record.header.chain != expected:
            raise ChainMismatch(
                f"Record {record.header.sequence} has chain {record.header.chain:#010x}, after "
                f"its predecessor it must be {expected:#010x}"
            )

    def _check_beginning(self, record: ScannedRecord, view: memoryview) -> None:
        """Check that a branch, and nothing else, begins with the EPOCH that names its parent."""
        header, base = record.header, self.base
        is_epoch = header.type == RecordType.EPOCH
        is_first = self._staged_newest.sequence == base.sequence
        if not is_epoch and not is_first:
            return
        is_branch = 0 < base.epoch < header.epoch
        if is_epoch != (is_branch and is_first):
            kind = RecordType(header.type).name
            raise HistoryContradictory(
                f"Record {header.sequence} ({kind}) of epoch {header.epoch}, after {base}: EPOCH "
                "is the first record of a branch, and no other"
            )
        if is_epoch:
            parent = decode_parent(body_of(record, view))
            if parent != base:
                raise HistoryContradictory(
                    f"Record {header.sequence} (EPOCH) branches off at {parent}, this journal "
                    f"begins at {base}"
                )

    def _stage_gap(self, record: ScannedRecord, view: memoryview) -> None:
        header = record.header
        self._staged_gap = gap_after(self._staged_gap, header.type, header.sequence)
        if header.type == RecordType.RESYNC_BEGIN:
            self._staged_incarnation = decode_incarnation(body_of(record, view))

    def _text_of(self, record: ScannedRecord, view: memoryview) -> str:
        """Return the text in a record's body; of RESYNC_BEGIN the incarnation, in hexadecimal."""
        if record.header.type in _TEXT:
            return text_of(record, view)
        if record.header.type == RecordType.RESYNC_BEGIN:
            return f"{self._staged_incarnation:x}"
        return ""

    def _check_shape(self, header: RecordHeader) -> None:
        if header.type == _R.WRITE and header.file and not header.flags & FLAG_PENDING:
            return  # nearly always
        has_file = header.type not in _WITHOUT_FILE
        what = f"Record {header.sequence} ({RecordType(header.type).name})"
        if bool(header.file) != has_file:
            raise RecordDamaged(f"{what} names file id {header.file}")
        if header.raw_length and header.type in _WITHOUT_BODY:
            raise RecordDamaged(f"{what} has a body of {header.raw_length} bytes, it cannot have")
        if header.flags & FLAG_PENDING and header.type not in _TAGS:
            raise RecordDamaged(f"{what} is pending, only a tag can be")
        if header.type in _NAMING_A_TAG and not 0 < header.offset < header.sequence:
            raise RecordDamaged(f"{what} names sequence {header.offset}, no earlier record")
