"""What soft recovery does with the logs it finds: the table of exchange.md 1.4, as one function.

The rules compare generations only. The answer says from which generation to replay and to which,
or which error to give. `/a` (here: lossy) lets committed logs go that no page of the database can
rest on: those above the waypoint. A required log is never let go.

Logs that are whole but belong to another set, version or size are not removed, whatever was asked
for: they are somebody's data (R11 gives the same error with and without /a).
"""

from dataclasses import dataclass

from emulators.ese.errors import JET_ERRORS, EseError, JetError, ese_error, refusal
from emulators.ese.formats.values import LogTime
from emulators.ese.recovery.log_set import LogSet, Problem

HINT_OTHER_POINT = "recover to another point, or from a copy that has this log"
HINT_LOSSY = f"{HINT_OTHER_POINT}; /a may recover without it, and loses what was committed there"
NAMES_SHOWN = 3
REMOVABLE = (-501, -515, -528)
"""Problems that the removal of logs mends: damage, a broken sequence, a hole."""


@dataclass(frozen=True, slots=True)
class Required:
    """The log generations that a dirty database's header asks for.

    `last` is the waypoint, `committed` the log's tip when the header was written. `ages` are the
    generations whose creation time a header notes, with that time.
    """

    database: str
    first: int
    last: int
    committed: int
    ages: tuple[tuple[int, LogTime], ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """Committed logs that recovery goes on without: nothing from generation `first` on is left.

    Args:
        code: 585 when they are not there, 587 when they are there and are removed.
        first: the first generation that is lost.
        where: the files concerned.
        event_ids: what is written to the event log; the last says what was done.
    """

    code: int
    first: int
    where: str
    event_ids: tuple[int, ...]

    @property
    def warning(self) -> JetError:
        """The warning that recovery ends with."""
        return JET_ERRORS[self.code]._replace(event_id=self.event_ids[-1])


@dataclass(frozen=True, slots=True)
class Replay:
    """Replay the generations `first` to `last`; recovery is per group, so the worst decides."""

    first: int
    last: int
    required: Required
    loss: Loss | None = None


def worst_of(required: list[Required]) -> Required:
    """Return what all databases of a group ask for together; the worst result is that of all.

    It is called by the databases that ask for the first and for the last log.
    """
    first = min(required, key=lambda item: item.first)
    last = max(required, key=lambda item: item.last)
    names = first.database if first.last == last.last else last.database
    if first.first < last.first and first.last < last.last:
        names = f"{first.database} and {last.database} together"
    committed = max(item.committed for item in required)
    ages = tuple(age for item in required for age in item.ages)
    return Required(names, first.first, last.last, committed, ages)


def decide(
    logs: LogSet, required: Required, checkpoint_generation: int | None, *, lossy: bool = False
) -> Replay:
    """Return what to replay.

    Args:
        logs: the log files found.
        required: what the dirty databases ask for.
        checkpoint_generation: from the checkpoint file; None when it cannot be read (R4).
        lossy: whether committed logs may be lost (/a).

    Raises:
        EseError: -528, -543, -515, -501, -530, -582 or -586, as the table says.
    """
    _require_own_kind(logs)
    if not lossy:
        _require_a_current_log(logs, required)
    start = logs.first
    if checkpoint_generation is not None:
        start = min(checkpoint_generation, required.first)
    _require_the_first(logs, required, start)
    problem = logs.problem_from(start) or logs.problem_of_age(required.ages)
    if problem is not None:
        return end_before(problem, start, required, lossy=lossy)
    loss = _lost_at_the_end(logs, required)
    if loss is not None and not lossy:
        raise refusal(-582, loss.where, HINT_LOSSY, 523)
    if not lossy:
        _require_the_next(logs)
    elif loss is None and not _has_next(logs):
        # E00tmp.log shows that the log between it and the archives is lost, or is itself lost.
        where = f"{logs.current_name} is missing after generation {logs.last}"
        loss = Loss(585, logs.last + 1, where, (524,))
    return Replay(start, logs.last, required, loss)


def end_before(problem: Problem, start: int, required: Required, *, lossy: bool) -> Replay:
    """Apply R6 to a break in the chain: end the replay before it, or say why not.

    Raises:
        EseError: the break is within the required logs, or loss was not allowed.
    """
    where = f"{problem.name}: {problem.text}; {required.database} requires generations"
    where += f" {required.first}-{required.last}"
    seen = () if problem.event_id is None else (problem.event_id,)
    is_required = problem.generation - 1 < required.last
    if not lossy or is_required or problem.code not in REMOVABLE:
        raise _refused(problem, where, seen, lossy=lossy, is_required=is_required)
    done = 526 if problem.code == -501 else 527
    loss = Loss(587, problem.generation, where, (*seen, done))
    return Replay(start, problem.generation - 1, required, loss)


def _refused(
    problem: Problem, where: str, seen: tuple[int, ...], *, lossy: bool, is_required: bool
) -> EseError:
    if problem.code not in REMOVABLE:
        return refusal(problem.code, where, HINT_OTHER_POINT, *seen)
    if problem.code == -528:
        # R6a: without /a the missing current log decides; with it, R7 does.
        last = (453,) if lossy else ()
        return refusal(-543 if lossy else -528, where, HINT_OTHER_POINT, *seen, *last)
    if is_required:
        return refusal(problem.code, where, HINT_OTHER_POINT, *seen, 567)
    if problem.code == -501:
        return refusal(-586, where, HINT_LOSSY, *seen, 525)
    return refusal(-582, where, HINT_LOSSY, *seen, 528)


def _require_own_kind(logs: LogSet) -> None:
    """Refuse a current log of another size or version, which says nothing about what is lost."""
    error = None if logs.current is None else logs.current.error
    if error is not None and error.code not in REMOVABLE:
        raise refusal(error.code, error.where, error.hint)


def _require_a_current_log(logs: LogSet, required: Required) -> None:
    """Apply R2: archives without E00.log and without E00tmp.log are not what a crash leaves."""
    if logs.current is None and logs.temporary is None and logs.archives:
        hint = HINT_LOSSY if logs.last >= required.last else HINT_OTHER_POINT
        raise refusal(-528, f"{logs.current_name} is missing", hint, 518)


def _require_the_first(logs: LogSet, required: Required, start: int) -> None:
    """Apply R5: the logs must reach down to the checkpoint and to what the headers ask for.

    Logs below the checkpoint are of no use, so they do not make up for one that is missing there.
    """
    first = logs.first_from(start)
    if first == 0 or first > required.first:
        last = required.last if first == 0 else first - 1
        where = _missing(logs, required.first, last, required)
        raise refusal(-543, f"{where} (event 452)", HINT_OTHER_POINT, 452)
    if first > start:
        where = _missing(logs, start, first - 1, required)
        raise refusal(-528, f"{where}; the checkpoint needs it", HINT_OTHER_POINT, 452)


def _lost_at_the_end(logs: LogSet, required: Required) -> Loss | None:
    """Apply R7 to R9: the logs must reach up to the waypoint, and should to the last commit."""
    if logs.tip < required.last:
        where = _missing(logs, logs.tip + 1, required.last, required)
        raise refusal(-543, f"{where} (event 453)", HINT_OTHER_POINT, 453)
    if logs.tip < required.committed:
        where = _missing(logs, logs.tip + 1, required.committed, required)
        return Loss(585, logs.last + 1, where, (524,))
    return None


def _has_next(logs: LogSet) -> bool:
    return logs.current is not None or logs.temporary_follows


def _require_the_next(logs: LogSet) -> None:
    """Apply R1: E00tmp.log must be the log after the archives, or there was one between them."""
    if not _has_next(logs):
        where = f"{logs.current_name} is missing, and E00tmp.log is not generation {logs.last + 1}"
        raise refusal(-528, where, HINT_LOSSY, 518)


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
