"""The retention window of each copy and class: what can be recovered, and why the rest cannot."""

from collections.abc import Iterator

from markupsafe import Markup

from reports.clock import Clock
from reports.copies import Coverage
from reports.durations import duration_text
from reports.html import svg
from reports.html.parts import Figure, Part, Table, columns, joined, markup
from reports.html.targets import CLASS_NAMES
from reports.model import Result

_HEIGHT = 24.0
_ROWS_MAX = 40
_SLIVER = 0.02


def coverage_parts(result: Result, clock: Clock) -> Iterator[Part]:
    """Yield the map of all copies and classes over the time of the run."""
    rows = [
        (protection.name if column is protection else f"{protection.name}@{column.name}", coverage)
        for protection in result.protections
        for column in protection.columns
        for coverage in column.coverage
    ]
    if not rows:
        return
    end_s = max(coverage.to_s for _, coverage in rows)
    start_s = min(0.0, *(coverage.from_s for _, coverage in rows))
    strips = joined(
        _strip(name, coverage, (start_s, end_s), clock, f"coverage-{number}")
        for number, (name, coverage) in enumerate(rows[:_ROWS_MAX])
    )
    ends = markup(
        '<div class="ends"><span>{}</span><span>{}</span></div>',
        *(clock.text(start_s), clock.text(end_s)),
    )
    legend = markup(
        '<p class="legend"><span class="key recoverable">recoverable</span> '
        '<span class="key gap">no point</span> <span class="key outside">not kept</span></p>'
    )
    body = markup('<div class="coverage">{}{}</div>{}', strips, ends, legend)
    table = _table(rows, clock)
    yield Figure("coverage-map", "What can be recovered, by copy and class", body, table)


def _strip(
    name: str, coverage: Coverage, axis: tuple[float, float], clock: Clock, key: str
) -> Markup:
    start_s, end_s = axis
    length_s = max(end_s - start_s, 1e-9)

    def x(time_s: float) -> float:
        return svg.WIDTH * min(1.0, max(0.0, (time_s - start_s) / length_s))

    left, right = x(coverage.from_s), x(coverage.to_s)
    shapes = [
        svg.line(0, _HEIGHT / 2, svg.WIDTH, _HEIGHT / 2, "outside"),
        svg.rectangle(left, 2, right - left, _HEIGHT - 4, "recoverable"),
        *(
            svg.rectangle(x(gap.from_s), 0, x(gap.to_s) - x(gap.from_s), _HEIGHT, "gap")
            for gap in coverage.gaps
        ),
    ]
    title = f"{name}, {CLASS_NAMES[coverage.consistency]}"
    told = f"{coverage.share:.2%} of {clock.span_text(coverage.from_s, coverage.to_s)}"
    told += _main_reason(coverage)
    return markup(
        '<div class="strip"><p class="label">{} <span>{}</span></p>{}</div>',
        *(title, told),
        svg.drawing(key, title, told, _HEIGHT, shapes),
    )


def _main_reason(coverage: Coverage) -> str:
    """Why the longest gap is one, where it is more than a sliver of the window."""
    longest = max(coverage.gaps, key=lambda gap: gap.to_s - gap.from_s, default=None)
    if longest is None or longest.to_s - longest.from_s < _SLIVER * coverage.window_s:
        return ""
    return f"; {longest.why}" if longest.why else ""


def _table(rows: list[tuple[str, Coverage]], clock: Clock) -> Table:
    cells = tuple(
        (
            name,
            CLASS_NAMES[coverage.consistency],
            clock.span_text(coverage.from_s, coverage.to_s),
            f"{coverage.share:.2%}",
            duration_text(coverage.recoverable_s),
            _gaps_text(coverage, clock),
        )
        for name, coverage in rows
    )
    names = columns("Copy", "Class", "Window", ">Recoverable", ">In all", "~Not, because")
    return Table("The coverage in figures", names, cells)


def _gaps_text(coverage: Coverage, clock: Clock) -> str:
    told = [
        f"{clock.span_text(gap.from_s, gap.to_s)}{f': {gap.why}' if gap.why else ''}"
        for gap in coverage.gaps[:5]
    ]
    if len(coverage.gaps) > len(told):
        told.append(f"and {len(coverage.gaps) - len(told)} more gaps")
    return "; ".join(told)
