"""Opens a recovered storage group as an administrator would: check, recover, mount, compare.

Nothing is believed: every page's checksum is verified, soft recovery must end clean, each database
is mounted, and every message in it is compared with the database's ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emulators.ese.errors import ese_error
from emulators.ese.file_set import CountingFiles, FileCounts, MemoryFiles
from emulators.ese.formats.format import EXCHANGE_2007, Format
from emulators.ese.recovery.opened import open_database
from emulators.ese.recovery.report import RecoveryReport
from emulators.ese.recovery.soft_recovery import soft_recover
from emulators.ese.tools.checksum_mode import check_database
from emulators.exchange.store import Store
from reports import Finding
from rpolab.checking import Checking
from rpolab.laboratory.comparison import Comparison, combined, compare
from rpolab.laboratory.ledger import Ledger

DAMAGED = "the recovered mail differs from what was sent"


@dataclass(frozen=True, slots=True)
class Opened:
    """A storage group that was opened.

    Attributes:
        report: what soft recovery did.
        comparison: the mail of all its databases against their ledgers.
        verified_bytes: read to verify checksums.
        replay: operations and bytes of soft recovery.
        findings: what checkers found beside the ledger.
    """

    report: RecoveryReport
    comparison: Comparison
    verified_bytes: int
    replay: FileCounts
    findings: tuple[Finding, ...] = ()

    @property
    def is_damaged(self) -> bool:
        """Whether its mail is not as it may be delivered."""
        return bool(self.damage)

    @property
    def damage(self) -> str:
        """In what it differs from what was sent, or why a checker refuses it; else nothing."""
        if self.comparison.damaged or self.comparison.phantom:
            return DAMAGED
        refused = [finding for finding in self.findings if finding.refuses]
        if not refused:
            return ""
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        return f"the checker '{refused[0].checker}' refuses it: {refused[0].text}{more}"


def open_image(
    files: MemoryFiles,
    *,
    prefix: str,
    ledgers: Mapping[str, Ledger],
    time_ns: int,
    point_ns: int,
    wall_ns: int,
    file_format: Format = EXCHANGE_2007,
    checkers: Sequence[Checking] = (),
) -> Opened:
    """Recover a storage group, and compare its mail with what was acknowledged up to `time_ns`.

    Args:
        files: databases, logs and checkpoint of the group; they are changed.
        prefix: base name of the logs.
        ledgers: the files of the group's databases, and the truth about each.
        time_ns: time of the run up to which messages are expected.
        point_ns: source time of the point that the files are of.
        wall_ns: calendar time, for headers.
        file_format: sizes and versions of the files.
        checkers: what else looks at the mail of each database.

    Raises:
        EseError: the group cannot be recovered; which file, and why.
    """
    for database in ledgers:
        if not files.exists(database):
            hint = "choose a later point: the database was not there yet"
            raise ese_error(-1811, database, hint)
    verified = sum(verify_database(files, database, file_format) for database in ledgers)
    counted = CountingFiles(files)
    report = soft_recover(counted, prefix, list(ledgers), now_ns=wall_ns, log_format=file_format)
    comparisons: list[Comparison] = []
    findings: list[Finding] = []
    for database, ledger in ledgers.items():
        verify_database(files, database, file_format)
        store = Store(open_database(files, database, file_format))
        comparisons.append(_compared(store, database, ledger, time_ns, point_ns))
        for checking in checkers:
            findings += checking.findings(database, store)
    return Opened(report, combined(comparisons), verified, counted.counts, tuple(findings))


def verify_database(files: MemoryFiles, name: str, file_format: Format = EXCHANGE_2007) -> int:
    """Verify the checksum of every page (eseutil /k); return the bytes read.

    Raises:
        EseError: -1206 naming the first bad page.
    """
    summary = check_database(files, name, file_format)
    if summary.damaged:
        more = summary.damaged - 1
        where = f"{name}: page {summary.first_bad_pgno} has a bad checksum, and {more} more"
        raise ese_error(-1206, where, "choose another point, or another copy")
    return summary.bytes_read


def _compared(
    store: Store, database: str, ledger: Ledger, time_ns: int, point_ns: int
) -> Comparison:
    comparison = compare(store, ledger, time_ns, point_ns)
    if comparison.miscounted:
        where = f"{database}: folder {comparison.miscounted[0]} holds other than it states"
        raise ese_error(-1206, where, "run isinteg, or choose another point")
    return comparison
