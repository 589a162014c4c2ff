"""The top of the page: the verdict in a word, in sentences, and in the four figures that matter."""

from collections.abc import Iterator
from typing import NamedTuple

from reports.durations import count_text, duration_text
from reports.headline import answer_text, drill_sentences, recovery_sentences
from reports.model import ProtectionResult, Result
from reports.recoveries import Recovery
from reports.study import Study
from reports.verdicts import Verdict


class Tile(NamedTuple):
    """One figure with what it is and what stands behind it."""

    name: str
    figure: str
    behind: str


class Heading(NamedTuple):
    """What a reader who reads no further must know."""

    verdict: Verdict
    answer: str
    title: str
    subtitle: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]


def heading_of_run(result: Result) -> Heading:
    """Return the top of a run's page."""
    sentences = [
        f"{protection.name}: {sentence}" if len(result.protections) > 1 else sentence
        for protection in result.protections
        for sentence in _sentences(result, protection)
    ]
    return Heading(
        result.verdict,
        answer_text(result.verdict, result.thresholds),
        result.scenario.title,
        f"seed {result.seed}, {duration_text(result.simulated_s)} simulated",
        tuple(sentences) or ("Nothing was recovered in this run.",),
        tuple(_tiles(result)),
    )


def heading_of_study(study: Study) -> Heading:
    """Return the top of a study's page."""
    runs = list(study.runs)
    met = sum(run.verdict is Verdict.MET for run in runs)
    cells_met = sum(cell.verdict is Verdict.MET for cell in study.cells)
    sentences = [f"{met:,} of {count_text(len(runs), 'run')} met all of their thresholds."]
    if len(study.cells) > 1:
        sentences.append(
            f"{cells_met} of {len(study.cells)} choices of {', '.join(study.varied)} meet them "
            "over all their runs."
        )
    every = tuple(item for cell in study.cells for item in cell.thresholds)
    return Heading(
        study.verdict,
        answer_text(study.verdict, every),
        study.scenario.title,
        f"{count_text(len(runs), 'run')} in {count_text(len(study.cells), 'cell')}",
        tuple(sentences),
        (),
    )


def _sentences(result: Result, protection: ProtectionResult) -> Iterator[str]:
    for recovery in protection.recoveries:
        if recovery.cause == "disaster":
            yield from recovery_sentences(result, protection, recovery)
    yield from drill_sentences(result, protection)
    if not protection.recoveries:
        yield "Nothing was recovered in this run."


def _tiles(result: Result) -> Iterator[Tile]:
    every = [(item, kept) for kept in result.protections for item in kept.recoveries]
    if not every:
        return
    disasters = [pair for pair in every if pair[0].cause == "disaster"]
    opened = [pair for pair in disasters if pair[0].outcome == "recovered"]
    looked_at = opened or [pair for pair in every if pair[0].outcome == "recovered"]
    where = "after the disaster" if opened else "worst drill"
    yield from _worst_tiles(looked_at, where)
    recovered = sum(item.outcome == "recovered" for item, _ in every)
    refused = sum(item.outcome == "refused" for item, _ in every)
    behind = "opened, and compared message by message"
    if refused:
        behind = f"{refused} refused; those that opened were compared message by message"
    yield Tile("Recoveries", f"{recovered} of {len(every)}", behind)


def _worst_tiles(pairs: list[tuple[Recovery, ProtectionResult]], where: str) -> Iterator[Tile]:
    ages_s = [item.rpo_s for item, _ in pairs if item.rpo_s is not None]
    if ages_s:
        yield Tile("Data loss (RPO)", duration_text(max(ages_s)), where)
    lengths_s = [item.rto_s for item, _ in pairs if item.rto_s is not None]
    if lengths_s:
        yield Tile("Without mail (RTO)", duration_text(max(lengths_s)), _basis_text(pairs))
    losses = [(item.lost.messages, kept) for item, kept in pairs if item.lost is not None]
    if losses:
        lost, kept = max(losses, key=lambda pair: pair[0])
        behind = f"of {kept.acknowledged.messages:,} acknowledged, {where}"
        yield Tile("Messages lost", f"{lost:,}", behind)


def _basis_text(pairs: list[tuple[Recovery, ProtectionResult]]) -> str:
    """How much of the longest recovery was measured."""
    longest = max((item for item, _ in pairs), key=lambda item: item.rto_s or 0.0)
    total_s = sum(step.seconds for step in longest.rto_steps)
    assumed_s = sum(step.seconds for step in longest.rto_steps if step.basis == "assumption")
    return f"{assumed_s / total_s:.0%} of it assumed" if total_s else "no step takes time"
