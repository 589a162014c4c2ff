"""What circular logging leaves in the headers, and what it rules out (exchange.md F15).

With circular logging a group keeps only the logs that its databases require. A database can then
be brought back to the moment of a full backup, and not beyond: there are no logs to replay on it.
"""

from emulators.ese.errors import ese_error
from emulators.ese.formats.log_file import FLAG_CIRCULAR_BEFORE, FLAG_CIRCULAR_NOW, LogHeader

DBMS_CIRCULAR = 1
"""The flag in DBMS_PARAM (ese-format.md A)."""

_EITHER = FLAG_CIRCULAR_NOW | FLAG_CIRCULAR_BEFORE


def circular_flags(*, is_on: bool, before: LogHeader | None = None) -> int:
    """Return the flags of a log's header, which remember that circular logging was on.

    Args:
        is_on: whether it is on now.
        before: the header of the log before, None for the first of a stream.
    """
    was_on = before is not None and before.flags & _EITHER
    return (FLAG_CIRCULAR_NOW if is_on else 0) | (FLAG_CIRCULAR_BEFORE if was_on else 0)


def require_all_logs_kept(group: str, *, circular_logging: bool) -> None:
    """Refuse an incremental or differential backup of a group with circular logging.

    Raises:
        EseError: -526.
    """
    if circular_logging:
        hint = "take a full or copy backup, or turn circular logging off and take a full one first"
        raise ese_error(-526, f"{group}: circular logging is on", hint)
