"""What isinteg prints.

The line of each test is that of Exchange 2000 to 2007 as remembered, an assumption; the summary is
that of 5.5, which is sourced (exchange.md 2.4, KBARC Q254230).
"""

from collections.abc import Sequence

from emulators.exchange.isinteg import IntegrityResult

_NAMES = {
    "folder": "Folder",
    "peruser": "Per-User Read",
    "attach": "Attachment",
    "morefld": "More Folder",
    "msgref": "Message Reference",
    "attachref": "Attachment Reference",
    "message": "Message",
    "dumpsterref": "Dumpster Reference",
    "rowcounts": "Row Counts",
    "mailbox": "Mailbox",
}


def report(results: Sequence[IntegrityResult], *, is_verbose: bool = False) -> str:
    """Return the text of a run of isinteg; `is_verbose` shows each thing that is wrong."""
    total = len(results)
    lines = []
    for number, result in enumerate(results, 1):
        share = 100 * number // total
        lines.append(
            f"Now in test  {number}({_NAMES[result.name]}) of total {total} tests; "
            f"{share}% complete."
        )
        if is_verbose:
            lines += [f"  {line}" for line in result.lines]
        lines.append(
            f"Test {_NAMES[result.name]} result: {result.errors} error(s); 0 warning(s); "
            f"{result.fixes} fix(es); {result.rows} row(s); time: {_time(result.seconds)}"
        )
    return "\n".join([*lines, "", *_summary(results)])


def _summary(results: Sequence[IntegrityResult]) -> list[str]:
    seconds = sum(result.seconds for result in results)
    return [
        ". . . . . SUMMARY . . . . .",
        f"Total number of tests : {len(results)}",
        "Total number of warnings : 0",
        f"Total number of errors : {sum(result.errors for result in results)}",
        f"Total number of fixes : {sum(result.fixes for result in results)}",
        f"Total time : {_time(seconds)}",
    ]


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h:{minutes}m:{rest}s"
