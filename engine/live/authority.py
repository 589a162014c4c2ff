"""The authority as a file that all copies of a group can reach: a compare-and-swap on its content.

Fault model: the operating system's. A swap is all or nothing; whoever asks at the same time waits
for the lock of the file beside it. Promised: of two askers one at most gets an epoch, as far as the
file system keeps locks between its hosts (a local one and NFS 4 do). Not checked: that both sides
look at the same file. It cannot tell whether a source lives: nobody is promoted automatically.
"""

import fcntl
from pathlib import Path

from engine.contract.actions import ReplaceFile
from engine.contract.events import ActionFailed
from engine.contract.promotions import ReadRegister, RegisterIs, RegisterUnreachable, SwapRegister
from engine.live.directory import JournalDirectory

LOCK_SUFFIX = ".lock"
_NO_VOTE = "a file cannot tell whether the source lives"


class FileAuthority:
    """Answers what a promotion asks.

    Args:
        path: The register's file; it need not be there, its folder must.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, asked: ReadRegister | SwapRegister) -> RegisterIs | RegisterUnreachable:
        """Carry a question out and return the answer."""
        try:
            with self._path.with_name(self._path.name + LOCK_SUFFIX).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return self._answer(asked)
        except OSError as error:
            return RegisterUnreachable(asked.token, str(error))

    def _answer(self, asked: ReadRegister | SwapRegister) -> RegisterIs:
        current = self._path.read_bytes() if self._path.exists() else b""
        if isinstance(asked, ReadRegister):
            return RegisterIs(asked.token, is_swapped=False, current=current)
        if current == asked.new:
            return RegisterIs(asked.token, is_swapped=True, current=current)
        if current != asked.expected or asked.is_automatic:
            refusal = _NO_VOTE if current == asked.expected else ""
            return RegisterIs(asked.token, is_swapped=False, current=current, refusal=refusal)
        self._replace(asked.new)
        return RegisterIs(asked.token, is_swapped=True, current=asked.new)

    def _replace(self, data: bytes) -> None:
        directory = JournalDirectory(self._path.parent)
        failures = directory.carry_out([ReplaceFile(self._path.name, data)])
        directory.close()
        if failures and isinstance(failures[0], ActionFailed):
            raise OSError(failures[0].reason)
