"""Soft recovery: redo from the checkpoint, then undo, then a clean shutdown (exchange.md 1.4).

Recovery works on files, in order: it reads headers and checkpoint, decides (decision.py), scans
and redoes the logs in memory, and only then writes. A refusal therefore leaves all files as they
were. While it writes it may be cut at any point and begun again: undo is logged like any change,
pages follow their log records, and a page that nodes were moved from follows the page they were
moved to. A disk that is full is such a cut (R17). Logs that are let go (lost_logs.py) are removed
first of all, while the database is still as it was.
"""

from collections.abc import Sequence
from typing import NamedTuple

from emulators.ese.errors import EseError
from emulators.ese.events import Event, event
from emulators.ese.file_set import FileSet
from emulators.ese.formats import log_records
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader, DatabaseState
from emulators.ese.formats.format import EXCHANGE_2007, Format, checkpoint_name
from emulators.ese.formats.log_scan import LogState, scan_log
from emulators.ese.formats.values import LogTime
from emulators.ese.recovery.decision import (
    Replay,
    Required,
    decide,
    end_before,
    unusable,
    worst_of,
)
from emulators.ese.recovery.identity import (
    Attachments,
    require_no_backup_image,
    require_own_checkpoint,
)
from emulators.ese.recovery.log_set import LogSet, Problem
from emulators.ese.recovery.lost_logs import begin_new_log, remove_logs
from emulators.ese.recovery.offline_database import OfflineDatabase
from emulators.ese.recovery.offline_log import OfflineLog
from emulators.ese.recovery.open_transactions import OpenTransactions
from emulators.ese.recovery.redo import Redo
from emulators.ese.recovery.report import RecoveryReport
from emulators.ese.recovery.undo import Undo
from emulators.ese.trees.editor import DBID, Editor
from emulators.ese.trees.space import Space

__all__ = ["RecoveryReport", "soft_recover"]

NODE_RECORDS = (
    log_records.Insert,
    log_records.Replace,
    log_records.Delete,
    log_records.Split,
    log_records.ExtendDb,
)


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
        databases: the database files; one, as this group's format has it.
        now_ns: calendar time, for log records and headers.
        log_format: sizes and versions of the files.
        lossy: go on without committed logs where the database allows it (/a); what was lost is
            in the report.
        ignore_missing: go on without other databases that the logs name (/i).

    Raises:
        EseError: with the code of the table in exchange.md 1.4, or -1018 for a bad page: nothing
            was written then. -1808 or -529 when a disk became full: recover again when there is
            room. Its `events` are all that led to it.
    """
    assert len(databases) == 1, "one database per storage group"
    database = OfflineDatabase(files, databases[0], log_format)
    if database.header.is_clean:
        return RecoveryReport((), 0, 0, 0, 0, 0)
    if database.header.state is not DatabaseState.DIRTY_SHUTDOWN:
        raise unusable(databases[0], f"its state is {database.header.state.name}")
    recovery = _Recovery(files, prefix, database, log_format, LogTime.from_ns(now_ns))
    try:
        return recovery.run(lossy=lossy, ignore_missing=ignore_missing)
    except EseError as error:
        failed = event(454, f"{prefix}: error {error.code} ({error.name})")
        error.events = (*recovery.events, *error.events, failed)
        raise


class Undone(NamedTuple):
    """What the undo phase took back, and the newest dbtime after it."""

    changes: int
    dbtime: int


class _Recovery:
    def __init__(
        self,
        files: FileSet,
        prefix: str,
        database: OfflineDatabase,
        log_format: Format,
        now: LogTime,
    ) -> None:
        self._files = files
        self._prefix = prefix
        self._database = database
        self._format = log_format
        self._now = now
        self._logs = LogSet(files, prefix, log_format, database.header.log_signature)
        self._open = OpenTransactions()
        self._redo = Redo(database.cache, database.has_page, database.extend, database.name)
        self._attachments = Attachments(database.name, database.header)
        self._records = 0
        self.events: list[Event] = []

    def run(self, *, lossy: bool, ignore_missing: bool) -> RecoveryReport:
        database = self._database
        self._note(300, f"{self._prefix}, {database.name}")
        require_no_backup_image([(database.name, database.header)])
        required = worst_of([_required(database.name, database.header)])
        decided = decide(self._logs, required, self._checkpoint_generation(), lossy=lossy)
        replay = self._redo_logs(decided, lossy=lossy)
        self.events += self._attachments.require_complete(
            replay.first, ignore_missing=ignore_missing
        )
        removed = self._let_go(replay)
        log = self._continue_log()
        undone = self._undo(log)
        pages = self._shut_down(log, undone.dbtime)
        self._note(302, f"{self._prefix}, {database.name}")
        return RecoveryReport(
            tuple(range(replay.first, replay.last + 1)),
            self._records,
            self._redo.applied,
            self._redo.skipped,
            undone.changes,
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
        header = self._database.header
        require_own_checkpoint(checkpoint, name, header, self._logs.own_signature)
        return checkpoint.checkpoint.generation

    def _redo_logs(self, replay: Replay, *, lossy: bool) -> Replay:
        """Redo in memory; return what was replayed, which ends before a damaged log."""
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
        for lgpos, offset, end in scan.spans():
            record = log_records.decode_whole(scan.buffer, offset, end)
            self._records += 1
            self._attachments.note(record, lgpos)
            if not self._attachments.is_own(record):
                continue
            self._open.note(record)
            if isinstance(record, NODE_RECORDS):
                self._redo.apply(record, lgpos)
        return None

    def _let_go(self, replay: Replay) -> tuple[str, ...]:
        """Remove what is above the last log that is left; from here on files change."""
        if replay.loss is None:
            return ()
        for event_id in replay.loss.event_ids:
            self._note(event_id, replay.loss.where)
        removed = remove_logs(self._files, self._logs, replay.loss.first)
        signature = self._database.header.log_signature
        self._logs = LogSet(self._files, self._prefix, self._format, signature)
        if self._logs.current is None:
            last = self._logs.file_of(replay.last)
            assert last is not None, f"generation {replay.last} was just replayed"
            assert last.header is not None, f"{last.name} was just read"
            name = self._logs.current_name
            begin_new_log(self._files, self._prefix, name, last.header, self._now)
            self._logs = LogSet(self._files, self._prefix, self._format, signature)
        return removed

    def _continue_log(self) -> OfflineLog:
        """Return the log to write to; where a roll was cut in the middle, complete it (R1)."""
        found = self._logs.current or self._logs.temporary
        assert found is not None, "recovery was decided on with a log to go on with"
        assert found.header is not None, f"{found.name} was just read"
        log = OfflineLog(self._files, self._prefix, found.name, found.header, self._now)
        if found is self._logs.temporary:
            self._files.rename(found.name, self._logs.current_name)
        return log

    def _undo(self, log: OfflineLog) -> Undone:
        log.append(log_records.encode(log_records.RecoveryUndo2(self._now)))
        database = self._database
        dbtime = max(self._redo.dbtime, database.header.dbtime)
        editor = Editor(database.cache, log.append, dbtime)
        space = Space(database.cache, editor, database.grow)
        changes = Undo(database.cache, editor, space).run(self._open)
        return Undone(changes, editor.dbtime)

    def _shut_down(self, log: OfflineLog, dbtime: int) -> int:
        """Write log, header, pages and the clean header, each on disk before the next."""
        name = self._database.name
        log.append(log_records.encode(log_records.DetachDb(procid=0, dbid=DBID, path=name)))
        end = log.position()
        quit_record = log_records.RecoveryQuit2(end, end, 0, self._now)
        log.append(log_records.encode(quit_record))
        log.flush()
        self._database.require(log.generation, self._now)
        pages = self._database.write_pages(log.generation)
        self._database.shut_down_clean(end, self._now, dbtime)
        checkpoint = Checkpoint(checkpoint=end, signature=self._database.header.log_signature)
        log.write_checkpoint(checkpoint.pack())
        return pages


def _required(name: str, header: DatabaseHeader) -> Required:
    return Required(
        name,
        header.generation_min_required,
        header.generation_max_required,
        header.generation_max_committed,
    )
