"""Reading a log file's stream: what of it is proved, and how it ends (ese-format.md G).

Fault model: any byte may be wrong and the file may end anywhere. A record is given out only when
checksum records prove all its bytes. A last flush of which any sectors are missing is cut off, at
the flush before it or at a later whole record, and called torn (exchange.md R16); damage before
later valid flushes is called corrupt (R6c). Not promised: that damage to the last flush of a log
is told from a torn write, as on disk they are the same; and that a change which leaves every XOR
as it was is found. The format has one such change that a torn write can make: the XOR of a sector
of zeros is that of a sector of the fill pattern, so a lost sector in the middle of a run of zeros
is not seen. What follows such a run in the same flush, the commit first of all, is seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import repeat
from operator import and_, rshift
from typing import NamedTuple

from emulators.ese.formats.checksum import Bytes
from emulators.ese.formats.format import LOG_HEADER_BYTES, SECTOR_BYTES
from emulators.ese.formats.log_chain import prove_chain
from emulators.ese.formats.log_checksum import (
    CHECKSUM_RECORD_BYTES,
    ChecksumRecord,
    RangeXor,
    Verdict,
    prove,
    prove_shadow,
)
from emulators.ese.formats.log_file import fill_pattern
from emulators.ese.formats.log_types import is_known, list_records
from emulators.ese.formats.values import Lgpos

STREAM_OFFSET = LOG_HEADER_BYTES
_CANDIDATE = re.compile(rb"\x2a(?=.{20}[\x9a\xd1])", re.DOTALL)
_SECTOR_MASK = SECTOR_BYTES - 1
_SECTOR_SHIFT = _SECTOR_MASK.bit_length()
_new = tuple.__new__


class LogState(Enum):
    """How a log ends."""

    CLEAN = "clean"
    TORN = "torn tail"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class LogScan:
    """What a log file holds.

    Args:
        buffer: the file, with the last sector restored from its shadow where that was needed.
        generation: of the file.
        offsets: where each record begins; checksum records and filling are left out.
        ends: where each of these records ends.
        end: offset after the last whole record.
        checksum_at: offset of the last valid checksum record.
        state: how the log ends.
        damage_offset: where valid data ends although more was written; None for a clean log.
        repaired: whether something redundant was damaged and made good.
    """

    buffer: bytes
    generation: int
    offsets: tuple[int, ...]
    ends: tuple[int, ...]
    end: int
    checksum_at: int
    state: LogState
    damage_offset: int | None
    repaired: bool

    def records(self) -> Iterator[tuple[Lgpos, int]]:
        """Yield position and file offset of each record in order."""
        for offset in self.offsets:
            yield lgpos_at(self.generation, offset), offset

    def spans(self) -> Iterator[tuple[Lgpos, int, int]]:
        """Return position, file offset and the offset after it of each record in order."""
        # This is `lgpos_at`, of every record of every log that is redone.
        sectors = map(rshift, self.offsets, repeat(_SECTOR_SHIFT))
        places = map(and_, self.offsets, repeat(_SECTOR_MASK))
        fields = zip(repeat(self.generation, len(self.offsets)), sectors, places, strict=True)
        positions = map(_new, repeat(Lgpos), fields)
        return zip(positions, self.offsets, self.ends, strict=True)

    @property
    def last_lgpos(self) -> Lgpos:
        """The position of the last record, or of the stream's start when there is none."""
        return lgpos_at(self.generation, self.offsets[-1] if self.offsets else STREAM_OFFSET)


class _Walk(NamedTuple):
    """Where following the chain of checksum records ended.

    `end` is the end of the proved bytes; `broken_at` is the checksum record that should have been
    there and `expected` where its range said the next one would be, if it is only half proved.
    """

    buffer: bytes
    end: int
    checksum_at: int
    broken_at: int | None
    expected: int | None
    from_shadow: bool
    repaired: bool


def lgpos_at(generation: int, offset: int) -> Lgpos:
    """Return the log position of a byte of a log file."""
    # Every record has one: a named tuple's own constructor passes through Python code.
    return _new(Lgpos, (generation, offset >> _SECTOR_SHIFT, offset & _SECTOR_MASK))


def scan_log(buffer: Bytes, generation: int) -> LogScan:
    """Read the log file of `generation`; its header is not looked at."""
    walk = _follow(bytes(buffer), generation)
    state, damage = _classify(walk, generation)
    offsets, ends, end = list_records(walk.buffer, STREAM_OFFSET, walk.end)
    is_cut_off = end == walk.end or is_known(walk.buffer[end])
    if not is_cut_off or (state is LogState.CLEAN and end != walk.end):
        state, damage = LogState.CORRUPT, end
    return LogScan(
        walk.buffer,
        generation,
        tuple(offsets),
        tuple(ends),
        end,
        walk.checksum_at,
        state,
        damage,
        walk.repaired or walk.from_shadow,
    )


def _follow(buffer: bytes, generation: int) -> _Walk:
    at = last = end = STREAM_OFFSET
    repaired = False
    ranges = RangeXor(buffer)
    chain = prove_chain(buffer, at, generation, ranges)
    if chain is not None:
        last, end, at = chain
    while True:
        proof = prove(buffer, at, generation, ranges)
        after = at + CHECKSUM_RECORD_BYTES
        sector = at - at % SECTOR_BYTES
        record = proof.record
        if proof.verdict is Verdict.SECTOR:
            expected = after + record.next
            return _Walk(
                buffer,
                sector + SECTOR_BYTES,
                at,
                at,
                expected,
                from_shadow=False,
                repaired=repaired,
            )
        if proof.verdict is Verdict.NOTHING:
            return _from_shadow(buffer, at, generation, last, repaired=repaired)
        repaired = repaired or not proof.intact
        last, end = at, after + record.forwards
        if record.next == 0:
            return _Walk(buffer, end, at, None, None, from_shadow=False, repaired=repaired)
        at = after + record.next
        if end % SECTOR_BYTES or at - at % SECTOR_BYTES != end:
            return _Walk(buffer, end, last, last, None, from_shadow=False, repaired=repaired)


def _from_shadow(buffer: bytes, at: int, generation: int, last: int, *, repaired: bool) -> _Walk:
    """Continue where the checksum record at `at` proves nothing: only its shadow may help."""
    sector = at - at % SECTOR_BYTES
    proof, restored = prove_shadow(buffer, at, generation)
    if proof.verdict is Verdict.NOTHING:
        return _Walk(buffer, sector, last, at, None, from_shadow=False, repaired=repaired)
    buffer = buffer[:sector] + restored + buffer[sector + SECTOR_BYTES :]
    end = at + CHECKSUM_RECORD_BYTES + proof.record.forwards
    return _Walk(buffer, end, at, None, None, from_shadow=True, repaired=repaired)


def _classify(walk: _Walk, generation: int) -> tuple[LogState, int | None]:
    """Tell a clean end from a torn last flush, and that from damage before later flushes."""
    tail = -(-walk.end // SECTOR_BYTES) * SECTOR_BYTES
    if walk.broken_at is None and not walk.from_shadow and _tail_is_unused(walk, tail, generation):
        return LogState.CLEAN, None
    later = list(_later_checksums(walk.buffer, max(tail, walk.checksum_at + 1), generation))
    if not later or (len(later) == 1 and _may_be_torn(walk, *later[0])):
        return LogState.TORN, walk.end
    return LogState.CORRUPT, walk.end


def _tail_is_unused(walk: _Walk, tail: int, generation: int) -> bool:
    proof, restored = prove_shadow(walk.buffer, walk.checksum_at, generation)
    sector = walk.checksum_at - walk.checksum_at % SECTOR_BYTES
    if proof.verdict is Verdict.WHOLE and restored == walk.buffer[sector : sector + SECTOR_BYTES]:
        tail += SECTOR_BYTES
    # Asked so that the rest, most of a log that was rolled early, is not copied.
    rest_bytes = len(walk.buffer) - tail
    return rest_bytes <= 0 or walk.buffer.startswith(fill_pattern(rest_bytes), tail)


def _may_be_torn(walk: _Walk, at: int, record: ChecksumRecord) -> bool:
    """Return whether one torn flush explains a valid checksum record after the proved bytes.

    The flush that is torn ends with a new, empty checksum record. Where the first sector of the
    flush is on disk, it says where that is; where it is not, nothing is known about it. The very
    first flush leaves the stream's first sector as the file was formatted.
    """
    if record.next or record.forwards:
        return False
    if walk.expected is not None:
        return walk.expected == at
    first = walk.buffer[STREAM_OFFSET : STREAM_OFFSET + SECTOR_BYTES]
    return walk.broken_at is None or first == fill_pattern(SECTOR_BYTES)


def _later_checksums(
    buffer: bytes, start: int, generation: int
) -> Iterator[tuple[int, ChecksumRecord]]:
    ranges = RangeXor(buffer)
    for match in _CANDIDATE.finditer(buffer, start):
        proof = prove(buffer, match.start(), generation, ranges)
        if proof.verdict is not Verdict.NOTHING:
            yield match.start(), proof.record
