"""The errors of ESE: one exception, with the number and name that JET gives it.

Numbers and names are those of exchange.md 1.5; which event number goes with which error is
exchange.md 1.4 and 1.6. The texts are our own words, except the one that exchange.md 2.1 quotes.
"""

from typing import NamedTuple

from emulators.ese.events import EVENT_TEXTS, Event, event


class JetError(NamedTuple):
    """One line of the table of JET errors (a positive code is a warning)."""

    code: int
    name: str
    text: str
    event_id: int | None


class EseError(Exception):
    """An ESE operation failed, or succeeded with a warning, with a JET code.

    Args:
        code: the JET code, negative for an error.
        name: its name, such as `JET_errRequiredLogFilesMissing`.
        text: what the code means.
        where: the file, generation, page or offset concerned.
        hint: what the operator can do.
        event_id: the event that ESE writes to the event log with this error, if any.

    All arguments are positional, so that the error can be copied to another process. `events` is
    what led to the error, in order; recovery completes it from its beginning to its end.
    """

    def __init__(
        self, code: int, name: str, text: str, where: str, hint: str, event_id: int | None = None
    ) -> None:
        super().__init__(code, name, text, where, hint, event_id)
        self.code = code
        self.name = name
        self.text = text
        self.where = where
        self.hint = hint
        self.event_id = event_id
        self.events: tuple[Event, ...] = ()
        if event_id in EVENT_TEXTS:
            self.events = (event(event_id, where),)

    def __str__(self) -> str:
        return f"{self.code} ({self.name}): {self.text} {self.where}: {self.hint}"


_ROWS: tuple[tuple[int, str, str, int | None], ...] = (
    (-500, "InvalidLoggedOperation", "The log holds an operation that cannot be redone.", None),
    (-501, "LogFileCorrupt", "A log file is damaged.", 465),
    (-505, "BackupInProgress", "A backup is running already.", None),
    (-506, "RestoreInProgress", "A restore is running already.", None),
    (-509, "MissingPreviousLogFile", "The log file before this one is missing.", None),
    (-510, "LogWriteFail", "A log file could not be written.", None),
    (-511, "LogDisabledDueToRecoveryFailure", "Logging is off: a recovery failed.", None),
    (-513, "LogGenerationMismatch", "A log file has another generation than its name.", None),
    (-514, "BadLogVersion", "A log file has a version that this engine cannot replay.", None),
    (-515, "InvalidLogSequence", "A log file does not follow the one before it.", None),
    (-516, "LoggingDisabled", "The operation needs logging, which is off.", None),
    (-519, "LogSequenceEnd", "The last usable log generation was reached.", 514),
    (-520, "NoBackup", "No backup is running.", None),
    (-521, "InvalidBackupSequence", "The backup calls came in a wrong order.", None),
    (-523, "BackupNotAllowedYet", "A backup cannot be taken yet.", None),
    (-526, "InvalidBackup", "An incremental backup is impossible with circular logging.", None),
    (-527, "RecoveredWithErrors", "The restore ended with errors.", None),
    (-528, "MissingLogFile", "The current log file is missing.", 454),
    (-529, "LogDiskFull", "The log disk is full.", 429),
    (-530, "BadLogSignature", "A log file belongs to another set of logs.", None),
    (-531, "BadDbSignature", "A log file belongs to another database.", None),
    (-532, "BadCheckpointSignature", "The checkpoint file belongs to another set of logs.", None),
    (-533, "CheckpointCorrupt", "The checkpoint file is damaged.", None),
    (-536, "RedoAbruptEnded", "Replay ended abruptly: a log could not be read.", 446),
    (-538, "PatchFileMissing", "The patch file of the backup is missing.", None),
    (-539, "DatabaseLogSetMismatch", "The database does not belong to these logs.", None),
    (-540, "DatabaseStreamingFileMismatch", "The streaming file is of another database.", None),
    (-541, "LogFileSizeMismatch", "A log file has another size than configured.", None),
    (-542, "CheckpointFileNotFound", "The checkpoint file is missing.", None),
    (-543, "RequiredLogFilesMissing", "The required log files for recovery is missing.", 453),
    (-544, "SoftRecoveryOnBackupDatabase", "This database needs a hard restore first.", None),
    (
        -545,
        "LogFileSizeMismatchDatabasesConsistent",
        "Recovery is complete, but log files have another size than configured.",
        None,
    ),
    (
        -548,
        "LogSequenceEndDatabasesConsistent",
        "Recovery is complete, but the last usable log generation was reached.",
        None,
    ),
    (-550, "DatabaseDirtyShutdown", "The database was not shut down cleanly.", None),
    (-551, "ConsistentTimeMismatch", "Header and log disagree on the consistent point.", None),
    (-552, "DatabasePatchFileMismatch", "The patch file belongs to another backup.", None),
    (-553, "EndingRestoreLogTooLow", "The last log named for the restore is too low.", None),
    (-554, "StartingRestoreLogTooHigh", "The first log named for the restore is too high.", None),
    (-555, "GivenLogFileHasBadSignature", "A given log belongs to another set of logs.", None),
    (-556, "GivenLogFileIsNotContiguous", "The given logs are not one sequence.", None),
    (-557, "MissingRestoreLogFiles", "Log files of the backup are missing.", None),
    (-560, "MissingFullBackup", "There is no full backup to build on.", None),
    (-565, "MissingCurrentLogFiles", "The current log files are missing.", None),
    (-566, "DbTimeTooOld", "A page is older than its log record says.", 516),
    (-567, "DbTimeTooNew", "A page is newer than its log record says.", 516),
    (-569, "MissingFileToBackup", "A file to back up is missing.", None),
    (-570, "LogTornWriteDuringHardRestore", "A log of the backup ends in a torn write.", 463),
    (-571, "LogTornWriteDuringHardRecovery", "A log ends in a torn write.", 463),
    (-573, "LogCorruptDuringHardRestore", "A log of the backup is damaged.", 465),
    (-574, "LogCorruptDuringHardRecovery", "A log is damaged.", 465),
    (-577, "BadRestoreTargetInstance", "The restore's target cannot be used.", None),
    (-579, "RecoveredWithoutUndo", "Recovery stopped before the undo phase.", 304),
    (-580, "DatabasesNotFromSameSnapshot", "The databases are of different snapshots.", None),
    (-581, "SoftRecoveryOnSnapshot", "Soft recovery is refused on this snapshot.", None),
    (-582, "CommittedLogFilesMissing", "Log files with committed data are missing.", 523),
    (585, "CommittedLogFilesLost", "Log files with committed data were lost.", 524),
    (-586, "CommittedLogFileCorrupt", "A log file with committed data is damaged.", 525),
    (587, "CommittedLogFilesRemoved", "Log files with committed data were removed.", 526),
    (-590, "LogSequenceChecksumMismatch", "The log before this one was altered.", None),
    # Assumption: number and name of this warning are from memory, not from exchange.md 1.5.
    (595, "DatabaseRepaired", "Damage in the database has been repaired.", None),
    (-610, "ExistingLogFileHasBadSignature", "An existing log is of another set.", None),
    (-611, "ExistingLogFileIsNotContiguous", "The existing logs are not one sequence.", None),
    (-612, "LogReadVerifyFailure", "A log read from the backup has a bad checksum.", None),
    (-614, "CheckpointDepthTooDeep", "Too many logs lie behind the checkpoint.", None),
    (-615, "RestoreOfNonBackupDatabase", "The restored database is not from a backup.", None),
    (-616, "LogFileNotCopied", "Logs are kept: a copy has not received them.", None),
    (-617, "SurrogateBackupInProgress", "A backup of another copy is running.", None),
    (-1003, "InvalidParameter", "A parameter is invalid.", None),
    (-1011, "OutOfMemory", "There is not enough memory.", None),
    # Not in the sheet, from memory: the number that the engine has for a size limit.
    (-1012, "OutOfDatabaseSpace", "The database has reached its maximum size.", None),
    (-1018, "ReadVerifyFailure", "Checksum error on a database page.", 474),
    (-1019, "PageNotInitialized", "A database page was never written.", None),
    (-1021, "DiskReadVerificationFailure", "The disk reported a checksum error.", None),
    (-1022, "DiskIO", "A disk operation failed.", None),
    (-1026, "RecordTooBig", "A record does not fit into a page.", None),
    (-1032, "FileAccessDenied", "The file is in use or access to it is denied.", None),
    (-1069, "VersionStoreOutOfMemory", "A transaction outgrew the version store.", None),
    (-1206, "DatabaseCorrupted", "The database is damaged.", None),
    (-1213, "PageSizeMismatch", "The database has another page size than configured.", None),
    (-1216, "AttachedDatabaseMismatch", "A database of this log set is missing or wrong.", 494),
    (-1305, "ObjectNotFound", "There is no such table.", None),
    (-1605, "KeyDuplicate", "A row with this key is there already.", None),
    (-1808, "DiskFull", "The disk is full.", None),
    (-1811, "FileNotFound", "The file does not exist.", None),
    (-1814, "FileAlreadyExists", "The file exists already.", None),
    (-1852, "LogCorrupted", "The logs are damaged.", None),
    (-2402, "OSSnapshotTimeOut", "The snapshot was not thawed in time.", 2004),
    (-2403, "OSSnapshotNotAllowed", "A snapshot is not allowed now.", None),
)

JET_ERRORS: dict[int, JetError] = {
    code: JetError(code, f"{'JET_err' if code < 0 else 'JET_wrn'}{name}", text, event_id)
    for code, name, text, event_id in _ROWS
}
"""Every JET error and warning that the emulator knows, by code."""


def ese_error(code: int, where: str, hint: str) -> EseError:
    """Build the error of a JET code; the code must be one of `JET_ERRORS`."""
    row = JET_ERRORS[code]
    return EseError(row.code, row.name, row.text, where, hint, row.event_id)


def refusal(code: int, where: str, hint: str, *event_ids: int) -> EseError:
    """Build the error of a case that has events of its own; the last is the one that decides."""
    row = JET_ERRORS[code]
    event_id = event_ids[-1] if event_ids else row.event_id
    error = EseError(row.code, row.name, row.text, where, hint, event_id)
    if event_ids:
        error.events = tuple(event(each, where) for each in event_ids)
    return error
