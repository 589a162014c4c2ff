"""What a page is made of: sections of prose, tables and figures.

Text in them is plain and comes from anywhere; the templates make it safe. Markup is this package's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from markupsafe import Markup

from reports.text import printable
from reports.verdicts import Verdict

Cell: TypeAlias = str | Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: figures stand at its end, and long words of text may be broken.

    At the side stand several figures in one cell, which may take several lines.
    """

    label: str
    style: Literal["start", "end", "side", "text"] = "start"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first cell of each row is the row's name."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.caption


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, what it shows in a sentence, and the table of the same figures."""

    key: str
    caption: str
    body: Markup
    table: Table | None = None
    note: str = ""
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences, each its own paragraph."""

    sentences: tuple[str, ...]
    tone: Literal["", "note", "warning"] = ""
    kind: ClassVar[str] = "prose"


@dataclass(frozen=True, slots=True)
class Command:
    """A command to copy."""

    text: str
    kind: ClassVar[str] = "command"


Part: TypeAlias = Table | Figure | Prose | Command


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page with its own address (`#key`)."""

    key: str
    title: str
    parts: tuple[Part, ...] = field(default=())


_STYLES: dict[str, Literal["end", "side", "text"]] = {">": "end", "|": "side", "~": "text"}


def columns(*labels: str) -> tuple[Column, ...]:
    """Columns by their labels.

    After '>' one of figures, after '|' of several in a cell, after '~' one of text from outside.
    """
    return tuple(map(_column, labels))


def _column(label: str) -> Column:
    style = _STYLES.get(label[0])
    return Column(label) if style is None else Column(label[1:], style)


def markup(template: str, *values: object) -> Markup:
    """Markup with values filled in: what is not markup itself is made safe."""
    return Markup(template).format(*map(safe, values))  # noqa: S704 - the template is ours


def safe(value: object) -> object:
    """A value for a page: control characters of text become visible escapes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def joined(pieces: Iterable[Markup]) -> Markup:
    """Pieces of markup one after the other."""
    return Markup().join(pieces)


_SIGNS = {
    Verdict.MET: "\u2713",
    Verdict.MISSED: "\u2715",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_EXERCISED: "\u2013",
}


def verdict_chip(verdict: Verdict) -> Markup:
    """A verdict as a word with a sign; its colour only repeats it."""
    return markup(
        '<span class="chip {}"><span aria-hidden="true">{}</span> {}</span>',
        verdict.value,
        _SIGNS[verdict],
        verdict.value.replace("_", " "),
    )
