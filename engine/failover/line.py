"""The conversation with the authority: one question at a time, asked again until it is answered."""

from engine.basics.errors import AuthorityDamaged
from engine.basics.register import Grant, Register
from engine.basics.settings import FailoverSettings
from engine.contract.promotions import (
    AuthoritySilent,
    ReadRegister,
    RegisterIs,
    RegisterUnreachable,
    SwapRegister,
)
from engine.formats.register import decode_register, encode_register


class AuthorityLine:
    """Asks the authority on behalf of one copy.

    After a silence the register is read before anything is asked again: only it tells whether a
    swap whose answer was lost has happened.

    Args:
        group: The consistency group.
        holder: The number of the copy that asks.
        settings: Times.
    """

    def __init__(self, group: int, holder: int, settings: FailoverSettings) -> None:
        self.group = group
        self.holder = holder
        self.settings = settings
        #: The register as it was last heard of.
        self.register = Register(group)
        #: Whether the question that is open, or was answered last, was a swap.
        self.is_swap = False
        #: When the open question is asked again; None while none is open.
        self.due_ns: int | None = None
        self._token = 0

    def read(self, now_ns: int) -> ReadRegister:
        """Ask for the register."""
        return ReadRegister(self._ask(now_ns, is_swap=False))

    def swap(self, grant: Grant, now_ns: int, *, is_automatic: bool) -> SwapRegister:
        """Ask for a grant, on the register as it was last heard of."""
        expected, new = self.register, self.register.granting(grant)
        token = self._ask(now_ns, is_swap=True)
        return SwapRegister(
            token, encode_register(expected), encode_register(new), self.holder, is_automatic
        )

    def heard(self, event: RegisterIs) -> bool:
        """Take an answer; return whether it is the one that is waited for.

        Raises:
            AuthorityDamaged: What the authority keeps is no register of this group.
        """
        if self.due_ns is None or event.token != self._token:
            return False
        self.due_ns = None
        register = decode_register(event.current, self.group)
        if register is None:
            raise AuthorityDamaged("The authority's register is damaged, or of another group")
        self.register = register
        return True

    def lost(self, event: RegisterUnreachable, now_ns: int) -> AuthoritySilent | None:
        """Note that the open question has no answer; return what there is to tell."""
        if self.due_ns is None or event.token != self._token:
            return None
        self._token += 1  # whatever comes of it, another one is asked
        self.due_ns = now_ns + self.settings.ask_retry_ns
        return AuthoritySilent(event.reason, self.due_ns)

    def forget(self) -> None:
        """Ask no more; an answer that is under way is not believed."""
        self._token += 1
        self.due_ns = None

    def _ask(self, now_ns: int, *, is_swap: bool) -> int:
        self._token += 1
        self.is_swap = is_swap
        self.due_ns = now_ns + self.settings.ask_retry_ns
        return self._token
