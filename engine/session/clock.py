"""The other end's clock: how far it is off, and how wrong that answer can be.

Every frame says when it was sent and which frame of ours its sender had heard last, and when: the
four times of an NTP exchange (protection.md 3.8). Let theta be the peer's steady clock minus ours.
A frame cannot arrive before it was sent, in neither direction, so theta lies between
`sent - heard` of the frame that came and `received - origin` of ours that it echoes. That is a
proof, not an estimate: the answer is the middle, its error half the width, whatever the delays.

The exchange with the smallest error is kept; with its age its error grows by what two clocks can
drift apart. Steps of a wall clock do not disturb it, for they are told apart: each frame states
its sender's wall clock against the steady one.
"""

from typing import Literal, NamedTuple

from engine.basics.errors import FrameUnexpected
from engine.basics.settings import SessionSettings
from engine.contract.actions import ClockJumped
from engine.formats.wire import Stamp

#: Assumption: quartz is wrong by up to 100 ppm, and there are two of them.
CLOCK_DRIFT_PPM = 200
_MILLION = 1_000_000


class ReportedRpo(NamedTuple):
    """The age of the newest durable record by the source's clock, as the target knows it.

    `error_ns` bounds what the clocks make of it, either way; None where they were never compared,
    and then the age is by the target's own clock. The honest promise is their sum.
    """

    age_ns: int
    error_ns: int | None


class _Exchange(NamedTuple):
    offset_ns: int
    error_ns: int
    at_ns: int


def _drift_ns(duration_ns: int) -> int:
    return -(-duration_ns * CLOCK_DRIFT_PPM // _MILLION)


class PeerClock:
    """What one end knows of the other's clock during one connection."""

    def __init__(self) -> None:
        self.wall_offset_ns: int | None = None
        self._heard: Stamp | None = None
        self._heard_at_ns = 0
        self._best: _Exchange | None = None

    @property
    def is_known(self) -> bool:
        """Return whether a whole exchange was seen."""
        return self._best is not None

    def stamp(self, now_ns: int, wall_offset_ns: int) -> Stamp:
        """Return the stamp for a frame that is sent now."""
        if self._heard is None:
            return Stamp(now_ns, wall_offset_ns)
        return Stamp(now_ns, wall_offset_ns, self._heard.sent_ns, self._heard_at_ns)

    def heard(self, stamp: Stamp, now_ns: int) -> int:
        """Take the stamp of a frame that came; return by how much the peer's wall clock stepped.

        Raises:
            FrameUnexpected: The stamp states times that cannot be.
        """
        if stamp.origin_ns > now_ns:
            raise FrameUnexpected(
                f"A stamp echoes a frame of {stamp.origin_ns} ns, it is {now_ns} ns here now"
            )
        if stamp.received_ns > stamp.sent_ns:
            raise FrameUnexpected(
                f"A stamp was sent at {stamp.sent_ns} ns, before it heard what it echoes at "
                f"{stamp.received_ns} ns"
            )
        before, self.wall_offset_ns = self.wall_offset_ns, stamp.wall_offset_ns
        self._heard, self._heard_at_ns = stamp, now_ns
        if stamp.origin_ns:
            self._measure(stamp, now_ns)
        return 0 if before is None else stamp.wall_offset_ns - before

    def offset_ns(self) -> int | None:
        """Return the peer's wall clock minus our steady one, None while it is not known."""
        if self._best is None or self.wall_offset_ns is None:
            return None
        return self._best.offset_ns + self.wall_offset_ns

    def error_ns(self, now_ns: int) -> int | None:
        """Return by how much `offset_ns` can be wrong, either way."""
        if self._best is None:
            return None
        return self._best.error_ns + _drift_ns(now_ns - self._best.at_ns)

    def _measure(self, stamp: Stamp, now_ns: int) -> None:
        low, high = stamp.sent_ns - now_ns, stamp.received_ns - stamp.origin_ns
        drift_ns = _drift_ns(now_ns - stamp.origin_ns)
        if high - low < -2 * drift_ns:
            return  # no two clocks drift like this: whatever it is, it proves nothing
        error_ns = max(high - low, 0) // 2 + 1 + drift_ns
        exchange = _Exchange((low + high) // 2, error_ns, now_ns)
        kept_error_ns = self.error_ns(now_ns)
        if kept_error_ns is None or error_ns <= kept_error_ns:
            self._best = exchange


class SessionClock:
    """Both wall clocks as one end sees them, over all connections of a session.

    What the last connection has taught holds on, with a growing error, until the next one has
    taught more.

    Args:
        settings: What counts as a jump.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._own_wall_offset_ns: int | None = None
        self._peer = PeerClock()
        self._known: PeerClock | None = None

    def begin(self) -> None:
        """Begin a connection: the peer's steady clock may be another than before."""
        self._peer = PeerClock()

    def own(self, wall_offset_ns: int) -> ClockJumped | None:
        """Take this end's wall clock, minus its steady one; return a jump to report."""
        before, self._own_wall_offset_ns = self._own_wall_offset_ns, wall_offset_ns
        return self._jumped("own", 0 if before is None else wall_offset_ns - before)

    def heard(self, stamp: Stamp, now_ns: int) -> ClockJumped | None:
        """Take the stamp of a frame that came; return a jump to report.

        Raises:
            FrameUnexpected: The stamp states times that cannot be.
        """
        step_ns = self._peer.heard(stamp, now_ns)
        if self._peer.is_known:
            self._known = self._peer
        return self._jumped("peer", step_ns)

    def stamp(self, now_ns: int) -> Stamp:
        """Return the stamp for a frame that is sent now."""
        return self._peer.stamp(now_ns, self._own_wall_offset_ns or 0)

    def peer_wall_ns(self, now_ns: int) -> int | None:
        """Return what the peer's wall clock shows now, None while nobody knows."""
        offset_ns = None if self._known is None else self._known.offset_ns()
        return None if offset_ns is None else now_ns + offset_ns

    def offset_ns(self) -> int | None:
        """Return the peer's wall clock minus this end's, None while nobody knows."""
        wall_ns = self.peer_wall_ns(0)
        return None if wall_ns is None else wall_ns - (self._own_wall_offset_ns or 0)

    def error_ns(self, now_ns: int) -> int | None:
        """Return by how much the two above can be wrong, either way."""
        return None if self._known is None else self._known.error_ns(now_ns)

    def _jumped(self, clock: Literal["own", "peer"], step_ns: int) -> ClockJumped | None:
        settings = self._settings
        if -settings.clock_jump_ns_backward <= step_ns <= settings.clock_jump_ns_forward:
            return None
        return ClockJumped(clock, step_ns)
