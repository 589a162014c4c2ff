"""What soft recovery does with the logs it finds: the table of exchange.md 1.4, as one function.

The rules compare generations only. The answer says from which generation to replay and to which,
or which error to give. `/a` (R7 to R9 with loss) does not exist here yet, so committed logs that
are missing or damaged are always errors.
"""

from dataclasses import dataclass

from emulators.ese.errors import EseError, ese_error
from emulators.ese.recovery.log_set import LogSet, Problem

HINT_OTHER_POINT = "recover to another point, or from a copy that has this log"
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Required:
    """The log generations that a dirty database's header asks for.

    `last` is the waypoint, `committed` the log's tip when the header was written.
    """

    database: str
    first: int
    last: int
    committed: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Replay the generations `first` to `last`; recovery is per group, so the worst decides."""

    first: int
    last: int
    required: Required


def worst_of(required: list[Required]) -> Required:
    """Return what all databases of a group ask for together."""
    last = max(required, key=lambda item: item.last)
    return Required(
        last.database,
        min(item.first for item in required),
        last.last,
        max(item.committed for item in required),
    )


def decide(logs: LogSet, required: Required, checkpoint_generation: int | None) -> Replay:
    """Return what to replay.

    Args:
        logs: the log files found.
        required: what the dirty databases ask for.
        checkpoint_generation: from the checkpoint file; None when it cannot be read (R4).

    Raises:
        EseError: -528, -543, -515, -501, -530, -582 or -586, as the table says.
    """
    _require_a_current_log(logs)
    start = logs.first
    if checkpoint_generation is not None:
        start = min(checkpoint_generation, required.first)
    _require_the_first(logs, required, start)
    problem = logs.problem_from(start)
    if problem is not None:
        raise refusal(problem, required)
    _require_the_last(logs, required)
    _require_the_next(logs)
    return Replay(start, logs.last, required)


def refusal(problem: Problem, required: Required) -> EseError:
    """Return the error of a break in the chain with logs beyond it (R6)."""
    where = f"{problem.name}: {problem.text}; {required.database} requires generations"
    where += f" {required.first}-{required.last}"
    if problem.generation - 1 < required.last:
        return ese_error(problem.code, where, HINT_OTHER_POINT)
    code = -586 if problem.code == -501 else -582
    return ese_error(code, where, HINT_OTHER_POINT)


def _require_a_current_log(logs: LogSet) -> None:
    """Apply R2: archives without E00.log and without E00tmp.log are not what a crash leaves."""
    if logs.current is None and logs.temporary is None and logs.archives:
        raise ese_error(-528, f"{logs.current_name} is missing", HINT_OTHER_POINT)


def _require_the_first(logs: LogSet, required: Required, start: int) -> None:
    """Apply R5: the logs must reach down to the checkpoint and to what the headers ask for.

    Logs below the checkpoint are of no use, so they do not make up for one that is missing there.
    """
    first = logs.first_from(start)
    if first == 0 or first > required.first:
        last = required.last if first == 0 else first - 1
        where = _missing(logs, required.first, last, required)
        raise ese_error(-543, f"{where} (event 452)", HINT_OTHER_POINT)
    if first > start:
        where = _missing(logs, start, first - 1, required)
        raise ese_error(-528, f"{where}; the checkpoint needs it", HINT_OTHER_POINT)


def _require_the_last(logs: LogSet, required: Required) -> None:
    """Apply R7 to R9: the logs must reach up to the waypoint and to the last commit."""
    if logs.tip < required.last:
        where = _missing(logs, logs.tip + 1, required.last, required)
        raise ese_error(-543, f"{where} (event 453)", HINT_OTHER_POINT)
    if logs.tip < required.committed:
        where = _missing(logs, logs.tip + 1, required.committed, required)
        raise ese_error(-582, where, HINT_OTHER_POINT)


def _require_the_next(logs: LogSet) -> None:
    """Apply R1: E00tmp.log must be the log after the archives, or there was one between them."""
    if logs.current is None and logs.tip == logs.last:
        where = f"{logs.current_name} is missing, and E00tmp.log is not generation {logs.last + 1}"
        raise ese_error(-528, where, HINT_OTHER_POINT)


def _missing(logs: LogSet, first: int, last: int, required: Required) -> str:
    names = [logs.name_of(generation) for generation in range(first, last + 1)]
    shown = ", ".join(names[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    if more > 0:
        shown += f" and {more} more"
    verb = "is" if len(names) == 1 else "are"
    needed = f"requires generations {required.first}-{required.last}"
    return f"{shown} {verb} missing; {required.database} {needed}"


def unusable(name: str, why: str) -> EseError:
    """Return the error of a database that no log can help."""
    return ese_error(-1206, f"{name}: {why}", "recover to another point")
