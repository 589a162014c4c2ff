"""What a result says in plain words: mail lost, age of the recovered point, time without mail.

Sentences hold text from outside (a refusal, a subject) unchanged: who prints them makes it safe.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from reports.durations import clock_text, count_text, duration_text, exact_duration_text, size_text
from reports.model import ProtectionResult, Result, ScenarioReference
from reports.records import Loss
from reports.recoveries import Point, Recovery
from reports.verdicts import ThresholdResult, Verdict

REFUSALS_SHOWN = 3


def when_text(scenario: ScenarioReference, time_s: float) -> str:
    """An instant of the run on the clock of the scenario: 'at 10:30'; else 'after 30 min'."""
    try:
        start = dt.datetime.fromisoformat(scenario.starts_at)
    except ValueError:
        return f"after {duration_text(time_s)}"
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"at {clock_text((start - midnight).total_seconds() + time_s)}"


def value_text(value: float | None, unit: str) -> str:
    """A threshold's observed value with its unit."""
    if value is None:
        return "none"
    if unit == "s":
        return exact_duration_text(value)
    if unit == "share":
        return f"{value * 100:.6g} %"
    return size_text(value) if unit == "bytes" else f"{value:,.10g}"


def interval_text(threshold: ThresholdResult) -> str:
    """Between which values the true one lies, empty where the observed one is exact."""
    if threshold.low is None and threshold.high is None:
        return ""
    low, high = threshold.low, threshold.high
    if low is None:
        return f"up to {value_text(high, threshold.unit)}"
    if high is None:
        return f"{value_text(low, threshold.unit)} or more"
    return f"{value_text(low, threshold.unit)} to {value_text(high, threshold.unit)}"


def strictness_note(thresholds: Sequence[ThresholdResult]) -> str:
    """The sentence that says whether the limit itself passes, empty when no threshold asks it."""
    strict = any(threshold.is_strict for threshold in thresholds)
    return "'<' and '>' are strict: a value equal to the limit misses it." if strict else ""


def answer_text(verdict: Verdict, thresholds: tuple[ThresholdResult, ...]) -> str:
    """A verdict as an answer: '2 of 3 targets met, 1 missed'."""
    if not thresholds:
        return "No target was set"
    number = len(thresholds)
    met = sum(item.verdict is Verdict.MET for item in thresholds)
    if met == number and verdict is Verdict.MET:
        return f"{count_text(number, 'target')} met" if number == 1 else f"All {number} targets met"
    told = [f"{met} of {count_text(number, 'target')} met"]
    told += [
        f"{count} {other.value.replace('_', ' ')}"
        for other in (Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED)
        if (count := sum(item.verdict is other for item in thresholds))
    ]
    if met == number:
        told.append("but a fault did not fire")
    return ", ".join(told)


def recovery_sentences(
    result: Result, protection: ProtectionResult, recovery: Recovery
) -> list[str]:
    """What a recovery after a disaster came to, one sentence each."""
    when = when_text(result.scenario, recovery.at_s)
    if recovery.outcome != "recovered":
        return _negative_sentences(result, recovery, when)
    sentences = [f"Disaster {when}: {_headline(protection, recovery)}."]
    if recovery.phantom:
        sentences.append(f"{count_text(recovery.phantom, 'message')} came back but never sent.")
    if recovery.damaged:
        sentences.append(f"{count_text(recovery.damaged, 'message')} came back damaged.")
    flattery_s = recovery.reported_better_than_true_s
    if flattery_s > 0 and recovery.reported_rpo_s is not None:
        sentences.append(
            f"The engine reported an RPO of {duration_text(recovery.reported_rpo_s)}, better than "
            f"the truth by {duration_text(flattery_s)}: the copy held less than it knew."
        )
    return sentences


def _headline(protection: ProtectionResult, recovery: Recovery) -> str:
    parts = []
    if recovery.lost is not None:
        parts.append(_lost_text(protection, recovery.lost))
    if recovery.rpo_s is not None:
        age = f"{duration_text(recovery.rpo_s)} before" if recovery.rpo_s > 0 else "that of"
        reported = ""
        if recovery.reported_rpo_s is not None:
            reported = f" (the engine had reported {duration_text(recovery.reported_rpo_s)})"
        parts.append(f"newest recovered point {age} the disaster{reported}")
    if recovery.rto_s is not None:
        parts.append(f"mail was back after {duration_text(recovery.rto_s)}")
    return "; ".join(parts)


def _lost_text(protection: ProtectionResult, lost: Loss) -> str:
    total = f"{protection.acknowledged.messages:,}"
    if lost.messages == 0:
        return f"lost no message of {total}"
    amount = size_text(lost.bytes)
    if lost.logs:
        amount += f", {count_text(lost.logs, 'log file')}"
    return f"lost {count_text(lost.messages, 'message')} of {total} ({amount})"


def _negative_sentences(result: Result, recovery: Recovery, when: str) -> list[str]:
    refusal = recovery.refusal.strip().rstrip(".")
    cause = recovery.cause.capitalize()
    sentences = [f"{cause} {when}: the recovery was {_outcome_text(recovery)}: {refusal}."]
    if recovery.nearest:
        points = ", ".join(_point_text(result, recovery, point) for point in recovery.nearest)
        sentences.append(f"Nearest points: {points}.")
    return sentences


def _outcome_text(recovery: Recovery) -> str:
    return "refused" if recovery.outcome == "refused" else "a failure"


def _point_text(result: Result, recovery: Recovery, point: Point) -> str:
    kind = "application-consistent" if point.consistency == "app" else "any write"
    when = when_text(result.scenario, point.time_s)
    age_s = recovery.at_s - point.time_s
    relation = f"{duration_text(abs(age_s))} {'before' if age_s >= 0 else 'after'}"
    return f"{kind} {when} ({relation}, sequence {point.sequence:,})"


def drill_sentences(result: Result, protection: ProtectionResult) -> list[str]:
    """What the drills came to: one sentence for each class that was tried, and each refusal."""
    drills = [recovery for recovery in protection.recoveries if recovery.cause == "drill"]
    sentences = []
    for consistency in sorted({drill.consistency for drill in drills}):
        tried = [drill for drill in drills if drill.consistency == consistency]
        sentences.append(_drills_sentence(consistency, tried))
    negative = [drill for drill in drills if drill.outcome != "recovered"]
    for drill in negative[:REFUSALS_SHOWN]:
        when = when_text(result.scenario, drill.at_s)
        sentences += _negative_sentences(result, drill, when)
    if len(negative) > REFUSALS_SHOWN:
        sentences.append(f"And {len(negative) - REFUSALS_SHOWN} more that did not recover.")
    return sentences


def _drills_sentence(consistency: str, drills: Sequence[Recovery]) -> str:
    outcomes = Counter(drill.outcome for drill in drills)
    name = "application-consistent" if consistency == "app" else "any-point"
    counted = count_text(len(drills), f"{name} drill")
    if outcomes["recovered"] == len(drills):
        parts = [f"{counted}, all recovered"]
    else:
        shares = [f"{outcomes[kind]} {kind}" for kind in ("recovered", "refused", "failed")]
        parts = [f"{counted}: {', '.join(shares)}"]
    ages_s = [drill.rpo_s for drill in drills if drill.rpo_s is not None]
    if ages_s:
        parts.append(f"worst RPO {duration_text(max(ages_s))}")
    losses = [drill.lost.messages for drill in drills if drill.lost is not None]
    if losses:
        parts.append(
            f"at most {count_text(max(losses), 'message')} lost"
            if max(losses)
            else "no message lost"
        )
    bad = sum(drill.phantom + drill.damaged for drill in drills)
    if bad:
        parts.append(f"{count_text(bad, 'message')} damaged or never sent")
    return "; ".join(parts) + "."
