"""isinteg: does a store agree with itself (exchange.md 2.4)?

It reads a clean database file, compares what its tables state about each other, and with `fix`
repairs what is wrong in a copy that then takes the file's place.

Fault model: what isinteg finds is what no log can have caused, as every operation of the store is
one transaction: damage that kept its checksum, a repair that dropped rows, or a defect of a store.

What it is blind to, as the product's is: everything on which the tables agree. A database that was
rolled back as a whole, because logs are lost or an older image was mounted, agrees with itself: a
clean run is no evidence that no mail is lost. Nor does it look at bytes of text that changed under
a right checksum, at messages moved to a wrong folder of a right mailbox, or at what pages hold
beside rows (that is `eseutil /g`). Tests of the product whose tables this store does not have are
refused by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.detection import detect_database
from emulators.ese.formats.values import Lgpos
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.opened import open_database
from emulators.ese.trees.database import Database
from emulators.ese.trees.editor import Editor
from emulators.ese.trees.space import Space
from emulators.ese.trees.transaction import Transaction
from emulators.exchange.isinteg_tests import TESTS, Finding, IntegrityTest, Rows
from emulators.exchange.store import Store

COPY_SUFFIX = ".isinteg"
_COPY_BYTES = 1 << 24

TESTS_WITHOUT_TABLES = (
    "search",
    "delfld",
    "fldrcv",
    "fldsub",
    "msgsoftref",
    "acllist",
    "acllistref",
    "aclitemref",
    "newsfeed",
    "newsfeedref",
    "oofhist",
    "dumpsterprops",
    "namedprop",
    "timedev",
    "artidx",
    "searchq",
    "dlvrto",
    "deleteextracolumns",
    "allacltests",
)
"""Tests of the product (ISI07) for which this store has no tables."""

GROUPS = {"allfoldertests": ("folder",), "alltests": tuple(test.name for test in TESTS)}


Clock: TypeAlias = Callable[[], float]


def _no_clock() -> float:
    return 0.0


@dataclass(slots=True)
class IntegrityResult:
    """What one test found."""

    name: str
    rows: int
    errors: int = 0
    fixes: int = 0
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)


class UnknownTest(LookupError):  # noqa: N818 - named by what the reader got wrong
    """There is no such test, or this store has no tables for it."""


def tests_named(names: Sequence[str]) -> tuple[IntegrityTest, ...]:
    """Return the tests of those names and groups, in the order in which they are made.

    Raises:
        UnknownTest: a name is not one of them; the message says which.
    """
    wanted: set[str] = set()  # only asked, never walked through
    known = {test.name for test in TESTS}
    for name in names:
        lower = name.lower()
        if lower in TESTS_WITHOUT_TABLES:
            raise UnknownTest(f"the emulated store has no tables for the test '{lower}'")
        if lower not in GROUPS and lower not in known:
            there_are = ", ".join([*(test.name for test in TESTS), *GROUPS])
            raise UnknownTest(f"there is no test '{name}': there are {there_are}")
        wanted.update(GROUPS.get(lower, (lower,)))
    return tuple(test for test in TESTS if test.name in wanted)


def check(
    files: FileSet, name: str, tests: Sequence[IntegrityTest], *, elapsed_s: Clock = _no_clock
) -> list[IntegrityResult]:
    """Test a database file; nothing is changed. `elapsed_s` says how long it has taken so far.

    Raises:
        EseError: -550 when it was not shut down cleanly, or what damage it has.
    """
    store = _store_of(open_database(files, name, detect_database(files, name)), name)
    rows = Rows.of(store)
    return [_made(test, rows, None, elapsed_s) for test in tests]


def fix(
    files: FileSet, name: str, tests: Sequence[IntegrityTest], *, elapsed_s: Clock = _no_clock
) -> list[IntegrityResult]:
    """Test a database file and repair it; each test sees what those before it have repaired.

    The repairs are made in a copy beside the file, which takes its place when all is on disk. To
    be repeated until nothing is found, as a repair may show what it had hidden.

    Raises:
        EseError: -550 when it was not shut down cleanly, or what damage it has; the file is then
            as it was.
    """
    copy = name + COPY_SUFFIX
    open_database(files, name, detect_database(files, name))
    _copy(files, name, copy)
    try:
        results = _fix_copy(files, copy, tests, elapsed_s)
    except BaseException:
        files.delete(copy)
        raise
    if any(result.fixes for result in results):
        files.delete(name)
        files.rename(copy, name)
    else:
        files.delete(copy)
    return results


def _fix_copy(
    files: FileSet, name: str, tests: Sequence[IntegrityTest], elapsed_s: Clock
) -> list[IntegrityResult]:
    offline = OfflineDatabase(files, name, detect_database(files, name))
    position = offline.header.consistent

    def unlogged(_record: bytes) -> Lgpos:
        return position

    editor = Editor(offline.cache, unlogged, offline.header.dbtime)
    space = Space(offline.cache, editor, offline.grow)
    store = _store_of(Database(offline.cache, editor, space), name)
    numbers = count(1)

    def repair(finding: Finding) -> None:
        transaction = Transaction(editor, next(numbers))
        finding.repair(transaction)
        transaction.commit()

    results = [_made(test, Rows.of(store), repair, elapsed_s) for test in tests]
    offline.write_pages(position.generation)
    offline.shut_down_clean(position, offline.header.consistent_time, editor.dbtime)
    return results


def _made(
    test: IntegrityTest, rows: Rows, repair: Callable[[Finding], None] | None, elapsed_s: Clock
) -> IntegrityResult:
    """Make one test, and repair what it finds."""
    began_s = elapsed_s()
    findings = list(test.find(rows))
    if repair is not None:
        for finding in findings:
            repair(finding)
    result = IntegrityResult(test.name, rows.count(test.table), len(findings))
    result.fixes = 0 if repair is None else len(findings)
    result.lines = [finding.text for finding in findings]
    result.seconds = elapsed_s() - began_s
    return result


def _store_of(database: Database, name: str) -> Store:
    try:
        return Store(database)
    except KeyError as missing:
        hint = "name the database of a mailbox store"
        raise ese_error(-1305, f"{name}: there is no table {missing}", hint) from None


def _copy(files: FileSet, name: str, copy: str) -> None:
    size = files.size(name)
    files.create(copy)
    for offset in range(0, size, _COPY_BYTES):
        files.write(copy, offset, files.read(name, offset, min(_COPY_BYTES, size - offset)))
