"""What alarms look at: each value by the name of its rule, with the words for the operator."""

from collections.abc import Iterator
from typing import NamedTuple

from engine.basics.figures import duration_text
from engine.health.checks import CheckResult, Outcome
from engine.health.stages import Stage
from engine.health.state import CopyState
from engine.health.verifier import Verifier
from engine.points.recovery_points import Consistency

_RPO_ALARMS = {
    Consistency.WRITE: "rpo_any",
    Consistency.CRASH: "rpo_crash",
    Consistency.APP: "rpo_app",
}


class Value(NamedTuple):
    """A value now; None where nobody knows it."""

    name: str
    value: int | None
    detail: str


def values_of(state: CopyState, now_ns: int) -> Iterator[Value]:
    """Yield all values of a copy."""
    yield from _of_points(state, now_ns)
    yield from _of_the_link(state, now_ns)
    yield from _of_the_source(state, now_ns)
    yield from _of_what_is_kept(state, now_ns)


def bad_detail(verifier: Verifier, result: CheckResult) -> str:
    """Say which point is bad and which one to recover instead."""
    offered = verifier.next_older_good(result.point)
    instead = "no older one is known to be good" if offered is None else f"good is {offered}"
    return f"{result.point}: {result.detail}; {instead}"


def _of_points(state: CopyState, now_ns: int) -> Iterator[Value]:
    for point_class, name in _RPO_ALARMS.items():
        target_ns = state.settings.rpo_targets_ns.get(point_class)
        if target_ns is None:
            continue
        age_ns = state.board.curve(Stage.RECEIVED, point_class).age_ns(now_ns)
        detail = f"{duration_text(age_ns)}, promised {duration_text(target_ns)}"
        yield Value(name, age_ns * 100 // target_ns, detail)
    age_ns = state.board.curve(Stage.RECEIVED, Consistency.WRITE).age_ns(now_ns)
    yield Value("no_point", age_ns, f"for {duration_text(age_ns)}")
    gap = state.gap
    yield Value("gap", int(gap is not None), "" if gap is None else f"since record {gap.opened}")
    if (bookmarks := state.bookmarks(now_ns)) is not None:
        lost = bookmarks.lost_in_a_row
        yield Value("bookmarks_lost", lost, f"{lost} in a row")


def _of_the_link(state: CopyState, now_ns: int) -> Iterator[Value]:
    error, silent_ns = state.session.fatal_error, state.silent_ns(now_ns)
    yield Value("halted", int(error is not None), "" if error is None else error.message)
    yield Value("disconnected", silent_ns, f"for {duration_text(silent_ns)}")
    error_ns = state.clock_error_ns(now_ns)
    yield Value("clock", error_ns, "" if error_ns is None else duration_text(error_ns))


def _of_the_source(state: CopyState, now_ns: int) -> Iterator[Value]:
    if state.source is None:
        return
    figures = state.source.figures(now_ns)
    backlog, stuck_ns = figures.backlog, figures.stuck_ns
    drain = "unknown" if backlog.drain_ns is None else duration_text(backlog.drain_ns)
    size = f"{backlog.size_bytes} bytes, the oldest {duration_text(backlog.oldest_ns)} old"
    yield Value("backlog", backlog.oldest_ns, f"{size}, time to drain {drain}")
    yield Value("backlog_stuck", stuck_ns, f"{size}, for {duration_text(stuck_ns)}")


def _of_what_is_kept(state: CopyState, now_ns: int) -> Iterator[Value]:
    oldest, newest = state.oldest(), state.newest[Consistency.WRITE]
    missing_ns = state.retention.missing_ns(oldest, newest)
    yield Value("retention_window", missing_ns, f"{duration_text(missing_ns)} are missing")
    percent = state.retention.used_percent()
    yield Value("retention_space", percent, f"{percent} % are used")
    if (verifier := state.verifier) is not None:
        bad = verifier.checked.with_outcome(Outcome.BAD)
        yield Value("verification", len(bad), bad_detail(verifier, bad[-1]) if bad else "")
        age_ns = state.board.curve(Stage.VERIFIED, Consistency.WRITE).age_ns(now_ns)
        yield Value("verification_age", age_ns, f"for {duration_text(age_ns)}")
