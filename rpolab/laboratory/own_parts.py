"""The parts of an experiment that other packages bring: made by name, and blamed by name."""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rpolab.failures import FailureOfOthers
from scenarios import OwnChecker, OwnFault, OwnProtection, OwnWorkload, Scenario
from scenarios.fields import Strict
from scenarios.hooks import Hook, What, load_hook


class HookFailed(FailureOfOthers):
    """What a package brings failed while it ran; the run has no verdict."""

    def __init__(self, hook: Hook, error: Exception) -> None:
        text = " ".join(str(error).split())
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        super().__init__(f"{hook.told} failed: {what}")
        self.hint = "--traceback prints where; tell whoever makes that package"


def made(what: What, settings: Any, base: type[Strict], *rest: Any) -> Any:
    """Makes what the package brings, from its keys and whatever else it needs.

    Raises:
        HookFailed: its constructor failed.
    """
    hook = load_hook(what, settings.kind, base)
    assert hook is not None, "the scenario was read with it"
    try:
        return hook.maker(settings, *rest)
    except Exception as error:
        raise HookFailed(hook, error) from error


def blamed(error: Exception, scenario: Scenario) -> HookFailed | None:
    """The package whose code raised an error in a run of the scenario; None when it was ours."""
    if isinstance(error, HookFailed):
        return error
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    for hook in _hooks_of(scenario):
        home = _home_of(hook)
        if any(home == file or home in file.parents for file in files):
            return HookFailed(hook, error)
    return None


def _hooks_of(scenario: Scenario) -> Iterator[Hook]:
    """What packages bring to a scenario."""
    own: list[tuple[What, Any, type[Strict]]] = [
        ("workload", scenario.workload, OwnWorkload),
        *(("checker", checker, OwnChecker) for checker in scenario.checkers.values()),
        *(("fault", fault, OwnFault) for fault in scenario.faults),
        *(("protection", protection, OwnProtection) for protection in scenario.protect.values()),
    ]
    for what, settings, base in own:
        if isinstance(settings, base):
            hook = load_hook(what, getattr(settings, "kind", ""), base)
            if hook is not None:
                yield hook


def _home_of(hook: Hook) -> Path:
    """The file of the hook's module, or the folder of the package that it is in."""
    name = hook.maker.__module__.partition(".")[0]
    module = sys.modules[name]
    file = Path(module.__file__ or name)
    return file.parent if hasattr(module, "__path__") else file
