"""The chain of checksum records of a log, followed and proved many at a time (ese-format.md G).

A log that was written in small flushes has hundreds of checksum records, and nearly always all of
them are right. This finds how far that is so. What it stops at may be wrong, or merely the last of
the log: `log_scan` looks at that, and goes on by itself.
"""

from struct import Struct, error
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from emulators.ese.formats.format import SECTOR_BYTES
from emulators.ese.formats.log_checksum import (
    CHECKSUM_RECORD_BYTES,
    CHECKSUM_SEED,
    SHORT_OFF,
    SHORT_ON,
    SHORT_SEED,
    RangeXor,
)
from emulators.ese.formats.log_types import RecordType

Numbers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

WORTHWHILE = 50
"""A shorter chain is proved sooner one by one."""

_read_next = Struct("<9xI").unpack_from
_FIELDS = np.dtype("u1,<u4,<u4,<u4,<u4,<u4,u1")
_OFFSETS = np.arange(CHECKSUM_RECORD_BYTES)


class ProvedChain(NamedTuple):
    """The last checksum record of a chain proved as a whole.

    Args:
        last: its offset.
        end: where its range ends.
        next: where the next checksum record should be.
    """

    last: int
    end: int
    next: int


class _Chain(NamedTuple):
    """Checksum records: where each lies, and its fields, as columns."""

    at: Numbers
    kind: Numbers
    backwards: Numbers
    forwards: Numbers
    next: Numbers
    checksum: Numbers
    short: Numbers
    switch: Numbers

    @property
    def sector(self) -> Numbers:
        """Where the sector of each begins."""
        return self.at - self.at % SECTOR_BYTES

    @property
    def after(self) -> Numbers:
        """Where each ends and its range goes on."""
        return self.at + CHECKSUM_RECORD_BYTES

    @property
    def end(self) -> Numbers:
        """Where the range of each ends."""
        return self.after + self.forwards

    def until_not(self, flags: Flags) -> "_Chain":
        """Return the records before the first that is not flagged."""
        count = len(flags) if flags.all() else int(flags.argmin())
        return _Chain(*(column[:count] for column in self))


def prove_chain(buffer: bytes, start: int, generation: int, ranges: RangeXor) -> ProvedChain | None:
    """Return how far all checksum records from `start` on are whole, and followed by another.

    Args:
        buffer: the log file.
        start: offset of the first checksum record.
        generation: of the log file.
        ranges: XORs of the buffer's ranges.
    """
    places = _places(buffer, start)
    if len(places) < WORTHWHILE:
        return None
    at = np.array(places)
    fields = np.frombuffer(buffer, np.uint8)[at[:, None] + _OFFSETS].view(_FIELDS)[:, 0]
    columns = (fields[name].astype(np.int64) for name in fields.dtype.names or ())
    chain = _Chain(at, *columns)
    chain = chain.until_not(_keeps_rules(chain, len(buffer)))
    chain = chain.until_not(_is_right(chain, generation, ranges))
    if not len(chain.at):
        return None
    return ProvedChain(int(chain.at[-1]), int(chain.end[-1]), int(chain.after[-1] + chain.next[-1]))


def _places(buffer: bytes, at: int) -> list[int]:
    """Follow the chain from record to record, but not the last, which names no next one."""
    places = []
    try:
        while next_ := _read_next(buffer, at)[0]:
            places.append(at)
            at += CHECKSUM_RECORD_BYTES + next_
    except error:
        del places[-1:]
    return places


def _keeps_rules(chain: _Chain, size: int) -> Flags:
    """Return for each record whether its form is right, and the next lies where its range ends."""
    place = chain.at - chain.sector
    covered = chain.end - chain.at + chain.backwards
    is_single = (chain.switch == SHORT_OFF) & (chain.end <= chain.sector + SECTOR_BYTES)
    is_multiple = (chain.switch == SHORT_ON) & (covered > SECTOR_BYTES)
    next_at = chain.after + chain.next
    flags: Flags = (
        (chain.kind == RecordType.CHECKSUM)
        & (place <= SECTOR_BYTES - CHECKSUM_RECORD_BYTES)
        & ((chain.backwards == 0) | (chain.backwards == place))
        & (is_single | is_multiple)
        & (chain.end <= size)
        & (chain.end % SECTOR_BYTES == 0)
        & (next_at - next_at % SECTOR_BYTES == chain.end)
    )
    return flags


def _is_right(chain: _Chain, generation: int, ranges: RangeXor) -> Flags:
    """Return for each record, all of the right form, whether both of its checksums match."""
    common = ranges.of_each(chain.at - chain.backwards, chain.at) ^ chain.backwards
    common ^= chain.forwards ^ chain.next ^ chain.switch ^ generation & 0xFFFFFFFF
    own = ranges.of_each(chain.after, chain.sector + SECTOR_BYTES) ^ common ^ SHORT_SEED
    short = np.where(chain.switch == SHORT_ON, own, 0)
    whole = ranges.of_each(chain.after, chain.end) ^ common ^ CHECKSUM_SEED
    flags: Flags = (short == chain.short) & (whole == chain.checksum)
    return flags
