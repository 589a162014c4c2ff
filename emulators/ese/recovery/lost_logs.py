"""Going on without logs that are lost: removing what follows a break, and a new current log.

Fault model: the power may go, or the disk fill up, after any operation. Until the new current log
has its name, every set of files on the way has the same last log that can be replayed, and lossy
recovery begun again does the same once more; it then says 585 where the first one said 587, as
the logs are gone. From then on a recovery without /a is enough where no more than one log was
lost: the new current log takes its place.
"""

from dataclasses import replace

from emulators.ese.file_set import FileSet
from emulators.ese.formats.format import temporary_name
from emulators.ese.formats.log_file import LogHeader
from emulators.ese.formats.values import AttachInfo, LogTime
from emulators.ese.recovery.log_set import LogSet
from emulators.ese.recovery.offline_log import make_temporary_log


def remove_logs(files: FileSet, logs: LogSet, first: int) -> tuple[str, ...]:
    """Delete the logs of generation `first` and above, newest first; return their names.

    Newest first, so that the break stays the first thing wrong until all above it is gone.
    """
    names = tuple(logs.names_from(first))
    for name in names:
        files.delete(name)
    return names


def begin_new_log(
    files: FileSet,
    prefix: str,
    current_name: str,
    last: LogHeader,
    now: LogTime,
    attached: tuple[AttachInfo, ...],
) -> None:
    """Make the log after `last` the current one (exchange.md F14); it lists who is attached."""
    header = replace(last.next(now), attachments=attached)
    make_temporary_log(files, prefix, header)
    files.rename(temporary_name(prefix), current_name)
