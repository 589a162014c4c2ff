"""A page on a terminal, in a pipe or in a log, and the parts that all reports are made of."""

from collections.abc import Callable
from typing import TextIO

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports.text import printable
from reports.verdicts import Verdict

STYLES = {
    Verdict.MET: "bold green",
    Verdict.MISSED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.NOT_EXERCISED: "bold magenta",
}


def verdict_text(verdict: Verdict) -> str:
    """A verdict in words: 'not exercised'."""
    return verdict.value.replace("_", " ")


def print_sheet(
    draw: Callable[[Console], None], *, file: TextIO | None = None, width: int | None = None
) -> None:
    """Prints a page, in colour where the file is a terminal that has it.

    Args:
        draw: puts the page on a console.
        file: where to; standard output when left out.
        width: columns; the terminal's own, or 80 in a pipe, when left out.
    """
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        draw(console)
        return
    with console.capture() as capture:
        draw(console)
    lines = (line.rstrip() for line in capture.get().splitlines())
    console.file.write("\n".join(lines) + "\n")


class Sheet:
    """Lines, headings and tables on one console; text that came from outside is made safe."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def text(self, text: str, style: str = "") -> Text:
        """Text that can be printed as it is."""
        return Text(printable(text, self.console.encoding), style=style)

    def verdict(self, verdict: Verdict) -> Text:
        """A verdict in its colour."""
        return self.text(verdict_text(verdict), STYLES[verdict])

    def line(self, text: str, style: str = "", indent: int = 2) -> None:
        """Prints a sentence, folded with an indent."""
        self.console.print(Padding(self.text(text, style), (0, 0, 0, indent), expand=False))

    def heading(self, text: str) -> None:
        """Prints the heading of a part, after an empty line."""
        self.console.print()
        self.console.print(self.text(text, "bold"))

    def table(self, *columns: tuple[str, str]) -> Table:
        """A table without lines; each column is its name and 'right', 'bar' or ''."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name, justify in columns:
            if justify == "bar":
                table.add_column(name, no_wrap=True, overflow="crop")
            else:
                side: JustifyMethod = "right" if justify == "right" else "left"
                table.add_column(name, justify=side, overflow="fold")
        return table

    def print_table(self, table: Table) -> None:
        """Prints a table with an indent."""
        self.console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def command(self, text: str) -> None:
        """Prints what is to be copied as one line: it is not folded."""
        self.console.print(self.text(text), soft_wrap=True)
