"""What the simulated drivers of both ends share: connections, one timer, actions in order.

An action may cause events at once (a released write completes and is captured), and those cause
more actions. They are queued, so that actions are carried out in the order in which the session
gave them.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from engine.contract.actions import Action, CloseConnection, SendBytes, WakeAt
from engine.contract.events import BytesReceived, Disconnected, TimerFired
from sim.host import Host
from sim.kernel import Call, Kernel, Signal
from sim.link import ConnectionClosed, Endpoint

SessionEvent = BytesReceived | Disconnected | TimerFired


class SessionDriver(ABC):
    """One end of a session in simulation.

    Args:
        kernel: simulated time.
        host: the machine that the session runs on.
    """

    def __init__(self, kernel: Kernel, host: Host) -> None:
        self.kernel = kernel
        self.host = host
        self._endpoints: dict[int, Endpoint] = {}
        self._timer: Call | None = None
        self._queue: deque[Action] = deque()
        self._is_draining = False

    @abstractmethod
    def handle_common(self, event: SessionEvent) -> None:
        """Give the session an event that both ends know."""

    @abstractmethod
    def carry_out_own(self, action: Action) -> None:
        """Carry out an action that only this end has."""

    @abstractmethod
    def acted(self, action: Action) -> None:
        """Tell the observer of an action that was carried out; may end the session."""

    def carry_out_all(self, actions: Sequence[Action]) -> None:
        """Carry actions out, after those that are under way."""
        self._queue += actions
        if self._is_draining:
            return
        self._is_draining = True
        try:
            while self._queue:
                action = self._queue.popleft()
                self._carry_out(action)
                self.acted(action)
        finally:
            self._is_draining = False

    def attach(self, connection: int, endpoint: Endpoint) -> None:
        """Begin to read from a connection."""
        self._endpoints[connection] = endpoint
        reader = self._read(connection, endpoint)
        self.host.spawn(reader, name=f"{self.host.name} reader {connection}")

    def hang_up(self, reason: str) -> None:
        """Close all connections, and tell the session."""
        for connection, endpoint in tuple(self._endpoints.items()):
            del self._endpoints[connection]
            endpoint.close()
            self.handle_common(Disconnected(connection, reason))

    def drop_all(self) -> None:
        """Forget queued actions, connections and timer: the session has ended."""
        self._queue.clear()
        for endpoint in self._endpoints.values():
            endpoint.close()
        self._endpoints.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, SendBytes):
            endpoint = self._endpoints.get(action.connection)
            if endpoint is not None:
                endpoint.send(action.data).then(_observe)
        elif isinstance(action, WakeAt):
            self._wake_at(action.time_ns)
        elif isinstance(action, CloseConnection):
            endpoint = self._endpoints.pop(action.connection, None)
            if endpoint is not None:
                endpoint.close()
        else:
            self.carry_out_own(action)

    def _wake_at(self, time_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_ns = max(time_ns - self.kernel.now_ns, 0)
        self._timer = self.host.call_after(delay_ns, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.handle_common(TimerFired())

    def _read(self, connection: int, endpoint: Endpoint) -> Generator[Any, Any, None]:
        while self._endpoints.get(connection) is endpoint:
            item = yield from endpoint.inbox.receive()
            if self._endpoints.get(connection) is not endpoint:
                return
            if isinstance(item, ConnectionClosed):
                del self._endpoints[connection]
                self.handle_common(Disconnected(connection, item.reason))
                return
            self.handle_common(BytesReceived(connection, item))


def _observe(_sent: Signal) -> None:
    """Take note that a message left or could not: the session learns of that by silence."""
