"""The run on one time axis: drawn for paper and without JavaScript, and as data for zooming."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markupsafe import Markup

from reports.chart import column_maxima
from reports.clock import Clock
from reports.html import svg
from reports.html.panels import MARK_NAMES, Mark, Panel, Timeline, timeline_of
from reports.html.parts import Figure, Table, columns, joined, markup
from reports.model import Result

_COLUMNS = 500
_PANEL_HEIGHT = 100.0
_LANE_HEIGHT = 40.0
_TABLE_ROWS = 24
_HAPPENED_MAX = 6


def timeline_figure(result: Result, key: str = "curves") -> Figure | None:
    """Return the timeline of a run; nothing where no curve was noted."""
    timeline = timeline_of(result)
    if not timeline.panels:
        return None
    clock = Clock(result.scenario, timeline.length_s)
    body = markup(
        '<div class="timeline" id="{}"><div class="drawn">{}</div>'
        '<script type="application/json" class="data">{}</script></div>',
        key,
        _drawn(timeline, clock, key),
        _data(timeline, clock),
    )
    note = ""
    if timeline.left_out:
        note = f"{timeline.left_out} more curves are in the JSON document."
    caption = "Each curve on its own scale, over one time axis"
    return Figure(key, caption, body, _table(timeline, clock), note)


def _drawn(timeline: Timeline, clock: Clock, key: str) -> Markup:
    ticks = list(clock.ticks(0, timeline.length_s))
    panels = [
        _panel(panel, timeline, clock, ticks, f"{key}-{number}")
        for number, panel in enumerate(timeline.panels)
    ]
    labels = joined(
        markup('<span style="left:{}%">{}</span>', _percent(tick, timeline), clock.text(tick))
        for tick in ticks
    )
    lane = _lane(timeline, clock, ticks, f"{key}-lane")
    return markup('{}{}<div class="ticks">{}</div>', joined(panels), lane, labels)


def _percent(time_s: float, timeline: Timeline) -> str:
    return f"{100 * time_s / timeline.length_s:.2f}"


def _panel(
    panel: Panel, timeline: Timeline, clock: Clock, ticks: Sequence[float], key: str
) -> Markup:
    top = panel.top or 1.0
    points = [
        (_x(time_s, timeline), _PANEL_HEIGHT * (1 - value / top / 1.05))
        for time_s, value in _drawable(panel)
    ]
    shapes = [
        *_bands(timeline, _PANEL_HEIGHT),
        *(_tick_line(tick, timeline, _PANEL_HEIGHT) for tick in ticks),
        svg.path(points, f"area {panel.style}", _PANEL_HEIGHT),
        svg.path(points, f"curve {panel.style}"),
    ]
    highest = f"highest {panel.text(panel.top)} at {clock.text(_when_highest(panel))}"
    drawing = svg.drawing(key, panel.title, highest, _PANEL_HEIGHT, shapes)
    return markup(
        '<div class="panel"><p class="label">{} <span>{}</span></p>{}</div>',
        *(panel.title, highest, drawing),
    )


def _drawable(panel: Panel) -> Sequence[tuple[float, float]]:
    """The curve itself, or where it has too many points the highest of each column."""
    if len(panel.points) <= 2 * _COLUMNS:
        return panel.points
    maxima = column_maxima(panel.points, _COLUMNS)
    start_s, end_s = panel.points[0][0], panel.points[-1][0]
    width_s = (end_s - start_s) / _COLUMNS
    return [(start_s + (column + 0.5) * width_s, high) for column, high in enumerate(maxima)]


def _when_highest(panel: Panel) -> float:
    return max(panel.points, key=lambda point: point[1])[0]


def _x(time_s: float, timeline: Timeline) -> float:
    return svg.WIDTH * min(1.0, max(0.0, time_s / timeline.length_s))


def _bands(timeline: Timeline, height: float) -> Iterator[Markup]:
    for band in timeline.bands:
        left, right = _x(band.from_s, timeline), _x(band.to_s, timeline)
        yield svg.rectangle(left, 0, right - left, height, "band")


def _tick_line(tick: float, timeline: Timeline, height: float) -> Markup:
    x = _x(tick, timeline)
    return svg.line(x, 0, x, height, "grid")


def _lane(timeline: Timeline, clock: Clock, ticks: Sequence[float], key: str) -> Markup:
    """What happened, below the curves: bookmarks short, drills longer, disasters full."""
    shapes = [
        *_bands(timeline, _LANE_HEIGHT),
        *(_tick_line(tick, timeline, _LANE_HEIGHT) for tick in ticks),
        *(_stroke(mark, timeline) for mark in timeline.marks),
    ]
    told = [f"{band.text} {_band_text(band.from_s, band.to_s, clock)}" for band in timeline.bands]
    counts = [
        f"{number} x {name}"
        for kind, name in MARK_NAMES.items()
        if (number := sum(mark.kind == kind for mark in timeline.marks))
    ]
    happened = "; ".join([*told[:_HAPPENED_MAX], *counts]) or "nothing"
    drawing = svg.drawing(key, "Faults, bookmarks and recoveries", happened, _LANE_HEIGHT, shapes)
    return markup(
        '<div class="panel lane"><p class="label">What happened <span>{}</span></p>{}</div>',
        *(happened, drawing),
    )


def _band_text(from_s: float, to_s: float, clock: Clock) -> str:
    return clock.span_text(from_s, to_s) if to_s > from_s else f"at {clock.text(from_s)}"


_STROKE_FROM = {"bookmark": 0.7, "missed": 0.7, "drill": 0.4, "refused": 0.0, "disaster": 0.0}


def _stroke(mark: Mark, timeline: Timeline) -> Markup:
    x = _x(mark.at_s, timeline)
    return svg.line(x, _LANE_HEIGHT * _STROKE_FROM[mark.kind], x, _LANE_HEIGHT, f"mark {mark.kind}")


def _data(timeline: Timeline, clock: Clock) -> Markup:
    """The same for the script: JSON that cannot end the element it stands in."""
    content = {
        "epoch": clock.epoch_s,
        "length": timeline.length_s,
        "panels": [
            {
                "title": panel.title,
                "unit": panel.unit,
                "style": panel.style,
                "t": [round(time_s, 3) for time_s, _ in panel.points],
                "v": [round(value, 3) for _, value in panel.points],
            }
            for panel in timeline.panels
        ],
        "marks": [[round(mark.at_s, 3), mark.kind] for mark in timeline.marks],
        "bands": [[band.from_s, band.to_s, band.text] for band in timeline.bands],
    }
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that could end the element


def _table(timeline: Timeline, clock: Clock) -> Table:
    parts = min(_TABLE_ROWS, max(1, int(timeline.length_s)))
    edges = [timeline.length_s * part / parts for part in range(parts + 1)]
    highest = [_highest_of_parts(panel, edges) for panel in timeline.panels]
    rows = tuple(
        (
            clock.span_text(edges[part], edges[part + 1]),
            *(column[part] for column in highest),
            _happened(timeline, edges[part], edges[part + 1], is_last=part == parts - 1),
        )
        for part in range(parts)
    )
    titles = [f"|{panel.title}, highest" for panel in timeline.panels]
    return Table("The timeline in figures", columns("Time", *titles, "~What happened"), rows)


def _highest_of_parts(panel: Panel, edges: Sequence[float]) -> list[str]:
    """The highest value of each part; the curve's own time may end before the run's."""
    texts = []
    for from_s, to_s in pairwise(edges):
        inside = [value for time_s, value in panel.points if from_s <= time_s <= to_s]
        inside += [value for time_s in (from_s, to_s) for value in _passed(panel, time_s)]
        texts.append(panel.text(max(inside)) if inside else "")
    return texts


def _passed(panel: Panel, time_s: float) -> Iterator[float]:
    """The value of a curve at an instant between two of its points; nothing outside of it."""
    right = bisect_right(panel.points, time_s, key=lambda point: point[0])
    if 0 < right < len(panel.points):
        (from_s, low), (to_s, high) = panel.points[right - 1], panel.points[right]
        yield low + (high - low) * (time_s - from_s) / (to_s - from_s)


def _happened(timeline: Timeline, from_s: float, to_s: float, *, is_last: bool) -> str:
    def is_inside(time_s: float) -> bool:
        return from_s <= time_s < to_s or (is_last and time_s == to_s)

    told = [f"{band.text} begins" for band in timeline.bands if is_inside(band.from_s)]
    told += [
        f"{band.text} ends"
        for band in timeline.bands
        if band.to_s > band.from_s and is_inside(band.to_s)
    ]
    marks = [mark.text for mark in timeline.marks if is_inside(mark.at_s)]
    counted = [
        text if marks.count(text) == 1 else f"{marks.count(text)} x {text}"
        for text in dict.fromkeys(marks)
    ]
    return "; ".join([*told, *counted][:_HAPPENED_MAX])
