"""Whether database, logs and checkpoint may be recovered together (exchange.md R10 to R14).

Headers say whose log stream a database belongs to and whether it is an image that soft recovery
must not touch. The attach records of the stream say which databases were in use; each of them must
be there, and must be the one that the record names.

Not checked: R14 for a database alone. A shadow copy's mark in one header is no error, as recovery
of such an image is what the copy was made for; only several databases can contradict each other,
and -580 is given when their marks differ, -581 when some have a mark and others have none.
"""

from collections.abc import Sequence

from emulators.ese.errors import ese_error
from emulators.ese.events import Event, event
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.log_records import AttachDb, DetachDb
from emulators.ese.formats.values import BACKUP_INFO_ZERO, Lgpos, Signature

HINT_ALL_OF_ONE_POINT = "recover database, logs and checkpoint from one point in time"
HINT_LEAVE_OUT = "put that database beside the others, or leave it out with /i"


def require_no_backup_image(headers: Sequence[tuple[str, DatabaseHeader]]) -> None:
    """Apply R13 and R14 to the databases of a group, by name.

    Raises:
        EseError: -544 for the image of a streaming backup, -580 or -581 for a mixture.
    """
    for name, header in headers:
        if header.full_backup_current != BACKUP_INFO_ZERO:
            where = f"{name}: its header says that it was copied by a streaming backup"
            raise ese_error(-544, where, "restore it with the backup's own logs (eseutil /cc)")
    marked = [name for name, header in headers if header.snapshot_current != BACKUP_INFO_ZERO]
    names = ", ".join(marked)
    if len({header.snapshot_current for _, header in headers}) > 1:
        code = -580 if len(marked) == len(headers) else -581
        raise ese_error(code, f"shadow copy marks in {names}", HINT_ALL_OF_ONE_POINT)


def require_own_checkpoint(
    checkpoint: Checkpoint, name: str, header: DatabaseHeader, logs: Signature | None
) -> None:
    """Apply R11 to the checkpoint: it must be that of the logs or of the database.

    Where these two differ, the logs are refused later, and with a better reason.

    Raises:
        EseError: -532.
    """
    if checkpoint.signature not in (header.log_signature, logs):
        where = f"{name}: its signature is that of another log set"
        hint = "delete it: recovery then starts at the oldest log"
        raise ese_error(-532, where, hint)


class Attachments:
    """Follows which databases the log stream says are attached, and compares.

    Args:
        name: the database being recovered.
        header: its header, as it was on disk.
    """

    def __init__(self, name: str, header: DatabaseHeader) -> None:
        self._name = name
        self._header = header
        self._strangers: dict[int, str] = {}
        self._noted_attach = header.attach
        self._seen: set[Lgpos] = set()

    def note(self, record: object, lgpos: Lgpos) -> None:
        """Take a record into account.

        Raises:
            EseError: -531, -551 or -1216: the record names this database, but not as it is.
        """
        if isinstance(record, AttachDb):
            self._attach(record, lgpos)
        elif isinstance(record, DetachDb):
            self._strangers.pop(record.dbid, None)

    def is_own(self, record: object) -> bool:
        """Return whether a record is of this database, or of none."""
        return getattr(record, "dbid", self._header.dbid) == self._header.dbid

    def require_complete(self, first: int, *, ignore_missing: bool) -> list[Event]:
        """Apply R10 at the end of the log, and R12; return the events of what is left out.

        Args:
            first: the generation that was replayed first.
            ignore_missing: whether databases that are not there may stay away (/i).

        Raises:
            EseError: -1216 or -551.
        """
        attach = self._noted_attach
        if attach.generation >= first and attach not in self._seen:
            where = f"{self._name}: attached at {attach}, where the log has no such record"
            raise ese_error(-551, where, HINT_ALL_OF_ONE_POINT)
        missing = sorted(self._strangers.values())
        if missing and not ignore_missing:
            where = f"{', '.join(missing)}: attached in these logs, and not given"
            raise ese_error(-1216, where, HINT_LEAVE_OUT)
        return [event(495, path) for path in missing]

    def _attach(self, record: AttachDb, lgpos: Lgpos) -> None:
        if record.dbid != self._header.dbid:
            self._strangers[record.dbid] = record.path
            return
        self._seen.add(lgpos)
        if record.signature != self._header.signature:
            raise self._another(record, lgpos)
        if lgpos >= self._noted_attach and record.lgpos_consistent != self._header.consistent:
            where = f"{self._name}: consistent at {self._header.consistent}, but the record at"
            where += f" {lgpos} attached it at {record.lgpos_consistent}"
            raise ese_error(-551, where, HINT_ALL_OF_ONE_POINT)

    def _another(self, record: AttachDb, lgpos: Lgpos) -> Exception:
        """Tell a database under the right name from one that was put in another's place."""
        where = f"{self._name}: the record at {lgpos} attached another database, {record.path}"
        if _file_name(record.path) == _file_name(self._name):
            return ese_error(-531, where, HINT_ALL_OF_ONE_POINT)
        return ese_error(-1216, where, "recover the database that these logs belong to")


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].lower()
