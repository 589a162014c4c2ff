"""Headings, lines and tables on a terminal, in a pipe, or in a log.

Text from outside passes `printable` and is never read as markup; a pipe gets no trailing blanks.
"""

from collections.abc import Callable, Sequence
from typing import TextIO

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports.text import printable

_PIPE_COLUMNS = 120
Rows = Sequence[Sequence[str | Text]]


class Page:
    """A place to print to."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def ascii_only(self) -> bool:
        """Whether the output's encoding lacks bars and dashes."""
        return not self._console.encoding.lower().startswith("utf")

    def heading(self, text: str) -> None:
        """Prints a heading, set off from what is above it."""
        self._console.print()
        self._console.print(self.text(text, "bold"))

    def line(self, text: str, style: str = "") -> None:
        """Prints a line; a terminal folds it where it is too long, a pipe has it whole."""
        if self._console.is_terminal:
            self._console.print(Padding(self.text(text, style), (0, 0, 0, 2), expand=False))
        else:
            self._console.print(self.text(f"  {text}", style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Rows) -> None:
        """Prints a table; a column whose name ends in '>' has its values on the right."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in columns:
            side: JustifyMethod = "right" if name.endswith(">") else "left"
            table.add_column(name.removesuffix(">"), justify=side, overflow="fold")
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else self.text(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def text(self, text: str, style: str = "") -> Text:
        """Text from outside, safe to print."""
        return Text(printable(text, self._console.encoding), style=style)


def print_page(
    write: Callable[[Page], None], *, file: TextIO | None = None, width: int | None = None
) -> None:
    """Prints a page, in colour where the file is a terminal that has it.

    Args:
        write: puts everything on the page.
        file: where to; standard output when left out.
        width: columns; the terminal's own, or 120 in a pipe, when left out.
    """
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        write(Page(console))
        return
    if width is None:
        console.width = max(_PIPE_COLUMNS, console.width)
    with console.capture() as capture:
        write(Page(console))
    lines = (line.rstrip() for line in capture.get().splitlines())
    console.file.write("\n".join(lines).lstrip("\n") + "\n")
