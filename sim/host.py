"""Machines: what runs on a host stops when its power is cut.

Fault model.
May happen: the power is cut at any instant between two kernel events and comes back later.
Promised: after the cut no task of the host runs again, not even its `except` and `finally`
blocks (a generator is dropped, and kept until the world is torn down); calls it had pending do
not happen; whatever was attached to the host (volumes, connections) is told, in the order of
attachment. A task that cuts the power of its own host runs on to its next yield.
Not checked: nothing stops code of another host, or code called directly from outside the
simulation, from reading the memory of a host that is down.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.kernel import Call, Kernel
    from sim.signals import Process, Task
    from sim.site import Site

__all__ = ["Host"]


class Host:
    """A machine at a site.

    Attributes:
        name: Its name, unique in a world.
        site: Where it stands; a site that is given adds the host to its own.
        up: Whether it has power.
        epoch: How often its power was cut: what was begun in an earlier epoch is void.
    """

    __slots__ = ("_on_power_cut", "_on_power_on", "_tasks", "epoch", "kernel", "name", "site", "up")

    def __init__(self, kernel: "Kernel", name: str, site: "Site | None" = None) -> None:
        self.kernel = kernel
        self.name = name
        self.site = site
        self.up = True
        self.epoch = 0
        # A dict for its order: a set of objects would iterate by address.
        self._tasks: dict[Task, None] = {}
        self._on_power_cut: list[Callable[[], None]] = []
        self._on_power_on: list[Callable[[], None]] = []
        if site is not None:
            site.hosts.append(self)

    def __repr__(self) -> str:
        return f"<host {self.name} {'up' if self.up else 'down'}>"

    def spawn(self, process: "Process", *, name: str) -> "Task":
        """Start a process on this machine."""
        return self.kernel.spawn(process, name=name, host=self)

    def call_after(self, delay_ns: int, function: Callable[..., None], *args: Any) -> "Call":
        """Call a function later, unless the power is cut before."""
        return self.kernel.call_after(delay_ns, function, *args, host=self)

    def on_power_cut(self, hook: Callable[[], Any]) -> Callable[[], None]:
        """Call the hook at every power cut, after the tasks were dropped.

        Returns the function that ends it.
        """
        self._on_power_cut.append(hook)
        return lambda: self._on_power_cut.remove(hook)

    def on_power_on(self, hook: Callable[[], Any]) -> Callable[[], None]:
        """Call the hook each time the power comes back; returns the function that ends it."""
        self._on_power_on.append(hook)
        return lambda: self._on_power_on.remove(hook)

    def power_cut(self) -> int:
        """Cut the power; returns the number of tasks that were dropped.

        A second cut of a machine without power changes nothing.
        """
        if not self.up:
            return 0
        self.up = False
        self.epoch += 1
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            self.kernel.bury(task)
        for hook in tuple(self._on_power_cut):
            hook()
        return len(tasks)

    def power_on(self) -> None:
        """Give the power back; what should run has to be started anew, in a hook for instance."""
        if self.up:
            return
        self.up = True
        for hook in tuple(self._on_power_on):
            hook()

    def adopt(self, task: "Task") -> None:
        """Note a task as running here; the kernel calls this."""
        self._tasks[task] = None

    def forget(self, task: "Task") -> None:
        """Note that a task has ended; the task calls this."""
        self._tasks.pop(task, None)
