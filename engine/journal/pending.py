"""File actions that are yet to be carried out, in order, and the syncs under way among them."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from engine.basics.errors import LocalProtocolError
from engine.contract.actions import FileAction, SyncFile

_Promise = TypeVar("_Promise")


class _Sync(NamedTuple, Generic[_Promise]):
    promise: _Promise
    is_barrier: bool


class PendingActions(Generic[_Promise]):
    """A queue that hands out actions up to a barrier: a sync that all after it must wait for."""

    def __init__(self) -> None:
        self._queue: deque[FileAction] = deque()
        self._syncs: dict[int, _Sync[_Promise]] = {}  # queued or under way, by token
        self._tokens = 0
        self._barrier_token = 0

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is queued and no sync is under way."""
        return not self._syncs and not self._queue

    @property
    def has_sync(self) -> bool:
        """Return whether a sync is queued or under way."""
        return bool(self._syncs)

    def add(self, *actions: FileAction) -> None:
        """Queue actions; syncs only by `add_sync`."""
        self._queue += actions

    def add_sync(self, name: str, promise: _Promise, *, is_barrier: bool = False) -> None:
        """Queue a sync of a file; `done` returns what it promises."""
        self._tokens += 1
        self._syncs[self._tokens] = _Sync(promise, is_barrier)
        self._queue.append(SyncFile(name, self._tokens))

    def done(self, token: int) -> _Promise:
        """Note that a sync is done; return what was promised.

        Raises:
            LocalProtocolError: No such sync is under way.
        """
        if token not in self._syncs:
            raise LocalProtocolError(f"SyncDone({token}): no such sync is under way")
        if token == self._barrier_token:
            self._barrier_token = 0
        return self._syncs.pop(token).promise

    def drain(self) -> list[FileAction]:
        """Return the actions that may be carried out now: up to the next barrier."""
        actions: list[FileAction] = []
        while self._queue and not self._barrier_token:
            action = self._queue.popleft()
            actions.append(action)
            if isinstance(action, SyncFile) and self._syncs[action.token].is_barrier:
                self._barrier_token = action.token
        return actions
