"""Backups of a mail server in simulated time, their restore, and what must be in them."""

from dataclasses import dataclass

from checker import check_database
from mail_world import DATABASE, EPOCH_NS, Disks, S, World, copy_of, recover
from recovery_case import archive, mail_in

from emulators.ese.errors import EseError
from emulators.ese.file_set import MemoryFiles
from emulators.ese.recovery.hard_recovery import hard_recover
from emulators.ese.recovery.restore import restore_backup
from emulators.ese.running.streaming_backup import (
    BackupKind,
    BackupOptions,
    streaming_backup,
)

RESTORED_NS = EPOCH_NS + 7200 * S


@dataclass
class Outcome:
    """What became of a backup; both are None while it runs."""

    backup: object = None
    error: EseError | None = None

    @property
    def is_running(self):
        return self.backup is None and self.error is None


class BackupWorld(World):
    """A world whose storage group can be backed up while it goes on."""

    def begin_backup(self, kind=BackupKind.FULL, **options):
        """Start a backup and return what becomes of it."""
        outcome = Outcome()

        def process():
            try:
                outcome.backup = yield from streaming_backup(
                    self.kernel,
                    self.group.backup_source,
                    kind,
                    MemoryFiles(),
                    BackupOptions(**options),
                )
            except EseError as error:
                outcome.error = error

        self.spawn(process(), name="backup")
        return outcome

    def back_up(self, kind=BackupKind.FULL, **options):
        """Back up and return the set, or raise what ended it."""
        outcome = self.begin_backup(kind, **options)
        while outcome.is_running:
            self.run(0.05)
        if outcome.error is not None:
            raise outcome.error
        return outcome.backup

    def mail_up_to(self, generation):
        """Return the mail whose commit lies in the logs up to a generation.

        Known from the files as they were when that log had just been closed, recovered plainly.
        """
        closed = archive(generation)
        done = next(n for n, op in enumerate(self.operations, 1) if op.new_name == closed)
        disks = Disks(self.operations)
        disks.advance(done)
        files = disks.copy()
        recover(files)
        return mail_in(files)


def restored(backups, target=None):
    """Restore sets; return the files of the target group and the restore folder."""
    target = MemoryFiles() if target is None else copy_of(target)
    folder = MemoryFiles()
    restore_backup(backups, folder, target, now_ns=RESTORED_NS)
    return target, folder


def recover_hard(target, folder, *, now_ns=RESTORED_NS + 60 * S, **switches):
    """Run hard recovery and check the structure of what comes out; returns the report."""
    report = hard_recover(target, folder, now_ns=now_ns, **switches)
    assert check_database(target).problems == []
    return report


def mail_of(backups, target=None, **switches):
    """Return the mail that a restore and hard recovery of sets bring back."""
    target, folder = restored(backups, target)
    recover_hard(target, folder, **switches)
    return mail_in(target)


__all__ = [
    "DATABASE",
    "BackupKind",
    "BackupWorld",
    "mail_in",
    "mail_of",
    "recover_hard",
    "restored",
]
