"""Makes a copy the primary after a disaster: the engine's promotion, asked of a witness.

The witness is a machine of its own at a site, and keeps the register of epochs on its own disk. The
copy's server asks it over the link between the two sites, and over the site's own network where it
stands next to it. What is measured is the time from the operator's word to the granted epoch: until
then nobody may write, from then on the old source is fenced.

Not modelled: that mail goes on at the new primary. Its branch begins with its first write, which no
run makes.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from engine import Promotion, Witness
from engine.contract.actions import FileAction, ReplaceFile, WakeAt
from engine.contract.events import TimerFired
from engine.contract.promotions import (
    Announce,
    BeginBranch,
    FenceSource,
    HoldSource,
    JournalMoved,
    Promote,
    Promoted,
    PromotionAction,
    PromotionEvent,
    PromotionFailed,
    ReadRegister,
    RegisterIs,
    RegisterUnreachable,
    ReleaseSource,
    SwapRegister,
)
from rpolab.laboratory.world import Laboratory
from rpolab.protections.kept_copy import KeptCopy
from rpolab.protections.volume_storage import VolumeStorage

STEP_NS = 10_000_000
"""How often it is looked whether the journal has settled, or a time is up. Assumption."""
HOLDER_FIRST = 2
REQUEST_BITS = 63

Steps = Generator[Any, Any, None]


class PromotionFigures(NamedTuple):
    """A promotion that came about: its epoch, where its branch begins, and how long it took."""

    epoch: int
    base_sequence: int
    took_ns: int


class Promoting:
    """The promotion of one of a protection's copies.

    Args:
        laboratory: the world.
        name: the protection's name.
        witness_site: where the witness stands.
    """

    def __init__(self, laboratory: Laboratory, name: str, witness_site: str, group: int) -> None:
        self._laboratory = laboratory
        self._kernel = laboratory.kernel
        self._site = witness_site
        role = f"{name}-witness"
        self._host = laboratory.add_host(role, witness_site)
        self._volume = laboratory.add_volume(role, self._host, witness_site)
        self._witness = Witness(VolumeStorage(self._volume), group=group, now_ns=0)
        self._draws = laboratory.streams.stream(f"{name}:promotion")
        self._wake_at_ns: int | None = None
        #: What came of it; None while it is under way.
        self.figures: PromotionFigures | None = None
        self.failure: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the copy was promoted, or stays on standby."""
        return self.figures is not None or bool(self.failure)

    def begin(self, copy: KeptCopy, holder: int) -> None:
        """Take the operator's word that this copy is to be the primary."""
        host = copy.target.host
        host.spawn(self._work(copy, holder), name=f"{copy.name} is promoted")

    def _work(self, copy: KeptCopy, holder: int) -> Steps:
        promotion = Promotion(
            VolumeStorage(copy.volume),
            copy.journal,
            holder=HOLDER_FIRST + holder,
            request=self._draws.bits(REQUEST_BITS),
        )
        self._began_ns = self._kernel.now_ns
        yield from self._handle(copy, promotion, Promote())
        while not self.is_over:
            yield self._kernel.sleep(STEP_NS)
            if self._wake_at_ns is not None and self._kernel.now_ns >= self._wake_at_ns:
                self._wake_at_ns = None
                yield from self._handle(copy, promotion, TimerFired())
            else:
                yield from self._handle(copy, promotion, JournalMoved())

    def _handle(self, copy: KeptCopy, promotion: Promotion, event: PromotionEvent) -> Steps:
        for action in promotion.handle(event, self._kernel.now_ns):
            if isinstance(action, ReadRegister | SwapRegister):
                answer = yield from self._ask(copy, action)
                yield from self._handle(copy, promotion, answer)
            else:
                self._carry_out(copy, action)

    def _carry_out(self, copy: KeptCopy, action: PromotionAction) -> None:
        if isinstance(action, HoldSource):
            copy.target.hold()
        elif isinstance(action, ReleaseSource):
            copy.target.release()
        elif isinstance(action, FenceSource):
            copy.target.fence(action.epoch)
        elif isinstance(action, WakeAt):
            self._wake_at_ns = action.time_ns
        elif isinstance(action, Announce):
            self._note(copy, action)
        elif isinstance(action, FileAction):
            copy.target.carry_out_all([action])
        else:
            assert isinstance(action, BeginBranch), "an operator's promotion asks for nothing else"

    def _note(self, copy: KeptCopy, action: Announce) -> None:
        notice = action.notice
        if isinstance(notice, Promoted):
            took_ns = self._kernel.now_ns - self._began_ns
            self.figures = PromotionFigures(notice.epoch, notice.base.sequence, took_ns)
            assert copy.newest("any").sequence == notice.base.sequence, "the branch begins there"
            copy.promotion_ns = took_ns
            copy.tell(f"promoted in epoch {notice.epoch}; the old source is fenced")
            self._laboratory.trace.record("cdp.promoted", name=copy.name, epoch=notice.epoch)
        elif isinstance(notice, PromotionFailed):
            self.failure = str(notice.error)
            copy.tell(f"not promoted: {notice.error}")

    def _ask(
        self, copy: KeptCopy, asked: ReadRegister | SwapRegister
    ) -> Generator[Any, Any, RegisterIs | RegisterUnreachable]:
        """Ask the witness, which answers after one round trip, or not at all."""
        laboratory = self._laboratory
        if not laboratory.are_linked(copy.copy_site, self._site):
            return RegisterUnreachable(asked.token, "no link leads to the witness")
        link = laboratory.link_between(copy.copy_site, self._site)
        yield self._kernel.sleep(2 * link.latency_ns)
        if not link.is_up or not self._host.up:
            return RegisterUnreachable(asked.token, "the witness does not answer")
        if isinstance(asked, ReadRegister):
            return self._witness.read(asked)
        actions, answer = self._witness.swap(asked, self._kernel.now_ns)
        yield from self._keep(actions)
        return answer

    def _keep(self, actions: Sequence[FileAction]) -> Steps:
        """Have the register on the witness's disk before its answer leaves."""
        for action in actions:
            assert isinstance(action, ReplaceFile), "the witness replaces its register"
            new = f"{action.name}.new"
            yield self._volume.create(new)
            yield self._volume.write(new, 0, (action.data,))
            yield self._volume.flush(new)
            yield self._volume.replace(new, action.name)
