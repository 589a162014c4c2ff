"""Changes of logs that wait until recovery knows that it will not be refused.

Undo may come to a page that nobody has read before, and that is bad. By then logs that are lost
have been let go, and a log that was full has been closed; none of it may have happened if recovery
is refused.

Fault model: a disk that is full is noticed in `carry_out` (-529, exchange.md R17), which may be cut
after any operation, like recovery itself.
"""

from emulators.ese.file_set import FileSet
from emulators.ese.overlaid_files import OverlaidFiles, Step
from emulators.ese.recovery.offline_log import log_disk


class DeferredFiles(OverlaidFiles):
    """The logs of a group, or of a restore folder, to be changed by `carry_out`.

    Args:
        files: where they lie.
    """

    def __init__(self, files: FileSet) -> None:
        super().__init__({name: files.size(name) for name in files.names()}, files.read)
        self._below = files

    def carry_out(self) -> None:
        """Do what was noted, in order; raises EseError -529 when the disk is full."""
        for step in self.steps:
            with log_disk(step.name):
                _do(self._below, step)
        self.steps = []


def _do(files: FileSet, step: Step) -> None:
    name = step.name
    if step.kind == "write":
        files.write(name, step.offset, step.data)
    elif step.kind == "create":
        files.create(name)
    elif step.kind == "truncate":
        files.truncate(name, step.size)
    elif step.kind == "rename":
        files.rename(name, step.other)
    elif step.kind == "delete":
        files.delete(name)
    elif step.kind == "flush":
        files.flush(name)
