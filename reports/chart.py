"""Small charts in plain characters: RPO over time, and the steps of a recovery as bars."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from reports.durations import duration_text
from reports.records import CurvePoint
from reports.recoveries import RtoStep

_EIGHTHS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII_EIGHTHS = " ...::##"


def column_maxima(points: Sequence[CurvePoint], columns: int) -> list[float]:
    """The highest value of a line through points in each of so many equal parts of its time."""
    assert columns > 0, columns
    if not points:
        return []
    start_s, length_s = points[0][0], points[-1][0] - points[0][0]
    maxima = [0.0] * columns
    if length_s <= 0:
        return [max(value for _, value in points)] * columns
    edges_s = [start_s + length_s * column / columns for column in range(columns + 1)]
    for (from_s, from_value), (to_s, to_value) in pairwise(points):
        if to_s <= from_s:
            continue  # a drop: its ends belong to the lines on either side
        first = min(columns - 1, int((from_s - start_s) * columns / length_s))
        last = min(columns - 1, math.ceil((to_s - start_s) * columns / length_s) - 1)
        for column in range(first, max(first, last) + 1):
            left_s, right_s = max(from_s, edges_s[column]), min(to_s, edges_s[column + 1])
            for time_s in (left_s, right_s):
                value = _interpolated(time_s, from_s, from_value, to_s, to_value)
                maxima[column] = max(maxima[column], value)
    return maxima


def _interpolated(
    time_s: float, from_s: float, from_value: float, to_s: float, to_value: float
) -> float:
    share = min(1.0, max(0.0, (time_s - from_s) / (to_s - from_s)))
    return from_value + share * (to_value - from_value)


def rpo_chart(
    points: Sequence[CurvePoint],
    *,
    columns: int,
    rows: int,
    left: str,
    right: str,
    ascii_only: bool = False,
) -> list[str]:
    """Lines of a bar chart of RPO over time; each bar is the highest RPO of its part.

    Args:
        points: the curve, as a result holds it.
        columns: width of the plot without its axis.
        rows: height of the plot without its axis.
        left: label of the run's start.
        right: label of the run's end.
        ascii_only: draw with ASCII characters.
    """
    maxima = column_maxima(points, columns)
    top = max(maxima, default=0.0)
    if top <= 0:
        return []
    label = duration_text(top)
    blocks = _ASCII_EIGHTHS if ascii_only else _EIGHTHS
    wall = "|" if ascii_only else "\u2502"
    lines = []
    for row in range(rows, 0, -1):
        axis = label if row == rows else "0 s" if row == 1 else ""
        bars = "".join(_block(value / top * rows - (row - 1), blocks) for value in maxima)
        lines.append(f"{axis:>{len(label)}} {wall}{bars}".rstrip())
    gap = " " * max(1, columns - len(left) - len(right))
    lines.append(f"{'':>{len(label)}}  {left}{gap}{right}")
    return lines


def _block(fill: float, blocks: str) -> str:
    """The character for a cell filled by a share; a cell that is touched at all shows it."""
    if fill <= 0:
        return blocks[0]
    return blocks[min(len(blocks) - 1, max(1, round(fill * (len(blocks) - 1))))]


def step_bars(steps: Sequence[RtoStep], columns: int, *, ascii_only: bool = False) -> Iterator[str]:
    """One bar for each step of a recovery, beginning where the step before ends."""
    total_s = sum(step.seconds for step in steps)
    mark = "#" if ascii_only else "\u2588"
    thin = "|" if ascii_only else "\u258f"
    elapsed_s = 0.0
    for step in steps:
        if total_s <= 0:
            yield ""
            continue
        start = min(columns - 1, round(elapsed_s / total_s * columns))
        elapsed_s += step.seconds
        length = round(elapsed_s / total_s * columns) - start
        yield " " * start + (mark * length if length > 0 else thin)
