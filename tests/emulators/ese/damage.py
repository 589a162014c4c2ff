"""Damage to the files of a small run, and what becomes of it: an error, all mail, or less."""

from collections import Counter
from functools import cache
from typing import NamedTuple

from checker import check_recovered
from mail_world import DATABASE, LOG_BYTES, MAILBOXES, World, copy_of, recover_only
from recovery_case import CURRENT, PAGE_BYTES, Case, mail_in

from emulators.ese.errors import EseError
from emulators.ese.formats import log_records
from emulators.ese.formats.log_scan import scan_log
from emulators.ese.formats.page import page_offset
from emulators.ese.running.parameters import Parameters
from emulators.ese.tools.checksum_mode import check_database, checksum_error
from sim.payload import to_bytes
from sim.volume import Kind

TORN_TAIL = 462


class Outcome(NamedTuple):
    """What recovery, `eseutil /k` and a reading of all mail said: the first error, or the mail."""

    code: int | None
    where: str
    mail: dict
    events: tuple

    @property
    def says_torn(self):
        return TORN_TAIL in self.events


def outcome_of(files, *, is_sound=True):
    """Recover damaged files, verify every page, and read all mail.

    A row that other rows refer to may be gone without any error: what is then read is no mail.

    Args:
        files: the files.
        is_sound: whether the structure of a database that is recovered must be so.
    """
    try:
        report = recover_only(files)
        error = checksum_error(DATABASE, check_database(files, DATABASE))
        if error is not None:
            return Outcome(error.code, error.where, {}, ())
        if is_sound:
            check_recovered(files, [DATABASE])
        mail = mail_in(files)
    except EseError as error:
        return Outcome(error.code, error.where, {}, ())
    except LookupError:
        mail = {}
    return Outcome(None, "", mail, tuple(event_id for event_id, _ in report.events))


@cache
def small_world():
    """Four logs of which the first is not needed any more, and pages of several ages."""
    world = World(parameters=Parameters(checkpoint_depth_bytes=LOG_BYTES), mailboxes=MAILBOXES[:1])
    world.spawn(world.drip(5, 9000, every_ms=20))
    world.run(1)
    world.spawn(world.drip(10, 330_000, every_ms=100))
    world.run(3)
    world.spawn(world.drip(12, 1500, every_ms=10))
    world.run(1)
    return world


@cache
def _whole():
    world = small_world()
    files = world.files()
    undamaged = outcome_of(copy_of(files))
    assert undamaged.code is None
    assert len(undamaged.mail) == len(world.acknowledged) == 27
    return files, world.ledger(), undamaged.mail


def whole_mail():
    """Return what recovery brings back without damage."""
    return _whole()[2]


def fresh_case():
    """Return the undamaged files, to be damaged."""
    files, ledger, _ = _whole()
    return Case(files, ledger)


def written_pages():
    """Return every version of every page that was written, oldest first, by page number."""
    versions = {}
    for operation in small_world().operations:
        is_page = operation.file == DATABASE and operation.offset >= 2 * PAGE_BYTES
        if operation.kind is Kind.WRITE and is_page:
            image = to_bytes(operation.payload)
            for start in range(0, len(image), PAGE_BYTES):
                pgno = (operation.offset + start) // PAGE_BYTES - 1
                versions.setdefault(pgno, []).append(image[start : start + PAGE_BYTES])
    return versions


def put_page(case, pgno, image):
    case.files.write(DATABASE, page_offset(pgno, PAGE_BYTES), image)


def pages_in_replayed_logs(case):
    """Return how many records of the logs to be replayed touch each page."""
    touched = Counter()
    for name in case.files.names():
        if not name.endswith(".log"):
            continue
        content = case.files.read(name, 0, case.files.size(name))
        generation = int.from_bytes(content[4:8], "little")
        if generation < case.first:
            continue
        scan = scan_log(content, generation)
        for _, offset in scan.records():
            record, _ = log_records.decode(scan.buffer, offset)
            for field in ("pgno", "pgno_new", "pgno_right", "pgno_parent"):
                touched[getattr(record, field, 0)] += 1
    return touched


def last_flush_of(case):
    """Return from which offset on the current log was written by its last flush."""
    offsets = [
        operation.offset
        for operation in small_world().operations
        if operation.kind is Kind.WRITE and operation.file == CURRENT
    ]
    return offsets[-1]
