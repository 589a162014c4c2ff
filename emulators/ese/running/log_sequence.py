"""The end of the log generations: a group can write only so many logs (exchange.md F12).

The last generation is made, but only so that what was appended before can still be written; from
then on nothing is taken any more (-519). The cure is to shut the databases down cleanly and to
delete all logs: the sequence then begins again at generation 1, as a stream of a new signature.
"""

from typing import NamedTuple

from emulators.ese.errors import EseError, ese_error
from emulators.ese.formats.format import Format

HINT_RESET = "shut all databases down cleanly, move the logs away, mount, and take a full backup"


class Warnings(NamedTuple):
    """From which generation on event 514 is written, and each how many generations."""

    above: int
    every: int


# daeconst.hxx: 20000 and the second threshold are of the published source; that the engine of 2007
# had the same is an assumption.
_OF_EIGHT_DIGITS = (Warnings(0x7FFFF000, 10), Warnings(0x40000000, 20_000))
_OF_FIVE_DIGITS = (Warnings(0xFF000, 10), Warnings(0xE0000, 1_000))


def warning_is_due(generation: int, log_format: Format) -> bool:
    """Return whether event 514 is written when `generation` becomes the current log."""
    warnings = _OF_FIVE_DIGITS if log_format.generation_digits == 5 else _OF_EIGHT_DIGITS
    every = next((each.every for each in warnings if generation > each.above), 0)
    return every > 0 and generation % every == 0


def generations_left(generation: int, log_format: Format) -> str:
    """Return the particulars of event 514."""
    left = log_format.generation_max - generation
    return f"generation {generation:#x}, {left} are left"


def sequence_end(where: str, *, is_consistent: bool = False) -> EseError:
    """Return the error of a stream whose last generation was reached.

    Args:
        where: the log.
        is_consistent: whether all databases of the stream are shut down cleanly, so that nothing
            is lost by deleting the logs (-548 instead of -519).
    """
    return ese_error(-548 if is_consistent else -519, where, HINT_RESET)
