"""`eseutil /g`: the structure of a database that was shut down cleanly (exchange.md 2.1).

The sentences are our own; what the original writes into a file of details is printed here.
"""

from emulators.ese.errors import EseError, ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.database_header import read_header
from emulators.ese.formats.format import Format
from emulators.ese.formats.streaming_file import check_files, streaming_line
from emulators.ese.integrity.check import IntegrityReport, check_database
from emulators.ese.maintenance.defragmentation import require_clean
from emulators.ese.tools.dump import Report
from emulators.ese.tools.own_format import own_format
from emulators.ese.tools.progress import ruler

FINDINGS_SHOWN_MAX = 100


def check_integrity(files: FileSet, name: str, file_format: Format | None = None) -> Report:
    """Return the text of `eseutil /g`.

    The error is -550 for a database that was not shut down cleanly, -540 or -1811 for one without
    the streaming file that belongs to it, -1206 for one that breaks a rule, or why it cannot be
    read.
    """
    text = f"        Database: {name}\n"
    begins = "\nChecking database integrity.\n\n"
    try:
        own = own_format(files, name, file_format)
        header = read_header(files, name, own)
    except EseError as error:
        return text + begins, error
    text += streaming_line(name, header) + begins
    try:
        require_clean(files, name, own)
        check_files(files, name, header)
        report = check_database(files, name, own)
    except EseError as error:
        return text, error
    text += ruler("Scanning Status") + "\n" + _figures(report)
    if not report.findings:
        return f"{text}Integrity check successful.\n", None
    count = len(report.findings)
    hint = "restore the database from a copy or a backup; eseutil /p would repair it with losses"
    where = f"{name}: {count} findings, the first is {report.findings[0]}"
    text += f"{_findings(report)}Integrity check completed. The database is damaged.\n"
    return text, ese_error(-1206, where, hint)


def _figures(report: IntegrityReport) -> str:
    lines = [
        f"{table.name}: {table.rows} rows, {table.long_values} long values"
        for table in report.tables
    ]
    if report.leaked:
        lines.append(f"{len(report.leaked)} pages are lost to all trees (no damage; /d frees them)")
    return "".join(f"  {line}\n" for line in lines) + "\n"


def _findings(report: IntegrityReport) -> str:
    shown = [f"  {finding}\n" for finding in report.findings[:FINDINGS_SHOWN_MAX]]
    hidden = len(report.findings) - len(shown)
    if hidden:
        shown.append(f"  and {hidden} more\n")
    return "".join(shown) + "\n"
