"""Whether database, logs and checkpoint may be recovered together (exchange.md R10 to R14).

Headers say whose log stream a database belongs to and whether it is an image that soft recovery
must not touch. What the log stream itself says of its databases is checked in attachments.py.

Not checked: R14 for a database alone. A shadow copy's mark in one header is no error, as recovery
of such an image is what the copy was made for; only several databases can contradict each other,
and -580 is given when their marks differ, -581 when some have a mark and others have none.
"""

from collections.abc import Sequence

from emulators.ese.errors import ese_error
from emulators.ese.formats.checkpoint import Checkpoint
from emulators.ese.formats.database_header import DatabaseHeader
from emulators.ese.formats.values import BACKUP_INFO_ZERO, Signature

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
    """Apply R11 to the checkpoint: it must be that of the logs or of the databases.

    Where these two differ, the logs are refused later, and with a better reason.

    Raises:
        EseError: -532.
    """
    if checkpoint.signature not in (header.log_signature, logs):
        where = f"{name}: its signature is that of another log set"
        hint = "delete it: recovery then starts at the oldest log"
        raise ese_error(-532, where, hint)
