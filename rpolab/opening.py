"""Opens a recovered image as an administrator would: check, recover, mount, compare.

Nothing is believed: every page's checksum is verified, soft recovery must end clean, the
database is mounted, and every message in it is compared with the ledger.
"""

from dataclasses import dataclass

from emulators.ese.errors import ese_error
from emulators.ese.file_set import CountingFiles, FileCounts, MemoryFiles
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.soft_recovery import RecoveryReport, soft_recover
from emulators.ese.tools.checksum_mode import check_database
from emulators.exchange.store import Store
from rpolab.comparison import Comparison, compare
from rpolab.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Opened:
    """An image that was opened.

    Attributes:
        report: what soft recovery did.
        comparison: the mail against the ledger.
        verified_bytes: read to verify checksums.
        replay: operations and bytes of soft recovery.
    """

    report: RecoveryReport
    comparison: Comparison
    verified_bytes: int
    replay: FileCounts


def open_image(
    files: MemoryFiles,
    *,
    prefix: str,
    database: str,
    ledger: Ledger,
    time_ns: int,
    wall_ns: int,
) -> Opened:
    """Recover an image and compare its mail with what was acknowledged up to `time_ns`.

    Args:
        files: database, logs and checkpoint; they are changed.
        prefix: base name of the logs.
        database: the database file.
        ledger: the truth.
        time_ns: time of the run up to which messages are expected.
        wall_ns: calendar time, for headers.

    Raises:
        EseError: the image cannot be recovered; which file, and why.
    """
    if not files.exists(database):
        hint = "choose a later point: the database was not there yet"
        raise ese_error(-1811, database, hint)
    verified = verify_database(files, database)
    counted = CountingFiles(files)
    report = soft_recover(counted, prefix, [database], now_ns=wall_ns)
    verify_database(files, database)
    store = Store(open_database(files, database))
    comparison = compare(store, ledger, time_ns)
    if comparison.miscounted:
        where = f"{database}: folder {comparison.miscounted[0]} holds other than it states"
        raise ese_error(-1206, where, "run isinteg, or choose another point")
    return Opened(report, comparison, verified, counted.counts)


def verify_database(files: MemoryFiles, name: str) -> int:
    """Verify the checksum of every page (eseutil /k); return the bytes read.

    Raises:
        EseError: -1206 naming the first bad page.
    """
    summary = check_database(files, name)
    if summary.damaged:
        more = summary.damaged - 1
        where = f"{name}: page {summary.first_bad_pgno} has a bad checksum, and {more} more"
        raise ese_error(-1206, where, "choose another point, or another copy")
    return summary.bytes_read
