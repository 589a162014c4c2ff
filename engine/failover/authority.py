"""The one authority: keeps the register of epochs, and swaps it for one asker at a time.

There are two kinds. A file that both sides can reach (`engine.live.authority`): a compare-and-swap
and nothing more, so that nobody is promoted automatically over it. And the witness here, a process
at a third place: it hears the source itself, gives the lease, and has a vote.

Fault model of the witness. It may die after any action: the register lasts in its file, which is
replaced before the answer leaves; who was heard when, and who has the lease, is forgotten, and a
lease that was given before counts as held for its whole length. Requests may be lost, late,
repeated and out of order: a swap names the whole register that it expects, so that a late one does
nothing, and one that comes twice is told that it has happened. Promised: of two askers one at most
gets an epoch. Not checked: who asks (the live driver authenticates), and that a forced request is
the operator's.
"""

from dataclasses import replace

from engine.basics.register import Grant, Register
from engine.basics.settings import FailoverSettings
from engine.contract.actions import FileAction, ReplaceFile
from engine.contract.promotions import ReadRegister, RegisterIs, SwapRegister
from engine.contract.storage import Storage
from engine.formats.register import decode_register

REGISTER_FILE = "register"


def swapped(current: bytes, asked: SwapRegister) -> bool | None:
    """Decide a compare-and-swap: True do it, None it was done before, False somebody was faster."""
    if current == asked.new:
        return None
    return current == asked.expected


class Witness:
    """The authority as a process of its own, for one group.

    Args:
        storage: Where its register file lies.
        group: The consistency group.
        settings: Times.
        now_ns: The time.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        group: int,
        settings: FailoverSettings | None = None,
        now_ns: int,
    ) -> None:
        self.settings = settings or FailoverSettings()
        self.group = group
        self._current = _read(storage)
        self._heard_at_ns = now_ns
        # Whoever had the lease when this process's predecessor ended may have it still.
        self._lease_holder: int | None = None
        self._lease_until_ns = now_ns + self.settings.lease_ns

    @property
    def register(self) -> Register | None:
        """Return the register; None where its file is damaged."""
        return decode_register(self._current, self.group)

    def source_heard(self, now_ns: int) -> None:
        """Note a sign of life of the source."""
        self._heard_at_ns = max(self._heard_at_ns, now_ns)

    def renew_lease(self, holder: int, now_ns: int) -> int:
        """Give the lease to a copy that is up to date, or keep it there.

        Returns:
            Its length in nanoseconds from the request on; 0: another copy has it.
        """
        if holder != self._lease_holder and now_ns < self._lease_until_ns:
            return 0
        self._lease_holder = holder
        self._lease_until_ns = now_ns + self.settings.lease_ns
        return self.settings.lease_ns

    def read(self, asked: ReadRegister) -> RegisterIs:
        """Answer what the register is."""
        return RegisterIs(asked.token, is_swapped=False, current=self._current)

    def swap(self, asked: SwapRegister, now_ns: int) -> tuple[list[FileAction], RegisterIs]:
        """Swap the register if it is the expected one, and vote where a vote is asked for.

        Returns:
            The actions to carry out before the answer may leave, and the answer.
        """
        verdict = swapped(self._current, asked)
        if verdict is None:
            return [], RegisterIs(asked.token, is_swapped=True, current=self._current)
        refusal = self._refusal(asked, now_ns) if verdict else ""
        if refusal or not verdict:
            answer = RegisterIs(asked.token, is_swapped=False, current=self._current)
            return [], replace(answer, refusal=refusal)
        self._current = asked.new
        answer = RegisterIs(asked.token, is_swapped=True, current=self._current)
        return [ReplaceFile(REGISTER_FILE, asked.new)], answer

    def _is_one_grant_more(self, data: bytes) -> bool:
        """Return whether these bytes are the register after another grant: it never loses one."""
        before, after = self.register, decode_register(data, self.group)
        if before is None or after is None:
            return False
        return len(after.grants) == len(before.grants) + 1 and after.grants[:-1] == before.grants

    def _refusal(self, asked: SwapRegister, now_ns: int) -> str:
        if not self._is_one_grant_more(asked.new):
            return "what was asked for is not the register and one grant more"
        if not asked.is_automatic:
            return ""
        if now_ns < self._heard_at_ns + self.settings.source_timeout_ns:
            return "the witness has heard the source lately"
        if asked.holder != self._lease_holder or now_ns >= self._lease_until_ns:
            return f"copy {asked.holder} does not hold the lease"
        return ""


def first_grant(group: int, holder: int, request: int) -> Register:
    """Return the register after the first grant of all: the first source's."""
    return Register(group).granting(Grant(1, holder, request))


def _read(storage: Storage) -> bytes:
    if not storage.exists(REGISTER_FILE):
        return b""
    return storage.read(REGISTER_FILE, 0, storage.size(REGISTER_FILE))
