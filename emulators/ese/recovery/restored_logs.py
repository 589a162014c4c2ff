"""The logs that hard recovery replays, and in what order (exchange.md 1.4, KB812592).

First those of the backup, in the restore folder; then those of the group's own stream where it
goes on from there, the current one too if it is there, though it need not be. Which error a log
gives depends on where it lies: -555 to -557, -570 and -573 in the restore folder, -565, -571, -574,
-610 and -611 elsewhere.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from emulators.ese.errors import ese_error
from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import archive_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.log_scan import LogScan, LogState, scan_log
from emulators.ese.formats.recovered_pages import RECOVERED_PAGES_NAME
from emulators.ese.formats.restore_env import RestoreEnv
from emulators.ese.recovery.log_set import LogFile, LogSet

HINT_RESTORE = "restore the backup again, with all of its logs"
HINT_WITHOUT = "bring the group's logs back, or recover to the end of the backup (/t)"


class Origin(Enum):
    """Whose a log is."""

    BACKUP = "the backup"
    GROUP = "the group"


class _Codes(NamedTuple):
    missing: int
    signature: int
    sequence: int
    torn: int
    corrupt: int
    hint: str


_CODES = {
    Origin.BACKUP: _Codes(-557, -555, -556, -570, -573, HINT_RESTORE),
    Origin.GROUP: _Codes(-565, -610, -611, -571, -574, HINT_WITHOUT),
}


@dataclass(frozen=True, slots=True)
class RestoredLog:
    """One log to replay."""

    files: FileSet
    name: str
    header: LogHeader
    origin: Origin
    is_current: bool

    def scan(self) -> LogScan:
        """Return what is in it; raises EseError when it is damaged, or torn though it was closed.

        The end of a current log may be torn: that is what a crash leaves (exchange.md R16).
        """
        content = self.files.read(self.name, 0, self.files.size(self.name))
        scan = scan_log(content, self.header.generation)
        codes = _CODES[self.origin]
        where = f"{self.name} of {self.origin.value}, offset {scan.damage_offset}"
        if scan.state is LogState.CORRUPT:
            raise ese_error(codes.corrupt, where, codes.hint)
        if scan.state is LogState.TORN and not self.is_current:
            raise ese_error(codes.torn, where, codes.hint)
        return scan


class RestoredLogs:
    """Finds the logs and checks that they are one sequence.

    Args:
        env: what was restored.
        folder: the restore folder.
        group: where the group's own logs lie; None to stop at the end of the backup.
    """

    def __init__(self, env: RestoreEnv, folder: FileSet, group: FileSet | None) -> None:
        self._env = env
        self._format = env.file_format
        self._folder = folder
        self._group = group

    def sequence(self) -> list[RestoredLog]:
        """Return all logs to replay, in order.

        Raises:
            EseError: -557, -555, -556 or -573 for the backup's; -565, -610, -611 or -574 for the
                group's; -541 or -514 for a log of another size or version.
        """
        env = self._env
        restored = LogSet(self._folder, env.prefix, self._format)
        wanted = range(env.generation_low, env.generation_high + 1)
        logs = self._follow([], restored, wanted, Origin.BACKUP)
        if self._group is not None:
            own = LogSet(self._group, env.prefix, self._format)
            self._require_own_stream(own)
            self._require_usable_current(own)
            logs = self._follow(logs, own, self._going_on(own), Origin.GROUP)
        return logs

    def leftovers(self) -> list[str]:
        """Return what a hard recovery wrote which never came to change a database."""
        restored = LogSet(self._folder, self._env.prefix, self._format)
        first = self._env.generation_high + 1
        names = [log.name for key, log in sorted(restored.archives.items()) if key >= first]
        more = (restored.current, restored.temporary)
        names += [log.name for log in more if log is not None]
        is_there = self._folder.exists(RECOVERED_PAGES_NAME)
        return [*names, RECOVERED_PAGES_NAME] if is_there else names

    def _going_on(self, own: LogSet) -> range:
        """Return which logs of the group come after the backup."""
        first = self._env.generation_high + 1
        return range(first, max(_generations(own, first), default=0) + 1)

    def _follow(
        self, logs: list[RestoredLog], source: LogSet, wanted: range, origin: Origin
    ) -> list[RestoredLog]:
        """Return `logs` and, after them, those of a set; each must follow the one before it."""
        logs = list(logs)
        files = self._group if origin is Origin.GROUP else self._folder
        assert files is not None, "logs of the group without the group's files"
        for generation in wanted:
            found = source.file_of(generation)
            if found is None:
                raise self._missing(generation, origin, is_first=generation == wanted[0])
            header = self._checked(found, generation, logs[-1] if logs else None, origin)
            logs.append(RestoredLog(files, found.name, header, origin, found is source.current))
        return logs

    def _missing(self, generation: int, origin: Origin, *, is_first: bool) -> Exception:
        codes = _CODES[origin]
        name = archive_name(self._env.prefix, generation, self._format)
        code = codes.missing if is_first or origin is Origin.BACKUP else codes.sequence
        return ese_error(code, f"{name} of {origin.value} is missing", codes.hint)

    def _checked(
        self, found: LogFile, generation: int, before: RestoredLog | None, origin: Origin
    ) -> LogHeader:
        codes = _CODES[origin]
        where = f"{found.name} of {origin.value}"
        header = found.header
        if header is None:
            assert found.error is not None, f"{found.name} has neither header nor error"
            if found.error.code != -501:
                raise found.error
            raise ese_error(codes.corrupt, found.error.where, codes.hint)
        if header.signature != self._env.log_signature:
            raise ese_error(codes.signature, where, codes.hint)
        follows = before is None or _follows(header, before.header)
        if header.generation != generation or not follows:
            place = f"the log after {before.name}" if before is not None else "its generation"
            raise ese_error(codes.sequence, f"{where} is not {place}", codes.hint)
        return header

    def _require_own_stream(self, own: LogSet) -> None:
        """Refuse a group whose logs began anew: that nothing follows the backup says nothing."""
        signature = own.own_signature
        if signature not in (None, self._env.log_signature):
            where = f"the group's logs {self._env.prefix}*.log are another stream"
            raise ese_error(_CODES[Origin.GROUP].signature, where, _CODES[Origin.GROUP].hint)

    def _require_usable_current(self, own: LogSet) -> None:
        """Refuse a current log that cannot be read: what is in it would be lost in silence."""
        current = own.current
        if current is None:
            return
        codes = _CODES[Origin.GROUP]
        if current.header is None:
            assert current.error is not None, f"{current.name} has neither header nor error"
            code = codes.corrupt if current.error.code == -501 else current.error.code
            raise ese_error(code, current.error.where, codes.hint)
        if own.file_of(current.header.generation) is not current:
            where = f"{current.name} is generation {current.header.generation}"
            raise ese_error(codes.sequence, f"{where}, and so is an archive", codes.hint)


def _follows(header: LogHeader, before: LogHeader) -> bool:
    is_next = header.generation == before.generation + 1
    return is_next and header.previous_created == before.created


def _generations(logs: LogSet, first: int) -> list[int]:
    """Return the generations of a set from `first` on."""
    found = [each for each in logs.archives if each >= first]
    last = logs.last
    return found if last < first or last in found else [*found, last]
