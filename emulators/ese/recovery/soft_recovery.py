"""Soft recovery: redo from the checkpoint, then undo, then a clean shutdown (exchange.md 1.4).

Recovery works on files, in order: it reads headers and checkpoint, decides (decision.py), scans,
redoes and undoes the logs in memory, and only then writes. A refusal therefore leaves all files as
they were. While it writes it may be cut at any point and begun again: undo is logged like any
change, pages follow their log records, and a page that nodes were moved from follows the page they
were moved to. A disk that is full is such a cut (R17). Logs that are let go (lost_logs.py) are
removed first of all, while the databases are still as they were.

All dirty databases of the group are recovered in one pass over the logs, and the worst of them
decides; one that is clean is left alone.
"""

from collections.abc import Sequence

from emulators.ese.errors import EseError, ese_error
from emulators.ese.events import Event, event
from emulators.ese.file_set import FileSet
from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, Format, checkpoint_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_scan import LogScan, LogState, scan_log
from emulators.ese.formats.streaming_file import check_files
from emulators.ese.formats.values import Lgpos, LogTime
from emulators.ese.recovery.attachments import ATTACHMENT_RECORDS, Attachments
from emulators.ese.recovery.database_recovery import DatabaseRecovery, require_distinct
from emulators.ese.recovery.decision import Replay, decide, end_before, unusable, worst_of
from emulators.ese.recovery.deferred_files import DeferredFiles
from emulators.ese.recovery.identity import require_no_backup_image, require_own_checkpoint
from emulators.ese.recovery.log_set import LogSet, Problem
from emulators.ese.recovery.lost_logs import begin_new_log, remove_logs
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.recovery.open_transactions import TRANSACTION_RECORDS
from emulators.ese.recovery.quick_redo import DBID_OFFSET, QUICK_RECORDS
from emulators.ese.recovery.report import RecoveryReport

__all__ = ["RecoveryReport", "soft_recover"]


def soft_recover(
    files: FileSet,
    prefix: str,
    databases: Sequence[str],
    *,
    now_ns: int,
    log_format: Format = EXCHANGE_2007,
    lossy: bool = False,
    ignore_missing: bool = False,
) -> RecoveryReport:
    """Bring the databases of a storage group to Clean Shutdown.

    Args:
        files: databases, logs and checkpoint.
        prefix: base name of the logs ('E00').
        databases: the database files of the group.
        now_ns: calendar time, for log records and headers.
        log_format: sizes and versions of the files.
        lossy: go on without committed logs where the databases allow it (/a); what was lost is
            in the report. 2003's engine has no such switch.
        ignore_missing: go on without databases that the logs name and that are not there (/i).

    Raises:
        EseError: with the code of the table in exchange.md 1.4, or -1018 for a bad page: nothing
            was written then. -1808 or -529 when a disk became full: recover again when there is
            room. Its `events` are all that led to it.
    """
    if lossy and not log_format.has_waypoint:
        hint = "without lost log resilience every log is required: recover to another point"
        raise ese_error(-1003, f"/a: {log_format.name} does not have this switch", hint)
    found = _open_databases(files, databases, log_format)
    dirty = [database for database in found if not database.header.is_clean]
    if not dirty:
        _require_log_size(files, prefix, log_format)
        return RecoveryReport((), 0, 0, 0, 0, 0)
    clean = [database for database in found if database.header.is_clean]
    recovery = _Recovery(files, prefix, dirty, clean, log_format, LogTime.from_ns(now_ns))
    try:
        return recovery.run(lossy=lossy, ignore_missing=ignore_missing)
    except EseError as error:
        failed = event(454, f"{prefix}: error {error.code} ({error.name})")
        error.events = (*recovery.events, *error.events, failed)
        raise


def _open_databases(
    files: FileSet, names: Sequence[str], log_format: Format
) -> list[OfflineDatabase]:
    """Open the databases that are there and were ever mounted.

    One of several that is not there, or that a crash has left 'just created' and empty, is missed
    where the log says that it is attached (R10), and not before.
    """
    present = [name for name in names if files.exists(name)] or names
    found = [OfflineDatabase(files, name, log_format) for name in present]
    made = [each for each in found if each.header.state is not DatabaseState.JUST_CREATED]
    for database in made or found:
        state = database.header.state
        if state not in (DatabaseState.DIRTY_SHUTDOWN, DatabaseState.CLEAN_SHUTDOWN):
            raise unusable(database.name, f"its state is {state.name}")
    return made


def _require_log_size(files: FileSet, prefix: str, log_format: Format) -> None:
    """Refuse to go on with a log of another size, though nothing in it is needed."""
    current = LogSet(files, prefix, log_format).current
    if current is not None and current.error is not None and current.error.code == -541:
        hint = "the databases are clean: move the logs away and a new stream begins"
        raise ese_error(-545, current.error.where, hint)


class _Recovery:
    def __init__(
        self,
        files: FileSet,
        prefix: str,
        dirty: list[OfflineDatabase],
        clean: list[OfflineDatabase],
        log_format: Format,
        now: LogTime,
    ) -> None:
        self._files = files
        self._prefix = prefix
        self._parts = [DatabaseRecovery(database) for database in dirty]
        self._names = ", ".join(part.name for part in self._parts)
        self._format = log_format
        self._now = now
        self._signature = dirty[0].header.log_signature
        self._logs = LogSet(files, prefix, log_format, self._signature)
        self._attachments = Attachments(self._parts, clean)
        self._records = 0
        self.events: list[Event] = []

    def run(self, *, lossy: bool, ignore_missing: bool) -> RecoveryReport:
        self._note(300, f"{self._prefix}, {self._names}")
        require_no_backup_image([(part.name, part.header) for part in self._parts])
        require_distinct(self._parts)
        required = worst_of([part.required for part in self._parts])
        decided = decide(self._logs, required, self._checkpoint_generation(), lossy=lossy)
        for part in self._parts:
            check_files(self._files, part.name, part.header)
        replay = self._redo_logs(decided, lossy=lossy)
        self.events += self._attachments.require_complete(
            replay.first, ignore_missing=ignore_missing
        )
        files = DeferredFiles(self._files)
        removed = self._let_go(files, replay)
        log = self._continue_log(files)
        undone = self._undo(log)
        end = self._end_log(log)
        files.carry_out()
        pages = self._shut_down(end, log.header)
        self._note(302, f"{self._prefix}, {self._names}")
        return RecoveryReport(
            tuple(range(replay.first, replay.last + 1)),
            self._records,
            sum(part.redo.applied for part in self._parts),
            sum(part.redo.skipped for part in self._parts),
            undone,
            pages,
            replay.loss,
            removed,
            tuple(self.events),
        )

    def _note(self, event_id: int, where: str) -> None:
        self.events.append(event(event_id, where))

    def _checkpoint_generation(self) -> int | None:
        """Return where the checkpoint lies; a missing or damaged file only costs time (R4)."""
        name = checkpoint_name(self._prefix)
        if not self._files.exists(name):
            return None
        image = self._files.read(name, 0, self._files.size(name))
        try:
            checkpoint = Checkpoint.unpack(image, name)
        except EseError:
            return None
        header = self._parts[0].header
        require_own_checkpoint(checkpoint, name, header, self._logs.own_signature)
        return checkpoint.checkpoint.generation

    def _redo_logs(self, replay: Replay, *, lossy: bool) -> Replay:
        """Redo in memory; return what was replayed, which ends before a damaged log."""
        first = self._logs.file_of(replay.first)
        if first is not None and first.header is not None:
            self._attachments.begin(first.header.attachments)
        for generation in range(replay.first, replay.last + 1):
            problem = self._replay(generation)
            if problem is not None:
                return end_before(problem, replay.first, replay.required, lossy=lossy)
        return replay

    def _replay(self, generation: int) -> Problem | None:
        """Redo one log, or none of it when it is damaged."""
        found = self._logs.file_of(generation)
        assert found is not None, f"generation {generation} was decided to be replayable"
        scan = scan_log(self._files.read(found.name, 0, self._files.size(found.name)), generation)
        # A closed log was on disk as a whole before it was renamed: only E00.log may be torn.
        is_torn = scan.state is LogState.TORN and found is not self._logs.current
        if scan.state is LogState.CORRUPT or is_torn:
            text = f"damaged at offset {scan.damage_offset}"
            return Problem(generation, found.name, -501, text, 465)
        self._note(301, found.name)
        if scan.state is LogState.TORN:
            self._note(462, f"{found.name}, cut off at offset {scan.damage_offset}")
        self._records += len(scan.offsets)
        self._redo_records(scan)
        return None

    def _redo_records(self, scan: LogScan) -> None:
        """Give each record to the database that it is of, and those of transactions to all."""
        attachments, parts, buffer = self._attachments, self._parts, scan.buffer
        owners, decoders = attachments.owners, log_records.DECODERS
        follows_pages = attachments.follows_pages
        for lgpos, offset, end in scan.spans():
            number = buffer[offset]
            if number in QUICK_RECORDS and not follows_pages:
                owner = owners.get(buffer[offset + DBID_OFFSET])
                if owner is None or owner.quick[number](buffer, offset, end, lgpos):
                    continue
            record = decoders[number](buffer, offset, end)
            kind = type(record)
            if kind in TRANSACTION_RECORDS:
                for part in parts:
                    part.apply(record, lgpos)
                continue
            if follows_pages or kind in ATTACHMENT_RECORDS:
                attachments.note(record, lgpos)
                follows_pages = attachments.follows_pages
            owner = owners.get(getattr(record, "dbid", 0))
            if owner is not None:
                owner.apply(record, lgpos)

    def _let_go(self, files: FileSet, replay: Replay) -> tuple[str, ...]:
        """Remove what is above the last log that is left, and have a log to go on with."""
        if replay.loss is None:
            return ()
        for event_id in replay.loss.event_ids:
            self._note(event_id, replay.loss.where)
        removed = remove_logs(files, self._logs, replay.loss.first)
        self._logs = LogSet(files, self._prefix, self._format, self._signature)
        if self._logs.current is None:
            last = self._logs.file_of(replay.last)
            assert last is not None, f"generation {replay.last} was just replayed"
            assert last.header is not None, f"{last.name} was just read"
            name = self._logs.current_name
            attached = self._attachments.at_end()
            begin_new_log(files, self._prefix, name, last.header, self._now, attached)
            self._logs = LogSet(files, self._prefix, self._format, self._signature)
        return removed

    def _continue_log(self, files: FileSet) -> OfflineLog:
        """Return the log to write to; where a roll was cut in the middle, complete it (R1)."""
        found = self._logs.current or self._logs.temporary
        assert found is not None, "recovery was decided on with a log to go on with"
        assert found.header is not None, f"{found.name} was just read"
        attached = self._attachments.at_end()
        log = OfflineLog(files, self._prefix, found.name, found.header, self._now, attached)
        if found is self._logs.temporary:
            files.rename(found.name, self._logs.current_name)
        return log

    def _undo(self, log: OfflineLog) -> int:
        log.append(log_records.encode(log_records.RecoveryUndo2(self._now)))
        return sum(part.undo(log) for part in self._parts)

    def _end_log(self, log: OfflineLog) -> Lgpos:
        """Log that the databases are detached; return where recovery ended."""
        for part in self._parts:
            log.append(log_records.encode(part.detach_record()))
        end = log.position()
        quit_record = log_records.RecoveryQuit2(end, end, 0, self._now)
        log.append(log_records.encode(quit_record))
        log.flush()
        return end

    def _shut_down(self, end: Lgpos, newest: LogHeader) -> int:
        """Write headers, pages, the clean headers and the checkpoint, each on disk before the next.

        The log is on disk, and its newest generation has this header.
        """
        pages = sum(part.shut_down(end, newest, self._now) for part in self._parts)
        name = checkpoint_name(self._prefix)
        if not self._files.exists(name):
            self._files.create(name)
        self._files.write(name, 0, Checkpoint(checkpoint=end, signature=self._signature).pack())
        self._files.flush(name)
        return pages
