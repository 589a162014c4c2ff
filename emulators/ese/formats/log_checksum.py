"""LRCHECKSUM: the records that frame a log's stream and prove what of it is valid (G).

A checksum record covers the bytes before it in its sector and a number of bytes after it. A second,
short checksum covers only its own sector, so that a write of several sectors that was torn after
the first still proves that sector. Neither covers the record's own checksum fields.
"""

from enum import Enum
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emulators.ese.formats.checksum import Bytes, xor_words
from emulators.ese.formats.format import SECTOR_BYTES
from emulators.ese.formats.log_types import RecordType

CHECKSUM_RECORD_BYTES = 22
CHECKSUM_SEED = 0xFEEDBEAF
SHORT_SEED = 0xDEADC0DE
SHADOW_MASK = 0x5AD05EC7
SHORT_ON = 0x9A
SHORT_OFF = 0xD1

_LAYOUT = Struct("<BIIIIIB")
_KIND = int(RecordType.CHECKSUM)
_BLOCK_WORDS = 1 << 14
# A named tuple's own constructor passes through Python code; every commit has one of these.
_new = tuple.__new__


class ChecksumRecord(NamedTuple):
    """The fields of an LRCHECKSUM: byte counts, both checksums and whether the short one is on."""

    backwards: int
    forwards: int
    next: int
    checksum: int
    short_checksum: int
    switch: int

    def pack(self, mask: int = 0) -> bytes:
        """Return the record's 22 bytes; `mask` is SHADOW_MASK in a shadow sector."""
        backwards, forwards, next_, checksum, short, switch = self
        return _LAYOUT.pack(_KIND, backwards, forwards, next_, checksum ^ mask, short, switch)


class Verdict(Enum):
    """What a checksum record proves."""

    WHOLE = "the whole range is valid"
    SECTOR = "only the record's own sector is valid"
    NOTHING = "nothing is valid, or this is no checksum record"


class Proof(NamedTuple):
    """A checksum record that was read, and what it proves.

    `intact` is false when the range is valid but a field that is not needed for that is damaged.
    """

    verdict: Verdict
    record: ChecksumRecord
    intact: bool


_NO_RECORD = ChecksumRecord(0, 0, 0, 0, 0, 0)
_NO_PROOF = Proof(Verdict.NOTHING, _NO_RECORD, intact=False)


def make_record(
    generation: int, backward: Bytes, forwards: int, next_: int, xor_forward: int, xor_sector: int
) -> ChecksumRecord:
    """Build the record that closes a range.

    Args:
        generation: of the log file.
        backward: the bytes of the record's sector before it.
        forwards: length of the range after the record.
        next_: distance from the end of this record to the next, 0 for the last.
        xor_forward: XOR of the words of the range after the record.
        xor_sector: the same, only to the end of the record's sector.
    """
    multiple = len(backward) + CHECKSUM_RECORD_BYTES + forwards > SECTOR_BYTES
    switch = SHORT_ON if multiple else SHORT_OFF
    common = xor_words(backward) ^ len(backward) ^ forwards ^ next_ ^ switch ^ generation
    short = (SHORT_SEED ^ common ^ xor_sector) & 0xFFFFFFFF if multiple else 0
    checksum = (CHECKSUM_SEED ^ common ^ xor_forward) & 0xFFFFFFFF
    return ChecksumRecord(len(backward), forwards, next_, checksum, short, switch)


class RangeXor:
    """XORs of the words of ranges of a buffer, where many are asked for.

    Each is found from the XORs of all words before its ends, so its length does not matter. Those
    are computed block by block, as far as ranges reach.

    Args:
        data: the buffer; words of a range are counted from its first byte.
    """

    __slots__ = ("_known", "_running", "_words")

    def __init__(self, data: bytes) -> None:
        self._words = np.frombuffer(data + bytes(-len(data) % 4), "<u4").data
        self._running = np.zeros(len(self._words) + 1, "<u4").data
        self._known = 0

    def of(self, start: int, stop: int) -> int:
        """Return the XOR of the words of bytes `start` to `stop`, the last padded with zeros."""
        first, last = start >> 2, stop + 3 >> 2
        if last > self._known:  # asked here too: most ranges do not need the call
            self._extend(last)
        turn, cut = (start & 3) << 3, (stop & 3) << 3
        value: int = self._running[last] ^ self._running[first]
        if turn:
            value ^= self._words[first] & (1 << turn) - 1
        if cut:
            value ^= self._words[last - 1] >> cut << cut
        return (value >> turn | value << 32 - turn) & 0xFFFFFFFF

    def of_each(
        self, starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the XORs of many ranges, none of which is beyond the buffer."""
        if not len(stops):
            return stops
        first, last = starts >> 2, stops + 3 >> 2
        self._extend(int(last.max()))
        words, running = np.asarray(self._words), np.asarray(self._running)
        turn, cut = (starts & 3) << 3, (stops & 3) << 3
        value = (running[last] ^ running[first]).astype(np.int64)
        value ^= words[np.minimum(first, len(words) - 1)] & (1 << turn) - 1
        value ^= np.where(cut, words[last - 1] >> cut << cut, 0)
        turned: npt.NDArray[np.int64] = (value >> turn | value << 32 - turn) & 0xFFFFFFFF
        return turned

    def _extend(self, last: int) -> None:
        if last <= self._known:
            return
        known, stop = self._known, max(last, min(self._known + _BLOCK_WORDS, len(self._words)))
        running = np.asarray(self._running)
        np.bitwise_xor.accumulate(
            np.asarray(self._words)[known:stop], out=running[known + 1 : stop + 1]
        )
        running[known + 1 : stop + 1] ^= running[known]
        self._known = stop


def prove(buffer: Bytes, at: int, generation: int, ranges: RangeXor) -> Proof:
    """Check the checksum record at offset `at` of a log by the reader's rules."""
    record = _read(buffer, at)
    if record is None:
        return _NO_PROOF
    backwards, forwards, next_, checksum, short_checksum, switch = record
    after = at + CHECKSUM_RECORD_BYTES
    sector_end = at - at % SECTOR_BYTES + SECTOR_BYTES
    end = after + forwards
    common = ranges.of(at - backwards, at) ^ backwards ^ forwards ^ next_ ^ switch ^ generation
    common &= 0xFFFFFFFF
    if switch == SHORT_OFF:
        short_matches = short_checksum == 0
    else:
        own = SHORT_SEED ^ common ^ ranges.of(after, min(sector_end, len(buffer)))
        short_matches = sector_end <= len(buffer) and own == short_checksum
    if end <= len(buffer) and CHECKSUM_SEED ^ common ^ ranges.of(after, end) == checksum:
        return _new(Proof, (Verdict.WHOLE, record, short_matches))
    if short_matches and switch == SHORT_ON:
        return Proof(Verdict.SECTOR, record, intact=False)
    return _NO_PROOF


def prove_shadow(buffer: Bytes, at: int, generation: int) -> tuple[Proof, bytes]:
    """Check the shadow of the sector with the checksum record at `at`: (proof, that sector)."""
    start = at - at % SECTOR_BYTES
    sector = bytearray(buffer[start + SECTOR_BYTES : start + 2 * SECTOR_BYTES])
    if len(sector) < SECTOR_BYTES:
        return _NO_PROOF, b""
    place = at - start + 13
    masked = int.from_bytes(sector[place : place + 4], "little") ^ SHADOW_MASK
    sector[place : place + 4] = masked.to_bytes(4, "little")
    restored = bytes(sector)
    proof = prove(restored, at - start, generation, RangeXor(restored))
    if proof.verdict is not Verdict.WHOLE or proof.record.next or not proof.intact:
        return _NO_PROOF, b""
    return proof, restored


def _read(buffer: Bytes, at: int) -> ChecksumRecord | None:
    """Return the record at `at` if its form keeps the rules, which need no checksum."""
    place = at % SECTOR_BYTES
    if at + CHECKSUM_RECORD_BYTES > len(buffer) or place > SECTOR_BYTES - CHECKSUM_RECORD_BYTES:
        return None
    fields = _LAYOUT.unpack_from(buffer, at)
    if fields[0] != _KIND or fields[1] not in (0, place):
        return None
    record = _new(ChecksumRecord, fields[1:])
    covered = record.backwards + CHECKSUM_RECORD_BYTES + record.forwards
    if record.switch == SHORT_OFF:
        in_sector = place + CHECKSUM_RECORD_BYTES + record.forwards <= SECTOR_BYTES
        return record if in_sector else None
    ends_on_boundary = (at + CHECKSUM_RECORD_BYTES + record.forwards) % SECTOR_BYTES == 0
    is_multiple = record.switch == SHORT_ON and covered > SECTOR_BYTES and ends_on_boundary
    return record if is_multiple else None
