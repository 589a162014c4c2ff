"""A position in a group's history: all that two ends need to know they agree."""

from typing import NamedTuple

#: The chain before the first record of a history.
GENESIS_CHAIN = 0


class Cursor(NamedTuple):
    """The newest record included: its epoch, sequence and chain; sequence 0 is before the first."""

    epoch: int
    sequence: int
    chain: int


def genesis(epoch: int) -> Cursor:
    """Return the cursor before the first record."""
    return Cursor(epoch, 0, GENESIS_CHAIN)
