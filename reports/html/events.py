"""What happened: faults and their evidence, recoveries that were refused, notices, alarms."""

from collections.abc import Iterator

from reports.clock import Clock
from reports.durations import count_text
from reports.html.parts import Part, Prose, Table, columns
from reports.model import Result

NOTICES_SHOWN = 40


def event_parts(result: Result, clock: Clock) -> Iterator[Part]:
    """Yield tables of faults, notices and alarms."""
    yield from _faults(result, clock)
    yield from _alarms(result)
    yield from _notices(result, clock)


def _faults(result: Result, clock: Clock) -> Iterator[Part]:
    if not result.faults:
        yield Prose(("The scenario has no faults: nothing was broken.",))
        return
    rows = tuple(
        (
            fault.kind.replace("_", " "),
            fault.target,
            clock.text(fault.at_s if fault.fired_at_s is None else fault.fired_at_s),
            "" if fault.lifted_at_s is None else clock.text(fault.lifted_at_s),
            fault.told,
            fault.evidence,
        )
        for fault in result.faults
    )
    names = columns("~Fault", "~Target", "At", "Until", "Outcome", "~Evidence")
    yield Table("Faults, and how it is known that they fired", names, rows)


def _alarms(result: Result) -> Iterator[Part]:
    rows = tuple(
        (alarm.name.replace("_", " "), protection.name, alarm.severity, alarm.message, alarm.hint)
        for protection in result.protections
        for column in protection.columns
        for alarm in (column.health.alarms if column.health is not None else ())
    )
    if rows:
        names = columns("Alarm", "Of", "Severity", "~Message", "~What to do")
        yield Table("Alarms that stood at the end", names, rows)


def _notices(result: Result, clock: Clock) -> Iterator[Part]:
    """What was told again and again takes one row."""
    times_s: dict[tuple[str, str], list[float]] = {}
    for notice in result.notices:
        times_s.setdefault((notice.source, notice.text), []).append(notice.at_s)
    rows = tuple(
        (_when_text(told_s, clock), source, text)
        for (source, text), told_s in list(times_s.items())[:NOTICES_SHOWN]
    )
    if not rows:
        return
    rest = len(times_s) - len(rows)
    note = f"{count_text(rest, 'more notice')} in the JSON document." if rest else ""
    names = columns("At", "~From", "~Notice")
    yield Table("What an operator would have been told", names, rows, note)


def _when_text(told_s: list[float], clock: Clock) -> str:
    if len(told_s) == 1:
        return clock.text(told_s[0])
    return f"{clock.span_text(told_s[0], told_s[-1])}, {len(told_s):,} times"
