"""The events that ESE writes to the event log (exchange.md 1.4 and 1.6).

Numbers and meanings are those of the sheet; the sentences are our own. Assumptions, where the
sheet names two numbers for one case: 440 is a log whose header cannot be read and 465 one that is
damaged further on; 518 is one missing log and 519 several; 526 follows a damaged log and 527 a
broken sequence; 494 is the refusal and 495 the database that was left out on request; 210 begins
a copy backup too and 211 a differential one.
"""

from typing import NamedTuple

EVENT_TEXTS: dict[int, str] = {
    205: "The restore stopped with an error.",
    206: "A full backup must be made first.",
    210: "A full backup starts.",
    211: "An incremental backup starts.",
    213: "The backup is complete.",
    214: "The backup stopped with an error.",
    220: "The backup of a file begins.",
    221: "The backup of a file ends.",
    223: "Log files are backed up.",
    224: "Log files are deleted.",
    225: "No log files can be deleted.",
    227: "A log file is missing.",
    300: "Recovery begins.",
    301: "A log file is replayed.",
    302: "Recovery is complete.",
    428: "Updates are refused: the log disk is full, and a reserve log is in use.",
    429: "The log disk is full.",
    440: "A log file cannot be read.",
    450: "There is a gap in the sequence of log files.",
    452: "The first required log files are missing.",
    453: "The last required log files are missing.",
    454: "Recovery failed.",
    462: "The log ended in a torn write, which was repaired.",
    463: "A closed log file ends in a torn write.",
    465: "A log file is damaged.",
    474: "A database page has a bad checksum.",
    494: "A database that these logs belong to is missing or is another one.",
    495: "A database that these logs belong to was left out.",
    514: "Almost all log generations are used up.",
    516: "A page is of another point in time than the log record for it.",
    518: "A log file is missing.",
    519: "Several log files are missing.",
    523: "Log files with committed data are missing.",
    524: "Log files with committed data are lost; recovery goes on without them.",
    525: "A log file with committed data is damaged.",
    526: "A damaged log file with committed data and those after it are removed.",
    527: "Log files with committed data that follow a break are removed.",
    528: "Log files with committed data are missing or out of sequence.",
    558: "There is a gap in the archived log files, and no current log file.",
    567: "A log file that is required cannot be used.",
}
"""What each event says, by its number."""


class Event(NamedTuple):
    """One line of the event log."""

    event_id: int
    text: str


def event(event_id: int, where: str) -> Event:
    """Build an event about a file, a range or an error."""
    return Event(event_id, f"{EVENT_TEXTS[event_id]} {where}")
