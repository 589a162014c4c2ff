"""The steps until mail was back, one after the other, and how the length of each is known."""

from collections.abc import Iterator

from markupsafe import Markup

from reports.clock import Clock
from reports.durations import duration_text
from reports.html import svg
from reports.html.parts import Figure, Part, Table, columns, joined, markup
from reports.losses import source_text, telling_recoveries
from reports.model import ProtectionResult, Result
from reports.recoveries import Recovery, RtoStep

_ROW_HEIGHT = 24.0
_LEGEND = (
    ("measured", "measured in the run"),
    ("sourced", "from a source"),
    ("assumption", "assumption"),
)


def waterfall_parts(result: Result, clock: Clock) -> Iterator[Part]:
    """Yield the waterfall of each recovery after a disaster, or of the longest drill."""
    for place, protection in enumerate(result.protections):
        for number, recovery in enumerate(_timed(protection)):
            key = f"rto-{place}-{number}"
            caption = (
                f"{source_text(protection, recovery)}: {recovery.cause} at "
                f"{clock.text(recovery.at_s)}, mail back "
                f"after {duration_text(sum(step.seconds for step in recovery.rto_steps))}"
            )
            yield Figure(key, caption, _body(recovery, key, caption), _table(recovery))


def _timed(protection: ProtectionResult) -> list[Recovery]:
    timed = [item for item in telling_recoveries(protection) if item.rto_steps]
    if timed:
        return timed
    drills = [item for item in protection.recoveries if item.rto_steps]
    return [max(drills, key=lambda item: item.rto_s or 0.0)] if drills else []


def _body(recovery: Recovery, key: str, caption: str) -> Markup:
    steps = recovery.rto_steps
    total_s = sum(step.seconds for step in steps) or 1.0
    height = _ROW_HEIGHT * len(steps)
    shapes, labels, elapsed_s = [], [], 0.0
    for number, step in enumerate(steps):
        left, width = elapsed_s / total_s, step.seconds / total_s
        top = _ROW_HEIGHT * number
        shapes.append(svg.line(0, top + _ROW_HEIGHT, svg.WIDTH, top + _ROW_HEIGHT, "grid"))
        shapes.append(
            svg.rectangle(
                *(svg.WIDTH * left, top + 4, svg.WIDTH * width, _ROW_HEIGHT - 8),
                f"step {step.basis}",
            )
        )
        labels.append(_label(step))
        elapsed_s += step.seconds
    longest = max(steps, key=lambda step: step.seconds)
    description = f"{len(steps)} steps; the longest is '{longest.step}'"
    return markup(
        '<div class="waterfall" style="--rows:{}"><ol class="steps" aria-hidden="true">{}</ol>'
        '<div class="bars">{}</div></div><p class="legend">{}</p>',
        len(steps),
        joined(labels),
        svg.drawing(key, caption, description, height, shapes),
        joined(markup('<span class="key {}">{}</span> ', *item) for item in _LEGEND),
    )


def _label(step: RtoStep) -> Markup:
    return markup("<li>{} <b>{}</b></li>", step.step, duration_text(step.seconds))


def _table(recovery: Recovery) -> Table:
    rows: list[tuple[str, ...]] = []
    elapsed_s = 0.0
    for step in recovery.rto_steps:
        elapsed_s += step.seconds
        rows.append(
            (
                step.step,
                duration_text(step.seconds),
                duration_text(elapsed_s),
                step.basis,
                step.source,
            )
        )
    return Table(
        "The steps in figures",
        columns("Step", ">Takes", ">Done after", "Known by", "Source"),
        tuple(rows),
    )
