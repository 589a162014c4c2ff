"""Drawings in a box that stretches with the page: lines keep their width, text stays outside."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from reports.html.parts import joined, markup

WIDTH = 1_000.0
"""Every drawing is so many units wide, and stretches."""


def drawing(
    key: str, title: str, description: str, height: float, shapes: Iterable[Markup]
) -> Markup:
    """A drawing with its title and description for who cannot see it.

    Args:
        key: an identifier of its own on the page.
        title: what it is.
        description: what it shows.
        height: units; the style sheet gives the real height.
        shapes: what is drawn.
    """
    return markup(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-labelledby="{}-t {}-d"'
        ' focusable="false"><title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>',
        *(number(WIDTH), number(height), key, key, key, title, key, description),
        joined(shapes),
    )


def rectangle(left: float, top: float, width: float, height: float, style: str) -> Markup:
    """A rectangle of a class of the style sheet; never too narrow to be seen."""
    return markup(
        '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>',
        *map(number, (left, top, max(width, 1.0), height)),
        style,
    )


def line(from_x: float, from_y: float, to_x: float, to_y: float, style: str) -> Markup:
    """A straight line."""
    return markup(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>',
        *map(number, (from_x, from_y, to_x, to_y)),
        style,
    )


def path(points: Sequence[tuple[float, float]], style: str, floor: float | None = None) -> Markup:
    """A line through points; closed along a floor where one is given."""
    steps = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    if floor is not None and points:
        first, last = number(points[0][0]), number(points[-1][0])
        steps = f"{first},{number(floor)} {steps} {last},{number(floor)}"
    shape = "polyline" if floor is None else "polygon"
    return markup(f'<{shape} points="{{}}" class="{{}}"/>', steps, style)


def number(value: float) -> str:
    """A coordinate to a tenth of a unit."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")
